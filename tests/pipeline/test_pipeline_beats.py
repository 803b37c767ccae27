"""Beats, intervals and states of streams of classes that are worked by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ecgseg.pipeline import LEAD_OFF, segments
from ecgseg.pipeline.beat_queue import CAPACITY
from ecgseg.pipeline.beats import BeatFinder
from ecgseg.pipeline.events import EVENT_BYTES, Event, EventFlag, EventKind
from ecgseg.pipeline.faint import FAINT_P
from ecgseg.pipeline.intervals import bazett, fridericia, rate_tenths, root, rounded, rr_ms
from ecgseg.pipeline.rules import BEAT_RULES
from ecgseg.pipeline.waves import WaveTracker
from support.streams_of_classes import Classes, anything, beats, events_of, without_t

WAVES = EventFlag.P_ON | EventFlag.P_OFF | EventFlag.T_ON | EventFlag.T_OFF


def fetched(finder: BeatFinder) -> list[Event]:
    return list(iter(finder.next, None))


def of_kind(found: list[Event], kind: EventKind) -> list[Event]:
    return [event for event in found if event.kind == kind]


def test_a_beat_has_its_waves_and_intervals() -> None:
    found = events_of(beats([100, 180, 260, 340], 500))
    assert [event.kind for event in found] == [EventKind.BEAT] * 4
    assert [event.number for event in found] == [0, 1, 2, 3]
    first, *_, last = found
    assert first.flags == WAVES
    assert last.flags == WAVES | EventFlag.RR | EventFlag.QTC
    # R in the middle of samples 340..348; half samples outside of each wave.
    assert 16 * last.tick + last.r_fine == pytest.approx(16 * 688, abs=3)
    ends = [last.tick + place for place in (last.p_on, last.p_off, last.qrs_on, last.qrs_off, last.t_on, last.t_off)]
    assert ends == [643, 663, 679, 697, 723, 763]
    assert (last.pr_ms, last.qrs_ms, last.qt_ms) == (180, 90, 420)
    assert last.rr_ms == pytest.approx(800, abs=2)
    assert last.rate_tenths == pytest.approx(750, abs=2)
    assert last.qtc_ms == fridericia(420, last.rr_ms) == pytest.approx(420 / 0.8 ** (1 / 3), abs=1)
    assert last.r_uv == pytest.approx(1000, abs=25)
    assert last.quality > 50


def test_a_downward_complex_has_its_r_below() -> None:
    assert events_of(beats([100, 180, 260], 400, height=-800))[0].r_uv == pytest.approx(-800, abs=25)


def test_what_is_missing_of_a_beat_is_said() -> None:
    found = events_of(beats([100, 180, 260, 340], 400, p=False))
    assert [event.flags & WAVES for event in found] == [EventFlag.T_ON | EventFlag.T_OFF] * 4
    assert [(event.p_on, event.pr_ms) for event in found] == [(0, 0)] * 4
    found = events_of(beats([100, 180, 260], 400, t=False))
    assert [event.flags & WAVES for event in found] == [EventFlag.P_ON | EventFlag.P_OFF] * 3
    assert [(event.t_off, event.qt_ms, event.qtc_ms) for event in found] == [(0, 0, 0)] * 3


def test_r_lies_between_samples() -> None:
    labels = np.zeros(500, np.uint8)
    tops = []
    for shift in (-0.4, -0.2, 0.0, 0.3, 0.5):
        samples = 10 * np.sin(np.arange(500) / 3)
        for onset in (100, 200, 300, 400):
            labels[onset : onset + 9] = 2
            samples[onset - 2 : onset + 11] += 1000 * np.exp(-(((np.arange(13) - 6 - shift) / 2) ** 2))
        found = events_of(Classes(labels, np.rint(samples).astype(np.int16)))
        tops.append((16 * found[1].tick + found[1].r_fine) / 32 - 204)
    assert tops == pytest.approx([-0.4, -0.2, 0.0, 0.3, 0.5], abs=0.06)


def test_a_beat_comes_at_the_latest_when_its_t_wave_can_no_longer_grow() -> None:
    classes = beats([100, 180, 260, 340], 500)
    finder = BeatFinder()
    came = {}
    for now, (label, sample) in enumerate(classes.pairs()):
        finder.push(label, sample)
        for event in fetched(finder):
            came[event.number] = now
    # T of the fourth beat ends with sample 381.
    assert came[3] == 381 + BEAT_RULES.waves.max_gap + 1
    # The first two wait for the third to confirm them.
    assert came[0] == came[1] == came[2] == 301 + BEAT_RULES.waves.max_gap + 1


def test_a_t_wave_that_does_not_end_closes_its_beat_at_the_longest_qt() -> None:
    classes = beats([100, 180, 260, 340], 500)
    classes.labels[340 + 22 :] = 3
    finder = BeatFinder()
    came = {}
    for now, (label, sample) in enumerate(classes.pairs()):
        finder.push(label, sample)
        for event in fetched(finder):
            came[event.number] = (now, event.flags & WAVES)
    assert came[3] == (340 + BEAT_RULES.max_qt, EventFlag.P_ON | EventFlag.P_OFF | EventFlag.T_ON)


def test_a_p_wave_without_its_complex_is_told_alone() -> None:
    classes = beats([100, 180, 260, 340], 700)
    classes.labels[400:410] = 1
    lone = of_kind(events_of(classes), EventKind.LONE_P)
    assert [(event.tick, event.p_off, event.flags) for event in lone] == [(799, 20, EventFlag.P_ON | EventFlag.P_OFF)]


def test_a_complex_in_the_refractory_period_is_no_beat() -> None:
    classes = beats([100, 180, 260, 340], 500)
    classes.labels[180 + 12 : 180 + 19] = 2
    assert len(of_kind(events_of(classes), EventKind.BEAT)) == 4


def test_a_complex_that_does_not_stand_out_is_none() -> None:
    classes = beats(list(range(60, 3000, 80)), 3000)
    noise = np.random.default_rng(2).normal(0, 40, 3000)
    for height, least, most in ((1000, 30, 37), (0, 0, 0)):
        samples = noise + classes.samples * (height / 1000)
        found = events_of(Classes(classes.labels, np.rint(samples).astype(np.int16)))
        assert least <= len(of_kind(found, EventKind.BEAT)) <= most


def test_an_electrode_that_moves_makes_no_beats_but_a_raised_st_segment_does_not_hide_them() -> None:
    regular = list(range(60, 3000, 80))
    irregular = np.cumsum(([60, 70, 100, 140, 60, 110, 80] * 5)[:34]).tolist()
    for places, least, most in ((regular, 30, 37), (irregular, 0, 0)):
        classes = beats(places, 3500, p=False, height=0)
        samples = classes.samples.astype(float)
        for onset in places:
            # The level jumps and comes back slowly.
            samples[onset + 3 :] += 600 * np.exp(-np.arange(3500 - onset - 3) / 30)
        found = events_of(Classes(classes.labels, np.rint(samples).astype(np.int16)))
        assert least <= len(of_kind(found, EventKind.BEAT)) <= most


def test_two_beats_alone_are_none_and_a_pause_lets_the_next_wait_again() -> None:
    assert events_of(beats([100, 180], 400)) == []
    found = events_of(beats([100, 180, 260, 800, 880, 960, 1500], 1700))
    assert [round(event.tick / 2) - 4 for event in found] == [100, 180, 260, 800, 880, 960]
    # A pause is an interval as any other.
    assert found[3].rr_ms == pytest.approx(5400, abs=5)


def test_a_loss_of_contact_is_told_and_no_interval_reaches_over_it() -> None:
    classes = beats([100, 180, 260, 500, 580, 660], 900)
    classes.samples[330:430] = LEAD_OFF
    found = events_of(classes)
    kinds = [event.kind for event in found]
    assert kinds == [1, 1, 1, EventKind.LEAD_OFF_BEGIN, EventKind.LEAD_OFF_END, 1, 1, 1]
    begin, end = found[3:5]
    assert (begin.tick, end.tick, end.length) == (659, 859, 200)
    assert not found[5].has(EventFlag.RR)
    assert found[6].has(EventFlag.RR)


def test_no_interval_reaches_over_a_short_loss_of_contact_either() -> None:
    classes = beats([100, 180, 260, 340, 420], 600)
    classes.samples[322:325] = LEAD_OFF
    found = events_of(classes)
    assert [event.kind for event in found] == [EventKind.BEAT] * 5
    assert [event.has(EventFlag.RR) for event in found] == [False, True, True, False, True]


def test_a_wave_that_the_signal_cuts_has_no_end_there() -> None:
    classes = beats([100, 180, 260, 340], 500)
    classes.samples[340 - 20 : 340 - 14] = LEAD_OFF
    classes.samples[340 + 30 :] = LEAD_OFF
    last = of_kind(events_of(classes), EventKind.BEAT)[-1]
    assert last.flags & WAVES == EventFlag.P_OFF | EventFlag.T_ON
    classes = beats([100, 180, 260, 340], 500)
    classes.samples[344] = LEAD_OFF
    assert len(of_kind(events_of(classes), EventKind.BEAT)) == 3


def test_a_flat_line_is_told_and_has_no_beats() -> None:
    classes = beats(list(range(100, 1500, 80)), 1600)
    classes.samples[500:1000] = 40
    found = events_of(classes)
    begin, end = of_kind(found, EventKind.FLAT_BEGIN)[0], of_kind(found, EventKind.FLAT_END)[0]
    assert (begin.tick, end.tick, end.length) == (999, 1999, 1000)
    after = 2 * (500 + BEAT_RULES.flat)
    assert not [event for event in of_kind(found, EventKind.BEAT) if after < event.tick < 2000]


@pytest.mark.parametrize("seed", range(6))
def test_classes_without_sense_are_noise_in_which_a_rhythm_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(0, 4, 1500), rng.integers(1, 4, 1500)).astype(np.uint8)
    clean = beats(list(range(60, 1000, 80)), 1000)
    noise = Classes(labels, rng.normal(0, 300, labels.size).astype(np.int16))
    found = events_of(
        Classes(
            np.concatenate((clean.labels, noise.labels, clean.labels)),
            np.concatenate((clean.samples, noise.samples, clean.samples)),
        )
    )
    begin, end = of_kind(found, EventKind.NOISY_BEGIN)[0], of_kind(found, EventKind.NOISY_END)[-1]
    assert 2000 < begin.tick < 2200
    assert 2 * (1000 + labels.size) < end.tick < 2 * (1000 + labels.size) + 1000
    ticks = [event.tick for event in of_kind(found, EventKind.BEAT)]
    # What was confirmed before goes on until so many in a row are not like it.
    assert len([tick for tick in ticks if begin.tick <= tick <= 2 * (1000 + labels.size)]) <= BEAT_RULES.confirm
    assert len([tick for tick in ticks if tick > end.tick]) > 5


def test_without_room_nothing_is_taken_and_nothing_is_lost() -> None:
    classes = beats(list(range(60, 3000, 80)), 3000)
    expected = events_of(classes)
    finder = BeatFinder()
    found = []
    refused = 0
    for label, sample in classes.pairs():
        while not finder.push(label, sample):
            refused += 1
            found += itertools.islice(iter(finder.next, None), 1)
    while not finder.end():
        found += itertools.islice(iter(finder.next, None), 1)
    found += fetched(finder)
    assert found == expected
    assert refused > len(expected) / 2
    assert CAPACITY == 11


def test_a_stream_may_begin_at_any_time() -> None:
    classes = anything(5)
    start = 2**40 + 3
    for event, later in zip(events_of(classes), events_of(classes, BeatFinder(start)), strict=True):
        assert later.tick - event.tick in (start, start - 1)
        assert later.pack()[8:] == event.pack()[8:]


@pytest.mark.parametrize("seed", range(5))
def test_waves_are_those_of_segments(seed: int) -> None:
    rules = BEAT_RULES.waves
    labels = anything(seed).labels
    labels[labels >= FAINT_P] = 0
    tracker = WaveTracker(rules.max_gap)
    waves = [tracker.push(now, label, continues=now > 0) for now, label in enumerate(labels.tolist())]
    waves.append(tracker.cut(labels.size))
    found = [
        (wave.label, wave.first, wave.last) for wave in waves if wave and wave.length >= rules.min_length[wave.label]
    ]
    expected = [(one.label, one.onset, one.offset) for one in segments(labels, rules)]
    # A frame's edge saves what is shorter than the rules ask for, for its other half may be in the next frame.
    assert found == [one for one in expected if one[2] - one[1] + 1 >= rules.min_length[one[0]]]


def test_events_are_48_bytes_and_read_back() -> None:
    event = events_of(beats([100, 180, 260], 400))[2]
    assert len(event.pack()) == EVENT_BYTES == 48
    assert Event.unpack(event.pack()) == event


def test_roots_and_quotients_are_exact() -> None:
    rng = np.random.default_rng(1)
    for value in [0, 1, 2**47, 65535 << 24, *rng.integers(0, 2**48, 200).tolist()]:
        for power in (2, 3):
            found = root(value, power)
            assert found**power <= value < (found + 1) ** power
    assert [rounded(dividend, 4) for dividend in (-6, -5, -2, -1, 1, 2, 5, 6)] == [-2, -1, -1, 0, 0, 1, 1, 2]


def test_corrected_intervals_are_those_of_the_formulas() -> None:
    for rr in range(200, 20480, 7):
        for qt in (200, 400, 800):
            for found, exact in (
                (fridericia(qt, rr), qt / (rr / 1000) ** (1 / 3)),
                (bazett(qt, rr), qt / (rr / 1000) ** 0.5),
            ):
                # Half a millisecond, and what is cut off the root.
                assert abs(found - exact) <= 0.5 + 0.0007 * exact
    assert (rr_ms(3200), rate_tenths(3200, 1), rate_tenths(6 * 3200, 8)) == (1000, 600, 800)


def of_heights(onsets: list[int], heights: list[int]) -> Classes:
    """Beats without P waves whose complexes are so many microvolts high."""
    classes = beats(onsets, onsets[-1] + 150, p=False, height=0)
    samples = classes.samples.astype(float)
    for onset, height in zip(onsets, heights, strict=True):
        samples[onset : onset + 9] += height * np.hanning(9)
    return Classes(classes.labels, np.rint(samples).astype(np.int16))


def test_irregular_complexes_that_look_unlike_each_other_are_no_beats() -> None:
    onsets = np.cumsum([60, *([60, 70, 100, 140, 60, 110, 80] * 5)]).tolist()
    unlike = [1000, -300, 120, 2500, 400, -90] * 6
    assert not of_kind(events_of(without_t(of_heights(onsets, unlike), onsets[::4])), EventKind.BEAT)
    # In fibrillation they look alike, but for one now and then.
    alike = [1000, -900, 1100, 300, 1000, 950] * 6
    found = events_of(of_heights(onsets, alike))
    assert len(found) == len(onsets)
    assert [event.number for event in found] == list(range(len(onsets)))


def test_irregular_beats_without_p_waves_wait_for_four_mostly_alike_and_of_more_than_six_the_first_is_none() -> None:
    onsets = [60, 130, 230, 370, 430, 540, 670]
    for heights, first, last in (
        ([1000] * 7, 0, 3),
        ([200, 90, 1000, 1000, 1000, 1000, 1000], 0, 4),
        ([200, 90, 400, 2500, 1000, 1000, 1000], 1, 6),
    ):
        finder = BeatFinder()
        came = {}
        for now, (label, sample) in enumerate(without_t(of_heights(onsets, heights), onsets[2:3]).pairs()):
            finder.push(label, sample)
            came |= {event.tick // 2 - 4: now for event in fetched(finder)}
        # T of a beat ends 42 samples behind its onset.
        end = 41 + BEAT_RULES.waves.max_gap + 1
        assert list(came) == onsets[first:]
        assert {came[onset] for onset in onsets[first : last + 1]} == {onsets[last] + end}


def test_irregular_beats_that_grow_uncertain_go_on_while_they_look_alike() -> None:
    onsets = np.cumsum([60, *([60, 70, 100, 140, 60, 110, 80] * 4)]).tolist()
    noise = np.random.default_rng(1).normal(0, 100, onsets[-1] + 150)
    noise[: onsets[8]] = 0
    for heights, all_told in (([1000] * 29, True), ([1000] * 8 + [1000, 450, 2500] * 7, False)):
        classes = of_heights(onsets, heights)
        found = of_kind(events_of(Classes(classes.labels, (classes.samples + noise).astype(np.int16))), EventKind.BEAT)
        uncertain = [event for event in found[10:] if event.quality < BEAT_RULES.certain_quality]
        assert (len(found) == 29) == all_told
        assert not all_told or len(uncertain) > 10


def test_complexes_of_a_few_microvolts_do_not_confirm_each_other() -> None:
    classes = of_heights([60, 130, 230, 370, 430, 540, 670], [1000] * 7)
    for height, told in ((BEAT_RULES.least_height + 5, 7), (BEAT_RULES.least_height - 5, 0)):
        found = events_of(Classes(classes.labels, (classes.samples * (height / 1000)).astype(np.int16)))
        assert len(of_kind(found, EventKind.BEAT)) == told


def test_regular_complexes_without_p_waves_need_one_more() -> None:
    three, four = [100, 180, 260], [100, 180, 260, 340]
    assert not events_of(beats(three, 400, p=False))
    assert len(events_of(beats(four, 400, p=False))) == 4
    assert not events_of(beats(three, 400, p=False, t=False))
    assert len(events_of(beats(four, 400, p=False, t=False))) == 4


def test_complexes_that_look_alike_need_one_more_where_they_are_irregular_and_without_t_waves() -> None:
    four, five = [100, 180, 290, 350], [100, 180, 290, 350, 450]
    assert len(events_of(beats(four, 400, p=False))) == 4
    assert not events_of(beats(four, 400, p=False, t=False))
    assert len(events_of(beats(five, 510, p=False, t=False))) == 5


def test_regular_complexes_that_look_unlike_each_other_are_no_beats_without_p_waves() -> None:
    onsets = list(range(60, 2000, 80))
    heights = ([1000, -300, 120, 2500, 400, -90] * 5)[: len(onsets)]
    assert not of_kind(events_of(without_t(of_heights(onsets, heights), onsets[::4])), EventKind.BEAT)
    assert len(events_of(of_heights(onsets, [500, 450, 550, 600, 500] * 5))) == len(onsets)
