"""Reference of the preprocessor: what the firmware computes, in numpy, to the bit.

The steps and their order are the contract of docs/architecture.md, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline.parameters import LEAD_OFF, RAIL, PreprocessParameters
from ecgseg.pipeline.rates import MODEL_RATE, Resampling

Int16 = npt.NDArray[np.int16]
Int8 = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

# Adding 1.5 * 2^23 to a float32 below 2^22 leaves its value, rounded to nearest even, in the low mantissa bits.
_ROUND = np.float32(12582912.0)


class FrameStatus(IntFlag):
    """Status bits of a frame, the same in C (ECGSEG_FRAME_*)."""

    GOOD = 0
    FLAT = 1
    LEAD_OFF = 2
    HAS_GAP = 4
    SATURATED = 8

    @property
    def usable(self) -> bool:
        """False when the frame was replaced by the zero point."""
        return not self & (FrameStatus.FLAT | FrameStatus.LEAD_OFF)


@dataclass(frozen=True)
class Decimated:
    """A signal at 100 Hz: samples int16 [n], valid and saturated bool [n]."""

    samples: Int16
    valid: Bools
    saturated: Bools


@dataclass(frozen=True)
class Frame:
    """One preprocessed frame: data int8 [frame_length], valid bool [frame_length], status and counts."""

    data: Int8
    valid: Bools
    status: FrameStatus
    lead_off_samples: int
    saturated_samples: int


def microvolts(millivolts: npt.ArrayLike) -> Int16:
    """Millivolts (any shape) as int16 microvolts: rounded, saturated to +-32767, NaN becomes LEAD_OFF."""
    scaled = np.asarray(millivolts, dtype=np.float64) * 1000.0
    missing = np.isnan(scaled)
    fixed = np.clip(np.rint(np.where(missing, 0.0, scaled)), -RAIL, RAIL).astype(np.int16)
    fixed[missing] = LEAD_OFF
    return fixed


def flush_samples(raw: Int16, parameters: PreprocessParameters) -> Int16:
    """What a sender appends to a record so that its last samples leave the filter: the last one, repeated."""
    return np.repeat(raw[-1:], parameters.delay)


def decimate(raw: Int16, parameters: PreprocessParameters) -> Decimated:
    """A whole record at 100 Hz, with the edges held.

    Args:
        raw: int16 [samples] at the input rate, LEAD_OFF where there is no contact.
        parameters: the preprocessor's parameters.

    Returns:
        What `samples_of` says; sample n is centred on the place n * factor / phases among the raw samples.
    """
    if raw.size == 0:
        empty = np.zeros(0, dtype=np.bool_)
        return Decimated(raw.astype(np.int16), empty, empty)
    missing = raw == LEAD_OFF
    rails = np.abs(raw.astype(np.int32)) == RAIL
    held = _hold(raw, missing)
    resampling = parameters.resampling
    if resampling.rate == MODEL_RATE:
        return Decimated(held.astype(np.int16), ~missing, rails)
    samples = np.clip((_filtered(held, resampling) + 16384) >> 15, -RAIL, RAIL).astype(np.int16)
    return Decimated(samples, ~_any_in_window(missing, resampling), _any_in_window(rails, resampling))


def _hold(raw: Int16, missing: Bools) -> npt.NDArray[np.int64]:
    """LEAD_OFF samples replaced by the last good one, 0 before the first."""
    last_good = np.maximum.accumulate(np.where(missing, -1, np.arange(raw.size)))
    return np.where(last_good < 0, 0, raw[np.maximum(last_good, 0)]).astype(np.int64)


def _filtered(held: npt.NDArray[np.int64], resampling: Resampling) -> npt.NDArray[np.int64]:
    """The sums of taps and samples, phase by phase: outputs of one phase are `factor` raw samples apart."""
    padded = np.pad(held, (resampling.past, resampling.delay), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, resampling.width)
    sums = np.empty(resampling.outputs_of(held.size), np.int64)
    for first in range(min(resampling.phases, sums.size)):
        start, phase = divmod(first * resampling.factor, resampling.phases)
        taps = resampling.taps[phase].astype(np.int64)
        sums[first :: resampling.phases] = windows[start :: resampling.factor] @ taps
    return sums


def _any_in_window(flags: Bools, resampling: Resampling) -> Bools:
    padded = np.pad(flags, (resampling.past, resampling.delay), mode="edge").astype(np.int64)
    total = np.concatenate(([0], np.cumsum(padded)))
    starts = np.arange(resampling.outputs_of(flags.size)) * resampling.factor // resampling.phases
    return total[starts + resampling.width] > total[starts]


def quantised(
    x: npt.NDArray[np.int64],
    n: npt.NDArray[np.int64],
    total: npt.NDArray[np.int64],
    squares: npt.NDArray[np.int64],
    usable: npt.NDArray[np.bool_],
    parameters: PreprocessParameters,
) -> npt.NDArray[np.int8]:
    """The float32 steps of :func:`normalise`, in their order, for many samples at once.

    Args:
        x: microvolts.
        n, total, squares: count, sum and sum of squares of the samples that each is normalised by; broadcast to x.
        usable: what else must hold for a sample to have an answer; the flat-line limit is seen to here.
        parameters: scale, zero point and flat-line limit.

    Returns:
        int8 of x's shape; the zero point where there is no answer.
    """
    spread = n * squares - total * total
    answered = usable & (spread >= n * n * parameters.flat_uv**2)
    root = np.sqrt(np.where(answered, spread, 1).astype(np.float32))
    gain = np.float32(1.0) / (root * np.float32(parameters.scale))
    rounded = np.rint((n * x - total).astype(np.float32) * gain) + np.float32(parameters.zero_point)
    return np.where(answered, np.clip(rounded, -128, 127), parameters.zero_point).astype(np.int8)


def normalise(signal: Decimated, parameters: PreprocessParameters) -> Frame:
    """Normalise and quantise one frame.

    Args:
        signal: exactly frame_length samples at 100 Hz.
        parameters: the preprocessor's parameters.

    Returns:
        The int8 frame that the model gets.
    """
    length = parameters.frame_length
    x = signal.samples.astype(np.int64)[signal.valid]
    n = x.size
    lead_off = length - n
    saturated = int(np.count_nonzero(signal.saturated))
    status = FrameStatus.GOOD
    if lead_off:
        status |= FrameStatus.HAS_GAP
    if saturated:
        status |= FrameStatus.SATURATED
    total = int(x.sum())
    spread = n * int((x * x).sum()) - total * total
    if 2 * n < length:
        status |= FrameStatus.LEAD_OFF
    elif spread < n * n * parameters.flat_uv**2:
        status |= FrameStatus.FLAT
    data = np.full(length, parameters.zero_point, dtype=np.int8)
    if status.usable:
        root = np.sqrt(np.float32(spread))
        gain = np.float32(1.0) / (root * np.float32(parameters.scale))
        scaled = (n * x - total).astype(np.float32) * gain
        rounded = (scaled + _ROUND).view(np.int32) - _ROUND.view(np.int32)
        data[signal.valid] = np.clip(rounded + parameters.zero_point, -128, 127).astype(np.int8)
    return Frame(data, signal.valid.copy(), status, lead_off, saturated)


def frames(raw: Int16, parameters: PreprocessParameters) -> list[Frame]:
    """All frames of a record: frame k covers samples hop * k .. hop * k + frame_length - 1 at 100 Hz.

    Args:
        raw: int16 [samples] at the input rate.
        parameters: the preprocessor's parameters.
    """
    signal = decimate(raw, parameters)
    starts = range(0, signal.samples.size - parameters.frame_length + 1, parameters.hop)
    return [normalise(cut(signal, start, parameters.frame_length), parameters) for start in starts]


def cut(signal: Decimated, start: int, length: int) -> Decimated:
    """Samples start .. start + length - 1 of a decimated signal."""
    part = slice(start, start + length)
    return Decimated(signal.samples[part], signal.valid[part], signal.saturated[part])
