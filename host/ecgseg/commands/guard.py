"""What every task ends with: errors as three printed parts, and exit codes."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape

from ecgseg import interruption
from ecgseg.errors import EcgsegError, OutputError
from ecgseg.interruption import Stopped
from ecgseg.output import output_error
from ecgseg.printable import printable_lines
from ecgseg.terminal import messages

EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE


@contextmanager
def guard() -> Iterator[None]:
    """Turns what a task may run into: an error's three parts on stderr and an exit code, never a traceback.

    Use it as a decorator or as a context manager; every task is under it (`ecgseg.commands.task`). Exit codes: those
    of `ecgseg.errors`, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 141 when the reader of a pipe is gone. An
    exception that is no EcgsegError is a bug and passes through.
    """
    with interruption.guarded():
        try:
            yield
            sys.stdout.flush()
            interruption.check()
        except BaseException as error:
            # A library that swallows an interruption may come back with any other exception instead.
            code = _exit_code(interruption.ended_by(error), told=isinstance(error, SystemExit))
            if code is None:
                raise
            raise SystemExit(code) from None


def _exit_code(error: BaseException, *, told: bool) -> int | None:
    """The exit code of what ended a task, and a word about it unless that was `told`; None for what passes through."""
    if isinstance(error, Stopped):
        if not told:
            messages.print(f"\n[yellow]{error}[/yellow] What was finished has been kept; run the command again.")
        return error.exit_code
    if isinstance(error, EcgsegError):
        show_error(error)
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        # Python flushes stdout once more at its end; give it a place to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        show_error(output_error(error.filename or "The output", error))
        return OutputError.exit_code
    return None


def show_error(error: EcgsegError) -> None:
    """Prints what happened, why, and what to do."""
    messages.print(f"[bold red]Error:[/bold red] {_data(error.what)}", highlight=False, soft_wrap=True)
    if error.why:
        messages.print(f"  [bold]Why:[/bold] {_data(error.why)}", highlight=False, soft_wrap=True)
    if error.remedy:
        messages.print(f"  [bold]What to do:[/bold] {_data(error.remedy)}", highlight=False, soft_wrap=True)


def _data(text: str) -> str:
    """Text as rich shows it as it is: names of files and words of a device may be in it."""
    return escape(printable_lines(text))
