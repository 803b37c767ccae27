"""Which complexes look alike, so that swings at any time, to any side and of any length are told as no beats."""

from __future__ import annotations

import pytest

from ecgseg.pipeline.events import Event, EventKind
from ecgseg.pipeline.rules import BEAT_RULES
from ecgseg.pipeline.shapes import Shape, Shapes, Sureness
from support.few_beats import DOUBTED_BEATS, FEW_BEATS
from support.streams_of_classes import (
    Classes,
    events_of,
    from_the_side,
    swings,
    with_longer_t,
    with_p,
    without_t,
)

IRREGULAR = [60, 130, 230, 370, 430, 540, 730]


def beats_of(classes: Classes) -> list[Event]:
    """The beats that are told of a stream."""
    return [event for event in events_of(classes) if event.kind == EventKind.BEAT]


@pytest.mark.parametrize(
    ("height", "width", "alike"),
    [
        (1000, 9, True),
        (1500, 9, True),
        (1501, 9, False),
        (667, 9, True),
        (666, 9, False),
        (-1000, 9, False),
        (1000, 9 + BEAT_RULES.width_alike, True),
        (1000, 10 + BEAT_RULES.width_alike, False),
        (1000, 8 - BEAT_RULES.width_alike, False),
    ],
)
def test_complexes_are_alike_to_the_same_side_as_high_to_within_a_half_and_as_long(
    height: int, width: int, alike: bool
) -> None:
    shapes = Shapes(BEAT_RULES.width_alike)
    shapes.add(Shape(-5000, 30, Sureness.CERTAIN))
    shapes.add(Shape(height, width, Sureness.CERTAIN))
    shapes.add(Shape(1000, 9, Sureness.CERTAIN))
    assert shapes.most_alike(2, Sureness.CERTAIN) == 1 + alike
    assert shapes.are_as_high(2) == (667 <= height <= 1500)


@pytest.mark.parametrize(("classes", "told"), FEW_BEATS.values(), ids=FEW_BEATS)
def test_few_beats_confirm_each_other_when_they_could_be_of_one_heart(classes: Classes, told: int) -> None:
    assert len(beats_of(classes)) == told


@pytest.mark.parametrize(("classes", "told"), DOUBTED_BEATS.values(), ids=DOUBTED_BEATS)
def test_three_beats_that_tell_nothing_for_themselves_end_a_rhythm(classes: Classes, told: int) -> None:
    assert len(beats_of(classes)) == told


def test_six_certain_beats_with_t_waves_that_are_as_long_confirm_each_other_however_high() -> None:
    onsets = [60, 130, 230, 370, 430, 540, 730, 800]
    heights = [600, -250, 140, 1100, -450, 250, 150, 600]
    assert [beat.number for beat in beats_of(swings(onsets, heights, [9] * 8))] == list(range(8))
    longer = [9, 9, 9, 9, 10 + BEAT_RULES.width_alike, 9, 9, 9]
    assert not beats_of(swings(onsets, heights, longer))
    assert not beats_of(without_t(swings(onsets, heights, [9] * 8), onsets[3:4]))


@pytest.mark.parametrize(("last", "told"), [(96, 4), (103, 4), (104, 0), (89, 4), (88, 0)])
def test_four_beats_with_t_waves_whose_onsets_come_regularly_confirm_each_other_however_high(
    last: int, told: int
) -> None:
    assert len(beats_of(from_the_side([96, 96, last]))) == told


def test_regular_beats_of_any_height_need_t_waves_and_to_stand_out() -> None:
    regular = from_the_side([96, 96, 96])
    assert len(beats_of(regular)) == 4
    assert not beats_of(without_t(regular, [60 + 96]))
    # On the wave under it this R is 29 microvolts high.
    assert not beats_of(from_the_side([96, 96, 96], (600, -200, 36, 1100)))
    assert len(beats_of(from_the_side([BEAT_RULES.slow] * 3))) == 4
    assert not beats_of(from_the_side([BEAT_RULES.slow + 1] * 3))
    assert not beats_of(from_the_side([BEAT_RULES.pause + 6] * 3))


def test_irregular_swings_to_both_sides_or_of_any_length_are_no_beats() -> None:
    same, nine = [1000] * 7, [9] * 7
    assert len(beats_of(swings(IRREGULAR, same, nine))) == 7
    both = swings(IRREGULAR, [1000, -1000, -1000, 1000, 1000, -1000, -1000], nine)
    assert not beats_of(without_t(both, IRREGULAR[3:4]))
    assert not beats_of(swings(IRREGULAR, same, [9, 14, 19, 9, 14, 19, 9]))


@pytest.mark.parametrize(
    ("apart", "second", "told"),
    [
        (0, 1000, 7),
        (BEAT_RULES.pr_alike, 1000, 7),
        (BEAT_RULES.pr_alike + 1, 1000, 0),
        (0, 1400, 7),
        (0, 1600, 0),
        (0, -1000, 0),
    ],
)
def test_waves_in_front_of_irregular_swings_are_p_waves_when_two_are_as_far_in_front_of_as_high_ones(
    apart: int, second: int, told: int
) -> None:
    heights = [1000, second, -400, 2700, 400, -2500, 1000]
    classes = without_t(swings(IRREGULAR, heights, [9] * 7), IRREGULAR[3:4])
    for number, onset in enumerate(IRREGULAR):
        classes = with_p(classes, [onset], 18 + apart * (number % 3))
    assert len(beats_of(classes)) == told


def test_regular_swings_with_p_waves_as_far_in_front_confirm_each_other_however_high() -> None:
    heights = [1000, -400, 2500]
    for last, told in ((270, 3), (273, 0)):
        onsets = [100, 180, last]
        assert len(beats_of(with_p(swings(onsets, heights, [9] * 3), onsets))) == told


@pytest.mark.parametrize(("unlike", "most"), [(1000, BEAT_RULES.qt_alike), (-1000, BEAT_RULES.qt_alike_few)])
def test_irregular_complexes_that_look_alike_have_alike_qt_intervals_or_are_no_beats(unlike: int, most: int) -> None:
    classes = swings(IRREGULAR[:4], [1000, unlike, 1000, 1000], [9] * 4)
    assert len(beats_of(with_longer_t(classes, IRREGULAR[2], most))) == 4
    assert not beats_of(with_longer_t(classes, IRREGULAR[2], most + 1))
