"""A lead as a PNG: ECG, annotation, Python's mask and the device's, for pages that cannot hold the HTML report."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.hil.result import ShownLead
from ecgseg.output import write_bytes
from ecgseg.pipeline import LEAD_OFF, MODEL_RATE, offset_tick, onset_tick, seconds
from ecgseg.report.drawing import drawing
from ecgseg.report.excerpt import excerpt
from ecgseg.report.lead import Mask, Span, rows, spans
from ecgseg.report.palette import LIGHT
from ecgseg.report.texts import Result

_SECONDS = 4.4
_START = 1.62
_BAR = 0.74
_FLAT_MV = 0.01


def pictured(leads: Sequence[ShownLead]) -> ShownLead:
    """The lead that stands for a test: three quarters into it, so that a longer test shows no other kind of one."""
    return leads[3 * len(leads) // 4]


def write_picture(lead: ShownLead, result: Result, path: Path) -> None:
    """Draws one lead of a test with its verdict.

    Raises:
        OutputError: it could not be drawn, or not be written.
    """
    with drawing(str(path)):
        data = _png(excerpt(lead), result)
    write_bytes(path, data)


def _png(lead: ShownLead, result: Result) -> bytes:
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
        trace.set_title(_title(lead, result), loc="left", fontsize=13, color=LIGHT["ink"], fontweight="bold")
        trace.set_title(_verdict(result), loc="right", fontsize=12, color=_verdict_colour(result), fontweight="bold")
        buffer = io.BytesIO()
        # Without a date or version inside, the same test draws the same bytes.
        figure.savefig(buffer, format="png", facecolor="white", metadata={"Software": None})
    finally:
        pyplot.close(figure)
    return buffer.getvalue()


def _title(lead: ShownLead, result: Result) -> str:
    names = {"ludb": "LUDB", "qtdb": "QTDB", "synthetic": "Synthetic", "file": "Your"}
    source = names.get(lead.record.source, lead.record.source)
    return f"{source} record {lead.record.label}, lead {lead.record.lead.upper()}, {result.model} on {result.target}"


def _verdict(result: Result) -> str:
    if result.verdict == "pass":
        return f"{result.compared_bytes:,} bytes compared, every one equal"
    return f"{result.mismatched_bytes:,} of {result.compared_bytes:,} bytes differ"


def _verdict_colour(result: Result) -> str:
    return LIGHT["good" if result.verdict == "pass" else "bad"]


def _draw_trace(axes: Any, lead: ShownLead) -> None:
    samples = lead.record.samples.astype(np.float64) / 1000
    samples[lead.record.samples == LEAD_OFF] = np.nan
    times = np.arange(samples.size) / lead.record.rate
    for span in _shown(lead.device, lead):
        start, width = _seconds(span)
        axes.axvspan(start, start + width, color=_colour(span), alpha=0.13, lw=0)
    near = times < 2 * (_START + _SECONDS)
    axes.plot(times[near], samples[near], color=LIGHT["ink"], linewidth=1.3)
    inside = samples[(times >= _START) & (times <= _START + _SECONDS)]
    inside = inside[np.isfinite(inside)]
    low, high = (float(inside.min()), float(inside.max())) if inside.size else (0.0, 0.0)
    high = max(high, low + _FLAT_MV)
    axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
    axes.set_ylabel("mV", color=LIGHT["soft"])
    axes.set_xticks(np.arange(0, _START + _SECONDS + 0.2, 0.2), minor=True)
    axes.grid(True, which="both", color=LIGHT["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=LIGHT["soft"], length=0)
    axes.spines[:].set_visible(False)


def _shown(mask: Mask, lead: ShownLead) -> Iterator[Span]:
    """The spans of which the picture shows something; a record may be of hours."""
    for span in spans(mask, lead):
        start, width = _seconds(span)
        if start < _START + _SECONDS and start + width > _START:
            yield span


def _seconds(span: Span) -> tuple[float, float]:
    """Start and length."""
    start = seconds(onset_tick(span.first))
    return start, seconds(offset_tick(span.last)) - start


def _colour(span: Span) -> str:
    return LIGHT[(span.name or "track").lower()]


def _draw_masks(axes: Any, lead: ShownLead) -> None:
    masks = rows(lead)[::-1]  # matplotlib counts from below
    for row, (_, mask) in enumerate(masks):
        axes.barh(row, lead.device.size / MODEL_RATE, height=_BAR, color=LIGHT["track"])
        for span in _shown(mask, lead):
            _draw_span(axes, span, row)
    axes.set_yticks(range(len(masks)), [name for name, _ in masks])
    axes.set_ylim(-0.5, len(masks) - 0.5)
    axes.set_xlabel("s", color=LIGHT["soft"])
    axes.tick_params(axis="x", which="both", colors=LIGHT["soft"], length=0)
    axes.tick_params(axis="y", colors=LIGHT["ink"], length=0)
    axes.spines[:].set_visible(False)


def _draw_span(axes: Any, span: Span, row: int) -> None:
    start, width = _seconds(span)
    if span.name is None:
        axes.barh(
            row, width, left=start, height=_BAR, color=_colour(span), hatch="////", edgecolor=LIGHT["hatch"], lw=0
        )
        return
    axes.barh(row, width, left=start, height=_BAR, color=_colour(span))
    if width >= 0.05 and _START < start + width / 2 < _START + _SECONDS:
        axes.text(
            start + width / 2,
            row - 0.03,
            span.letter,
            color="white",
            fontsize=6 if len(span.letter) > 1 else 9,
            fontweight="bold",
            ha="center",
            va="center",
        )
