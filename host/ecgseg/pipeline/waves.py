"""Waves of a stream of classes as they end, by the rules of `segments`; and the R of a QRS complex, as it goes by."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.pipeline.intervals import PARTS, rounded


@dataclass
class Wave:
    """Runs of one class that belong together.

    Attributes:
        label: class, 0 where there is none.
        first, last: samples, both inclusive.
        begins, ends: False where the signal begins or ends within the wave, so that its own end is not known.
    """

    label: int = 0
    first: int = 0
    last: int = 0
    begins: bool = False
    ends: bool = False

    @property
    def length(self) -> int:
        """Samples from the first to the last."""
        return self.last - self.first + 1


class WaveTracker:
    """Takes a class a sample and tells waves of any length when they can no longer grow.

    Args:
        max_gap: two runs of one class with at most this many NONE samples between them are one wave.
    """

    def __init__(self, max_gap: int) -> None:
        self._max_gap = max_gap
        self.open = Wave()

    def push(self, now: int, label: int, *, continues: bool) -> Wave | None:
        """Takes a sample that has contact; returns the wave that it ends.

        Args:
            now: number of the sample.
            label: its class.
            continues: the sample before had contact.
        """
        wave = self.open
        if wave.label and wave.label == label:
            wave.last = now
            return None
        done = None
        if wave.label and (label or now - wave.last > self._max_gap):
            done = self._close(ends=True)
        if label:
            self.open = Wave(label, now, now, continues)
        return done

    def cut(self, now: int) -> Wave | None:
        """The signal ends in front of sample `now`; returns the wave that this ends."""
        return self._close(ends=now - self.open.last > 1) if self.open.label else None

    def _close(self, *, ends: bool) -> Wave:
        wave, self.open = self.open, Wave()
        wave.ends = ends
        return wave


class Peak:
    """R: the sample of a QRS complex that is furthest from the level in front of it, and what lies between samples.

    Attributes:
        height: microvolts from the level, of either sign.
        steepness: largest step from a sample to the next, microvolts.
        at: number of the sample.
        after: microvolts from the level of the sample behind the complex's last.
    """

    def __init__(self) -> None:
        self.height = self.steepness = self.at = self.after = 0
        self._level = self._left = self._right = 0
        self._is_empty = True
        self._wants_right = False

    def begin(self, level: int) -> None:
        """Begins a QRS complex in front of which the signal is at this level in microvolts."""
        self.height = self.steepness = self.after = self._left = self._right = 0
        self._level = level
        self._is_empty = True
        self._wants_right = False

    def add(self, now: int, sample: int, before: int) -> None:
        """Takes a sample of the complex; `before` is the one before it. Of equally high samples the first is R."""
        self.steepness = max(self.steepness, abs(sample - before))
        height = sample - self._level
        if self._is_empty or abs(height) > abs(self.height):
            self._is_empty = False
            self.height, self.at = height, now
            self._left, self._right = before - self._level, 0
            self._wants_right = True

    def follow(self, sample: int, *, is_next: bool) -> None:
        """Takes any sample that has contact, before it is added: the right neighbour of the highest is wanted.

        Args:
            sample: microvolts.
            is_next: the one before is the complex's last so far.
        """
        if is_next:
            self.after = sample - self._level
        if self._wants_right:
            self._right = sample - self._level
            self._wants_right = False

    @property
    def fine(self) -> int:
        """How far the top of the parabola through R and its neighbours is from R, in 1/32 samples, -16 to 16.

        0 where R is not above both neighbours, for then the complex does not turn there.
        """
        sign = -1 if self.height < 0 else 1
        left, middle, right = sign * self._left, sign * self.height, sign * self._right
        if left > middle or right > middle:
            return 0
        return rounded((right - left) * (PARTS // 2), max(2 * middle - left - right, 1))
