"""Beats of annotations, segments and events; errors of intervals and of the heart rate."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.data.records import Record, Wave
from ecgseg.pipeline import Segment
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.reported import event_segments
from ecgseg.scoring.delineation import Delineation, DelineationCollector, beat_of
from ecgseg.scoring.intervals import BeatScorer, annotated_beats, beats_of, segment_beats

ALL = int(EventFlag.P_ON | EventFlag.P_OFF | EventFlag.T_ON | EventFlag.T_OFF)


def record(beats: int = 5) -> Record:
    """Beats a second apart: P at 100 to 200 ms, QRS at 260 to 360 with R at 300, T at 500 to 660."""
    waves = []
    for beat in range(beats):
        start = 500 * beat
        waves += [
            Wave("P", start + 50, start + 75, start + 100),
            Wave("QRS", start + 130, start + 150, start + 180),
            Wave("T", start + 250, start + 290, start + 330),
        ]
    return Record(1, "ii", 500, np.zeros(500 * beats, np.int16), tuple(waves), "sinus", "synthetic")


def test_a_beat_has_the_p_wave_before_it_and_the_t_wave_behind_it() -> None:
    first, *_ = annotated_beats(record())
    assert (first.r, first.p_on, first.qrs_on, first.qrs_off, first.t_off) == (300, 100, 260, 360, 660)
    assert first.intervals() == {"PR": 160, "QRS": 100, "QT": 400}
    # Too far away, or another beat's.
    far = beats_of({"P": [(0, None, 10)], "QRS": [(600, None, 700)], "T": [(1300, None, 1500)]})
    assert far[0].intervals() == {"QRS": 100}
    assert beats_of({"P": [(0, None, 10)], "T": [(1300, None, 1500)]}) == []
    between = beats_of({"QRS": [(0, None, 80), (300, None, 380)], "T": [(330, None, 600)]})
    assert [beat.t_off for beat in between] == [None, 600]


def test_errors_are_found_minus_annotated() -> None:
    scorer = BeatScorer()
    wanted = record()
    # 20 ms late where P begins, 10 ms early where T ends.
    found = [
        Segment(label, onset + 100 * beat, offset + 100 * beat)
        for beat in range(5)
        for label, onset, offset in ((1, 12, 20), (2, 26, 36), (3, 50, 65))
    ]
    scorer.add(wanted, segment_beats(found))
    scores = scorer.intervals()
    assert scores["PR"].beats == 5
    assert scores["PR"].mean_ms == pytest.approx(-20)
    assert scores["QRS"].mean_ms == pytest.approx(10)  # half a sample on both sides
    assert scores["QT"].mean_ms == pytest.approx(0)
    rate = scorer.rate()
    assert rate is not None
    assert (rate.leads, rate.within_1_bpm) == (1, 1.0)
    assert rate.median_bpm == pytest.approx(0)


def test_nothing_annotated_gives_no_scores() -> None:
    bare = Record(1, "ii", 500, np.zeros(500, np.int16), (), "unknown", "replay")
    scorer = BeatScorer()
    scorer.add(bare, [])
    assert (scorer.intervals(), scorer.rate()) == ({}, None)
    collector = DelineationCollector()
    assert collector.scores() is None


def test_an_event_is_a_beat_and_its_waves() -> None:
    # R at sample 30, P 10..20, QRS 26..36, T 50..65: half a sample before the first and behind the last.
    places = {"p_on": -41, "p_off": -19, "qrs_on": -9, "qrs_off": 13, "t_on": 39, "t_off": 71}
    event = Event(60, 0, 0, EventKind.BEAT, flags=ALL, r_fine=4, **places)
    assert event_segments(event, 100) == [Segment(1, 10, 20), Segment(2, 26, 36), Segment(3, 50, 65)]
    beat = beat_of(event)
    assert beat.r == pytest.approx(5 * (60 + 4 / 16))
    assert (beat.p_on, beat.qrs_on, beat.qrs_off, beat.t_off) == (95, 255, 365, 655)
    bare = Event(60, 0, 0, EventKind.BEAT, qrs_on=-9, qrs_off=13)
    assert event_segments(bare, 100) == [Segment(2, 26, 36)]
    assert beat_of(bare).p_on is None
    # What lies outside of the record is no wave of it, and other events have none.
    assert event_segments(event, 60) == [Segment(1, 10, 20), Segment(2, 26, 36)]
    assert event_segments(Event(60, 0, 0, EventKind.GAP), 100) == []
    found = Delineation.of_events(np.zeros(100, np.uint8), [event, Event(80, 1, 0, EventKind.FLAT_BEGIN)])
    assert len(found.beats) == 1
    assert len(found.prediction.segments) == 3
