"""A lead as a PNG: ECG, annotation, Python's mask and the device's, for pages that cannot hold the HTML report."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.data.records import CLASS_NAMES, labels
from ecgseg.hil.result import HilResult, ShownLead
from ecgseg.output import write_bytes
from ecgseg.pipeline import LEAD_OFF, MODEL_RATE, UNANNOTATED, runs

_COLOURS = {"PWAVE": "#0072b2", "QRS": "#c8500a", "TWAVE": "#00785a"}
_LETTERS = {"PWAVE": "P", "QRS": "QRS", "TWAVE": "T"}
_INK, _SOFT, _GRID, _TRACK = "#16202c", "#5a6675", "#f0dede", "#eef1f4"
_SECONDS = 4.4
_START = 1.62


def write_picture(lead: ShownLead, result: HilResult, path: Path) -> None:
    """Draws one lead of a test with its verdict.

    Raises:
        OutputError: it could not be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (trace, masks) = pyplot.subplots(
        2, 1, figsize=(12, 4.9), dpi=110, sharex=True, height_ratios=(3, 1.25), layout="constrained"
    )
    try:
        _draw_trace(trace, lead)
        _draw_masks(masks, lead)
        trace.set_xlim(_START, _START + _SECONDS)
        trace.set_title(_title(lead, result), loc="left", fontsize=13, color=_INK, fontweight="bold")
        trace.set_title(_verdict(result), loc="right", fontsize=12, color=_verdict_colour(result), fontweight="bold")
        buffer = io.BytesIO()
        # Without a date or version inside, the same test draws the same bytes.
        figure.savefig(buffer, format="png", facecolor="white", metadata={"Software": None})
    finally:
        pyplot.close(figure)
    write_bytes(path, buffer.getvalue())


def _title(lead: ShownLead, result: HilResult) -> str:
    source = "LUDB" if lead.record.source == "ludb" else "Synthetic"
    return (
        f"{source} record {lead.record.record_id}, lead {lead.record.lead.upper()}, {result.model} on {result.target}"
    )


def _verdict(result: HilResult) -> str:
    if result.verdict == "pass":
        return f"{result.compared_bytes:,} bytes compared, every one equal"
    return f"{result.mismatched_bytes:,} of {result.compared_bytes:,} bytes differ"


def _verdict_colour(result: HilResult) -> str:
    return "#0b6e4f" if result.verdict == "pass" else "#b3261e"


def _draw_trace(axes: Any, lead: ShownLead) -> None:
    samples = lead.record.samples.astype(np.float64) / 1000
    samples[lead.record.samples == LEAD_OFF] = np.nan
    seconds = np.arange(samples.size) / lead.record.rate
    for run in runs(lead.device):
        name = CLASS_NAMES[lead.classes][run.label]
        axes.axvspan(run.onset / MODEL_RATE, (run.offset + 1) / MODEL_RATE, color=_COLOURS[name], alpha=0.13, lw=0)
    axes.plot(seconds, samples, color=_INK, linewidth=1.3)
    inside = samples[(seconds >= _START) & (seconds <= _START + _SECONDS)]
    low, high = float(np.nanmin(inside)), float(np.nanmax(inside))
    axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
    axes.set_ylabel("mV", color=_SOFT)
    axes.set_xticks(np.arange(0, seconds[-1] + 0.2, 0.2), minor=True)
    axes.grid(True, which="both", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=_SOFT, length=0)
    axes.spines[:].set_visible(False)


def _draw_masks(axes: Any, lead: ShownLead) -> None:
    rows = [("Device", lead.device), ("Python", lead.reference)]
    if lead.record.span is not None:
        rows.append(("Annotation", labels(lead.record, lead.classes, lead.record.rate // MODEL_RATE)))
    for row, (_, mask) in enumerate(rows):
        axes.barh(row, lead.device.size / MODEL_RATE, height=0.74, color=_TRACK)
        for run in runs(mask):
            start, width = run.onset / MODEL_RATE, (run.offset - run.onset + 1) / MODEL_RATE
            if run.label == UNANNOTATED:
                axes.barh(row, width, left=start, height=0.74, color=_TRACK, hatch="////", edgecolor="#c9d1da", lw=0)
                continue
            name = CLASS_NAMES[lead.classes][run.label]
            axes.barh(row, width, left=start, height=0.74, color=_COLOURS[name])
            if width >= 0.05 and _START < start + width / 2 < _START + _SECONDS:
                axes.text(
                    start + width / 2,
                    row - 0.03,
                    _LETTERS[name],
                    color="white",
                    fontsize=6 if name == "QRS" else 9,
                    fontweight="bold",
                    ha="center",
                    va="center",
                )
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(-0.5, len(rows) - 0.5)
    axes.set_xlabel("s", color=_SOFT)
    axes.tick_params(axis="x", which="both", colors=_SOFT, length=0)
    axes.tick_params(axis="y", colors=_INK, length=0)
    axes.spines[:].set_visible(False)
