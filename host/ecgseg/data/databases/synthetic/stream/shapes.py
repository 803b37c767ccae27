"""Shapes of waves, and where an annotator would set their ends.

A shape is a function of u, which runs from 0 to 1 over the wave; its largest deflection is 1 or -1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ecgseg.data.databases.synthetic.sampling import RATE, Float64, Rng
from ecgseg.data.databases.synthetic.waves import bump, ramp

Shape = Callable[[Float64], Float64]

# Share of its largest deflection at which a wave becomes visible, and at which it is gone. In LUDB's training records
# the marks lie, in the median, 0 (P), 0.13 (onset of T) and 0.05 (offset of T) of the peak above the baseline.
_BEGINS = {"P": 0.04, "QRS": 0.025, "T": 0.1}
_GONE = 0.03
# How far from there annotators set onset and offset, in raw samples of 2 ms: so seg-4-tcn-lg, which learnt from LUDB,
# has the mean errors here that it has on LUDB's test patients (within 5 ms).
_BEYOND = {"P": (0, -4), "QRS": (-6, 2), "T": (-2, 0)}
_HUMP = 0.3


@dataclass(frozen=True)
class Placed:
    """A wave in a recording: its first raw sample (before the recording, maybe) and its millivolts."""

    start: int
    values: Float64

    @property
    def height(self) -> float:
        """Largest deflection in millivolts."""
        return float(np.abs(self.values).max(initial=0.0))

    @property
    def peak(self) -> int:
        """Raw sample of the largest deflection."""
        return self.start + int(np.abs(self.values).argmax())

    def add_to(self, total: Float64) -> None:
        """Adds what lies inside of a recording [samples]."""
        first, last = max(0, self.start), min(total.size, self.start + self.values.size)
        if first < last:
            total[first:last] += self.values[first - self.start : last - self.start]

    def ends(self, kind: str, tangent: float) -> tuple[int, int]:
        """Onset and offset, raw samples.

        Args:
            kind: "P", "QRS" or "T".
            tangent: 1 sets the offset of T where the tangent at its steepest descent meets the baseline, 0 where the
                wave visibly ends; annotators differ, and lie between.
        """
        size = np.abs(self.values)
        top = float(size.max())
        visible = np.flatnonzero(size >= _BEGINS[kind] * top)
        onset, offset = int(visible[0]), int(visible[-1])
        if kind == "T":
            last = int(np.flatnonzero(size >= _GONE * top)[-1])
            offset = round((1 - tangent) * last + tangent * min(_tangent(size, top), last))
        before, behind = _BEYOND[kind]
        return self.start + onset + before, self.start + offset + behind


def _tangent(size: Float64, top: float) -> float:
    """Where the tangent at the steepest descent behind the last hump of |wave| meets the baseline."""
    high = np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] > size[2:]) & (size[1:-1] >= _HUMP * top))
    begin = int(high[-1]) + 1 if high.size else int(size.argmax())
    fall = np.diff(size[begin:])
    if not fall.size or fall.min() >= 0:
        return float(size.size - 1)
    steepest = int(fall.argmin())
    middle = 0.5 * (size[begin + steepest] + size[begin + steepest + 1])
    return begin + steepest + 0.5 + float(middle / -fall[steepest])


def place(shape: Shape, onset: float, duration: float, height: float) -> Placed:
    """A shape from `onset` on for `duration` (seconds), `height` millivolts high."""
    first, last = int(np.ceil(onset * RATE)), int(np.floor((onset + duration) * RATE))
    u = (np.arange(first, max(last, first + 2) + 1) / RATE - onset) / duration
    return Placed(first, height * shape(np.clip(u, 0.0, 1.0)))


def _normed(shape: Shape) -> Shape:
    grid = shape(np.linspace(0.0, 1.0, 201))
    top = float(np.abs(grid).max())
    return lambda u: shape(u) / top


def _gauss(u: Float64, peak: float, rise: float, fall: float) -> Float64:
    width = np.where(u < peak, rise, fall)
    edge = ramp(u, 0.0, 0.08) * (1 - ramp(u, 0.92, 1.0))
    return np.asarray(np.exp(-0.5 * ((u - peak) / width) ** 2) * edge)


def p_shape(rng: Rng, *, right: bool) -> Shape:
    """A P wave; the leads that look at it from the right (V1, III) often see it biphasic."""
    skew = float(rng.uniform(0.38, 0.62))
    kind = rng.choice(
        ["round", "notched", "biphasic", "peaked"], p=[0.3, 0.1, 0.5, 0.1] if right else [0.6, 0.2, 0.08, 0.12]
    )
    if kind == "notched":
        second, meet = float(rng.uniform(0.6, 1.4)), float(rng.uniform(0.42, 0.62))
        return _normed(lambda u: bump(u, 0.0, meet + 0.14) + second * bump(u, meet - 0.14, 1.0))
    if kind == "biphasic":
        second, meet = -float(rng.uniform(0.3, 1.3)), float(rng.uniform(0.4, 0.6))
        return _normed(lambda u: bump(u, 0.0, meet + 0.06) + second * bump(u, meet - 0.06, 1.0))
    power = float(rng.uniform(1.3, 2.0)) if kind == "peaked" else float(rng.uniform(0.75, 1.2))
    return lambda u: bump(u, 0.0, 1.0, skew) ** power


def t_shape(rng: Rng) -> Shape:
    """A T wave: lopsided, tall and narrow, flat and broad, of two humps, biphasic, or fading out."""
    kind = rng.choice(
        ["skewed", "fading", "peaked", "domed", "humps", "biphasic"], p=[0.36, 0.28, 0.08, 0.08, 0.08, 0.12]
    )
    skew = float(rng.uniform(0.45, 0.72))
    if kind == "fading":
        peak = float(rng.uniform(0.45, 0.62))
        rise, fall = float(rng.uniform(0.14, 0.22)), float(rng.uniform(0.1, 0.17))
        return _normed(lambda u: _gauss(u, peak, rise, fall))
    if kind == "humps":
        first, meet = float(rng.uniform(0.4, 1.2)), float(rng.uniform(0.42, 0.58))
        return _normed(lambda u: first * bump(u, 0.0, meet + 0.16) + bump(u, meet - 0.16, 1.0))
    if kind == "biphasic":
        second, meet = -float(rng.uniform(0.4, 1.6)), float(rng.uniform(0.42, 0.62))
        return _normed(lambda u: bump(u, 0.0, meet + 0.07) + second * bump(u, meet - 0.07, 1.0))
    power = {"peaked": rng.uniform(1.4, 2.2), "domed": rng.uniform(0.55, 0.8)}.get(str(kind), 1.0)
    return lambda u: bump(u, 0.0, 1.0, skew) ** float(power)


@dataclass(frozen=True)
class Deflection:
    """A part of a QRS complex: from and to as shares of its duration, its height and where its peak is."""

    begin: float
    end: float
    height: float
    skew: float = 0.5


def qrs_shape(parts: Sequence[Deflection]) -> Shape:
    """A QRS complex in millivolts of its parts, which need not be normed."""
    fixed = tuple(parts)
    return lambda u: np.asarray(sum(part.height * bump(u, part.begin, part.end, part.skew) for part in fixed))
