"""What every task ends with: errors as three printed parts, and exit codes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeGuard

from ecgseg import interruption
from ecgseg.beginning import EXIT_BROKEN_PIPE
from ecgseg.errors import EcgsegError, OutputError
from ecgseg.interruption import Stopped
from ecgseg.output import output_error
from ecgseg.terminal import data, data_lines, messages


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
            # Python 3.13 ends with 120 where nobody can read messages any more.
            _let_go_of_what_is_gone()
        except BaseException as error:
            # A library that swallows an interruption may come back with any other exception instead.
            ended_by = interruption.ended_by(error)
            code = _exit_code(ended_by)
            if code is None:
                raise
            # After SystemExit everything has been told.
            _tell(ended_by if not isinstance(error, SystemExit) else None)
            _let_go_of_what_is_gone()
            raise SystemExit(code) from None


def _exit_code(error: BaseException) -> int | None:
    """The exit code of what ended a task; None for what passes through."""
    if isinstance(error, Stopped | EcgsegError):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return EXIT_BROKEN_PIPE
    if _is_full_disk(error):
        return OutputError.exit_code
    return None


def _is_full_disk(error: BaseException | None) -> TypeGuard[OSError]:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _tell(error: BaseException | None) -> None:
    """Says what ended a task."""
    if isinstance(error, Stopped):
        messages.print(f"\n[yellow]{error}[/yellow] What was finished has been kept; run the command again.")
    elif isinstance(error, EcgsegError):
        show_error(error)
    elif _is_full_disk(error):
        show_error(output_error(error.filename or "The output", error))


def _let_go_of_what_is_gone() -> None:
    """Python flushes its streams once more at its end; those whose reader is gone get a place to flush to."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show_error(error: EcgsegError) -> None:
    """Prints what happened, why, and what to do; only the cause may be of several lines, such as a compiler's."""
    messages.print(f"[bold red]Error:[/bold red] {data(error.what)}", highlight=False, soft_wrap=True)
    if error.why:
        messages.print(f"  [bold]Why:[/bold] {data_lines(error.why)}", highlight=False, soft_wrap=True)
    if error.remedy:
        messages.print(f"  [bold]What to do:[/bold] {data(error.remedy)}", highlight=False, soft_wrap=True)
