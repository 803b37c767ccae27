"""What changed from one run to another, on the terminal and as a page."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from ecgseg.output import write_text
from ecgseg.report.page import render_page
from ecgseg.runs.compare import Measure, RunComparison
from ecgseg.runs.figures import VERDICTS
from ecgseg.terminal import Table, data

_STYLES = {"better": "green", "worse": "bold red", "equal": "", "other": "", "not judged": "yellow"}
_HASH_DIGITS = 16
_LONG_FACT = 40
HEADLINES = {True: "Something got worse", False: "Nothing got worse"}


def show_comparison(comparison: RunComparison, console: Console) -> None:
    """Prints what changed; figures that are equal are counted."""
    console.print(f"A: {data(comparison.a)}\nB: {data(comparison.b)}", highlight=False, soft_wrap=True)
    if comparison.facts:
        table = Table("What else is not the same", "A", "B")
        for fact in comparison.facts:
            table.add_row(data(fact.name), data(_short(fact.a)), data(_short(fact.b)))
        console.print(table)
    changed = [measure for measure in comparison.measures if measure.change != "equal"]
    if changed:
        table = _table("What changed", "A", "B", "B - A", "")
        for measure in changed:
            values = value_text(measure, measure.a), value_text(measure, measure.b), step_text(measure)
            name = measure.name if measure.unit in ("", "verdict") else f"{measure.name}, {measure.unit}"
            table.add_row(data(name), *values, change_text(measure), style=_STYLES[measure.change])
        console.print(table)
    equal = len(comparison.measures) - len(changed)
    console.print(f"{equal} of {len(comparison.measures)} figures are equal.")
    for note in comparison.notes:
        console.print(data(note), highlight=False)
    worse = [data(measure.name) for measure in comparison.measures if measure.change == "worse"]
    if worse:
        console.print(f"[bold red]WORSE[/bold red]  {len(worse)} of them: {', '.join(worse)}.", highlight=False)
    else:
        console.print("[bold green]NOT WORSE[/bold green]  in any figure that is judged.")


def _table(first: str, *others: str) -> Table:
    table = Table()
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right" if name else "left")
    return table


def write_comparison(comparison: RunComparison, path: Path) -> None:
    """Writes the page.

    Raises:
        OutputError: it could not be written.
    """
    write_text(path, render_comparison(comparison))


def render_comparison(comparison: RunComparison) -> str:
    """HTML of a comparison: first what got worse, then what else changed, then what is equal."""
    order = ("worse", "better", "other", "not judged", "equal")
    rows = [
        {
            "group": measure.group,
            "name": measure.name,
            "unit": "" if measure.unit == "verdict" else measure.unit,
            "a": value_text(measure, measure.a),
            "b": value_text(measure, measure.b),
            "step": step_text(measure),
            "change": change_text(measure),
        }
        for measure in sorted(comparison.measures, key=lambda measure: order.index(measure.change))
    ]
    return render_page(
        "comparison.html.j2",
        comparison=comparison,
        headline=HEADLINES[comparison.regression],
        worse=sum(row["change"] == "worse" for row in rows),
        changed=[row for row in rows if row["change"] != "equal"],
        equal=[row for row in rows if row["change"] == "equal"],
    )


def value_text(measure: Measure, value: float | None) -> str:
    """A figure as it is shown; a dash where it is not known."""
    if value is None:
        return "–"
    return VERDICTS[int(value)] if measure.unit == "verdict" else _number(measure, value)


def change_text(measure: Measure) -> str:
    """What became of it; of two of which neither is better, as with a process's times, that they are not the same."""
    return "changed" if measure.change == "other" else measure.change


def step_text(measure: Measure) -> str:
    """By how much B is above A."""
    if measure.a is None or measure.b is None or measure.unit == "verdict":
        return ""
    step = measure.b - measure.a
    sign = "+" if step > 0 else ""
    points = " points" if measure.unit == "%" else ""
    return f"{sign}{_number(measure, step)}{points}"


def _number(measure: Measure, value: float) -> str:
    """Thousands apart; as many digits as show a change that counts, in A, B and their difference alike."""
    whole = all(float(known).is_integer() for known in (measure.a, measure.b) if known is not None)
    return f"{value:,.{0 if whole else 3}f}"


def _short(text: str) -> str:
    """A long hash as its beginning; what else is long goes on in the next line."""
    return f"{text[:_HASH_DIGITS]}…" if len(text) > _LONG_FACT and text.isalnum() else text
