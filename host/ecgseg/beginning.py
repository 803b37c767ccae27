"""What comes before everything else: older results go, signals are heard, and there is something to write to.

tasks.py calls `begin`, but invoke reads tasks.py only when it has imported itself. Where tools/setup.sh made the
environment, a line beside its packages (ecgseg-beginning.pth) therefore calls `at_start_of_python` in every Python that
starts there. So this module imports nothing that Python has not imported already, until invoke is what was started.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence

Hook = Callable[[type[BaseException], BaseException, object], None]

EXIT_BROKEN_PIPE = 141  # 128 and the number of SIGPIPE
FLAGS = ("--json", "--html", "--junit")
"""Options that name a result which tells how the run ended; a test holds them to those of the tasks."""

_INTERRUPTED = b"\nInterrupted.\n"
_TOOLS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "tools"))
_WITH_VALUE = ("-X", "-W", "--check-hash-based-pycs")


def at_start_of_python(words: Sequence[str]) -> None:
    """Calls :func:`begin` when Python is about to run invoke; a tool of the project ends without a traceback, too.

    Args:
        words: as in sys.orig_argv, Python first.
    """
    program = _without_python(words)
    if is_invoke(program):
        try:
            begin(program)
        except KeyboardInterrupt:  # Before it is heard as everything else is.
            os.write(2, _INTERRUPTED)
            os._exit(130)
    elif is_tool(program):
        _see_to_the_end(_end_of_a_tool)


def begin(words: Sequence[str]) -> None:
    """Removes older results, hears signals from now on and sees to the standard streams; twice is once.

    Args:
        words: as in sys.argv, the program first.
    """
    # First of all: it takes no time, and what comes next does.
    discard(words)
    from ecgseg import interruption

    interruption.install()
    _see_to_the_end(_end_without_reader)


def _see_to_the_end(hook: Hook) -> None:
    import atexit

    _see_to_streams()
    sys.excepthook = hook
    atexit.register(_write_the_rest)


def _see_to_streams() -> None:
    """Opens those that are closed, as a daemon may start a task; no character is too much for any of them.

    A file that is opened later would else get the number of one of them, and what is printed would go into it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end_without_reader(kind: type[BaseException], error: BaseException, _: object) -> None:
    """What a tool prints, and invoke itself, menu and help, ends like a task when nobody reads on: without a word."""
    if isinstance(error, BrokenPipeError):
        os._exit(EXIT_BROKEN_PIPE)
    sys.__excepthook__(kind, error, error.__traceback__)


def _end_of_a_tool(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """A tool that is interrupted says so, as a task does, and ends by its signal, as Python sees to."""
    if isinstance(error, KeyboardInterrupt):
        os.write(2, _INTERRUPTED)
    else:
        _end_without_reader(kind, error, trace)


def _write_the_rest() -> None:
    """What is shorter than Python's buffer is written only now, where no exception reaches the hook above."""
    if sys.stdout is not None and not sys.stdout.closed:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(EXIT_BROKEN_PIPE)
        except OSError:
            return  # Python tries once more, and says so.


def is_invoke(words: Sequence[str]) -> bool:
    """Whether invoke was started, by words as in sys.argv; `python -m invoke` is started as .../invoke/__main__.py."""
    *folders, name = (words[0] if words else "").split("/")
    return name in ("invoke", "inv") or (name == "__main__.py" and folders[-1:] == ["invoke"])


def is_tool(words: Sequence[str]) -> bool:
    """Whether one of the project's tools was started, by words as in sys.argv."""
    folder, name = os.path.split(words[0] if words else "")
    return name.endswith(".py") and os.path.realpath(folder) == _TOOLS


def discard(words: Sequence[str]) -> None:
    """Removes the files that FLAGS name, so that a run which is stopped while it starts leaves no older verdict there.

    What cannot be removed is told when the task looks at its options.

    Args:
        words: a command line, the program first.
    """
    if {"--help", "-h"} & set(words):
        return
    for word, after in zip(words, [*words[1:], ""], strict=True):
        flag, equals, value = word.partition("=")
        if flag in FLAGS:
            _remove(value if equals else after)


def _remove(place: str) -> None:
    try:
        path = os.path.expanduser(place)
        if os.path.isfile(path):
            os.unlink(path)
    except (OSError, ValueError):
        return


def _without_python(words: Sequence[str]) -> list[str]:
    """Program and what follows it of a command line of Python; nothing where the program is no file or module."""
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            return [word, *rest]
        if word.startswith("--") or word in _WITH_VALUE:
            rest = rest[1:] if word in _WITH_VALUE else rest
        elif word.endswith("m"):
            return rest
        elif "c" in word:
            return []
    return []
