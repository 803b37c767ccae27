"""A part of a lead, for pictures that do not move: what differs of a long one, or where its annotation begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgseg.data.records import Record, Wave
from ecgseg.hil.result import ShownLead
from ecgseg.pipeline import MODEL_RATE, Segment

MOST_SECONDS = 12
_BEFORE = 2 * MODEL_RATE


def excerpt(lead: ShownLead) -> ShownLead:
    """A lead as it is, or at most MOST_SECONDS of a longer one."""
    length, whole = MOST_SECONDS * MODEL_RATE, int(lead.device.size)
    if whole <= length:
        return lead
    start = min(max(_place(lead) - _BEFORE, 0), whole - length)
    end = start + length
    step = lead.record.step
    waves = [
        Segment(wave.label, wave.onset - start, wave.offset - start)
        for wave in lead.segments
        if start <= wave.onset and wave.offset < end
    ]
    record = _part(lead.record, int(start * step), int(end * step))
    return ShownLead(record, lead.reference[start:end], lead.device[start:end], waves, lead.classes, lead.equal)


def _place(lead: ShownLead) -> int:
    """The sample at 100 Hz around which there is something to see."""
    differing = np.flatnonzero(lead.device != lead.reference)
    if differing.size:
        return int(differing[0])
    return 0 if lead.record.span is None else int(lead.record.span[0] // lead.record.step)


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
