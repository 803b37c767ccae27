"""How high the last QRS complexes are, and how sure: the reference of firmware/pipeline/ecgseg_shapes.c."""

from __future__ import annotations

from enum import IntEnum

MOST_SHAPES = 4


class Sureness(IntEnum):
    """How a complex stands out of what is around it, the same in C (ECGSEG_SHAPE_*)."""

    FAINT = 0
    PLAIN = 1
    CERTAIN = 2


class Shapes:
    """The last up to four complexes."""

    def __init__(self) -> None:
        self._last: list[tuple[int, Sureness]] = []

    def forget(self) -> None:
        """Nothing is known of the complexes before."""
        self._last = []

    def add(self, height: int, sureness: Sureness) -> None:
        """A complex; of its height, in microvolts, the sign tells nothing: where R is as high as S it changes."""
        self._last = [*self._last[1 - MOST_SHAPES :], (abs(height), sureness)]

    def alike(self, count: int, least: Sureness, place: int = 0) -> int:
        """How many of the last `count` are as sure as `least` and as high as another to within a half.

        Args:
            count: of complexes.
            least: sureness.
            place: of the other, 0 for the newest; one that there is.
        """
        height, _ = self._last[-1 - place]
        found = 0
        for other, sureness in self._last[-count:]:
            found += sureness >= least and 2 * max(height, other) <= 3 * min(height, other)
        return found

    def most_alike(self, count: int, least: Sureness) -> int:
        """`alike` to that of the last `count`, which there are, to which most are."""
        return max(self.alike(count, least, place) for place in range(count))
