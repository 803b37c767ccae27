"""P waves that the rhythm speaks against are not told; those of every other rhythm stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.rhythm import NO_P, SOME_P, UNKNOWN_P, Rhythm
from ecgseg.pipeline.rules import BEAT_RULES, BeatRules
from support.streams_of_classes import Classes, beats, events_of

P = EventFlag.P_ON | EventFlag.P_OFF
IRREGULAR = [60, 72, 105, 50, 92, 66, 120, 58, 81, 99, 63, 54, 110, 75, 88, 49, 101]
P_LENGTH = 8


def stream(intervals: Sequence[int], pr: Sequence[int], lone: Sequence[int] = ()) -> Classes:
    """Beats so many samples apart, the first at 60, each with a P wave that begins so many in front of it, 0 for none;
    and P waves that begin at the samples `lone`."""
    onsets = np.cumsum([60, *intervals]).tolist()
    classes = beats(onsets, onsets[-1] + 150, p=False)
    for first in [*lone, *(onset - one for onset, one in zip(onsets, pr, strict=True) if one)]:
        classes.labels[first : first + P_LENGTH] = 1
    return classes


def pr_of(found: list[Event]) -> list[int]:
    """PR of each beat in samples, 0 without a P wave; of the fields without their flag nothing may be left."""
    told = [event for event in found if event.kind == EventKind.BEAT]
    assert all(event.has(P) or not (event.flags & P or event.p_on or event.p_off or event.pr_ms) for event in told)
    return [event.pr_ms // 10 for event in told]


def lone(found: list[Event]) -> int:
    return sum(event.kind == EventKind.LONE_P for event in found)


def test_in_fibrillation_a_p_wave_now_and_then_is_none_wherever_it_comes() -> None:
    beat_count = len(IRREGULAR) + 1
    for place in range(beat_count):
        pr = [0] * beat_count
        pr[place] = 16
        found = events_of(stream(IRREGULAR, pr))
        assert len(found) == beat_count
        # Of two intervals one may look regular: what stays is at the start alone.
        assert pr_of(found) == [0] * beat_count or place < BEAT_RULES.confirm
    assert pr_of(events_of(stream(IRREGULAR, [0, 0, 0, 18, 0, 0, 11, 0, 0, 25, 0, 0, 16, 0, 31, 0, 0, 13]))) == [0] * 18


def test_in_fibrillation_no_p_wave_is_told_alone() -> None:
    classes = stream(IRREGULAR, [0] * 18, lone=[60 + sum(IRREGULAR[:11]) - 50])
    assert lone(events_of(classes)) == 0
    regular = stream([100] * 17, [0] * 18, lone=[60 + 1100 - 50])
    assert lone(events_of(regular)) == 1


def test_an_irregular_rhythm_whose_beats_have_p_waves_keeps_them() -> None:
    pr = [16, 17, 15, 16, 16, 18, 16, 15, 17, 16, 16, 17, 15, 16, 16, 16, 17, 16]
    assert pr_of(events_of(stream(IRREGULAR, pr))) == pr
    # One that the network does not see takes no other away.
    pr[7] = 0
    assert pr_of(events_of(stream(IRREGULAR, pr))) == pr


@pytest.mark.parametrize("first", [0, 1, 2])
def test_bigeminy_and_trigeminy_keep_their_p_waves(first: int) -> None:
    for intervals, pr in (([105, 55], [16, 0]), ([80, 105, 55], [16, 16, 0])):
        # An interval ends at the beat that has the same number.
        whole, wanted = intervals * 9, pr * 9
        assert pr_of(events_of(stream(whole[first + 1 :], wanted[first:]))) == wanted[first:]


def test_an_extrasystole_and_a_pause_in_a_regular_rhythm_take_no_p_wave() -> None:
    intervals = [80, 80, 80, 80, 50, 110, 80, 80, 81, 79, 200, 80, 80, 80]
    pr = [16, 15, 16, 0, 16, 0, 16, 17, 16, 0, 16, 0, 16, 16, 15]
    assert pr_of(events_of(stream(intervals, pr))) == pr


def test_a_block_keeps_its_p_waves_those_alone_too() -> None:
    wenckebach = [78, 76, 74, 130] * 5
    pr = [16, 20, 24, 28, *([16, 20, 24, 28] * 4), 16]
    onsets = np.cumsum([60, *wenckebach]).tolist()
    dropped = [onset + 62 for onset in onsets[3:-1:4]]
    found = events_of(stream(wenckebach, pr, lone=dropped))
    assert pr_of(found) == pr
    assert lone(found) == len(dropped) == 5
    # Of a third degree: ventricles regular, P waves wherever they come.
    dissociated = stream([140] * 10, [0] * 11, lone=[60 + 140 * beat + 60 + 3 * beat for beat in range(10)])
    # Those in front of the fourth beat come before beats are confirmed.
    assert lone(events_of(dissociated)) == 7


def test_a_regular_rhythm_keeps_the_few_p_waves_that_are_seen() -> None:
    pr = [0, 0, 0, 16, 0, 0, 0, 0, 16, 0, 0, 0, 16]
    assert pr_of(events_of(stream([80, 81, 80, 79, 80, 80, 81, 80, 80, 79, 80, 80], pr))) == pr


def test_the_limit_is_where_the_rules_say() -> None:
    # Of the four intervals three end at a beat without a P wave, of which the last one comes early. The steps are 320,
    # 320 and, cut to an eighth of the mean, 372 of 8720: 11.6 percent, times two, against one beat.
    for limit, is_none in ((23, True), (24, False)):
        rhythm = Rhythm(BeatRules(irregular=limit))
        assert not rhythm.speaks_against(17)
        for parts, pr in ((3200, NO_P), (3520, 17), (3200, NO_P), (2000, NO_P)):
            rhythm.add(parts, pr)
        assert rhythm.speaks_against(17, 2) == is_none
        # For one elsewhere the beat with another PR does not speak, one with the same does, one of unknown onset too.
        assert rhythm.speaks_against(17 + BEAT_RULES.pr_alike + 1) == is_none
        assert not rhythm.speaks_against(17 + BEAT_RULES.pr_alike)
        assert not rhythm.speaks_against(SOME_P)


def rhythm_of(others: Sequence[int]) -> Rhythm:
    """Intervals of 1.0 and 1.1 s in turn, which end at beats with these PR intervals: steps of 9.46 percent."""
    rhythm = Rhythm(BEAT_RULES)
    for place, pr in enumerate(others):
        rhythm.add(3520 if place % 2 else 3200, pr)
    return rhythm


def test_one_beat_without_a_p_wave_outweighs_two_with_one_but_not_three() -> None:
    """At a tenth of irregularity: 9.46 / 2 is more than 4, 9.46 / 3 is not."""
    for with_p, is_none in ((1, True), (2, False)):
        others = [UNKNOWN_P] * (7 - with_p) + [17] * with_p + [NO_P]
        assert rhythm_of(others).speaks_against(17) == is_none


def test_beats_of_which_nothing_is_known_speak_neither_for_nor_against() -> None:
    assert not rhythm_of([UNKNOWN_P] * 8).speaks_against(17)
    assert rhythm_of([NO_P] + [UNKNOWN_P] * 7).speaks_against(17)


def test_a_t_wave_that_ends_in_time_has_its_end() -> None:
    longest = BEAT_RULES.max_qt
    for ends, flags in ((longest - 1, EventFlag.T_ON | EventFlag.T_OFF), (longest, EventFlag.T_ON)):
        classes = stream([150] * 4, [16] * 5)
        for onset in (60, 210, 360, 510, 660):
            classes.labels[onset + 22 : onset + ends + 1] = 3
        told = [event.flags & (EventFlag.T_ON | EventFlag.T_OFF) for event in events_of(classes)]
        assert told == [flags] * 5
