"""Scores of beats: errors of PR, QRS and QT intervals and of the heart rate, of whatever marks waves or beats."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel

from ecgseg.data.records import WAVE_LABELS, Record
from ecgseg.pipeline import Segment, milliseconds, offset_tick, onset_tick
from ecgseg.scoring.metrics import TOLERANCE_MS, match

INTERVALS = ("PR", "QRS", "QT")
# A P wave or a T wave further from its QRS complex is another beat's.
_LONGEST_PR_MS = 500.0
_LONGEST_QT_MS = 800.0
_LEAST_BEATS = 3


@dataclass(frozen=True)
class Beat:
    """A beat, in milliseconds from the record's first sample.

    Attributes:
        r: its R peak, or where its QRS complex begins when nobody marks the peak.
        qrs_on, qrs_off, p_on, t_off: ends of its waves; None: not known.
    """

    r: float
    qrs_on: float | None
    qrs_off: float | None
    p_on: float | None = None
    t_off: float | None = None

    def intervals(self) -> dict[str, float]:
        """Milliseconds of PR, QRS and QT, as far as they are known."""
        ends = {
            "PR": (self.p_on, self.qrs_on),
            "QRS": (self.qrs_on, self.qrs_off),
            "QT": (self.qrs_on, self.t_off),
        }
        return {name: end - start for name, (start, end) in ends.items() if start is not None and end is not None}


Span = tuple[float | None, float | None, float | None]
"""Onset, peak and offset of a wave, milliseconds."""


def beats_of(waves: Mapping[str, Sequence[Span]]) -> list[Beat]:
    """Beats of waves: each QRS complex with the P wave before it and the T wave behind it that are its own.

    Args:
        waves: by kind ("P", "QRS", "T"), each in order of time.
    """
    complexes = [wave for wave in waves.get("QRS", ()) if any(point is not None for point in wave)]
    starts = [_first(wave) for wave in complexes]
    onsets = sorted(onset for onset, _, _ in waves.get("P", ()) if onset is not None)
    offsets = sorted(offset for _, _, offset in waves.get("T", ()) if offset is not None)
    neighbours = zip(complexes, starts, [-np.inf, *starts][:-1], [*starts, np.inf][1:], strict=True)
    return [
        Beat(
            here if wave[1] is None else wave[1],
            wave[0],
            wave[2],
            _last_between(onsets, max(before, here - _LONGEST_PR_MS), here),
            _first_between(offsets, here, min(behind, here + _LONGEST_QT_MS)),
        )
        for wave, here, before, behind in neighbours
    ]


def _first_between(points: Sequence[float], after: float, before: float) -> float | None:
    at = bisect_right(points, after)
    return points[at] if at < len(points) and points[at] < before else None


def _last_between(points: Sequence[float], after: float, before: float) -> float | None:
    at = bisect_left(points, before) - 1
    return points[at] if at >= 0 and points[at] > after else None


def annotated_beats(record: Record) -> list[Beat]:
    """Beats of a record's annotation."""

    def at(point: int | None) -> float | None:
        return None if point is None else 1000.0 * point / record.rate

    kinds = {
        kind: [(at(wave.onset), at(wave.peak), at(wave.offset)) for wave in record.waves if wave.kind == kind]
        for kind in WAVE_LABELS[4]
    }
    return beats_of(kinds)


def beats_inside(record: Record, found: Sequence[Beat]) -> list[Beat]:
    """Those beats that lie in what is annotated of a record; of one without annotation none."""
    if record.span is None:
        return []
    first, last = (1000.0 * point / record.rate for point in record.span)
    return [beat for beat in found if first - TOLERANCE_MS <= beat.r <= last + TOLERANCE_MS]


def beat_pairs(annotated: Sequence[Beat], found: Sequence[Beat]) -> list[tuple[Beat, Beat]]:
    """Annotated beats with those that were found of them, nearest first."""
    pairs = match([beat.r for beat in annotated], [beat.r for beat in found], TOLERANCE_MS)
    return [(annotated[i], found[j]) for i, j in pairs]


def segment_beats(segments: Sequence[Segment]) -> list[Beat]:
    """Beats of segments of four classes."""
    kinds: dict[str, list[Span]] = {
        kind: [
            (float(milliseconds(onset_tick(s.onset))), None, float(milliseconds(offset_tick(s.offset))))
            for s in segments
            if s.label == label
        ]
        for kind, label in WAVE_LABELS[4].items()
    }
    return beats_of(kinds)


def _first(wave: Span) -> float:
    return next(point for point in wave if point is not None)


class IntervalScore(BaseModel):
    """Errors of one interval: found minus annotated, over beats that both have.

    Attributes:
        beats: how many.
        mean_ms, sd_ms: of the error; median_ms: of its absolute value.
    """

    beats: int
    mean_ms: float
    sd_ms: float
    median_ms: float


class RateScore(BaseModel):
    """Errors of the mean heart rate over the annotated stretch, one for each lead.

    Attributes:
        leads: of which both are known.
        median_bpm: of the absolute error.
        within_1_bpm: share of the leads.
    """

    leads: int
    median_bpm: float
    within_1_bpm: float


@dataclass
class BeatScorer:
    """Collects errors of intervals and rates over leads."""

    errors: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in INTERVALS})
    rates: list[float] = field(default_factory=list)

    def add(self, record: Record, found: Sequence[Beat]) -> None:
        """Adds one lead; beats outside of what is annotated take no part."""
        if record.span is None:
            return
        annotated, inside = annotated_beats(record), beats_inside(record, found)
        for one, other in beat_pairs(annotated, inside):
            wanted, given = one.intervals(), other.intervals()
            for name in wanted.keys() & given.keys():
                self.errors[name].append(given[name] - wanted[name])
        if len(record.spans) == 1 and min(len(annotated), len(inside)) >= _LEAST_BEATS:
            self.rates.append(_rate(inside) - _rate(annotated))

    def intervals(self) -> dict[str, IntervalScore]:
        """Scores by interval; those of which there is none are left out."""
        return {
            name: IntervalScore(
                beats=len(errors),
                mean_ms=float(np.mean(errors)),
                sd_ms=float(np.std(errors)),
                median_ms=float(np.median(np.abs(errors))),
            )
            for name, errors in self.errors.items()
            if errors
        }

    def rate(self) -> RateScore | None:
        """Score of the heart rate; None without leads."""
        if not self.rates:
            return None
        errors = np.abs(self.rates)
        return RateScore(
            leads=errors.size,
            median_bpm=float(np.median(errors)),
            within_1_bpm=float(np.mean(errors <= 1.0)),
        )


def _rate(beats: Sequence[Beat]) -> float:
    """Mean heart rate, beats a minute."""
    return 60000.0 * (len(beats) - 1) / max(beats[-1].r - beats[0].r, 1.0)
