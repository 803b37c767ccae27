"""The result of a HIL test of a stream on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from ecgseg.hil.stream_result import StreamMismatch, StreamResult
from ecgseg.report.stream_texts import all_scores, beat_rows, point_rows, reached, rhythm_rows, summary_rows
from ecgseg.report.terminal import show_replay, summary_panel, verdict_line
from ecgseg.scoring.delineation import DelineationScores
from ecgseg.terminal import Table, data


def show_result(result: StreamResult, console: Console) -> None:
    """Prints what differs first, the summary, and how good the answers are."""
    console.print()
    if result.mismatches:
        console.print(_mismatches(result.mismatches))
        replays = list(dict.fromkeys(item.replay for item in result.mismatches if item.replay))
        show_replay(replays, console)
        again = next((item.again for item in result.mismatches if item.again), None)
        if again and not replays:
            console.print(f"Stream the first of them again: {data(again)}", highlight=False, soft_wrap=True)
    console.print(summary_panel(f"HIL test, stream on {data(result.target)}", summary_rows(result)))
    scores = all_scores(result)
    if scores:
        console.print(_points(scores))
        console.print(_beats(scores))
    if len(result.by_rhythm) > 1:
        console.print(_rhythms(result.by_rhythm))
    console.print(verdict_line(result.verdict, reached(result), result.error))


def _mismatches(found: Sequence[StreamMismatch]) -> Table:
    table = Table(title="First differences")
    for name in ("Record", "Lead", "What", "Bytes different"):
        table.add_column(name, justify="left" if name in ("Lead", "What") else "right")
    for item in found:
        table.add_row(str(item.record), data(item.lead), data(item.what), f"{item.differing_bytes:,}")
    return table


def _points(scores: Mapping[str, DelineationScores]) -> Table:
    table = _table("Onsets and offsets against the annotation, F1 in % and error in ms", ("Point", *scores))
    rows = {name: {row[0]: row for row in point_rows(found)} for name, found in scores.items()}
    for point in dict.fromkeys(point for found in rows.values() for point in found):
        cells = [f"{row[1]}  {row[3]}" if (row := found.get(point)) else "–" for found in rows.values()]
        table.add_row(point, *cells)
    return table


def _beats(scores: Mapping[str, DelineationScores]) -> Table:
    table = _table("Intervals and heart rate, median absolute error", ("", *scores))
    rows = {name: {row[0]: row for row in beat_rows(found)} for name, found in scores.items()}
    for kind in dict.fromkeys(kind for found in rows.values() for kind in found):
        cells = [f"{row[2]}  {row[3]}".strip() if (row := found.get(kind)) else "–" for found in rows.values()]
        table.add_row(kind, *cells)
    return table


def _rhythms(scores: Mapping[str, DelineationScores]) -> Table:
    heads = ("Rhythm", "Leads", "P", "QRS", "T", "P invented/min", "Within 1/min, %")
    table = _table("By rhythm: F1 of onsets in %", heads)
    for row in rhythm_rows(scores):
        table.add_row(data(row[0]), *row[1:])
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    for number, name in enumerate(columns):
        table.add_column(data(name), justify="right" if number else "left")
    return table
