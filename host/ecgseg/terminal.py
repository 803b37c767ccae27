"""The terminal: results on stdout, messages and progress on stderr."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import rich.table
from rich.box import SIMPLE_HEAD
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

from ecgseg.printable import printable, printable_lines


class _Console(Console):
    """A console that leaves it to the task's guard what a reader who has gone away means; rich would end with 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    def _check_buffer(self) -> None:
        try:
            super()._check_buffer()
        except OSError as error:
            if error.errno == errno.EIO:  # A terminal that was closed.
                self.on_broken_pipe()
            raise


class _Messages(_Console):
    """What is told beside the work: the work goes on where nobody can read it any more."""

    def _check_buffer(self) -> None:
        try:
            super()._check_buffer()
        except OSError:
            self.quiet = True


console: Console = _Console()
messages: Console = _Messages(stderr=True)


class Table(rich.table.Table):
    """The one look of tables, of which nothing is cut off: what is too long for its column goes on in the next line.

    `show_edge=False` leaves out the empty lines around it.
    """

    def __init__(self, *headers: Any, **options: Any) -> None:
        look: dict[str, Any] = {"box": SIMPLE_HEAD, "pad_edge": False, "padding": (0, 1, 0, 0), "title_justify": "left"}
        super().__init__(*headers, **(look | options))

    def add_column(self, *header: Any, overflow: Any = "fold", **options: Any) -> None:
        super().add_column(*header, overflow=overflow, **options)


def data(text: object) -> str:
    """What is no text of ours (a place, a name, words of a file, a device or a program), to be shown as it is.

    Neither rich's markup nor a control character in it means anything.
    """
    return escape(printable(str(text)))


def data_lines(text: object) -> str:
    """The same for a text of several lines, whose line ends stay."""
    return escape(printable_lines(str(text)))


Track = Callable[[Iterable[Any], str], Iterable[Any]]
"""Hands on items one by one while a bar of that name shows how many are through."""


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


@contextmanager
def tracking() -> Iterator[Track]:
    """Bars for work that tells of itself by handing its items through a function."""
    with progress() as bars:
        yield lambda items, what: bars.track(list(items), description=what)
