"""What every task ends with: errors as three printed parts, and exit codes."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape

from ecgseg.errors import EcgsegError, OutputError
from ecgseg.output import output_error
from ecgseg.terminal import messages

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE


@contextmanager
def guard() -> Iterator[None]:
    """Turns what a task may run into: an error's three parts on stderr and an exit code, never a traceback.

    Use it as a decorator or as a context manager; every task is under it (`ecgseg.commands.task`). Exit codes: those
    of `ecgseg.errors`, 130 after Ctrl-C, 141 when the reader of a pipe is gone. An exception that is no EcgsegError is
    a bug and passes through.
    """
    try:
        yield
        sys.stdout.flush()
    except EcgsegError as error:
        show_error(error)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        messages.print("\n[yellow]Interrupted.[/yellow] What was finished has been kept; run the command again.")
        raise SystemExit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        # Python flushes stdout once more at its end; give it a place to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(EXIT_BROKEN_PIPE) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = output_error(error.filename or "The output", error)
        show_error(full)
        raise SystemExit(OutputError.exit_code) from None


def show_error(error: EcgsegError) -> None:
    """Prints what happened, why, and what to do."""
    messages.print(f"[bold red]Error:[/bold red] {escape(error.what)}", highlight=False, soft_wrap=True)
    if error.why:
        messages.print(f"  [bold]Why:[/bold] {escape(error.why)}", highlight=False, soft_wrap=True)
    if error.remedy:
        messages.print(f"  [bold]What to do:[/bold] {escape(error.remedy)}", highlight=False, soft_wrap=True)
