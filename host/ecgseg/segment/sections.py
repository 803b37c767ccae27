"""Cuts a long channel into sections, each a stream of its own, and joins their events to those of the whole.

What a device knows after hours of signal depends on all of them: counts that fade without ever reaching what they
were at the start. So no stream can be entered in the middle. A section begins its stream two minutes before what counts
of it, longer than the device looks back for anything that it tells, and ends it half a minute behind, longer than
anything waits to be told. It depends on no other section, whoever sends it and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ecgseg.data.writers.tables import BEGINS, ENDS
from ecgseg.pipeline.beat_queue import LONGEST
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.pipeline.times import TICK_RATE

SECTION_SECONDS = 1800
LEAD_SECONDS = 120
TAIL_SECONDS = 30

_BEGIN_OF = {EventKind(end): begin for end, name in ENDS.items() for begin, other in BEGINS.items() if name == other}
_END_OF = {begin: end for end, begin in _BEGIN_OF.items()}


@dataclass(frozen=True)
class Section:
    """A part of a channel, in raw samples from the channel's first.

    Attributes:
        number: from 0.
        first, last: of its stream, `last` not included.
        begin, end: of what counts; the next section begins at `end`.
        rate: samples a second.
        is_last: nothing follows.
    """

    number: int
    first: int
    begin: int
    end: int
    last: int
    rate: int
    is_last: bool

    @property
    def first_second(self) -> int:
        """Where its stream begins."""
        return self.first // self.rate

    def counted(self, samples: int) -> int:
        """How much of the channel is done when so many samples of this stream are."""
        return min(max(self.first + samples, self.begin), self.end)


def sections_of(samples: int, rate: int) -> list[Section]:
    """The sections of a channel of so many samples; one of up to half an hour has one."""
    length, lead, tail = SECTION_SECONDS * rate, LEAD_SECONDS * rate, TAIL_SECONDS * rate
    count = max(1, -(-samples // length))
    return [
        Section(
            number,
            max(number * length - lead, 0),
            number * length,
            min((number + 1) * length, samples),
            min((number + 1) * length + tail, samples),
            rate,
            number == count - 1,
        )
        for number in range(count)
    ]


class Joint:
    """Joins the events of sections, in their order.

    Attributes:
        count: events so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._since: dict[int, int] = {}

    def follow(self, events: Iterable[Event]) -> None:
        """These were joined before, by another one."""
        for event in events:
            self.count += 1
            if event.kind in _END_OF:
                self._since[event.kind] = event.tick
            elif event.kind in _BEGIN_OF:
                self._since.pop(_BEGIN_OF[EventKind(event.kind)], None)

    def join(self, section: Section, events: Iterable[Event], *, is_whole: bool = True) -> Iterator[Event]:
        """The events of a section that count, with ticks and numbers of the whole channel.

        A state, such as a loss of contact, that goes on from one section into the next is one; where the two disagree,
        it begins or ends where they meet.

        Args:
            section: that follows the one before.
            events: of its stream, as the device told them; gone through twice.
            is_whole: the stream was ended, and not stopped on its way.
        """
        shift = section.first_second * TICK_RATE
        begin, end = section.begin // section.rate * TICK_RATE, section.end // section.rate * TICK_RATE
        # What a stream that was stopped had not told yet is not known; it is as it was.
        active = _active_at(begin - shift, events) if is_whole else set(self._since)
        yield from map(self._numbered, self._met(active, begin))
        inherited = set(self._since)
        for event in events:
            tick = event.tick + shift
            if tick >= begin and (section.is_last or tick < end):
                yield from map(self._numbered, self._told(replace(event, tick=tick), inherited))

    def _met(self, active: set[int], begin: int) -> Iterator[Event]:
        """What becomes of the states where two sections meet."""
        for kind in sorted(set(self._since) - active):
            yield Event(begin, 0, min(begin - self._since.pop(kind), LONGEST), _END_OF[EventKind(kind)])
        for kind in sorted(active - set(self._since)):
            self._since[kind] = begin
            yield Event(begin, 0, 0, kind)

    def _told(self, event: Event, inherited: set[int]) -> Iterator[Event]:
        """An event, if it tells anything new; a state that began in an earlier section is as long as it was."""
        if event.kind in _END_OF:
            if event.kind in inherited:
                return
            self._since[event.kind] = event.tick
        elif event.kind in _BEGIN_OF:
            began = _BEGIN_OF[EventKind(event.kind)]
            since = self._since.pop(began, None)
            if since is not None and began in inherited:
                inherited.discard(began)  # Its next beginning is news.
                event = replace(event, length=min(event.tick - since, LONGEST))
        yield event

    def _numbered(self, event: Event) -> Event:
        self.count += 1
        return replace(event, number=self.count - 1)


def _active_at(tick: int, events: Iterable[Event]) -> set[int]:
    """Kinds of the states that are on at a tick of the stream; nothing is before it begins."""
    active: set[int] = set()
    for event in events:
        if event.tick < tick and event.kind in _END_OF:
            active.add(event.kind)
        elif event.tick < tick and event.kind in _BEGIN_OF:
            active.discard(_BEGIN_OF[EventKind(event.kind)])
    return active
