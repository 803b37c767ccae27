"""When which samples are due: a recording is given out as fast as it was taken, or so many times as fast."""

from __future__ import annotations

BLOCK_SECONDS = 0.04
"""Signal of a block at speed 1: 25 blocks a second."""
_MOST_BEHIND_SECONDS = 0.5


class Pacer:
    """Gives out samples by the clock.

    What is more than half a second late is not made up for: a target that is slower than the signal makes it slow.

    Args:
        rate: samples a second of the signal.
        speed: seconds of signal a second.

    Attributes:
        block: samples that are given out at once.
        slipped: seconds that the clock was set back, in all.
    """

    def __init__(self, rate: int, speed: float) -> None:
        self._a_second = rate * speed
        self.block = max(1, round(self._a_second * BLOCK_SECONDS))
        self._start: float | None = None
        self._given = 0
        self.slipped = 0.0

    def due(self, now: float) -> int:
        """Samples to be given out at this time, one block or none; they count as given.

        Args:
            now: seconds of a clock that never goes back.
        """
        if self._start is None:
            self._start = now
        late = now - self._start - (self._given + self.block) / self._a_second
        if late < 0:
            return 0
        if late > _MOST_BEHIND_SECONDS:
            self._start += late
            self.slipped += late
        self._given += self.block
        return self.block

    def wait(self, now: float) -> float:
        """Seconds until the next block is due."""
        if self._start is None:
            return 0.0
        return max(0.0, self._start + (self._given + self.block) / self._a_second - now)

    def rest(self) -> None:
        """Nothing was due for a while, such as when no target was there; the clock begins anew."""
        self._start, self._given = None, 0
