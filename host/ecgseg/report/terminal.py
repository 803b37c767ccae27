"""The result of a HIL test on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel

from ecgseg.hil.result import HilResult, Mismatch, Verdict
from ecgseg.report.texts import Row, byte_text, reached, summary_rows
from ecgseg.terminal import Table, data

VERDICTS = {
    "pass": "[bold green]PASS[/bold green]  every byte of the device equals Python",
    "fail": "[bold red]FAIL[/bold red]  the device differs from Python",
    "incomplete": "[bold yellow]INCOMPLETE[/bold yellow]  the test did not reach its end",
}


def summary_panel(title: str, rows: list[Row]) -> Panel:
    """Names and values in a frame; the title is markup."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for name, text in rows:
        table.add_row(name, data(text))
    return Panel(table, title=title, title_align="left", expand=False)


def verdict_line(verdict: Verdict, reached_text: str, error: str | None) -> str:
    """The last line, markup: the verdict, how far the test came if not to its end, and why."""
    missing = f" ({data(reached_text)})" if verdict == "incomplete" else ""
    return VERDICTS[verdict] + missing + (f": {data(error)}" if error else ".")


def show_result(result: HilResult, console: Console) -> None:
    """Prints the summary of a HIL test and every difference that was kept in full."""
    console.print()
    console.print(summary_panel(f"HIL test, target {data(result.target)}", summary_rows(result)))
    if result.mismatches:
        console.print(_mismatch_table(result.mismatches))
        show_replay([item.replay for item in result.mismatches if item.replay], console)
    console.print(verdict_line(result.verdict, reached(result), result.error))


def show_replay(commands: list[str], console: Console) -> None:
    """Prints the command that runs the first kept vector again, and how many more there are."""
    if commands:
        console.print(f"Run the first of them again: {data(commands[0])}", highlight=False, soft_wrap=True)
    if len(commands) > 1:
        console.print(f"{len(commands) - 1} more vectors are kept beside it; the JSON and the report name them.")


def _mismatch_table(mismatches: list[Mismatch]) -> Table:
    table = Table(title="First differing frames")
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
