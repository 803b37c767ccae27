"""Records, waves and label masks, whatever the data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import UNANNOTATED

WAVE_LABELS = {2: {"QRS": 1}, 4: {"P": 1, "QRS": 2, "T": 3}}
CLASS_NAMES = {2: ("NONE", "QRS"), 4: ("NONE", "PWAVE", "QRS", "TWAVE")}

# How far an annotated peak's missing onset or offset can be, in milliseconds: the span that is left out of training
# and scoring. Generous upper bounds of normal and pathological half-widths.
_HALF_WIDTH_MS = {"P": 120, "QRS": 150, "T": 250, "?": 250}


@dataclass(frozen=True)
class Wave:
    """An annotated wave, in raw samples; None where the annotator set no mark.

    Attributes:
        kind: "P", "QRS", "T", or "?" for a pair of marks without a peak.
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
        record_id: number in its data set.
        lead: lower-case lead name.
        rate: sampling rate in Hz.
        samples: int16 microvolts [n], -32768 where there is no contact.
        waves: annotated waves in order of time.
        rhythm: rhythm as the data set names it.
        source: "ludb" or "synthetic".
    """

    record_id: int
    lead: str
    rate: int
    samples: npt.NDArray[np.int16]
    waves: tuple[Wave, ...]
    rhythm: str
    source: str

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last annotated raw sample, or None without annotations."""
        points = [point for wave in self.waves for point in wave.points]
        return (min(points), max(points)) if points else None


def labels(record: Record, class_count: int, factor: int) -> npt.NDArray[np.uint8]:
    """Label mask of a record at 100 Hz.

    Sample n stands for raw sample factor * n and belongs to a wave when onset <= factor * n <= offset. Outside the
    annotated span, and around a wave of which onset or offset is not annotated, the label is 255.

    Args:
        record: the record.
        class_count: 2 (NONE, QRS) or 4 (NONE, PWAVE, QRS, TWAVE).
        factor: raw samples per label.

    Returns:
        uint8 [ceil(samples / factor)].
    """
    mask = np.full(-(-record.samples.size // factor), UNANNOTATED, dtype=np.uint8)
    if record.span is None:
        return mask
    _fill(mask, *record.span, factor, 0)
    values = WAVE_LABELS[class_count]
    for wave in record.waves:
        if wave.complete and wave.kind in values:
            assert wave.onset is not None
            assert wave.offset is not None
            _fill(mask, wave.onset, wave.offset, factor, values[wave.kind])
    for index, wave in enumerate(record.waves):
        if not wave.complete and (wave.kind in values or wave.kind == "?"):
            _fill(mask, *_doubtful(record, index), factor, UNANNOTATED)
    return mask


def _doubtful(record: Record, index: int) -> tuple[int, int]:
    """Raw span that an incompletely annotated wave may cover, cut at its neighbours' marks."""
    wave = record.waves[index]
    reach = _HALF_WIDTH_MS[wave.kind] * record.rate // 1000
    first, last = min(wave.points), max(wave.points)
    if wave.onset is None:
        before = [point for other in record.waves[:index] for point in other.points]
        first = max([first - reach, *(point + 1 for point in before)])
    if wave.offset is None:
        after = [point for other in record.waves[index + 1 :] for point in other.points]
        last = min([last + reach, *(point - 1 for point in after)])
    return first, last


def _fill(mask: npt.NDArray[np.uint8], onset: int, offset: int, factor: int, value: int) -> None:
    mask[max(0, -(-onset // factor)) : max(0, offset // factor + 1)] = value
