"""Records, waves and label masks, whatever the data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from math import inf

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import MODEL_RATE, UNANNOTATED

WAVE_LABELS = {2: {"QRS": 1}, 4: {"P": 1, "QRS": 2, "T": 3}}
CLASS_NAMES = {2: ("NONE", "QRS"), 4: ("NONE", "PWAVE", "QRS", "TWAVE")}

# How far an annotated peak's missing onset or offset can be, in milliseconds: the span that is left out of training
# and scoring. Generous upper bounds of normal and pathological half-widths.
_HALF_WIDTH_MS = {"P": 120, "QRS": 150, "T": 250, "?": 250}

# First and last raw sample of a part of a record, both of it.
Stretch = tuple[int, int]


@dataclass(frozen=True)
class Wave:
    """An annotated wave, in raw samples; None where the annotator set no mark.

    Attributes:
        kind: "P", "QRS", "T", "U", or "?" for a pair of marks without a peak.
        onset, peak, offset: raw sample index.
    """

    kind: str
    onset: int | None
    peak: int | None
    offset: int | None

    @property
    def complete(self) -> bool:
        """True when kind, onset and offset are known."""
        return self.kind != "?" and self.onset is not None and self.offset is not None

    @property
    def points(self) -> list[int]:
        """The marks that exist."""
        return [point for point in (self.onset, self.peak, self.offset) if point is not None]


@dataclass(frozen=True)
class Record:
    """One lead of one recording.

    Attributes:
        record_id: number in its data set; the same for all leads of one recording.
        lead: lower-case lead name.
        rate: sampling rate in Hz.
        samples: int16 microvolts [n], -32768 where there is no contact.
        waves: annotated waves in order of time.
        rhythm: rhythm as the data set names it.
        source: "ludb", "qtdb", "synthetic" or "noise".
        name: what the data set calls the recording, where that is more than the number.
        annotated: the stretches that the annotation covers, in order of time, when its waves do not tell: a part of a
            long recording, or a whole one in which no wave is. None: from the first mark to the last.
    """

    record_id: int
    lead: str
    rate: int
    samples: npt.NDArray[np.int16]
    waves: tuple[Wave, ...]
    rhythm: str
    source: str
    name: str = ""
    annotated: tuple[Stretch, ...] | None = None

    @property
    def label(self) -> str:
        """Its name, or its number where it has none."""
        return self.name or str(self.record_id)

    @property
    def step(self) -> Fraction:
        """Raw samples from one sample at 100 Hz to the next."""
        return Fraction(self.rate, MODEL_RATE)

    @property
    def spans(self) -> tuple[Stretch, ...]:
        """Annotated stretches in order of time; what lies between two of them is not known."""
        if self.annotated is not None:
            return self.annotated
        points = [point for wave in self.waves for point in wave.points]
        return ((min(points), max(points)),) if points else ()

    @property
    def span(self) -> Stretch | None:
        """First and last annotated raw sample, or None without annotations."""
        spans = self.spans
        return (spans[0][0], spans[-1][1]) if spans else None


def labels(record: Record, class_count: int, factor: Fraction | int) -> npt.NDArray[np.uint8]:
    """Label mask of a record at 100 Hz.

    Sample n stands for raw sample factor * n and belongs to a wave when onset <= factor * n <= offset. Outside the
    annotated stretches, and around a wave of which onset or offset is not annotated, the label is 255. A T wave of
    which the onset alone is missing, as in half of QTDB, is T from its peak on.

    Args:
        record: the record.
        class_count: 2 (NONE, QRS) or 4 (NONE, PWAVE, QRS, TWAVE).
        factor: raw samples per label, exactly (`Record.step`).

    Returns:
        uint8 [ceil(samples / factor)].
    """
    mask = np.full(-(-record.samples.size // factor), UNANNOTATED, dtype=np.uint8)
    for stretch in record.spans:
        _fill(mask, *stretch, factor, 0)
    values = WAVE_LABELS[class_count]
    for wave in record.waves:
        if wave.complete and wave.kind in values:
            assert wave.onset is not None
            assert wave.offset is not None
            _fill(mask, wave.onset, wave.offset, factor, values[wave.kind])
    for wave, (before, behind) in zip(record.waves, _neighbours(record.waves), strict=True):
        if not wave.complete and (wave.kind in values or wave.kind == "?"):
            _fill(mask, *_doubtful(wave, record.rate, before, behind), factor, UNANNOTATED)
            if wave.kind == "T" and wave.peak is not None and wave.offset is not None:
                _fill(mask, wave.peak, wave.offset, factor, values["T"])
    return mask


def excerpts(record: Record, before: float, after: float) -> list[Record]:
    """The parts of a record that hold its annotated stretches, each with some signal around it.

    Stretches that share signal come in one part. A network that remembers the past needs some `before` the first label.

    Args:
        record: any record; one without annotated stretches has no parts.
        before, after: seconds of signal on both sides of a stretch, as far as the record has them.

    Returns:
        Records with marks and stretches counted from their own first sample, in order of time.
    """
    parts: list[tuple[int, int, list[Stretch]]] = []
    for first, last in record.spans:
        start = max(0, first - round(before * record.rate))
        end = min(record.samples.size, last + 1 + round(after * record.rate))
        if parts and start <= parts[-1][1]:
            start, _, together = parts.pop()
            parts.append((start, end, [*together, (first, last)]))
        else:
            parts.append((start, end, [(first, last)]))
    return [_part(record, *part) for part in parts]


def _part(record: Record, start: int, end: int, stretches: Sequence[Stretch]) -> Record:
    def moved(point: int | None) -> int | None:
        return None if point is None else point - start

    inside = [wave for wave in record.waves if wave.points and start <= min(wave.points) and max(wave.points) < end]
    return replace(
        record,
        samples=record.samples[start:end],
        waves=tuple(Wave(w.kind, moved(w.onset), moved(w.peak), moved(w.offset)) for w in inside),
        annotated=tuple((first - start, last - start) for first, last in stretches),
    )


def _neighbours(waves: Sequence[Wave]) -> list[tuple[float, float]]:
    """Of each wave the last mark of all waves before it and the first one of all behind it, infinite without any."""
    before = accumulate((max(wave.points, default=-inf) for wave in waves), max, initial=-inf)
    behind = accumulate((min(wave.points, default=inf) for wave in reversed(waves)), min, initial=inf)
    return list(zip(list(before)[:-1], list(behind)[-2::-1], strict=True))


def _doubtful(wave: Wave, rate: int, before: float, behind: float) -> tuple[int, int]:
    """Raw span that an incompletely annotated wave may cover, cut at its neighbours' marks."""
    reach = _HALF_WIDTH_MS[wave.kind] * rate // 1000
    first, last = min(wave.points), max(wave.points)
    if wave.onset is None:
        first = int(max(first - reach, before + 1))
    if wave.offset is None:
        last = int(min(last + reach, behind - 1))
    return first, last


def _fill(mask: npt.NDArray[np.uint8], onset: int, offset: int, factor: Fraction | int, value: int) -> None:
    mask[max(0, -(-onset // factor)) : max(0, offset // factor + 1)] = value
