"""The rates of raw samples that a device takes, and the filter that makes 100 Hz of each: the one place for both.

A rate is to 100 Hz as `factor` to `phases`, without a common divisor: 500 Hz as 5 to 1, 512 Hz as 128 to 25. The sample
n at 100 Hz stands for the place n * factor / phases among the raw samples, exactly. The part of it that is no whole
number is one of `phases` numbers, and each of these has taps of its own (a polyphase filter).
Source of the design: A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing, sections on Kaiser windows and on
changing the sampling rate by a noninteger factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt

MODEL_RATE = 100
# Raw rate in Hz of LUDB, of synthetic ECG and of the boards, where nothing else is said.
DEFAULT_INPUT_RATE = 500
LOWEST_RATE, HIGHEST_RATE = 50, 2000
RATES_TOLD = f"any whole number of Hz from {LOWEST_RATE} to {HIGHEST_RATE}"

# The filter reaches over four samples, of the slower of both rates, to either side. Its -6 dB point at 41 Hz leaves the
# P, QRS and T energy of a 0.5-40 Hz ECG untouched and puts what can fold below 40 Hz (above 60 Hz) into the stop band,
# which a Kaiser window of that beta gives about 40 dB. Of a raw rate below 89 Hz the -6 dB point is nearer to its half.
_REACH = 4
_CUTOFF_HZ = 41.0
_CUTOFF_OF_RATE = 0.46
_KAISER_BETA = 3.48
# Rates for which devices were first built keep the taps with which the models' figures were published.
_FIRST_BETA = 3.4
_FIRST_RATES = (200, 500, 1000)


def takes_rate(rate: float) -> bool:
    """True for a rate of raw samples in Hz for which a device can be built."""
    return LOWEST_RATE <= rate <= HIGHEST_RATE and rate == int(rate)


@dataclass(frozen=True)
class Resampling:
    """From a rate to 100 Hz.

    Attributes:
        rate: of the raw samples in Hz, one that `takes_rate`.
    """

    rate: int

    @property
    def factor(self) -> int:
        """Raw samples in which `phases` samples at 100 Hz lie; of 100 Hz times a whole number this number."""
        return self.rate // gcd(self.rate, MODEL_RATE)

    @property
    def phases(self) -> int:
        """Number of places that a sample at 100 Hz can have between two raw samples."""
        return MODEL_RATE // gcd(self.rate, MODEL_RATE)

    @property
    def past(self) -> int:
        """Raw samples in front of the one at, or next before, a sample at 100 Hz that its filter window holds."""
        return _reach(self.rate) // self.phases

    @property
    def delay(self) -> int:
        """Raw samples behind that one that its filter window holds: how far the output lags the input."""
        return -(-_reach(self.rate) // self.phases)

    @property
    def width(self) -> int:
        """Raw samples in a filter window."""
        return self.past + 1 + self.delay

    @property
    def taps(self) -> npt.NDArray[np.int16]:
        """Q15 taps by phase, for the raw samples of a window from the oldest on: int16 [phases, width].

        Those of each phase sum to 32768. Empty at 100 Hz, where there is no filter.
        """
        if self.rate == MODEL_RATE:
            return np.empty((0, 0), np.int16)
        return _taps(self.rate)

    def outputs_of(self, raw_samples: int) -> int:
        """Samples at 100 Hz of a record of so many raw samples: those that lie before the end of the last one."""
        return -(-raw_samples * self.phases // self.factor)


def _reach(rate: int) -> int:
    """Half of the filter's length without its middle, in parts of a raw sample, which has `phases`; 0 at 100 Hz."""
    return 0 if rate == MODEL_RATE else _REACH * max(rate, MODEL_RATE) // gcd(rate, MODEL_RATE)


@lru_cache(maxsize=8)
def _taps(rate: int) -> npt.NDArray[np.int16]:
    """A Kaiser-windowed sinc with taps at every phase, taken apart into phases, each rounded to a sum of exactly 32768.

    The rounding remainder goes to the middle tap, where it is smallest in relation.
    """
    resampling = Resampling(rate)
    phases, reach = resampling.phases, _reach(rate)
    n = np.arange(-reach, reach + 1, dtype=np.float64)
    cutoff = min(_CUTOFF_HZ, _CUTOFF_OF_RATE * rate) / (rate * phases)
    beta = _FIRST_BETA if rate in _FIRST_RATES else _KAISER_BETA
    whole = 2 * cutoff * np.sinc(2 * cutoff * n) * np.kaiser(2 * reach + 1, beta)
    taps = np.empty((phases, resampling.width), np.int16)
    for phase in range(phases):
        places = np.arange(-resampling.past, resampling.delay + 1) * phases - phase
        inside = np.abs(places) <= reach
        part = np.where(inside, whole[np.where(inside, places + reach, 0)], 0.0)
        fixed = np.rint(part / part.sum() * 32768).astype(np.int64)
        fixed[resampling.past + (2 * phase > phases)] += 32768 - fixed.sum()
        taps[phase] = fixed
    taps.flags.writeable = False
    return taps


def frequency_response(resampling: Resampling, frequencies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Gain of the rounded taps at frequencies in Hz of any shape, real for the filter is symmetric; 1 is unity.

    Above half of the raw rate it is the gain of images: of what lies at f below, as much comes out at rate - f.
    """
    if resampling.rate == MODEL_RATE:
        return np.ones_like(frequencies)
    raw = np.arange(-resampling.past, resampling.delay + 1)
    places = raw * resampling.phases - np.arange(resampling.phases)[:, None]
    taps = np.zeros(int(np.abs(places).max()) + 1)
    np.add.at(taps, np.abs(places), resampling.taps / (32768 * resampling.phases))
    turns = np.multiply.outer(frequencies / (resampling.rate * resampling.phases), np.arange(taps.size))
    return np.asarray(np.cos(2 * np.pi * turns) @ taps)
