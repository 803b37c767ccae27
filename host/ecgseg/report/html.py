"""The HTML report of a HIL test: one file that needs no network; scripts sort its leads and draw them."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from ecgseg.data.records import CLASS_NAMES
from ecgseg.hil.result import HilResult, HilRun, ShownLead
from ecgseg.hil.stream_result import StreamRun
from ecgseg.printable import printable
from ecgseg.report.lead import lead_name
from ecgseg.report.page import render_page
from ecgseg.report.run_page import (
    Leads,
    error_text,
    first_rows,
    interval_rows,
    line_rows,
    memory_rows,
    signed,
    time_rows,
)
from ecgseg.report.svg import lead_figure
from ecgseg.report.texts import HEADLINES, byte_text, input_count, reached, remedy, stack_text, time_note
from ecgseg.scoring.metrics import FiducialScore


def render_report(run: HilRun) -> str:
    """HTML of a HIL test; all styles and figures are inside."""
    try:
        return _page(run, Leads.of(run))
    except Exception as error:  # A verdict is told whatever its pictures come to.
        why = printable(f"{type(error).__name__}: {error}")
        bare = run.result.model_copy(update={"not_scored": why, "segmentation": None})
        return _page(replace(run, result=bare), Leads())


def _page(run: HilRun, leads: Leads) -> str:
    result = run.result
    scores = result.segmentation
    return render_page(
        "hil.html.j2",
        result=result,
        headline=HEADLINES[result.verdict],
        reached=reached(result),
        tiles=_tiles(result),
        fiducials=_fiducial_rows(scores.fiducials) if scores else [],
        scores=scores.samples if scores else None,
        names=CLASS_NAMES.get(len(scores.samples.confusion), ()) if scores else (),
        intervals=interval_rows(leads.table),
        times=time_rows(run.times, result.timing.parts),
        **lead_context(run, leads),
    )


def lead_context(run: HilRun | StreamRun, leads: Leads) -> dict[str, object]:
    """What the templates of both kinds of tests show of a run and its leads."""
    return {
        "first": first_rows(run.result),
        "line": line_rows(run.result),
        "memory": memory_rows(run.result),
        "time_note": time_note(run.result) if run.result.timing.parts else "",
        "leads": leads,
        "pictures": [lead_values(lead) for lead in leads.pictured],
        "error_text": error_text,
        "byte": byte_text,
        "remedy": remedy(run.error),
    }


def _tiles(result: HilResult) -> list[tuple[str, str, str]]:
    """Figure, its name, and a note, of what a reader wants first."""
    tiles = [
        (f"{result.compared_bytes:,}", "bytes compared", f"{result.mismatched_bytes:,} different"),
        (f"{result.frames:,}", "frames of 2.5 s", input_count(result)),
    ]
    if result.source == "random":
        tiles[1] = (f"{result.frames:,}", "inferences", "random int8 inputs")
    spread = result.timing.parts.get("inference")
    if spread:
        tiles.append((_short(spread.mean), f"{result.timing.unit} an inference", time_note(result)))
    tiles.append((f"{result.memory.arena_bytes:,} B", "arena", _memory_note(result)))
    if result.segmentation:
        scores = result.segmentation.samples
        tiles.append((f"{100 * scores.weighted_f1:.1f} %", "weighted F1 against the annotation", "device's mask"))
    return tiles


def _memory_note(result: HilResult) -> str:
    if result.memory.flash_bytes:
        return f"flash {result.memory.flash_bytes / 1024:.0f} KB, stack {stack_text(result.memory.stack_bytes)}"
    return "all activations of the model"


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    return f"{value / 1e3:.1f} K" if value >= 1e4 else f"{value:,.0f}"


def _fiducial_rows(scores: dict[str, FiducialScore]) -> list[dict[str, str]]:
    return [
        {
            "point": point,
            "f1": f"{100 * score.f1:.1f}",
            "sensitivity": f"{100 * score.sensitivity:.1f}",
            "ppv": f"{100 * score.ppv:.1f}",
            "error": f"{signed(score.mean_ms)} ± {score.sd_ms:.1f}",
            "count": f"{score.true_positives:,} of {score.true_positives + score.false_negatives:,}",
        }
        for point, score in scores.items()
        if score.true_positives + score.false_negatives + score.false_positives
    ]


def lead_values(lead: ShownLead) -> dict[str, object]:
    """What a page shows of a lead."""
    return {
        "name": lead_name(lead),
        "rhythm": lead.record.rhythm,
        "equal": lead.equal,
        "figure": Markup(lead_figure(lead)),
        "fiducials": _fiducial_rows(lead.fiducials()),
        "waves": len(lead.segments),
    }
