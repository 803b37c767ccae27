"""The HTML report of a HIL test: one file, no network, light and dark."""

from __future__ import annotations

from markupsafe import Markup

from ecgseg.hil.result import HilResult, HilRun, ShownLead
from ecgseg.printable import printable
from ecgseg.report.lead import lead_name
from ecgseg.report.page import render_page
from ecgseg.report.svg import lead_figure
from ecgseg.report.texts import (
    HEADLINES,
    byte_text,
    input_count,
    provenance_rows,
    reached,
    remedy,
    stack_text,
    summary_rows,
    time_note,
)
from ecgseg.scoring.metrics import FiducialScore


def render_report(run: HilRun) -> str:
    """HTML of a HIL test; all styles and figures are inside."""
    try:
        return _page(run.result, [lead_values(lead) for lead in run.shown], remedy(run.error))
    except Exception as error:  # A verdict is told whatever its pictures come to.
        why = printable(f"{type(error).__name__}: {error}")
        return _page(run.result.model_copy(update={"not_scored": why, "segmentation": None}), [], remedy(run.error))


def _page(result: HilResult, leads: list[dict[str, object]], what_to_do: str) -> str:
    return render_page(
        "hil.html.j2",
        result=result,
        headline=HEADLINES[result.verdict],
        reached=reached(result),
        tiles=_tiles(result),
        rows=[*summary_rows(result), *provenance_rows(result)],
        fiducials=_fiducial_rows(result.segmentation.fiducials) if result.segmentation else [],
        leads=leads,
        byte=byte_text,
        remedy=what_to_do,
    )


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
            "sensitivity": f"{100 * score.sensitivity:.1f}",
            "ppv": f"{100 * score.ppv:.1f}",
            "error": f"{score.mean_ms:+.1f} ± {score.sd_ms:.1f}",
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
