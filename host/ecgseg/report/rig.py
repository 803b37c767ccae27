"""A rig: a table that is alive while its tests run, what came of them, and a page with a row for each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.live import Live

from ecgseg.hil.rig.processes import OnChange, RunState
from ecgseg.hil.rig.result import RigResult, RigRun
from ecgseg.report.page import render_page
from ecgseg.report.texts import origin_rows
from ecgseg.terminal import Table, data, messages

_HEADLINES = {
    "pass": "Every test passed",
    "fail": "A device differs from Python",
    "incomplete": "Not every test has a verdict",
}
_STYLES = {
    "pass": "green",
    "fail": "bold red",
    "differs": "bold red",
    "incomplete": "yellow",
    "runs": "",
    "waits": "bright_black",
}
_Row = tuple[str, str, str, str, str, str]


@contextmanager
def rig_table() -> Iterator[OnChange]:
    """A table of all tests that follows what it is told; where nobody watches a line for each test that ended."""
    shown: list[_Row] = []
    told: set[int] = set()
    with ExitStack() as stack:
        live = Live(console=messages, auto_refresh=False, transient=True)
        if messages.is_terminal:
            stack.enter_context(live)

        def on_change(states: Sequence[RunState]) -> None:
            rows = [_row(state) for state in states]
            if not messages.is_terminal:
                _tell_ended(states, rows, told)
            elif rows != shown:
                shown[:] = rows
                live.update(_table(rows), refresh=True)

        yield on_change


def _tell_ended(states: Sequence[RunState], rows: Sequence[_Row], told: set[int]) -> None:
    for number, (state, row) in enumerate(zip(states, rows, strict=True)):
        if state.run is not None and number not in told:
            told.add(number)
            name, target, model, leads, verdict, seconds = row
            line = f"{name}: {model} on {target}, {leads or 'no'} leads, {verdict}, {seconds} s"
            messages.print(data(line), highlight=False, soft_wrap=True)


def _row(state: RunState) -> _Row:
    job = state.job
    word = state.run.verdict if state.run else "waits" if state.pid is None else "runs" if state.equal else "differs"
    return job.name, job.target, job.model, _leads(state.done, state.total), word, f"{state.seconds:,.0f}"


def _leads(done: int, total: int) -> str:
    return f"{done:,}/{total:,}" if total else ""


def _table(rows: Sequence[_Row]) -> Table:
    table = Table(show_edge=False)
    for name in ("Name", "Target", "Model"):
        # A model of one's own may be called anything; the rest is short.
        table.add_column(name, no_wrap=name != "Model")
    table.add_column("Leads", justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Seconds", justify="right", no_wrap=True)
    for name, target, model, leads, word, seconds in rows:
        verdict = f"[{_STYLES[word]}]{word}[/]" if _STYLES[word] else word
        table.add_row(data(name), data(target), data(model), leads, verdict, seconds)
    return table


def show_rig(result: RigResult, console: Console) -> None:
    """Prints a row for each test, and below why those have no verdict that have none."""
    console.print(_table([_ended_row(run) for run in result.runs]))
    for run in result.runs:
        if run.error:
            console.print(f"[yellow]{data(run.name)}[/yellow]: {data(run.error)}", highlight=False, soft_wrap=True)


def _ended_row(run: RigRun) -> _Row:
    return run.name, run.target, run.model, _leads(run.done, run.total), run.verdict, f"{run.seconds:,.1f}"


def counts(result: RigResult) -> str:
    """How many tests came to what, such as "3 of 4 tests passed, 1 differs"."""
    verdicts = [run.verdict for run in result.runs]
    passed, failed, open_ = (verdicts.count(word) for word in ("pass", "fail", "incomplete"))
    parts = [f"{passed:,} of {len(verdicts):,} {'test' if len(verdicts) == 1 else 'tests'} passed"]
    parts += [f"{failed:,} {'differs' if failed == 1 else 'differ'}"] if failed else []
    parts += [f"{open_:,} {'has' if open_ == 1 else 'have'} no verdict"] if open_ else []
    return ", ".join(parts)


def render_rig(result: RigResult, files: Path, place: Path) -> str:
    """HTML of a rig.

    Args:
        result: what came of it.
        files: folder of its run, where the files of its tests are.
        place: folder of the page, which links to them.
    """
    return render_page(
        "rig.html.j2",
        result=result,
        headline=_HEADLINES[result.verdict],
        counts=counts(result),
        rows=[
            {
                "run": run,
                "leads": _leads(run.done, run.total),
                "report": _link(run.report, files, place),
                "result": _link(run.result, files, place),
                "log": _link(run.log, files, place),
            }
            for run in result.runs
        ],
        origin=origin_rows(result.provenance) if result.provenance else [],
    )


def _link(name: str | None, files: Path, place: Path) -> str | None:
    """Where a file is as seen from the page; names of files are this program's own, folders may be called anything."""
    if name is None:
        return None
    return quote(os.path.relpath(files / name, place))
