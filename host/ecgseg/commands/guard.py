"""What every task shares: errors as three printed parts, exit codes, progress, JSON."""

from __future__ import annotations

import difflib
import errno
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ecgseg.errors import EcgsegError, OutputError, UsageError
from ecgseg.output import check_file, check_folder, output_error, write_text

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE

console = Console()
messages = Console(stderr=True)


@contextmanager
def guard() -> Iterator[None]:
    """Turns what a task may run into: an error's three parts on stderr and an exit code, never a traceback.

    Use it as a decorator below `@task` or as a context manager. Exit codes: those of `ecgseg.errors`, 130 after
    Ctrl-C, 141 when the reader of a pipe is gone. An exception that is no EcgsegError is a bug and passes through.
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


def choose(what: str, name: str, known: Sequence[str], option: str) -> str:
    """The name, if it is known.

    Args:
        what: what is named, such as "model".
        name: what the user typed.
        known: the names that exist.
        option: the option it came from, such as "--model".

    Raises:
        UsageError: it is not; the message lists the known names and the nearest one.
    """
    if name in known:
        return name
    raise UsageError(
        f"There is no {what} '{name}'.{did_you_mean(name, known)}",
        f"Known: {', '.join(known) or 'none'}.",
        f"Correct the {option} option.",
    )


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """The question after the nearest known name, with a space before it; empty when none is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean '{near[0]}'?" if near else ""


def check_outputs(*files: str | None, folder: str | None = None) -> None:
    """Refuses results that could not be written, before a task works an hour for them.

    Args:
        files: what --json and the like name; None where the option was not given.
        folder: what --out names.

    Raises:
        OutputError: one of them could not be written.
    """
    for file in files:
        if file:
            check_file(Path(file))
    if folder:
        check_folder(Path(folder))


def progress(*extra: ProgressColumn, transient: bool = False) -> Progress:
    """A progress bar with count and time left, on stderr so that stdout stays a result."""
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=None),
        *(extra or (MofNCompleteColumn(),)),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=messages,
        transient=transient,
        expand=True,
    )


def write_json(result: BaseModel, path: str | Path) -> None:
    """Writes a result for machines.

    Raises:
        OutputError: it could not be written.
    """
    write_text(Path(path), result.model_dump_json(indent=2) + "\n")
