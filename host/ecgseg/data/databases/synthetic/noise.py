"""What spoils a recording: mild noise, and events that hide a part of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ecgseg.data.databases.synthetic.sampling import RATE, Float64, Rng
from ecgseg.data.records import Wave
from ecgseg.pipeline import LEAD_OFF

DISTURBANCES = ("none", "lead off", "flat line", "clipping")


def noise(t: Float64, rng: Rng) -> Float64:
    """Mild noise of a resting recording, in millivolts."""
    wander = rng.uniform(0, 0.08) * np.sin(2 * np.pi * (rng.uniform(0.1, 0.4) * t + rng.random()))
    return np.asarray(wander + rng.uniform(0.002, 0.015) * rng.standard_normal(t.size))


@dataclass(frozen=True)
class Disturbance:
    """Something that happens to a recording between two samples.

    Attributes:
        kind: one of DISTURBANCES.
        start, end: first raw sample, and the one after the last.
    """

    kind: str
    start: int
    end: int

    @staticmethod
    def draw(kind: str, samples: int, rng: Rng) -> Disturbance:
        """Of that kind, from 0.25 to 3 s, beginning in the first half of a recording of so many raw samples."""
        start = int(rng.integers(0, samples // 2))
        return Disturbance(kind, start, start + int(rng.integers(RATE // 4, 3 * RATE)))

    def apply(
        self, samples: npt.NDArray[np.int16], waves: tuple[Wave, ...]
    ) -> tuple[npt.NDArray[np.int16], tuple[Wave, ...]]:
        """Samples and what remains known of the waves."""
        if self.kind == "none":
            return samples, waves
        result = samples.copy()
        if self.kind == "clipping":
            rail = max(1, int(0.6 * np.abs(samples.astype(np.int32)).max()))
            scaled = np.clip(samples.astype(np.int64), -rail, rail) * 32767 // rail
            return scaled.astype(np.int16), waves
        result[self.start : self.end] = LEAD_OFF if self.kind == "lead off" else samples[self.start]
        return result, tuple(self._hide(wave) for wave in waves)

    def _hide(self, wave: Wave) -> Wave:
        """A wave that the event touches keeps its peak alone: nothing can be said about its ends."""
        assert wave.onset is not None
        assert wave.offset is not None
        if wave.offset < self.start or wave.onset >= self.end:
            return wave
        return replace(wave, onset=None, offset=None)
