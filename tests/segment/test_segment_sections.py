"""A long channel in sections: where they lie, and how their events become those of one channel."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ecgseg.data.databases.synthetic.stream.recordings import stream_records
from ecgseg.models import find_model
from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.delineator import Delineator
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.segment import sections
from ecgseg.segment.sections import Joint, Section, sections_of
from support.metronome import beat

RATE = 100
OFF, ON = EventKind.LEAD_OFF_BEGIN, EventKind.LEAD_OFF_END


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("SECTION_SECONDS", 60), ("LEAD_SECONDS", 20), ("TAIL_SECONDS", 10)):
        monkeypatch.setattr(sections, name, seconds)


@pytest.mark.parametrize("seconds", [0, 1, 1799, 1800])
def test_up_to_half_an_hour_is_one_stream(seconds: int) -> None:
    samples = seconds * 360
    assert sections_of(samples, 360) == [Section(0, 0, 0, samples, samples, 360, is_last=True)]


@pytest.mark.parametrize("samples", [1800 * 125 + 1, 3600 * 125, 86_400 * 125 - 7])
def test_what_counts_is_the_whole_channel_once(samples: int) -> None:
    found = sections_of(samples, 125)
    assert (found[0].begin, found[-1].end, found[-1].last) == (0, samples, samples)
    assert all(one.end == other.begin and not one.is_last for one, other in pairwise(found))
    for one in found[1:]:
        assert one.begin - one.first == 120 * 125
        assert one.first % 125 == 0
    assert all(min(30 * 125, samples - one.end) == one.last - one.end for one in found)


def joined(*streams: list[Event], is_whole: bool = True) -> list[Event]:
    """Streams of sections of a minute of 150 s, each in ticks of its own."""
    joint = Joint()
    found: list[Event] = []
    for section, events in zip(sections_of(150 * RATE, RATE), streams, strict=False):
        found += joint.join(section, events, is_whole=is_whole)
    assert [event.number for event in found] == list(range(len(found)))
    again = Joint()
    again.follow(found)
    assert vars(again) == vars(joint)
    return found


def state(kind: EventKind, second: float, length: float = 0) -> Event:
    return Event(int(200 * second), 7, int(200 * length), kind)


@pytest.mark.usefixtures("short")
def test_every_beat_is_told_by_the_section_in_which_its_r_is() -> None:
    found = joined([beat(n) for n in range(70)], [beat(n) for n in range(90)], [beat(n) for n in range(50)])
    assert [event.tick for event in found] == [beat(n).tick for n in range(150)]


@pytest.mark.usefixtures("short")
def test_a_loss_of_contact_over_several_sections_is_one() -> None:
    found = joined(
        [state(OFF, 50), state(ON, 70, 20)],  # a stream ends with the end of what goes on
        [state(OFF, 10), state(ON, 90, 80)],
        [state(OFF, 0), state(ON, 35, 35)],
    )
    assert [(event.kind, event.tick, event.length) for event in found] == [
        (OFF, 200 * 50, 0),
        (ON, 200 * 135, 200 * 85),
    ]


@pytest.mark.usefixtures("short")
def test_where_two_sections_disagree_a_state_begins_or_ends_where_they_meet() -> None:
    found = joined([state(OFF, 50), state(ON, 70, 20)], [], [state(OFF, 3), state(ON, 30, 27), state(OFF, 40)])
    assert [(event.kind, event.tick / 200, event.length / 200) for event in found] == [
        (OFF, 50, 0),
        (ON, 60, 10),
        (OFF, 120, 0),
        (ON, 130, 10),
        (OFF, 140, 0),
    ]


@pytest.mark.usefixtures("short")
def test_a_section_that_was_stopped_ends_no_state_that_it_has_not_told() -> None:
    found = joined([state(OFF, 50), state(ON, 70, 20)], [state(OFF, 10), beat(45)], is_whole=False)
    assert [(event.kind, event.tick / 200) for event in found] == [(OFF, 50), (EventKind.BEAT, 85.5)]


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_sections_of_ecg_tell_what_one_stream_tells() -> None:
    samples = np.concatenate([record.samples for record in stream_records(6, 1, 11, 30.0)])[::5].copy()
    samples[50 * RATE : 75 * RATE] = LEAD_OFF
    model = find_model("stream-4-tcn-sm").data
    joint, found = Joint(), []
    for section in sections_of(samples.size, RATE):
        events = Delineator(model, RATE).record(samples[section.first : section.last]).events
        found += joint.join(section, events)
    whole = Delineator(model, RATE).record(samples).events
    assert len(found) > 150
    # What counts bad waves fades, but not to nothing: here a percent of quality tells one stream from several.
    assert [replace(event, quality=0) for event in found] == [replace(event, quality=0) for event in whole]
    assert max(abs(one.quality - other.quality) for one, other in zip(found, whole, strict=True)) <= 1
