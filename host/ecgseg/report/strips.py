"""A channel of a recording as a PNG: strips of ECG paper with waves and R, above them the heart rate of all of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.output import write_bytes
from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.times import seconds as seconds_of
from ecgseg.printable import printable
from ecgseg.report.drawing import drawing
from ecgseg.report.palette import LIGHT
from ecgseg.segment.strips import STRIP_SECONDS, Sheet, Strip

# ECG paper: 25 mm a second; 10 mm a millivolt as long as a strip is not higher than this.
_MM_A_SECOND, _MM_A_MILLIVOLT = 25, 10
_LEAST_MM, _MOST_MM = 20, 45
_TREND_MM, _HEAD_MM, _GAP_MM, _SIDE_MM, _FOOT_MM = 22, 14, 9, 12, 8
_MM_AN_INCH = 25.4
_FINEST_MILLIVOLTS = 1.0
_MOST_LINES = 60
_WAVES = {"P": "pwave", "QRS": "qrs", "T": "twave"}
_LETTER_SECONDS = 0.05
_HATCHED = "\N{SQUARE WITH UPPER RIGHT TO LOWER LEFT FILL}"


def write_strips(sheet: Sheet, path: Path) -> None:
    """Draws a channel.

    Raises:
        OutputError: it could not be drawn, or not be written.
    """
    with drawing(str(path)):
        data = _png(sheet)
    write_bytes(path, data)


def _png(sheet: Sheet) -> bytes:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    heights = [_height(strip) for strip in sheet.strips]
    trend = [float(_TREND_MM)] if sheet.rates.size else []
    panels = [*trend, *heights]
    width = 2 * _SIDE_MM + STRIP_SECONDS * _MM_A_SECOND
    height = _HEAD_MM + sum(panels) + _GAP_MM * (len(panels) - 1) + _FOOT_MM
    figure = pyplot.figure(figsize=(width / _MM_AN_INCH, height / _MM_AN_INCH), dpi=120)
    try:
        top = height - _HEAD_MM
        for index, panel in enumerate(panels):
            place = (_SIDE_MM / width, (top - panel) / height, 1 - 2 * _SIDE_MM / width, panel / height)
            axes = figure.add_axes(place)
            if index < len(trend):
                _draw_trend(axes, sheet)
            else:
                _draw_strip(axes, sheet.strips[index - len(trend)], panel)
            top -= panel + _GAP_MM
        _draw_head(figure, sheet, width, height)
        buffer = io.BytesIO()
        # Without a date or version inside, the same recording draws the same bytes.
        figure.savefig(buffer, format="png", facecolor="white", metadata={"Software": None})
    finally:
        pyplot.close(figure)
    return buffer.getvalue()


def _draw_head(figure: Any, sheet: Sheet, width: float, height: float) -> None:
    line = 1 - 5.5 / height
    # Nothing in a name is a formula to matplotlib.
    title = f"{printable(sheet.recording)}, {printable(sheet.channel)}"
    left = _SIDE_MM / width
    figure.text(left, line, title, color=LIGHT["ink"], fontsize=12, weight="bold", va="center", parse_math=False)
    x = 1 - left
    legend = [(f"{_HATCHED} no contact, flat or noise", "hatch"), ("T", "twave"), ("QRS", "qrs"), ("P", "pwave")]
    for name, colour in legend:
        text = figure.text(x, line, name, color=LIGHT[colour if name in _WAVES else "soft"], fontsize=9, ha="right")
        text.set_va("center")
        text.set_weight("bold" if name in _WAVES else "normal")
        x -= (4 + 2.1 * len(name)) / width


def _range(strip: Strip) -> tuple[float, float, float]:
    """Lowest and highest millivolt that is shown, above and below the level between the waves, and that level."""
    good = strip.samples[strip.samples != LEAD_OFF].astype(np.float64) / 1000
    if not good.size:
        return -_FINEST_MILLIVOLTS, _FINEST_MILLIVOLTS, 0.0
    level = float(np.median(good))
    low, high = np.percentile(good, (0.05, 99.95)) - level
    return np.floor(2 * low - 0.2) / 2, np.ceil(2 * high + 0.6) / 2, level


def _height(strip: Strip) -> float:
    low, high, _ = _range(strip)
    return float(np.clip((high - low) * _MM_A_MILLIVOLT, _LEAST_MM, _MOST_MM))


def _draw_strip(axes: Any, strip: Strip, height: float) -> None:
    low, high, level = _range(strip)
    if (high - low) * _MM_A_MILLIVOLT < _LEAST_MM:
        low, high = low - 0.5, low - 0.5 + _LEAST_MM / _MM_A_MILLIVOLT
    end = strip.start + STRIP_SECONDS
    _paper(axes, strip.start, low, high)
    for _, begin, last in strip.stretches:
        _hatch(axes, max(begin, strip.start), min(last, end))
    for event in strip.events:
        _draw_event(axes, event, strip.start, end)
    seconds = strip.start + np.arange(strip.samples.size) / strip.rate
    values = strip.samples / 1000 - level
    values[strip.samples == LEAD_OFF] = np.nan
    axes.plot(seconds, values, color=LIGHT["ink"], linewidth=0.9, zorder=3)
    axes.set_xlim(strip.start, end)
    axes.set_ylim(low, high)
    scale = height / (high - low)
    axes.set_title(strip.title, loc="left", fontsize=9, color=LIGHT["ink"], pad=3)
    told = f"RR in ms   {_MM_A_SECOND} mm/s   {scale:.2g} mm/mV"
    axes.set_title(told, loc="right", fontsize=8, color=LIGHT["soft"], pad=3)
    _frame(axes)


def _paper(axes: Any, start: float, low: float, high: float) -> None:
    """The grid: a small square is 40 ms and 0.1 mV, a large one 0.2 s and 0.5 mV; of huge signals fewer lines."""
    step = 0.1
    while (high - low) / step > _MOST_LINES:
        step *= 5 if round(np.log10(step) * 100) % 100 == 0 else 2
    for lines, colour, width in ((1, "grid", 0.4), (5, "grid-major", 0.7)):
        axes.vlines(
            start + np.arange(0, STRIP_SECONDS * 25 + 1, lines) / 25, low, high, color=LIGHT[colour], lw=width, zorder=0
        )
        levels = np.arange(np.ceil(low / step / lines), np.floor(high / step / lines) + 1) * step * lines
        axes.hlines(levels, start, start + STRIP_SECONDS, color=LIGHT[colour], lw=width, zorder=0)


def _hatch(axes: Any, begin: float, last: float) -> None:
    axes.axvspan(begin, last, facecolor=LIGHT["track"], edgecolor=LIGHT["hatch"], hatch="////", lw=0, zorder=1)


def _draw_event(axes: Any, event: Event, start: float, end: float) -> None:
    for name, begin, last in _waves(event):
        if last > start and begin < end:
            axes.axvspan(max(begin, start), min(last, end), color=LIGHT[_WAVES[name]], alpha=0.2, lw=0, zorder=2)
    if event.kind != EventKind.BEAT:
        return
    r = (event.tick + event.r_fine / 16) / 200
    if not start <= r <= end:
        return
    across = axes.get_xaxis_transform()
    axes.plot([r], [0.97], marker="v", markersize=4, color=LIGHT["qrs"], transform=across, zorder=4, clip_on=False)
    before = r - event.rr_ms / 2000
    if event.has(EventFlag.RR) and start + _LETTER_SECONDS < before:
        axes.text(
            before, 0.93, f"{event.rr_ms}", fontsize=7, color=LIGHT["soft"], transform=across, ha="center", va="top"
        )


def _waves(event: Event) -> Iterator[tuple[str, float, float]]:
    """Waves of which both ends are known, in seconds."""
    if event.kind == EventKind.LONE_P:
        if event.has(EventFlag.P_OFF):
            yield "P", seconds_of(event.tick), seconds_of(event.tick + event.p_off)
        return
    yield "QRS", seconds_of(event.tick + event.qrs_on), seconds_of(event.tick + event.qrs_off)
    if event.has(EventFlag.P_ON) and event.has(EventFlag.P_OFF):
        yield "P", seconds_of(event.tick + event.p_on), seconds_of(event.tick + event.p_off)
    if event.has(EventFlag.T_ON) and event.has(EventFlag.T_OFF):
        yield "T", seconds_of(event.tick + event.t_on), seconds_of(event.tick + event.t_off)


def _draw_trend(axes: Any, sheet: Sheet) -> None:
    minutes = (np.arange(sheet.rates.size) + 0.5) * sheet.seconds / sheet.rates.size / 60
    axes.plot(minutes, sheet.rates, color=LIGHT["accent"], linewidth=0.9, marker=".", markersize=1.5, zorder=2)
    for strip in sheet.strips:
        axes.axvline(strip.start / 60, color=LIGHT["qrs"], linewidth=0.8, zorder=1)
    axes.set_xlim(0, sheet.seconds / 60)
    known = sheet.rates[np.isfinite(sheet.rates)]
    if known.size:
        axes.set_ylim(np.floor(known.min() / 20) * 20, np.ceil(known.max() / 20 + 0.1) * 20)
    axes.grid(True, color=LIGHT["grid-major"], linewidth=0.5)
    axes.set_title("Heart rate, beats a minute, over minutes", loc="left", fontsize=9, color=LIGHT["ink"], pad=3)
    axes.tick_params(colors=LIGHT["soft"], labelsize=7, length=0)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(LIGHT["line"])


def _frame(axes: Any) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(LIGHT["grid-major"])
