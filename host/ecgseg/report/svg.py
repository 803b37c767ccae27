"""One lead as an inline SVG: ECG on its grid, and the masks of annotation, Python and device below it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ecgseg.hil.result import ShownLead
from ecgseg.pipeline import LEAD_OFF, MODEL_RATE, milliseconds, offset_tick, onset_tick, runs
from ecgseg.pipeline.times import TICKS_A_SAMPLE
from ecgseg.report.lead import Mask, Span, lead_name, rows, spans

_WIDTH = 1120
_LEFT = 92
_RIGHT = 16
_TRACE_TOP = 8
_TRACE_HEIGHT = 190
_ROW_HEIGHT = 20
_ROW_GAP = 7
_AXIS_HEIGHT = 24
_LABEL_MIN_PX = 9.0
_LETTER_PX = 6.5
_TIME_LABEL_PX = 60.0
# A short trace is drawn at 250 Hz; of a long one, whose samples lie close, two are drawn on a pixel.
_DRAWN_RATE = 250
_MOST_ON_A_PIXEL = 4
_TIME_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)


def lead_figure(lead: ShownLead) -> str:
    """SVG of one lead, coloured through the page's CSS classes so that it follows light and dark mode."""
    masks = rows(lead)
    bottom = _TRACE_TOP + _TRACE_HEIGHT + len(masks) * (_ROW_HEIGHT + _ROW_GAP) + 4
    seconds = lead.device.size / MODEL_RATE
    title = f"{lead_name(lead)}: ECG and masks over {seconds:.0f} s"
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {bottom + _AXIS_HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(lead, bottom),
        *_bands(lead),
        _trace(lead),
    ]
    for index, (name, mask) in enumerate(masks):
        top = _TRACE_TOP + _TRACE_HEIGHT + 8 + index * (_ROW_HEIGHT + _ROW_GAP)
        parts += _mask_row(name, mask, lead, top)
        if mask is lead.device:
            parts += _difference_marks(lead, top)
    return "\n".join([*parts, "</svg>"])


def _x(sample: float, lead: ShownLead) -> float:
    """Horizontal place of a sample at 100 Hz."""
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * sample / lead.device.size


def _seconds_a_label(seconds: float) -> int:
    """Seconds from one label of the time axis to the next, so far apart that none lies over its neighbour."""
    room = (_WIDTH - _LEFT - _RIGHT) / _TIME_LABEL_PX
    return next((step for step in _TIME_STEPS if seconds <= step * room), math.ceil(seconds / room))


def _grid(lead: ShownLead, bottom: int) -> Iterator[str]:
    seconds = lead.device.size / MODEL_RATE
    step = _seconds_a_label(seconds)
    for fifth in range(int(seconds * 5 / step) + 1):
        x = _x(fifth * step * MODEL_RATE / 5, lead)
        kind = "grid major" if fifth % 5 == 0 else "grid"
        yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TRACE_TOP}" y2="{_TRACE_TOP + _TRACE_HEIGHT}"/>'
        if fifth % 5 == 0:
            label = f"{fifth // 5 * step} s"
            yield f'<text class="tick" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>'
    middle, scale = _scale(lead)
    low, high = middle - _TRACE_HEIGHT / 2 / scale, middle + _TRACE_HEIGHT / 2 / scale
    step = 500 if high - low < 4000 else 1000
    for level in range(int(np.ceil(low / step)) * step, int(high) + 1, step):
        y = _y(level, middle, scale)
        yield f'<line class="grid major" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        if _TRACE_TOP + 6 < y < _TRACE_TOP + _TRACE_HEIGHT - 2:
            yield f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{level / 1000:.1f} mV</text>'


def _scale(lead: ShownLead) -> tuple[float, float]:
    """Microvolts in the middle of the trace, and pixels per microvolt; single spikes may be cut."""
    good = lead.record.samples[lead.record.samples != LEAD_OFF].astype(np.float64)
    if good.size == 0:
        return 0.0, _TRACE_HEIGHT / 1000.0
    low, high = np.percentile(good, [0.02, 99.98])
    return float((low + high) / 2), _TRACE_HEIGHT * 0.92 / max(float(high - low), 200.0)


def _y(microvolts: float, middle: float, scale: float) -> float:
    y = _TRACE_TOP + _TRACE_HEIGHT / 2 - (microvolts - middle) * scale
    return float(np.clip(y, _TRACE_TOP, _TRACE_TOP + _TRACE_HEIGHT))


def _trace(lead: ShownLead) -> str:
    """The raw signal; it is lifted off the paper where there is no contact."""
    samples = lead.record.samples
    step = float(lead.record.step)
    middle, scale = _scale(lead)
    commands = []
    for part in runs((samples != LEAD_OFF).astype(np.uint8)):
        pen = "M"
        for index in _drawn(samples[part.onset : part.offset + 1], lead):
            sample = part.onset + index
            commands.append(f"{pen}{_x(sample / step, lead):.1f} {_y(int(samples[sample]), middle, scale):.1f}")
            pen = "L"
    return f'<path class="ecg" d="{"".join(commands)}"/>'


def _drawn(part: npt.NDArray[np.int16], lead: ShownLead) -> Sequence[int]:
    """Which samples of a part without gaps are drawn: where many lie on a pixel, its lowest and highest."""
    step = max(1, lead.record.rate // _DRAWN_RATE)
    on_a_pixel = lead.record.samples.size / (_WIDTH - _LEFT - _RIGHT)
    if on_a_pixel <= _MOST_ON_A_PIXEL * step:
        return range(0, part.size, step)
    edges = [*np.arange(0, part.size, on_a_pixel).astype(int).tolist(), part.size]
    pixels = [(first, part[first:last]) for first, last in pairwise(edges)]
    return [
        first + index for first, pixel in pixels for index in sorted({int(np.argmin(pixel)), int(np.argmax(pixel))})
    ]


def _bands(lead: ShownLead) -> Iterator[str]:
    """The device's waves as a tint behind the trace."""
    for span in spans(lead.device, lead):
        x, width = _extent(span.first, span.last, lead)
        yield (
            f'<rect class="band {_class(span)}" x="{x:.1f}" width="{width:.1f}" '
            f'y="{_TRACE_TOP}" height="{_TRACE_HEIGHT}"/>'
        )


def _class(span: Span) -> str:
    """The CSS class that colours a span."""
    return "unknown" if span.name is None else span.name.lower()


def _extent(first: int, last: int, lead: ShownLead) -> tuple[float, float]:
    """Left edge and width of samples at 100 Hz, from half a sample before the first to half a sample after the last."""
    x = _x(onset_tick(first) / TICKS_A_SAMPLE, lead)
    return x, _x(min(offset_tick(last) / TICKS_A_SAMPLE, lead.device.size), lead) - x


def _mask_row(name: str, mask: Mask, lead: ShownLead, top: int) -> Iterator[str]:
    middle = top + _ROW_HEIGHT / 2 + 4
    yield f'<text class="row" x="{_LEFT - 8}" y="{middle:.1f}" text-anchor="end">{name}</text>'
    yield f'<rect class="track" x="{_LEFT}" y="{top}" width="{_WIDTH - _LEFT - _RIGHT}" height="{_ROW_HEIGHT}" rx="3"/>'
    for span in spans(mask, lead):
        x, width = _extent(span.first, span.last, lead)
        place = f'x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_ROW_HEIGHT}"'
        if span.name is None:
            yield f'<rect class="unknown" {place}/>'
            continue
        title = (
            f"{name}: {span.name} {milliseconds(onset_tick(span.first))} to {milliseconds(offset_tick(span.last))} ms"
        )
        yield f'<rect class="wave {_class(span)}" {place} rx="2"><title>{title}</title></rect>'
        if width >= max(_LABEL_MIN_PX, _LETTER_PX * len(span.letter)):
            centre = x + width / 2
            yield f'<text class="letter" x="{centre:.1f}" y="{middle:.1f}" text-anchor="middle">{span.letter}</text>'


def _difference_marks(lead: ShownLead, top: int) -> Iterator[str]:
    """Frames where the device's mask is not Python's."""
    for run in runs((lead.device != lead.reference).astype(np.uint8)):
        x, width = _extent(run.onset, run.offset, lead)
        yield (
            f'<rect class="differs" x="{x - 1:.1f}" y="{top - 2}" width="{width + 2:.1f}" height="{_ROW_HEIGHT + 4}">'
            "<title>The device differs from Python here</title></rect>"
        )
