"""Noise that a user adds to a stream, to see what becomes of it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.parameters import RAIL
from ecgseg.scoring.noise import NoiseKind, noise_of

NO_NOISE = "none"
MAINS = "mains hum"
ELECTRODE_OFF = "electrode off"
# Root mean square in microvolts: clearly seen, and such as ambulant recordings have.
_MICROVOLTS: Mapping[str, float] = {
    NoiseKind.BASELINE_WANDER.value: 300.0,
    NoiseKind.MUSCLE.value: 80.0,
    NoiseKind.ELECTRODE_MOTION.value: 250.0,
    MAINS: 100.0,
}
NOISES = (NO_NOISE, *_MICROVOLTS, ELECTRODE_OFF)
_MAINS_HZ = 50
# Drawn once and repeated.
_SECONDS = 20

Int16 = npt.NDArray[np.int16]


class Noise:
    """Noise of a kind, the same at the same sample.

    Args:
        kind: one of NOISES.
        rate: samples a second.
        channels: each has noise of its own.
    """

    def __init__(self, kind: str, rate: int, channels: int) -> None:
        self.kind = kind
        size = _SECONDS * rate
        if kind not in _MICROVOLTS:
            self._drawn = np.zeros((1, channels), np.int32)
            return
        columns = [_drawn(kind, size, rate, channel) for channel in range(channels)]
        self._drawn = np.rint(_MICROVOLTS[kind] * np.stack(columns, axis=1)).astype(np.int32)

    def added(self, samples: Int16, first: int, lead: int) -> Int16:
        """Samples with the noise.

        Args:
            samples: int16 [n, channels] microvolts.
            first: index of the first one.
            lead: the channel whose electrode comes off.
        """
        if self.kind == NO_NOISE:
            return samples
        if self.kind == ELECTRODE_OFF:
            result = samples.copy()
            result[:, lead] = LEAD_OFF
            return result
        places = np.arange(first, first + len(samples)) % len(self._drawn)
        noisy: Int16 = np.clip(samples + self._drawn[places], -RAIL, RAIL).astype(np.int16)
        noisy[samples == LEAD_OFF] = LEAD_OFF
        return noisy


def _drawn(kind: str, size: int, rate: int, channel: int) -> npt.NDArray[np.float64]:
    if kind == MAINS:
        # A whole number of periods, so that it goes on without a step.
        return np.asarray(np.sqrt(2) * np.sin(2 * np.pi * _MAINS_HZ * np.arange(size) / rate + channel))
    seed = zlib.crc32(f"{kind} {channel}".encode())
    return noise_of(NoiseKind(kind), size, rate, np.random.default_rng(seed))
