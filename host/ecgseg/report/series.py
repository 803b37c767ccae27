"""Figures over the frames of a long run as an inline SVG, coloured through the page's classes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _AXIS = 1120, 190, 92, 60, 10, 26
_MOST_LABELS_X, _MOST_LABELS_Y = 8, 5
_DOT = 2.0
_ROW = 14.0
_LEAST_RANGE = 0.02
"""Share of the largest value that the axis spans at least: less is no news."""


@dataclass(frozen=True)
class Line:
    """A figure.

    Attributes:
        name: what it is beside others, "" for the only one.
        parts: strokes of points (frames, value).
    """

    name: str
    parts: Sequence[Sequence[tuple[float, float]]]


def series_figure(name: str, unit: str, lines: Sequence[Line]) -> str:
    """SVG of lines over the frames; one of them at least has a point.

    Args:
        name, unit: what is drawn.
        lines: of it.
    """
    points = [point for line in lines for part in line.parts for point in part]
    values = [value for _, value in points]
    frame = _Frame(max(max(at for at, _ in points), 1.0), *_range(values))
    label = escape(f"{name} in {unit} over {frame.last:,.0f} frames: {_least_and_most(values)}")
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_TOP + _HEIGHT + _AXIS}" role="img" aria-label="{label}">', *_axes(frame)]
    for number, line in enumerate(lines):
        parts += _strokes(number, [[frame.place(*point) for point in part] for part in line.parts])
    ends = [(line.name, frame.place(*line.parts[-1][-1])) for line in lines if line.name and line.parts]
    return "\n".join([*parts, *_names(ends), "</svg>"])


@dataclass(frozen=True)
class _Frame:
    """What the axes span: frames to the right, values from `low` up to `high`."""

    last: float
    low: float
    high: float

    def place(self, at: float, value: float) -> tuple[float, float]:
        """Where a point lies."""
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / self.last
        return x, _TOP + _HEIGHT * (1 - (value - self.low) / (self.high - self.low))


def _axes(frame: _Frame) -> Iterator[str]:
    for level in _levels(frame.low, frame.high, _MOST_LABELS_Y):
        _, y = frame.place(0, level)
        yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{level:,.6g}</text>'
    for level in _levels(0, frame.last, _MOST_LABELS_X):
        x, _ = frame.place(level, frame.low)
        yield f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{level:,.0f}</text>'


def _names(ends: Sequence[tuple[str, tuple[float, float]]]) -> Iterator[str]:
    """Names behind the ends of their lines, from the lowest up, none over another."""
    free = _HEIGHT + _TOP + _ROW
    for name, (x, y) in sorted(ends, key=lambda end: -end[1][1]):
        free = min(y, free - _ROW)
        yield f'<text class="row" x="{x + 6:.1f}" y="{free + 4:.1f}">{escape(name)}</text>'


def _strokes(number: int, parts: Sequence[Sequence[tuple[float, float]]]) -> Iterator[str]:
    for part in parts:
        if len(part) == 1:
            yield f'<circle class="dot-{number}" cx="{part[0][0]:.1f}" cy="{part[0][1]:.1f}" r="{_DOT}"/>'
        elif part:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in part)
            yield f'<path class="series series-{number}" d="M{path}"/>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    """What the vertical axis shows: a twentieth more than there is."""
    low, high = min(values), max(values)
    more = max((high - low) / 20, (_LEAST_RANGE * abs(high) - (high - low)) / 2) or 1.0
    return low - more, high + more


def _levels(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two, at most so many."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    return [step * number for number in range(first, math.floor(high / step) + 1)]


def _least_and_most(values: Sequence[float]) -> str:
    return f"{min(values):,.4g} to {max(values):,.4g}"
