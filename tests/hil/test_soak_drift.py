"""The rule that tells whether a figure of a long run grows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ecgseg.hil.soak.drift import MOST, Point, Trend, condensed, judge

FLOOR = 0.5
COUNT = 200
FRAMES = 1000


def series(
    value: Callable[[int], float], *, count: int = COUNT, noise: float = 0.0, seed: int = 1, lives: int = 1
) -> list[Point]:
    """A figure of so many windows in so many lives of one length; `value` is told how old the life is."""
    draw = np.random.default_rng(seed)
    length = count // lives
    return [
        Point(index // length, FRAMES * (index + 1), value(index % length) + noise * float(draw.standard_normal()))
        for index in range(count)
    ]


def judged(points: list[Point], floor: float = FLOOR) -> Trend:
    return judge("memory", "MiB", points, floor)


def test_a_level_figure_is_steady() -> None:
    trend = judged(series(lambda age: 150.0))
    assert (trend.outcome, trend.growth, trend.bound, trend.typical) == ("steady", 0.0, FLOOR, 150.0)
    assert trend.points == COUNT * 3 // 4


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_growth_however_large(seed: int) -> None:
    assert judged(series(lambda age: 150.0, noise=5.0, seed=seed)).outcome == "steady"


@pytest.mark.parametrize("seed", range(5))
def test_a_figure_that_wanders_is_no_growth(seed: int) -> None:
    steps = np.random.default_rng(seed).standard_normal(COUNT)
    wander = [0.0]
    for step in steps:
        wander.append(0.9 * wander[-1] + float(step))
    assert judged(series(lambda age: 150.0 + wander[age])).outcome == "steady"


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_a_leak_is_found_under_noise_and_told_by_its_size(noise: float) -> None:
    trend = judged(series(lambda age: 150.0 + 0.05 * age, noise=noise))
    assert trend.outcome == "grows"
    # Three quarters of 200 windows.
    assert trend.growth == pytest.approx(0.05 * 149, abs=0.2 + noise)


def test_a_leak_that_a_restart_takes_back_is_found() -> None:
    sawtooth = series(lambda age: 150.0 + 0.2 * age, lives=10)
    assert judged(sawtooth).outcome == "grows"
    assert judged([Point(0, point.at, point.value) for point in sawtooth]).outcome == "steady"


def test_what_grows_in_the_first_quarter_alone_is_warming_up() -> None:
    trend = judged(series(lambda age: 150.0 + min(age, COUNT // 4)))
    assert (trend.outcome, trend.growth) == ("steady", 0.0)


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("place", [0.3, 0.5, 0.65, 0.8])
def test_one_step_is_no_growth(place: float, noise: float) -> None:
    assert judged(series(lambda age: 150.0 + 8.0 * (age >= place * COUNT), noise=noise)).outcome in ("step", "steady")


def test_a_step_that_looks_like_growth_is_called_a_step() -> None:
    trend = judged(series(lambda age: 150.0 + 8.0 * (age >= 0.6 * COUNT), noise=2.0))
    assert trend.outcome == "step"
    assert trend.growth > trend.bound > trend.without_step


def test_a_staircase_is_growth() -> None:
    assert judged(series(lambda age: 150.0 + 2.0 * (age // 20))).outcome == "grows"


def test_what_shrinks_is_steady() -> None:
    trend = judged(series(lambda age: 150.0 - 0.05 * age))
    assert trend.outcome == "steady"
    assert trend.growth < 0


def test_growth_below_the_floor_says_nothing() -> None:
    points = series(lambda age: 150.0 + 0.002 * age)
    assert judged(points).outcome == "steady"
    assert judged(points, floor=0.1).outcome == "grows"


@pytest.mark.parametrize("points", [[], series(lambda age: 1.0, count=12), series(lambda age: age, count=60, lives=15)])
def test_a_short_series_is_not_judged(points: list[Point]) -> None:
    assert judged(points).outcome == "too short"


def test_many_points_are_taken_together_by_life_and_a_leak_stays_one() -> None:
    points = series(lambda age: 150.0 + 0.001 * age, count=9000, lives=3)
    fewer = condensed(points)
    assert 0.9 * MOST < len(fewer) <= MOST + 3
    assert {point.life for point in fewer} == {0, 1, 2}
    assert judged(fewer).outcome == "grows"
    assert judged(fewer).growth == pytest.approx(judged(condensed(points, 100)).growth, rel=0.1)
    assert condensed([]) == []
