"""The HTML report of a HIL test of a stream: what differs first, then how good the answers are."""

from __future__ import annotations

from dataclasses import replace

from ecgseg.hil.stream_result import StreamResult, StreamRun
from ecgseg.printable import printable
from ecgseg.report.html import lead_context
from ecgseg.report.page import render_page
from ecgseg.report.run_page import Leads, time_rows
from ecgseg.report.stream_texts import all_scores, beat_rows, point_rows, reached, rhythm_rows, stream_rows
from ecgseg.report.texts import HEADLINES, input_count, stack_text, time_note


def render_report(run: StreamRun) -> str:
    """HTML; all styles and figures are inside."""
    try:
        return _page(run, Leads.of(run))
    except Exception as error:  # A verdict is told whatever its pictures come to.
        why = printable(f"{type(error).__name__}: {error}")
        bare: dict[str, object] = {"not_scored": why, "scores": None, "by_rhythm": {}, "peers": {}}
        return _page(replace(run, result=run.result.model_copy(update=bare)), Leads())


def _page(run: StreamRun, leads: Leads) -> str:
    result = run.result
    scores = all_scores(result)
    return render_page(
        "hil_stream.html.j2",
        result=result,
        headline=HEADLINES[result.verdict],
        reached=reached(result),
        tiles=_tiles(result),
        points={name: point_rows(found) for name, found in scores.items()},
        beats={name: beat_rows(found) for name, found in scores.items()},
        rhythms=rhythm_rows(result.by_rhythm) if len(result.by_rhythm) > 1 else [],
        facts_of_stream=stream_rows(result),
        times=time_rows(run.times, result.timing.parts),
        **lead_context(run, leads),
    )


def _tiles(result: StreamResult) -> list[tuple[str, str, str]]:
    """Figure, its name, and a note, of what a reader wants first."""
    tiles = [
        (f"{result.compared_bytes:,}", "bytes compared", f"{result.mismatched_bytes:,} different"),
        (f"{result.events:,}", "events", f"{result.samples:,} classes of {input_count(result)}"),
    ]
    spread = next(iter(result.timing.parts.values()), None)
    if spread:
        tiles.append((f"{spread.mean:,.0f}", f"{result.timing.unit} a second of signal", time_note(result)))
    if result.stream:
        stack = f"stack {stack_text(result.memory.stack_bytes)}"
        tiles.append((f"{result.stream.memory_bytes:,} B", "RAM of the stream", stack))
    if result.scores:
        f1 = f"{100 * result.scores.samples.weighted_f1:.1f} %"
        tiles.append((f1, "weighted F1 against the annotation", "device's classes"))
    return tiles
