"""Whether a figure of a long run grows: the rule, which docs/soak.md explains.

The slope is the median of those of all pairs of points (P. K. Sen, J. Am. Stat. Assoc. 63 (1968) 1379-1389), which a
quarter of wild points does not move. Only points of one life are paired: a process that started anew has new memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

WARM_UP = 0.25
"""Share of each life that is not judged."""
LEAST_OF_A_LIFE = 4
LEAST = 12
"""Points, of a life and of all, with fewer of which nothing is judged."""
SIGMAS = 4.0
"""Standard errors that a growth has to exceed: noise alone does so once in 30,000 series."""
MOST = 400
"""Points that are judged; of more, neighbours are taken together first."""
_MAD_TO_SIGMA = 1.4826
_MOST_RELATED = 0.95
_NEAR_A_STEP, _LEAST_NEAR_A_STEP = 0.125, 3  # share of a life, points
_MOST_BESIDE_A_STEP = 0.5

Outcome = Literal["steady", "step", "grows", "too short"]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """A figure at some moment.

    Attributes:
        life: of what it belongs to; points of two lives are not held against each other.
        at: frames that were compared until then.
        value: the figure.
    """

    life: int
    at: float
    value: float


class Trend(BaseModel):
    """What came of one figure.

    Attributes:
        name, unit: what it is.
        points: that were judged.
        typical: their median.
        growth: the slope times the longest life's judged length, in `unit`.
        bound: what it may be: the larger of `floor` and SIGMAS standard errors.
        floor: what it may be whatever the noise.
        without_step: growth with the one largest step taken out; of what stays within its bound the growth itself.
        outcome: "grows"; "step" when one step makes most of it and the rest is within the bound; "steady"; "too
            short" to be judged.
    """

    name: str
    unit: str
    points: int
    typical: float
    growth: float
    bound: float
    floor: float
    without_step: float
    outcome: Outcome


def judge(name: str, unit: str, points: Sequence[Point], floor: float) -> Trend:
    """Judges a figure.

    Args:
        name, unit: what it is.
        points: in the order of time, lives one after the other.
        floor: growth that says nothing.
    """
    lives = [life for life in map(_settled, _lives(points)) if len(life) >= LEAST_OF_A_LIFE]
    count = sum(map(len, lives))
    if count < LEAST:
        values = [point.value for point in points]
        typical = float(np.median(values)) if values else 0.0
        return Trend(
            name=name,
            unit=unit,
            points=count,
            typical=typical,
            growth=0.0,
            bound=floor,
            floor=floor,
            without_step=0.0,
            outcome="too short",
        )
    slope, span = _slope(lives), max(life[-1].at - life[0].at for life in lives)
    growth = rest = slope * span
    bound = max(floor, SIGMAS * _standard_error(lives, slope) * span)
    outcome: Outcome = "steady"
    if growth > bound:
        rest = _slope(_without_step(lives)) * span
        outcome = "step" if rest <= bound and rest < _MOST_BESIDE_A_STEP * growth else "grows"
    return Trend(
        name=name,
        unit=unit,
        points=count,
        typical=float(np.median([point.value for life in lives for point in life])),
        growth=growth,
        bound=bound,
        floor=floor,
        without_step=rest,
        outcome=outcome,
    )


def _lives(points: Sequence[Point]) -> list[list[Point]]:
    return [list(life) for _, life in groupby(points, lambda point: point.life)]


def _settled(life: list[Point]) -> list[Point]:
    return life[math.ceil(WARM_UP * len(life)) :]


def condensed(points: Sequence[Point], most: int = MOST) -> list[Point]:
    """Points of which neighbours of one life are taken together, by their medians, until there are about so many."""
    size = math.ceil(len(points) / most)
    return [
        Point(life[0].life, float(np.median([p.at for p in part])), float(np.median([p.value for p in part])))
        for life in _lives(points)
        for part in (life[first : first + size] for first in range(0, len(life), size))
    ]


def _slope(lives: Sequence[Sequence[Point]]) -> float:
    """Median slope of all pairs of points of one life."""
    slopes: list[Values] = []
    for life in lives:
        at, value = _arrays(life)
        first, second = np.triu_indices(len(life), 1)
        apart = at[second] - at[first]
        apart, rise = apart[apart > 0], (value[second] - value[first])[apart > 0]
        slopes.append(rise / apart)
    return float(np.median(np.concatenate(slopes)))


def _arrays(life: Sequence[Point]) -> tuple[Values, Values]:
    return np.array([point.at for point in life]), np.array([point.value for point in life])


def _standard_error(lives: Sequence[Sequence[Point]], slope: float) -> float:
    """Of the slope, from what is left beside it; points that resemble their neighbours count for less."""
    left = [value - slope * at for at, value in map(_arrays, lives)]
    left = [part - np.median(part) for part in left]
    whole = np.concatenate(left)
    spread = sum(float(np.sum((at - at.mean()) ** 2)) for at, _ in map(_arrays, lives))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(whole)))
    related = _related(left)
    return sigma * math.sqrt((1 + related) / (1 - related) / spread) if spread > 0 else 0.0


def _related(left: Sequence[Values]) -> float:
    """How much a point tells of its neighbour, from 0."""
    whole = sum(float(np.sum(part**2)) for part in left)
    if not whole:
        return 0.0
    return min(max(sum(float(np.sum(part[1:] * part[:-1])) for part in left) / whole, 0.0), _MOST_RELATED)


def _without_step(lives: Sequence[Sequence[Point]]) -> list[list[Point]]:
    """The same points without the largest rise from one to the next."""
    height, which, where = max(_rises(lives))
    return [
        [
            replace(point, value=point.value - height) if index == which and place >= where else point
            for place, point in enumerate(life)
        ]
        for index, life in enumerate(lives)
    ]


def _rises(lives: Sequence[Sequence[Point]]) -> Iterator[tuple[float, int, int]]:
    """Every rise, by the medians of an eighth of a life before and behind it, with its life and place."""
    for which, life in enumerate(lives):
        values = [point.value for point in life]
        near = max(_LEAST_NEAR_A_STEP, int(_NEAR_A_STEP * len(values)))
        for where in range(1, len(values)):
            before, behind = values[max(0, where - near) : where], values[where : where + near]
            yield float(np.median(behind)) - float(np.median(before)), which, where
