"""What a rhythm was like when it was last sure: the reference of firmware/pipeline/ecgseg_known.c."""

from __future__ import annotations

from ecgseg.pipeline.rules import BeatRules
from ecgseg.pipeline.shapes import are_as_high

# The newest beat counts 1/8 of the height, which is kept in eighths of a microvolt.
_HEIGHT_SHIFT = 3


class KnownRhythm:
    """How high R of the last confirmed beats was and how far they were apart, for a while after the last of them.

    Args:
        rules: the table of rules.
    """

    def __init__(self, rules: BeatRules) -> None:
        self._rules = rules
        self.forget()

    def forget(self) -> None:
        """Nothing is known."""
        self._at: int | None = None
        self._eighths = 0
        self.interval = 0

    def is_fresh(self, now: int) -> bool:
        """True when something is known that is not too old."""
        return self._at is not None and now - self._at <= self._rules.known_for

    def learn(self, now: int, height: int, interval: int) -> None:
        """A confirmed beat.

        Args:
            now: number of the sample.
            height: of R, microvolts of either sign.
            interval: the mean of the last ones, in 1/32 samples; 0 keeps that which is known.
        """
        if not self.is_fresh(now):
            self._eighths, self.interval = abs(height) << _HEIGHT_SHIFT, 0
        self._eighths += abs(height) - (self._eighths >> _HEIGHT_SHIFT)
        self._at = now
        self.interval = interval or self.interval

    def is_as_high(self, height: int) -> bool:
        """True for an R as high as those that are known, to within a half, to whichever side."""
        return are_as_high(abs(height), self._eighths >> _HEIGHT_SHIFT)
