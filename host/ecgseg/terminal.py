"""The terminal: results on stdout, messages and progress on stderr."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

console = Console()


messages = Console(stderr=True)


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
