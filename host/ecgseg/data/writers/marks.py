"""Marks of waves among the samples of a recording: the device's ticks, rounded once to the recording's rate."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.times import TICK_RATE

# An event may tell of what was before the last one, but never by so much.
_REORDERED_SECONDS = 30
_FINE_A_TICK = 16


class Mark(NamedTuple):
    """A mark; marks sort by time.

    Attributes:
        sample: of the recording.
        channel: number of the signal.
        order: of the marks at one sample: 0 ends a wave, 1 begins one, 2 is its peak.
        symbol: "(", ")", "p", "N" or "t".
    """

    sample: int
    channel: int
    order: int
    symbol: str


def onset_sample(tick: int, rate: int) -> int:
    """Sample nearest to the tick of an onset; of two as near the later, which is of the wave."""
    return (2 * tick * rate + TICK_RATE) // (2 * TICK_RATE)


def offset_sample(tick: int, rate: int) -> int:
    """Sample nearest to the tick of an offset; of two as near the earlier, which is of the wave."""
    return -((TICK_RATE - 2 * tick * rate) // (2 * TICK_RATE))


def peak_sample(event: Event, rate: int) -> int:
    """Sample nearest to R of a beat; of two as near the later."""
    parts = _FINE_A_TICK * event.tick + event.r_fine
    parts_a_second = _FINE_A_TICK * TICK_RATE
    return (2 * parts * rate + parts_a_second) // (2 * parts_a_second)


def marks_of(event: Event, channel: int, rate: int, samples: int) -> list[Mark]:
    """Marks of an event's waves, in order of time; none for what is no wave.

    p and t stand in the middle of their wave, for the device tells its ends alone; where one end is not known, at the
    other.

    Args:
        event: from the device.
        channel: number of the signal.
        rate: of the recording's samples, Hz.
        samples: how many it has; no mark lies outside.
    """
    marks: list[Mark] = []
    if event.kind == EventKind.LONE_P:
        marks += _wave("p", channel, rate, event.tick, event.tick + event.p_off if _has(event, "P_OFF") else None)
    elif event.kind == EventKind.BEAT:
        marks += _wave("p", channel, rate, *_ends(event, "P"))
        onset, offset = event.tick + event.qrs_on, event.tick + event.qrs_off
        marks += [
            Mark(onset_sample(onset, rate), channel, 1, "("),
            Mark(peak_sample(event, rate), channel, 2, "N"),
            Mark(offset_sample(offset, rate), channel, 0, ")"),
        ]
        marks += _wave("t", channel, rate, *_ends(event, "T"))
    return [mark._replace(sample=min(max(mark.sample, 0), samples - 1)) for mark in marks]


def _has(event: Event, flag: str) -> bool:
    return event.has(EventFlag[flag])


def _ends(event: Event, wave: str) -> tuple[int | None, int | None]:
    """Ticks at which a beat's P or T wave begins and ends, as far as they are known."""
    first = event.tick + getattr(event, f"{wave.lower()}_on") if _has(event, f"{wave}_ON") else None
    last = event.tick + getattr(event, f"{wave.lower()}_off") if _has(event, f"{wave}_OFF") else None
    return first, last


def _wave(symbol: str, channel: int, rate: int, begins: int | None, ends: int | None) -> list[Mark]:
    first = None if begins is None else onset_sample(begins, rate)
    last = None if ends is None else offset_sample(ends, rate)
    known = [sample for sample in (first, last) if sample is not None]
    if not known:
        return []
    marks = [Mark(sum(known) // len(known), channel, 2, symbol)]
    if first is not None:
        marks.insert(0, Mark(first, channel, 1, "("))
    if last is not None:
        marks.append(Mark(last, channel, 0, ")"))
    return marks


def in_order(marks: Iterable[Mark], rate: int) -> Iterator[Mark]:
    """Marks of one channel by time; those of one sample as they came.

    Args:
        marks: nearly in order: none is more than 30 s behind one that came before it.
        rate: of the recording's samples, Hz.
    """
    waiting: list[tuple[int, int, Mark]] = []
    newest = 0
    for count, mark in enumerate(marks):
        heapq.heappush(waiting, (mark.sample, count, mark))
        newest = max(newest, mark.sample)
        while waiting[0][0] < newest - _REORDERED_SECONDS * rate:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]
