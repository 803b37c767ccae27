"""A tape keeps the last minutes, whoever reads them from wherever, and never more."""

from __future__ import annotations

import numpy as np

from ecgseg.monitor.tape import Tape
from support.monitor_double import beat


def filled(samples: int = 350) -> Tape:
    """Of 3 s at 100 Hz, two channels; sample n is n and -n."""
    tape = Tape(3)
    tape.begin(100, 2)
    for first in range(0, samples, 7):
        places = np.arange(first, min(first + 7, samples))
        tape.add_samples(np.stack((places, -places), axis=1).astype(np.int16))
    return tape


def test_samples_are_read_from_any_place_that_is_kept() -> None:
    tape = filled()
    piece = tape.samples(320, 10)
    assert piece.first == 320
    assert piece.values[:, 0].tolist() == list(range(320, 330))
    assert piece.values[:, 1].tolist() == [-n for n in range(320, 330)]
    assert tape.samples(0, 1000).first == 50
    assert len(tape.samples(0, 1000).values) == 300
    assert len(tape.samples(350, 10).values) == len(tape.samples(999, 10).values) == 0


def test_classes_that_come_twice_stay_as_they_came_first() -> None:
    tape = filled()
    tape.add_classes(0, np.full(100, 1, np.uint8))
    tape.add_classes(50, np.full(100, 2, np.uint8))
    assert tape.classes(0, 1000).values.tolist() == [1] * 100 + [2] * 50
    tape.add_classes(20, np.full(10, 3, np.uint8))
    assert tape.classes(149, 9).values.tolist() == [2]


def test_after_a_hole_there_are_classes_from_behind_it_only() -> None:
    tape = filled()
    tape.add_classes(0, np.full(10, 1, np.uint8))
    tape.add_classes(200, np.full(10, 2, np.uint8))
    piece = tape.classes(0, 1000)
    assert (piece.first, piece.values.tolist()) == (200, [2] * 10)


def test_events_are_read_from_where_a_reader_is() -> None:
    tape = filled()
    tape.add_events([beat(10), beat(20)])
    following, events = tape.events(0)
    assert (following, [told.event.tick for told in events]) == (2, [10, 20])
    assert events[0].at == 350
    tape.add_events([beat(30)])
    assert [told.event.tick for told in tape.events(following)[1]] == [30]
    assert tape.events(3) == (3, [])


def test_another_lead_forgets_what_was_found_and_another_recording_everything() -> None:
    tape = filled()
    tape.add_classes(0, np.full(10, 1, np.uint8))
    tape.add_events([beat(10)])
    before = tape.take
    assert tape.change(300).number == before.number
    assert tape.take.epoch == before.epoch + 1
    assert len(tape.samples(0, 1000).values) == 300
    assert len(tape.classes(0, 1000).values) == len(tape.events(0)[1]) == 0
    tape.begin(250, 1)
    assert tape.take.number == before.number + 1
    assert tape.head == 0
