"""Where a recording that is shown without an end begins again: what spans that place was never one heart's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ecgseg.pipeline.events import POINTS_OF_A_BEAT, Event, EventFlag, EventKind
from ecgseg.pipeline.intervals import PARTS, rate_tenths
from ecgseg.pipeline.rates import MODEL_RATE
from ecgseg.pipeline.rhythm import MOST_INTERVALS
from ecgseg.pipeline.times import TICK_MS

_RR_FLAGS = EventFlag.RR | EventFlag.QTC | EventFlag.BAZETT
_QT_FLAGS = EventFlag.QTC | EventFlag.BAZETT


def joints(length: int, rate: int, first: float, last: float) -> list[float]:
    """Seconds of a take at which its recording begins again, behind `first` and up to `last`.

    Args:
        length: samples of the recording.
        rate: samples a second.
        first, last: seconds.
    """
    number, found = max(1, int(first * rate / length)), []
    while (at := number * length / rate) <= last:
        if at > first:
            found.append(at)
        number += 1
    return found


class Joints:
    """Takes out of the events of one stream what spans a joint. The device is fed on there and cannot know it.

    Args:
        length: samples of the recording, which begins again behind them.
        rate: samples a second.
        second: of the take at which the stream begins.
    """

    def __init__(self, length: int, rate: int, second: int) -> None:
        self._length_ms = 1000 * length
        self._rate, self._shift_ms = rate, 1000 * second
        self._is_torn = False
        # RR intervals behind a joint, for as long as the device's own rate is still over some of before.
        self._since: list[int] | None = None

    def real(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events, with ticks of the stream, without what spans a joint; all of a stream have to come through."""
        for event in events:
            if event.kind == EventKind.BEAT:
                if self._is_apart(event, event.qrs_on, event.qrs_off):
                    self._is_torn = True
                    continue
                event = self._with_real_rate(self._with_real_points(event))
            elif event.kind == EventKind.LONE_P and self._is_apart(event, 0, event.p_off):
                continue
            yield event

    def _round(self, ms: int) -> int:
        """How often the recording began again until then."""
        return max(ms + self._shift_ms, 0) * self._rate // self._length_ms

    def _is_apart(self, event: Event, *ticks: int) -> bool:
        """Whether one of these ticks from the event's lies beyond a joint."""
        here = self._round(TICK_MS * event.tick)
        return any(self._round(TICK_MS * (event.tick + tick)) != here for tick in ticks)

    def _with_real_points(self, event: Event) -> Event:
        """The beat with the points that lie on its own side alone, as at the ends of a recording."""
        gone: dict[str, int] = {}
        flags = EventFlag(event.flags)
        for name, flag in POINTS_OF_A_BEAT:
            if flag and event.has(flag) and self._is_apart(event, getattr(event, name)):
                gone[name] = 0
                flags &= ~flag
        if "p_on" in gone:
            gone["pr_ms"] = 0
        if "t_off" in gone:
            gone |= {"qt_ms": 0, "qtc_ms": 0}
            flags &= ~_QT_FLAGS
        return replace(event, flags=int(flags), **gone) if gone else event

    def _with_real_rate(self, event: Event) -> Event:
        """The beat without an RR interval over a joint, and with a rate over none."""
        was_torn, self._is_torn = self._is_torn, False
        if not event.has(EventFlag.RR):
            self._since = None
            return event
        begun = TICK_MS * event.tick - event.rr_ms
        if was_torn or self._round(begun) != self._round(TICK_MS * event.tick):
            self._since = []
            return replace(event, flags=event.flags & ~int(_RR_FLAGS), rr_ms=0, rate_tenths=0, qtc_ms=0)
        if self._since is None:
            return event
        self._since.append(event.rr_ms)
        told = replace(event, rate_tenths=_rate_over(self._since))
        if len(self._since) == MOST_INTERVALS:
            self._since = None
        return told


def _rate_over(intervals: list[int]) -> int:
    """Beats a minute, in tenths, over RR intervals in milliseconds."""
    return rate_tenths(sum(intervals) * MODEL_RATE * PARTS // 1000, len(intervals))
