"""What a picture of a channel shows: the heart rate over all of it, and the ten seconds that one looks at first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.data.recording import Recording, stretch
from ecgseg.data.writers.tables import LONE_P, stretches
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.times import TICK_RATE
from ecgseg.segment.result import Done

STRIP_SECONDS = 10
# Up to so many strips a recording is shown as a whole.
MOST_STRIPS = 4
_BINS = 900
# Of what begins within a strip some seconds before are shown.
_BEFORE_SECONDS = 3
# Strips that begin closer than this show the same.
_APART_SECONDS = 5
# A wave of a beat whose R is that far outside of a strip may reach into it.
_REACH_TICKS = 2 * TICK_RATE
_LOST = {"lead_off": "No contact", "flat": "Flat line", "noisy": "Noise"}


@dataclass(frozen=True)
class Strip:
    """Ten seconds of a channel.

    Attributes:
        title: what it shows.
        start: its first second.
        rate: of its samples, Hz.
        samples: int16 microvolts [at most 10 s], LEAD_OFF without contact.
        events: beats and P waves that may reach into it.
        stretches: kind and first and last second of what is no beat.
    """

    title: str
    start: float
    rate: int
    samples: npt.NDArray[np.int16]
    events: list[Event]
    stretches: list[tuple[str, float, float]]


@dataclass(frozen=True)
class Sheet:
    """A channel.

    Attributes:
        recording, channel: names.
        seconds: of signal.
        strips: in order of time.
        rates: float64 [n], mean beats a minute of each n-th of the signal, NaN without beats; empty where the strips
            show all of it.
    """

    recording: str
    channel: str
    seconds: float
    strips: list[Strip]
    rates: npt.NDArray[np.float64]


def sheet_of(recording: Recording, done: Done, rate: int) -> Sheet:
    """What is to be shown of a channel; events are read one by one, and samples of the strips alone.

    Raises:
        DataError: samples cannot be read.
    """
    seconds = done.told.seconds
    is_whole = seconds <= MOST_STRIPS * STRIP_SECONDS
    wanted = _all_of(seconds) if is_whole else _sights(done, seconds)
    strips = [_strip(recording, done, rate, start, title) for start, title in wanted]
    rates = np.empty(0) if is_whole else _rates(done, seconds)
    return Sheet(recording.name, done.channel.label, seconds, strips, rates)


def _all_of(seconds: float) -> list[tuple[float, str]]:
    return [(float(start), clock(start)) for start in range(0, max(1, int(np.ceil(seconds))), STRIP_SECONDS)]


def _sights(done: Done, seconds: float) -> list[tuple[float, str]]:
    """Where the strips of a long recording begin, and what they show; the first ten seconds are always one of them."""
    latest = seconds - STRIP_SECONDS
    found: list[tuple[float, str]] = [(0.0, "Beginning")]
    for start, title in _finds(done):
        start = min(max(start, 0.0), latest)
        if all(abs(start - other) >= _APART_SECONDS for other, _ in found):
            found.append((start, title))
    return [(start, f"{clock(start)}  {title}") for start, title in sorted(found)]


def _finds(done: Done) -> Iterator[tuple[float, str]]:
    """Highest rate, longest interval, longest stretch without beats to trust."""
    fastest = _most(done, lambda event: event.rate_tenths)
    slowest = _most(done, lambda event: event.rr_ms)
    if fastest is not None and slowest is not None:
        yield fastest.tick / TICK_RATE - STRIP_SECONDS / 2, f"Highest heart rate, {fastest.rate_tenths / 10:.0f}/min"
        middle = slowest.tick / TICK_RATE - slowest.rr_ms / 2000
        yield middle - STRIP_SECONDS / 2, f"Longest interval, {slowest.rr_ms / 1000:.2f} s"
    lost = [(end - begin, -begin, what) for what, begin, end in stretches(done.told) if what != LONE_P and end]
    if lost:
        ticks, begin, what = max(lost)
        name = _LOST.get(what, "Samples missing")
        yield -begin / TICK_RATE - _BEFORE_SECONDS, f"{name} for {ticks / TICK_RATE:.1f} s"


def _most(done: Done, figure: Callable[[Event], int]) -> Event | None:
    """The first beat with the largest figure, of those that have one before them."""
    beats = (event for event in done.spool if event.kind == EventKind.BEAT and event.has(EventFlag.RR))
    return max(beats, key=figure, default=None)


def _strip(recording: Recording, done: Done, rate: int, start: float, title: str) -> Strip:
    first = round(start * rate)
    end = min(first + STRIP_SECONDS * rate, done.samples)
    low, high = start * TICK_RATE - _REACH_TICKS, (start + STRIP_SECONDS) * TICK_RATE + _REACH_TICKS
    waves = (EventKind.BEAT, EventKind.LONE_P)
    return Strip(
        title,
        start,
        rate,
        stretch(recording, done.channel, done.scale, first, end),
        [event for event in done.spool if event.kind in waves and low <= event.tick <= high],
        [
            (what, begin / TICK_RATE, last / TICK_RATE)
            for what, begin, last in stretches(done.told)
            if what != LONE_P and last is not None and begin < high and last > low
        ],
    )


def _rates(done: Done, seconds: float) -> npt.NDArray[np.float64]:
    total, count = np.zeros(_BINS), np.zeros(_BINS)
    for event in done.spool:
        if event.kind == EventKind.BEAT and event.has(EventFlag.RR):
            place = min(int(event.tick / TICK_RATE / seconds * _BINS), _BINS - 1)
            total[place] += event.rate_tenths / 10
            count[place] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds of a place in a recording."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
