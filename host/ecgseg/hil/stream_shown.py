"""What of a streamed lead is kept to be shown: all of a short one, the beginning of what is annotated of a long one."""

from __future__ import annotations

from dataclasses import replace

from ecgseg.data.records import Record, Wave
from ecgseg.hil.result import ShownLead
from ecgseg.hil.stream_reference import Answers
from ecgseg.pipeline import MODEL_RATE, Segment
from ecgseg.scoring.delineation import Delineation

MOST_SECONDS = 12


def shown_lead(record: Record, expected: Answers, actual: Answers, found: Delineation, *, equal: bool) -> ShownLead:
    """A lead for the report, at most MOST_SECONDS of it.

    Args:
        record: samples and annotation.
        expected, actual: classes of all its samples, as many.
        found: waves of the device.
        equal: no byte differed.
    """
    length = MOST_SECONDS * MODEL_RATE
    step = record.step
    start = 0
    if expected.classes.size > length and record.span is not None:
        start = min(max(record.span[0] // step - MODEL_RATE, 0), expected.classes.size - length)
    end = min(start + length, expected.classes.size)
    waves = [
        Segment(wave.label, wave.onset - start, wave.offset - start)
        for wave in found.prediction.segments
        if start <= wave.onset and wave.offset < end
    ]
    part = _part(record, int(start * step), int(end * step)) if end - start < expected.classes.size else record
    return ShownLead(part, expected.classes[start:end], actual.classes[start:end], waves, 4, equal)


def _part(record: Record, start: int, end: int) -> Record:
    """Raw samples start to end - 1, with the waves that lie in them."""

    def moved(point: int | None) -> int | None:
        return None if point is None else point - start

    inside = [wave for wave in record.waves if wave.points and start <= min(wave.points) and max(wave.points) < end]
    spans = [(max(first, start), min(last, end - 1)) for first, last in record.spans]
    return replace(
        record,
        samples=record.samples[start:end],
        waves=tuple(Wave(w.kind, moved(w.onset), moved(w.peak), moved(w.offset)) for w in inside),
        annotated=tuple((first - start, last - start) for first, last in spans if first <= last),
    )
