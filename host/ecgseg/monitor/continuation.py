"""The events of a stream that was begun again, behind those of the one before: none twice, none with a hole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ecgseg.data.writers.tables import BEGINS, ENDS
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.pipeline.times import TICK_RATE

LEAD_SECONDS = 10
"""Signal that a stream that is begun again gets at once: beats are held until some confirm each other."""
# A beat that both streams tell has its R at the same place, to a sample or two.
_SAME_TICKS = 20

_END_OF = {"lead_off": EventKind.LEAD_OFF_END, "flat": EventKind.FLAT_END, "noisy": EventKind.NOISY_END}


def base_second(position: int, rate: int) -> int:
    """The second at which a stream begins that is to go on at a position."""
    return max(0, position // rate - LEAD_SECONDS)


class Continuation:
    """Joins the events of streams that follow each other.

    Attributes:
        states: what the signal is now: "lead_off", "flat", "noisy".
    """

    def __init__(self) -> None:
        self._known = self._newest = -1
        self._base = self._count = 0
        self._since: dict[str, int] = {}
        self._again: set[str] = set()

    @property
    def states(self) -> frozenset[str]:
        return frozenset(self._since)

    def begin(self, second: int) -> None:
        """A stream begins, with the sample at this second of the take."""
        self._base = second * TICK_RATE
        self._known = self._newest
        self._again = set()

    def settle(self) -> Iterator[Event]:
        """The new stream has come as far as the one before: states that it does not tell have ended."""
        for what in sorted(set(self._since) - self._again):
            since = self._since.pop(what)
            tick = max(self._newest, since)
            yield self._numbered(Event(tick, 0, tick - since, _END_OF[what]))

    def take(self, events: Iterable[Event]) -> Iterator[Event]:
        """Events of the stream, with ticks and numbers of the take; those that were told before are left out."""
        for event in events:
            event = replace(event, tick=event.tick + self._base)
            if self._is_new(event):
                self._newest = max(self._newest, event.tick)
                yield self._numbered(event)

    def _is_new(self, event: Event) -> bool:
        if event.kind in BEGINS:
            what = BEGINS[EventKind(event.kind)]
            self._again.add(what)
            if what in self._since or event.tick <= self._known:
                return False
            self._since[what] = event.tick
            return True
        if event.kind in ENDS:
            return self._since.pop(ENDS[EventKind(event.kind)], None) is not None
        return event.tick > self._known + (_SAME_TICKS if event.kind == EventKind.BEAT and self._known >= 0 else 0)

    def _numbered(self, event: Event) -> Event:
        self._count += 1
        return replace(event, number=self._count - 1)
