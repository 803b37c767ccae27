"""The events of streams that follow each other are those of one: none is told twice, none is lost."""

from __future__ import annotations

from dataclasses import replace

from ecgseg.monitor.continuation import LEAD_SECONDS, Continuation, base_second
from ecgseg.pipeline.events import Event, EventKind
from support.monitor_double import beat


def ticks(events: list[Event]) -> list[int]:
    return [event.tick for event in events]


def test_a_stream_begins_some_seconds_before_the_place_where_it_goes_on() -> None:
    assert base_second(12_345, 500) == 24 - LEAD_SECONDS
    assert base_second(499, 500) == 0


def test_ticks_count_from_the_start_of_the_take_and_beats_are_told_once() -> None:
    joined = Continuation()
    joined.begin(0)
    assert ticks(list(joined.take([beat(100), beat(300), beat(500)]))) == [100, 300, 500]
    joined.begin(1)
    # R may be found a sample later or earlier by the second stream.
    found = list(joined.take([beat(98), beat(302), beat(499)]))
    assert ticks(found) == [699]
    assert [event.number for event in found] == [3]


def test_a_beat_that_the_first_stream_did_not_get_to_tell_is_told_by_the_second() -> None:
    joined = Continuation()
    joined.begin(0)
    list(joined.take([beat(100)]))
    joined.begin(0)
    assert ticks(list(joined.take([beat(100), beat(300)]))) == [300]


def state(kind: EventKind, tick: int, length: int = 0) -> Event:
    return replace(beat(tick), kind=kind, length=length)


def test_a_state_that_goes_on_is_told_once_and_ends_once() -> None:
    joined = Continuation()
    joined.begin(0)
    list(joined.take([beat(100), state(EventKind.LEAD_OFF_BEGIN, 400)]))
    assert joined.states == {"lead_off"}
    joined.begin(1)
    assert list(joined.take([state(EventKind.LEAD_OFF_BEGIN, 200)])) == []
    assert list(joined.settle()) == []
    (end,) = joined.take([state(EventKind.LEAD_OFF_END, 900, 700)])
    assert (end.tick, end.kind) == (1100, EventKind.LEAD_OFF_END)
    assert joined.states == frozenset()


def test_a_state_that_the_second_stream_knows_nothing_of_ends_where_they_meet() -> None:
    joined = Continuation()
    joined.begin(0)
    list(joined.take([state(EventKind.NOISY_BEGIN, 400), beat(700)]))
    joined.begin(0)
    list(joined.take([beat(700)]))
    (end,) = joined.settle()
    assert (end.kind, end.tick, end.length) == (EventKind.NOISY_END, 700, 300)


def test_a_state_that_was_over_before_is_not_told_again() -> None:
    joined = Continuation()
    joined.begin(0)
    list(joined.take([state(EventKind.FLAT_BEGIN, 100), state(EventKind.FLAT_END, 300, 200), beat(500)]))
    joined.begin(0)
    again = [state(EventKind.FLAT_BEGIN, 100), state(EventKind.FLAT_END, 300, 200), beat(500), beat(700)]
    assert ticks(list(joined.take(again))) == [700]
