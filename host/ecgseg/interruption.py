"""Ctrl-C, SIGTERM and SIGHUP: heard from the first import on, never lost, and kept apart from what must end whole.

A signal is raised as an exception, `Stopped`, and a library that catches everything may swallow one. So it is also
remembered: `check` raises it again, and stands where nothing is half done, after a library's call and between leads.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Who stops a group of processes, or closes a terminal, often sends the same signal twice at once.
_ONCE_SECONDS = 1.0


def name_of(number: int) -> str:
    """What a signal is called; some have no name."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def told_of_end(code: int) -> str:
    """What to tell of a process that a signal ended.

    Args:
        code: its exit code as `subprocess` has it, below 0.
    """
    return f"Its process was ended by {name_of(-code)}. Who lacks memory is ended by SIGKILL."


class Stopped(KeyboardInterrupt):
    """Somebody wants this process to stop.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    @property
    def exit_code(self) -> int:
        """As a shell tells it: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
        return 128 + self.number

    def __str__(self) -> str:
        return "Interrupted." if self.number == signal.SIGINT else f"Stopped by {name_of(self.number)}."


class _State:
    """What the handler and the program tell each other; signals reach the main thread alone.

    Attributes:
        guarded: how many blocks will clean up and say what became of it; without one there is nothing to clean up.
        held: how many blocks must end whole.
        stopped: the first signal.
        heard: when that was, in seconds of the monotonic clock.
        is_end: it was the end of work that has none of its own, and is told as no interruption.
    """

    guarded = 0
    held = 0
    stopped: Stopped | None = None
    heard = 0.0
    is_end = False


def install() -> None:
    """Hears the signals from now on; ignored ones, as under nohup, stay ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _hear)
    sys.unraisablehook = _tell_unraisable


def _tell_unraisable(told: sys.UnraisableHookArgs) -> None:
    """What Python cannot raise, as in a destructor, it prints with a traceback; a signal is remembered."""
    if not isinstance(told.exc_value, Stopped):
        sys.__unraisablehook__(told)


def _hear(number: int, frame: FrameType | None) -> None:
    if not _State.guarded:
        # Still importing, or at the end: nobody would tell this from a crash, and nothing is open.
        with suppress(OSError, ValueError):  # A terminal that is gone sends SIGHUP and takes no words.
            os.write(sys.stderr.fileno(), f"\n{Stopped(number)}\n".encode())
        os._exit(128 + number)
    now = time.monotonic()
    if _State.stopped is None:
        _State.stopped, _State.heard = Stopped(number), now
        if _State.held:
            return
    elif now - _State.heard < _ONCE_SECONDS:
        return
    raise _State.stopped


def ended_by(error: BaseException) -> BaseException:
    """What really ended the work that `error` came out of: the signal that was heard, whatever a library made of it."""
    if _State.stopped is not None and not _State.is_end:
        return _State.stopped
    plain = isinstance(error, KeyboardInterrupt) and not isinstance(error, Stopped)
    return Stopped(signal.SIGINT) if plain else error


def check() -> None:
    """Raises what was heard and swallowed; called where nothing is half done.

    Raises:
        Stopped: a signal was heard, and is not held back.
    """
    if _State.stopped is not None and not _State.is_end and not _State.held:
        raise _State.stopped


@contextmanager
def guarded() -> Iterator[None]:
    """Inside, a signal is an exception that reaches the end of this block."""
    _State.guarded += 1
    try:
        yield
    finally:
        _State.guarded -= 1


@contextmanager
def ending(is_begun: Callable[[], bool]) -> Iterator[None]:
    """Inside, a signal is how work ends that goes on for as long as it is left alone; it does not leave the block.

    Args:
        is_begun: that there was anything to end; before, a signal interrupts as everywhere.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(ended_by(error), Stopped) or not is_begun():
            raise
        _State.is_end = True


@contextmanager
def held() -> Iterator[None]:
    """Inside, the first signal waits until the block has ended; one more, a second later, does not.

    Raises:
        Stopped: at the end, when a signal was heard inside.
    """
    before = _State.stopped
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
    if _State.stopped is not before:
        check()
