"""Runs that are kept, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ecgseg import paths
from ecgseg.runs.folder import RunFolder
from ecgseg.terminal import Table, data

_VERDICTS = {
    "pass": "[green]pass[/green]",
    "fail": "[bold red]fail[/bold red]",
    "incomplete": "[yellow]incomplete[/yellow]",
    "drift": "[bold red]drift[/bold red]",
    None: "[yellow]no result[/yellow]",
}


def show_runs(runs: Sequence[RunFolder], console: Console) -> None:
    """Prints a line for each run, with its folder below."""
    table = Table(show_edge=False)
    for name in ("Began, UTC", "Task", "Model", "Target", "Verdict"):
        # A model of one's own may be called anything; the rest is short.
        table.add_column(name, no_wrap=name != "Model")
    table.add_column("Compared", justify="right", no_wrap=True)
    for run in runs:
        about = run.about
        table.add_row(
            data(about.provenance.started.replace("T", " ").rstrip("Z")),
            data(about.task),
            data(about.model),
            data(about.target),
            _VERDICTS[about.verdict],
            f"{about.compared:,} {data(about.unit if about.compared != 1 else about.unit[:-1])}",
        )
    console.print(table)
    console.print(f"\nFolders in {data(_relative(runs[0].path.parent))}:", highlight=False, soft_wrap=True)
    for run in runs:
        console.print(f"  {data(run.path.name)}", highlight=False, soft_wrap=True)


def _relative(path: Path) -> Path:
    return path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path
