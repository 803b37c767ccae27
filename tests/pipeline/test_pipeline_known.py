"""A rhythm that is known goes on in noise, and beats as it had them confirm each other; noise alone has no beats."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.beats import BeatFinder
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.known import KnownRhythm
from ecgseg.pipeline.rhythm import NO_P, Rhythm
from ecgseg.pipeline.rules import BEAT_RULES, BeatRules
from support.streams_of_classes import Classes, beats, events_of, spoilt

CLEAN = list(range(60, 1000, 80))
# Behind the last beat of them.
TOO_LATE = CLEAN[-1] + 100 + BEAT_RULES.known_for
WAVES = EventFlag.P_ON | EventFlag.P_OFF | EventFlag.T_ON | EventFlag.T_OFF


def of_kind(found: list[Event], kind: EventKind) -> list[Event]:
    return [event for event in found if event.kind == kind]


def onsets_of(found: list[Event]) -> list[int]:
    """First samples of the QRS complexes of the beats, whose R is 4 samples behind it."""
    return [event.tick // 2 - 4 for event in of_kind(found, EventKind.BEAT)]


def bare(
    later: list[int], *, height: int = 1000, zigzag: float = 0.0, t: bool = False, lost: slice | None = None
) -> Classes:
    """A clean rhythm at 80 samples, then complexes without P waves, so high, on a zigzag so high."""
    length = later[-1] + 150
    clean, weak = beats(CLEAN, length), beats(later, length, p=False, t=t, height=height)
    samples = clean.samples + weak.samples.astype(float)
    samples[CLEAN[-1] + 60 :] += zigzag * (-1.0) ** np.arange(length - CLEAN[-1] - 60)
    samples = np.rint(samples).astype(np.int16)
    if lost:
        samples[lost] = LEAD_OFF
    return Classes(clean.labels | weak.labels, samples)


@pytest.mark.parametrize("seed", range(4))
def test_a_confirmed_rhythm_is_told_through_noise_by_its_qrs_complexes_alone(seed: int) -> None:
    onsets = list(range(60, 4000, 80))
    found = events_of(spoilt(beats(onsets, 4100), slice(1000, 3000), seed))
    begin, end = of_kind(found, EventKind.NOISY_BEGIN)[0].tick // 2, of_kind(found, EventKind.NOISY_END)[-1].tick // 2
    assert 1000 < begin < 1300
    assert 3000 < end < 3400
    assert set(onsets_of(found)) >= set(onsets[:-1])
    inside = [event for event in of_kind(found, EventKind.BEAT) if begin + 60 < event.tick // 2 < 2900]
    assert len(inside) > 15
    assert not any(event.flags & WAVES for event in inside)


def test_in_noise_no_p_wave_is_told_alone() -> None:
    classes = spoilt(beats(list(range(60, 4000, 80)), 4100), slice(1000, 3000), 2)
    for there in (False, True):
        classes.labels[2060 + 30 : 2060 + 38] = int(there)
        assert not of_kind(events_of(classes), EventKind.LONE_P)
    clear = beats(list(range(60, 4000, 80)), 4100)
    clear.labels[2060 + 9 : 2060 + 80 - 9] = 0
    clear.labels[2060 + 30 : 2060 + 38] = 1
    assert len(of_kind(events_of(clear), EventKind.LONE_P)) == 1


def test_p_waves_are_told_from_the_first_beat_behind_noise_on() -> None:
    """Of beats in noise nobody knows whether they had one, so an uneven rhythm does not speak against those behind."""
    told = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        onsets = np.cumsum([60, *(80 * np.exp(rng.normal(0, 0.05, 50))).astype(int)]).tolist()
        found = events_of(spoilt(beats(onsets, onsets[-1] + 100), slice(1000, 2500), seed))
        end = of_kind(found, EventKind.NOISY_END)[-1].tick
        behind = [event for event in of_kind(found, EventKind.BEAT) if event.tick > end + 100]
        assert all(event.flags & EventFlag.P_ON for event in behind)
        told += len(behind)
    assert told > 80


def test_no_interval_reaches_over_beats_that_noise_hid() -> None:
    """Nothing is known of this rhythm, so it ends in noise, and behind it there is no beat before."""
    onsets = list(range(60, 4000, 80))
    classes = spoilt(beats(onsets, 4100), slice(1500, 3000), 3)
    classes.samples[1000:1030] = LEAD_OFF
    for onset in onsets:
        if 1000 < onset < 1750:
            classes.samples[onset - 25 : onset - 22] = LEAD_OFF
    rates = [event.rr_ms for event in of_kind(events_of(classes), EventKind.BEAT) if event.flags & EventFlag.RR]
    assert len(rates) > 15
    assert set(rates) <= {799, 800, 801}


def strange(onsets: list[int], *, height: int, after: list[int], after_height: int = 1000) -> Classes:
    """A rhythm in noise, in which complexes of one height come, and then others of another."""
    length = after[-1] + 200
    known = beats(CLEAN + list(range(1020, 1500, 80)), length)
    labels, samples = known.labels.copy(), known.samples.astype(float)
    for firsts, high in ((onsets, height), (after, after_height)):
        for first in firsts:
            labels[first : first + 9] = 2
            samples[first : first + 9] += high * np.hanning(9)
    return spoilt(Classes(labels, np.rint(samples).astype(np.int16)), slice(1000, length), 5)


@pytest.mark.parametrize(("count", "told"), [(3, 0), (4, 4), (7, 7)])
def test_a_rhythm_that_ended_in_noise_needs_four_beats_as_it_was(count: int, told: int) -> None:
    after = [1900 + 80 * number for number in range(count)]
    found = onsets_of(events_of(strange([1500, 1530, 1630], height=3000, after=after)))
    assert [onset for onset in found if onset > 1650] == after[:told]
    assert [onset for onset in found if 1490 < onset < 1650] == [1500, 1530, 1630]


def test_in_noise_beats_that_look_alike_but_not_as_the_rhythm_that_is_known_are_none() -> None:
    alike = [1700 + 80 * number for number in range(12)]
    found = events_of(strange([1500, 1530, 1630], height=3000, after=alike, after_height=3000))
    assert not [onset for onset in onsets_of(found) if onset > 1650]
    assert any(event.kind == EventKind.NOISY_BEGIN for event in found)


def test_beats_that_wait_where_noise_ends_are_none() -> None:
    odd, waiting, clear = [1500, 1530, 1630], [1700, 1780, 1860, 1940], list(range(2060, 2800, 80))
    noisy = strange(odd, height=3000, after=waiting, after_height=3000)
    clean = beats([onset - 2000 for onset in clear], 900)
    found = events_of(
        Classes(
            np.concatenate((noisy.labels[:2000], clean.labels)), np.concatenate((noisy.samples[:2000], clean.samples))
        )
    )
    assert len(of_kind(found, EventKind.NOISY_END)) == 1
    assert [onset for onset in onsets_of(found) if onset > 1650][-5:] == clear[-5:]
    assert not set(onsets_of(found)) & set(waiting)


def test_beats_in_doubt_teach_nothing() -> None:
    after = [1900 + 80 * number for number in range(4)]
    found = onsets_of(events_of(strange([1500, 1530], height=3000, after=after, after_height=700)))
    assert [onset for onset in found if onset > 1650] == after


def test_a_pause_does_not_change_the_interval_that_is_known() -> None:
    onsets = [*CLEAN, *range(CLEAN[-1] + 340, 4000, 80)]
    found = events_of(spoilt(beats(onsets, 4100), slice(CLEAN[-1] + 340 + 4 * 80 - 20, 3600), 2))
    assert of_kind(found, EventKind.NOISY_BEGIN)
    assert set(onsets_of(found)) >= set(onsets[:-1])


def test_a_rhythm_that_gets_faster_in_noise_is_followed() -> None:
    """A run: from 60 to 120 beats a minute, all of it in the noise of muscles."""
    onsets = [60, *(60 + np.cumsum(np.linspace(100, 50, 80).astype(int))).tolist()]
    found = events_of(spoilt(beats(onsets, onsets[-1] + 100), slice(onsets[8], onsets[-1] + 60), 1))
    begin = of_kind(found, EventKind.NOISY_BEGIN)[0].tick // 2
    assert begin < onsets[14]
    assert set(onsets_of(found)) >= set(onsets[:-1])


@pytest.mark.parametrize("seed", range(4))
def test_in_noise_that_no_rhythm_was_known_before_there_are_no_beats(seed: int) -> None:
    onsets = list(range(60, 4000, 80))
    found = events_of(spoilt(beats(onsets, 4100), slice(0, 3000), seed))
    begin, end = (of_kind(found, kind)[0].tick // 2 for kind in (EventKind.NOISY_BEGIN, EventKind.NOISY_END))
    assert not [onset for onset in onsets_of(found) if begin < onset < min(end, 3000)]
    assert len([onset for onset in onsets_of(found) if onset > end]) > 5


def test_complexes_that_stand_out_less_are_beats_when_they_are_as_high_as_those_that_are_known() -> None:
    later = list(range(1260, 2300, 80))
    # Their steepest step, some 350 microvolts and one of 234 of the zigzag, is 2 to 3 times the mean one.
    told = onsets_of(events_of(bare(later, zigzag=117.0)))
    assert len(set(told) & {onset + by for onset in later for by in (-1, 0, 1)}) >= 10
    unknown = BeatRules(known_for=0)
    assert len(onsets_of(events_of(bare(later, zigzag=117.0), BeatFinder(rules=unknown)))) == len(CLEAN)
    late = [onset + TOO_LATE for onset in later]
    assert onsets_of(events_of(bare(late, zigzag=117.0, t=True))) == CLEAN
    # Less than half as high they are none, as without a rhythm before.
    low = bare(later, height=400, zigzag=47.0)
    assert onsets_of(events_of(low)) == CLEAN


@pytest.mark.parametrize(
    ("later", "height", "is_told"),
    [
        ([1500, 1580, 1660], 1000, True),
        ([1500, 1580], 1000, False),
        ([1500, 1598, 1660], 1000, True),
        ([1500, 1603, 1683], 1000, False),
        ([1500, 1580, 1660], 600, False),
        ([1500, 1580, 1660], -1000, True),
        ([TOO_LATE, TOO_LATE + 80, TOO_LATE + 160], 1000, False),
    ],
    ids=["as before", "two", "a quarter longer", "more", "lower", "to the other side", "too late"],
)
def test_behind_a_pause_three_beats_as_those_that_are_known_confirm_each_other(
    later: list[int], height: int, is_told: bool
) -> None:
    told = onsets_of(events_of(bare(later, height=height)))
    assert [onset for onset in told if onset > 1000] == (later if is_told else [])


def test_without_contact_and_on_a_flat_line_what_is_known_is_forgotten() -> None:
    later = [1500, 1580, 1660]
    assert onsets_of(events_of(bare(later)))[-3:] == later
    off = bare(later, lost=slice(1100, 1100 + BEAT_RULES.lead_off))
    assert onsets_of(events_of(off)) == CLEAN
    flat = bare(later)
    flat.samples[1100 : 1100 + BEAT_RULES.flat] = 17
    assert onsets_of(events_of(flat)) == CLEAN


def test_heights_are_learnt_one_eighth_at_a_time_and_anew_when_nothing_is_known() -> None:
    known = KnownRhythm(BEAT_RULES)
    assert not known.is_fresh(0)
    known.learn(10, -800, 2560)
    assert known.is_as_high(800)
    assert known.is_as_high(1200)
    assert not known.is_as_high(1201)
    known.learn(20, 1600, 2560)
    # 800 + 800 / 8, of which a half more is 1350.
    assert known.is_as_high(1350)
    assert not known.is_as_high(1351)
    assert known.is_fresh(20 + BEAT_RULES.known_for)
    assert not known.is_fresh(21 + BEAT_RULES.known_for)
    known.learn(30, 800, 0)
    assert known.interval == 2560
    known.learn(31 + BEAT_RULES.known_for, 100, 0)
    assert known.interval == 0
    assert known.is_as_high(150)
    assert not known.is_as_high(151)


def test_intervals_are_kept_to_within_a_quarter() -> None:
    rhythm = Rhythm(BEAT_RULES)
    for interval in (100, 2560, 3200, 1920):
        rhythm.add(interval, NO_P)
    assert rhythm.keeps(2560, 3)
    assert not rhythm.keeps(2560, 4)
    assert not rhythm.keeps(2559, 3)
    assert not rhythm.keeps(2561, 3)
    assert not rhythm.keeps(2560, 5)
