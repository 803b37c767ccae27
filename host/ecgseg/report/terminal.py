"""The result of a HIL test on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from ecgseg.hil.result import HilResult, Mismatch
from ecgseg.report.texts import byte_text, reached, summary_rows
from ecgseg.terminal import data

VERDICTS = {
    "pass": "[bold green]PASS[/bold green]  every byte of the device equals Python",
    "fail": "[bold red]FAIL[/bold red]  the device differs from Python",
    "incomplete": "[bold yellow]INCOMPLETE[/bold yellow]  the test did not reach its end",
}


def show_result(result: HilResult, console: Console) -> None:
    """Prints the summary of a HIL test and every difference that was kept in full."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for name, text in summary_rows(result):
        table.add_row(name, data(text))
    console.print()
    console.print(Panel(table, title=f"HIL test, target {data(result.target)}", title_align="left", expand=False))
    if result.mismatches:
        console.print(_mismatch_table(result.mismatches))
        _show_replay([item.replay for item in result.mismatches if item.replay], console)
    missing = f" ({data(reached(result))})" if result.verdict == "incomplete" else ""
    console.print(VERDICTS[result.verdict] + missing + (f": {data(result.error)}" if result.error else "."))


def _show_replay(commands: list[str], console: Console) -> None:
    if commands:
        console.print(f"Run the first of them again: {data(commands[0])}", highlight=False, soft_wrap=True)
    if len(commands) > 1:
        console.print(f"{len(commands) - 1} more vectors are kept beside it; the JSON and the report name them.")


def _mismatch_table(mismatches: list[Mismatch]) -> Table:
    table = Table(title="First differing frames", title_justify="left")
    for name in ("Record", "Lead", "Frame", "Differs first in", "Byte", "Python", "Device", "Bytes different"):
        table.add_column(name, justify="left" if name in ("Lead", "Differs first in") else "right")
    for item in mismatches:
        table.add_row(
            str(item.record),
            data(item.lead),
            str(item.frame),
            data(item.stage),
            str(item.offset),
            byte_text(item.expected),
            byte_text(item.actual),
            f"{item.differing_bytes:,}",
        )
    return table
