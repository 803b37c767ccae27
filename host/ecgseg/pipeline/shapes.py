"""How high and wide the last QRS complexes are, and how sure: the reference of firmware/pipeline/ecgseg_shapes.c."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MOST_SHAPES = 6


class Sureness(IntEnum):
    """How a complex stands out of what is around it, the same in C (ECGSEG_SHAPE_*)."""

    FAINT = 0
    PLAIN = 1
    CERTAIN = 2


@dataclass(frozen=True)
class Shape:
    """A complex: R in microvolts, length in samples, and how sure it is."""

    height: int
    width: int
    sureness: Sureness


class Shapes:
    """The last up to six complexes.

    Args:
        width_alike: complexes whose lengths are at most so many samples apart may be alike.
    """

    def __init__(self, width_alike: int) -> None:
        self._width_alike = width_alike
        self._last: list[Shape] = []

    def forget(self) -> None:
        """Nothing is known of the complexes before."""
        self._last = []

    def add(self, shape: Shape) -> None:
        """The next complex."""
        self._last = [*self._last[1 - MOST_SHAPES :], shape]

    def as_sure(self, count: int, least: Sureness) -> int:
        """How many of the last `count` are as sure as `least`."""
        return sum(other.sureness >= least for other in self._last[-count:])

    def most_alike(self, count: int, least: Sureness) -> int:
        """How many of the last `count`, which there are, are as sure as `least` and look like that to which most do."""
        last = self._last[-count:]
        return max(sum(other.sureness >= least and self._are_alike(one, other) for other in last) for one in last)

    def are_as_long(self, count: int, least: Sureness) -> bool:
        """The last `count` are there, as sure as `least`, and no two differ in length by more than `width_alike`."""
        last = self._last[-count:]
        widths = [other.width for other in last if other.sureness >= least]
        return len(widths) == count and max(widths) - min(widths) <= self._width_alike

    def are_as_high(self, count: int) -> bool:
        """One of the last `count` is as high to within a half, to the same side, as each of them."""
        last = self._last[-count:]
        return any(all(_stand_alike(one, other) for other in last) for one in last)

    def stand_alike(self, place: int, other: int) -> bool:
        """The complexes that came so many before the newest are as high to within a half, to the same side."""
        return _stand_alike(self._last[-1 - place], self._last[-1 - other])

    def _are_alike(self, one: Shape, other: Shape) -> bool:
        """As high, to the same side, and as long."""
        return abs(one.width - other.width) <= self._width_alike and _stand_alike(one, other)


def _stand_alike(one: Shape, other: Shape) -> bool:
    same_side = (one.height < 0) == (other.height < 0)
    return same_side and are_as_high(abs(one.height), abs(other.height))


def are_as_high(one: int, other: int) -> bool:
    """Two heights of no sign are the same to within a half."""
    return 2 * abs(one - other) <= min(one, other)
