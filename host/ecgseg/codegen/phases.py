"""Packing for the kernel that multiplies four pairs an instruction, and the proof that it may be used.

What the numbers mean stands in firmware/engine/include/ecgseg_phases.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.graph.layers import Convolution, Window

LANE = 21
SHIFT = 12
MAX_PAIRS = 4
_OFFSET = 1 << (LANE - 1)
_LOW, _HIGH = -128, 127


@dataclass(frozen=True, eq=False)
class PhasesLayer:
    """Constants of one ecgseg_phases_t.

    Attributes:
        in_length, in_channels, out_length, out_channels, dilation, pad, pairs, in_zero_point: fields of that name.
        weights: int32 [out_channels, in_channels, pairs].
        channels: (start, multiplier, rounding, left shift) per output channel; start as an unsigned 64-bit number.
    """

    in_length: int
    in_channels: int
    out_length: int
    out_channels: int
    dilation: int
    pad: int
    pairs: int
    in_zero_point: int
    weights: npt.NDArray[np.int32]
    channels: tuple[tuple[int, int, int, int], ...]

    @property
    def form(self) -> str:
        """Name of the ecgseg_phases_form_t."""
        return f"ecgseg_phases_{self.pairs}_by_{1 if self.in_channels % 4 else 4}"

    @property
    def scratch_bytes(self) -> int:
        """What ecgseg_phases needs: packed inputs, carries, four border rows, one row of padding; a multiple of 4."""
        packed = 4 * (self.pairs + 1) * self.in_channels
        return -(-(packed + 8 * self.out_channels + self.in_channels) // 4) * 4

    @property
    def in_place(self) -> bool:
        """Whether the output may lie where the input lies."""
        fits = self.out_channels == self.in_channels and self.out_length <= self.in_length
        return fits and self.pad % self.dilation == 0


def prepare(layer: Convolution) -> PhasesLayer | None:
    """The kernel's constants for a convolution, None when it cannot be used or proved exact."""
    axis = _time_axis(layer.window)
    if axis is None or layer.groups != 1:
        return None
    window = layer.window
    taps = window.kernel[axis]
    pairs = (taps + 1) // 2
    if taps < 2 or pairs > MAX_PAIRS or window.stride[axis] != 1:
        return None
    if layer.rescale.zero_point != _LOW or layer.rescale.high != _HIGH:
        return None
    rows = layer.weights.reshape(layer.out_channels, taps, layer.in_channels).astype(np.int64)
    padded = np.zeros((layer.out_channels, 2 * pairs, layer.in_channels), np.int64)
    padded[:, :taps] = rows
    even, odd = padded[:, 0::2], padded[:, 1::2]
    bias = layer.bias - layer.in_zero_point * rows.sum(axis=(1, 2))
    channels = _channels(layer, bias, even, odd)
    if channels is None:
        return None
    words = (odd + (even << LANE)).transpose(0, 2, 1)
    return PhasesLayer(
        in_length=window.in_size[axis],
        in_channels=layer.in_channels,
        out_length=window.out_size[axis],
        out_channels=layer.out_channels,
        dilation=window.dilation[axis],
        pad=window.pad[axis],
        pairs=pairs,
        in_zero_point=layer.in_zero_point,
        weights=np.ascontiguousarray(words.astype(np.int32)),
        channels=channels,
    )


def _time_axis(window: Window) -> int | None:
    """The one axis that the window moves along; None for images."""
    for axis, other in ((1, 0), (0, 1)):
        if window.in_size[other] == 1 and window.kernel[other] == 1 and window.out_size[other] == 1:
            return axis
    return None


def _range(weights: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Smallest and largest sum of int8 inputs times weights, per output channel."""
    positive = np.maximum(weights, 0).sum(axis=(1, 2))
    negative = np.minimum(weights, 0).sum(axis=(1, 2))
    return _LOW * positive + _HIGH * negative, _HIGH * positive + _LOW * negative


def _channels(
    layer: Convolution, bias: npt.NDArray[np.int64], even: npt.NDArray[np.int64], odd: npt.NDArray[np.int64]
) -> tuple[tuple[int, int, int, int], ...] | None:
    """Per-channel constants, None when a lane could leave its bits or a shift does not fit."""
    low_even, high_even = _range(even)
    low_odd, high_odd = _range(odd)
    low, high = bias + low_even + low_odd, bias + high_even + high_odd
    fits = (
        np.all(low_odd >= -_OFFSET)
        and np.all(high_odd < _OFFSET)
        and np.all(low >= -_OFFSET)
        and np.all(high < _OFFSET)
        and np.all(bias - _OFFSET + low_even >= -2 * _OFFSET)
        and np.all(bias - _OFFSET + high_even < 2 * _OFFSET)
    )
    if not fits:
        return None
    channels = []
    for value, multiplier in zip(bias.tolist(), layer.rescale.multipliers, strict=True):
        left = SHIFT + 1 + multiplier.shift
        if not 2 <= left <= 32 - LANE or multiplier.shift > -1:
            return None
        start = _OFFSET + ((value + _OFFSET) << LANE) + ((value - _OFFSET) << (2 * LANE))
        rounding = (1 << (left - 2)) + (1 << (SHIFT - 1)) + layer.rescale.zero_point * (1 << SHIFT)
        channels.append((start % (1 << 64), multiplier.mantissa, rounding, left))
    return tuple(channels)
