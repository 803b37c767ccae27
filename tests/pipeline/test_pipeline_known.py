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


def bare(later: list[int], *, height: int = 1000, zigzag: float = 0.0, lost: slice | None = None) -> Classes:
    """A clean rhythm at 80 samples, then complexes without P and T waves, so high, on a zigzag so high."""
    length = later[-1] + 150
    clean, weak = beats(CLEAN, length), beats(later, length, p=False, t=False, height=height)
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
    assert not [event for event in of_kind(found, EventKind.LONE_P) if begin < event.tick // 2 < end]


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
    known.learn(21 + BEAT_RULES.known_for, 100, 2560)
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
