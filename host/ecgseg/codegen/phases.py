"""Packing for the kernel that multiplies four pairs an instruction, and the proof that it may be used.

What the numbers mean stands in firmware/engine/include/ecgseg_phases.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.layers import Convolution, Window

LANE = 21
SHIFT = 12
MAX_PAIRS = 4
_WHOLE = (8, 16, 20)
_ROUNDS = {1: 1, 4: 4, 8: 8, 10: 20, 16: 16}
"""Input channels that a round of the inner loop takes: what their number has to be a multiple of. But for rounds of
one, inputs are packed four channels at a time."""
_SHORT_ROUNDS = {1: 1, 4: 4}
_MOST_LONG = 2
"""Tap pairs up to which there are rounds of more than four channels: a pair of taps of a channel is 30 bytes of code
there."""
_PARTS = (1, 2, 4, 8)
_LOW, _HIGH = -128, 127
_LEAST, _MOST = 0, 255
"""Inputs as they are packed, with 128 added."""
_WORD = 1 << 32
# Offsets of a channel that are looked at in one go.
_CANDIDATES = 1 << 14


@dataclass(frozen=True)
class Channel:
    """Constants of one output channel.

    Attributes:
        starts: initial values of P[j], without the P before, and of P[j+1]; unsigned 64-bit numbers.
        multiplier, rounding, shift: see ecgseg_phases_end_t.
    """

    starts: tuple[int, int]
    multiplier: int
    rounding: int
    shift: int


@dataclass(frozen=True, eq=False)
class PhasesLayer:
    """Constants of one ecgseg_phases_t.

    Attributes:
        in_length, in_channels, out_length, out_channels, dilation, pad, gap, pairs, in_zero_point, parts: fields of
            that name.
        stream: uint32 [parts * pairs of output channels, words].
        ends: (multiplier, rounding, shift, 0) per output channel of a layer in parts.
    """

    in_length: int
    in_channels: int
    out_length: int
    out_channels: int
    dilation: int
    pad: int
    gap: int
    pairs: int
    in_zero_point: int
    stream: npt.NDArray[np.uint32]
    parts: int = 1
    ends: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """Names of every ecgseg_phases_form_t that computes the layer, without their prefix; there is one at least."""
        channels = self.in_channels // self.parts
        if self.parts > 1:
            counts = [f"parts_by_{count}" for count in (4, 8) if channels % count == 0]
        else:
            rounds = _ROUNDS if self.pairs <= _MOST_LONG else _SHORT_ROUNDS
            counts = [f"by_{count}" for count, whole in rounds.items() if channels % whole == 0]
            counts += [f"of_{channels}"] if channels in _WHOLE and self.pairs <= _MOST_LONG else []
        return tuple(f"{self.pairs}_{count}" for count in counts)

    @property
    def scratch_bytes(self) -> int:
        """What ecgseg_phases needs: packed inputs, carries, padding, a row for nobody; a multiple of 4."""
        packed = 4 * (self.pairs + 1) * self.in_channels
        sums = 16 * self.out_channels if self.parts > 1 else 0
        return -(-(sums + packed + 8 * len(self.stream) + self.in_channels + self.out_channels) // 4) * 4

    @property
    def cycles(self) -> int:
        """About what it takes on a Cortex-M4."""
        # As in ecgseg_phases: phases one behind the other, and the first four begin one before the first output.
        places = 1 + self.out_length + (min(self.dilation, self.out_length) - 1) * self.gap
        pair = self.in_channels * (8 * self.pairs + 1) + 85
        return -(-places // 4) * (-(-self.out_channels // 2) * pair + 12 * self.in_channels + 120)

    @property
    def in_place(self) -> bool:
        """Whether the output may lie where the input lies."""
        fits = self.out_channels == self.in_channels and self.out_length <= self.in_length
        return fits and self.pad % self.dilation == 0


def prepare(layer: Convolution) -> PhasesLayer | None:
    """The kernel's constants for a convolution, None when it cannot be used or proved exact."""
    axis = _time_axis(layer.window)
    if axis is None or layer.groups != 1 or layer.out_channels < 2 or not _has_shape(layer, axis):
        return None
    taps = layer.window.kernel[axis]
    pairs = (taps + 1) // 2
    rows = layer.weights.reshape(layer.out_channels, taps, layer.in_channels).astype(np.int64)
    padded = np.zeros((layer.out_channels, 2 * pairs, layer.in_channels), np.int64)
    padded[:, :taps] = rows
    bias = layer.bias - (layer.in_zero_point - _LOW) * rows.sum(axis=(1, 2))
    # A part has whole rounds of four input channels.
    most = 1 if layer.out_channels % 2 else layer.in_channels // 4
    for parts in (count for count in _PARTS if count == 1 or (count <= most and layer.in_channels % (4 * count) == 0)):
        channels = _channels(layer.rescale.multipliers, bias, padded[:, 0::2], padded[:, 1::2], parts)
        if channels is not None:
            return _phases_layer(layer, axis, padded, channels)
    return None


def _has_shape(layer: Convolution, axis: int) -> bool:
    """Stride, number of taps and range of the output are those of the kernel."""
    ends = (layer.rescale.zero_point, layer.rescale.high) == (_LOW, _HIGH)
    return ends and layer.window.stride[axis] == 1 and 2 <= layer.window.kernel[axis] <= 2 * MAX_PAIRS


def _phases_layer(
    layer: Convolution, axis: int, padded: npt.NDArray[np.int64], channels: Sequence[Sequence[Channel]]
) -> PhasesLayer:
    """The constants, from weights [out_channels, taps, in_channels] and what was found per channel and part."""
    window, parts = layer.window, len(channels[0])
    words = (padded[:, 1::2] + (padded[:, 0::2] << LANE)).transpose(0, 2, 1)
    streams = [
        _stream(part, of_part)
        for part, of_part in zip(np.split(words, parts, axis=1), zip(*channels, strict=True), strict=True)
    ]
    ends = tuple((last.multiplier, last.rounding, last.shift, 0) for *_, last in channels)
    return PhasesLayer(
        in_length=window.in_size[axis],
        in_channels=layer.in_channels,
        out_length=window.out_size[axis],
        out_channels=layer.out_channels,
        dilation=window.dilation[axis],
        pad=window.pad[axis],
        gap=_gap(window, axis),
        pairs=words.shape[2],
        in_zero_point=layer.in_zero_point,
        stream=np.concatenate(streams),
        parts=parts,
        ends=ends if parts > 1 else (),
    )


def _time_axis(window: Window) -> int | None:
    """The one axis that the window moves along; None for images."""
    for axis, other in ((1, 0), (0, 1)):
        if window.in_size[other] == 1 and window.kernel[other] == 1 and window.out_size[other] == 1:
            return axis
    return None


def _gap(window: Window, axis: int) -> int:
    """Outputs behind those of a phase that are nobody's: the fewest for which no phase reads another one's inputs.

    Phases lie one behind the other; the last inputs of one may be the first of the next where both are padding.
    """
    size, taps, length = window.in_size[axis], window.kernel[axis], window.out_size[axis]
    dilation, pad = window.dilation[axis], window.pad[axis]
    phases = np.arange(min(dilation, length), dtype=np.int64)
    outputs = -(-(length - phases) // dilation)
    last_inside = (size - 1 - phases + pad) // dilation
    behind = np.maximum(outputs + taps - 2 - last_inside, 0)
    before = np.maximum(-(-(pad - phases) // dilation), 0)
    shared = np.minimum(behind[:-1], before[1:]).min(initial=taps - 1)
    return taps - 1 - int(shared)


def _stream(words: npt.NDArray[np.int64], channels: Sequence[Channel]) -> npt.NDArray[np.uint32]:
    """What the kernel reads, in the order of ecgseg_phases.h, from W [out_channels, in_channels, pairs]."""
    count = len(channels)
    firsts = [*range(0, count - 1, 2), *([count - 2] if count % 2 else [])]
    lines = []
    for first, following in zip(firsts, [*firsts[1:], firsts[-1] + 2], strict=True):
        pair = channels[first : first + 2]
        starts = [word for c in pair for word in (c.starts[0] >> 32, c.starts[1] % _WORD, c.starts[1] >> 32)]
        weights = words[first : first + 2].transpose(1, 2, 0).reshape(-1)
        steps = (0, following - first)
        ends = [
            word
            for c, step in zip(pair, steps, strict=True)
            for word in (c.multiplier, c.rounding, c.shift + (step << 8), c.starts[0] % _WORD)
        ]
        lines.append(np.concatenate([np.array(starts, np.int64), weights, np.array(ends, np.int64)]))
    return (np.array(lines) % _WORD).astype(np.uint32)


def _range(weights: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Smallest and largest sum of packed inputs times weights, per output channel."""
    positive = np.maximum(weights, 0).sum(axis=(1, 2))
    negative = np.minimum(weights, 0).sum(axis=(1, 2))
    return _LEAST * positive + _MOST * negative, _MOST * positive + _LEAST * negative


def _channels(
    multipliers: Sequence[Multiplier],
    bias: npt.NDArray[np.int64],
    even: npt.NDArray[np.int64],
    odd: npt.NDArray[np.int64],
    parts: int,
) -> list[list[Channel]] | None:
    """Constants per channel and part, None when a lane could leave its bits or a shift does not fit."""
    ranges = [
        (*_range(even_part), *_range(odd_part))
        for even_part, odd_part in zip(np.split(even, parts, axis=2), np.split(odd, parts, axis=2), strict=True)
    ]
    found = []
    for channel, (own_bias, multiplier) in enumerate(zip(bias.tolist(), multipliers, strict=True)):
        of_parts = [
            _Part(0 if number else own_bias, *(int(values[channel]) for values in part))
            for number, part in enumerate(ranges)
        ]
        constants = _channel(of_parts, multiplier)
        if constants is None:
            return None
        found.append(constants)
    return found


@dataclass(frozen=True)
class _Part:
    """What the sums of a channel over a part of the input channels can be, even and odd taps apart."""

    bias: int
    low_even: int
    high_even: int
    low_odd: int
    high_odd: int

    @property
    def low(self) -> int:
        return self.bias + self.low_even + self.low_odd

    @property
    def high(self) -> int:
        return self.bias + self.high_even + self.high_odd

    @property
    def fits(self) -> bool:
        """Lane 0 of P[j+1] and, with the lowest offset, the sums stay within their lanes."""
        return self.high_odd - self.low_odd < 1 << LANE and self.high - self.low < 1 << LANE

    def starts(self, offset: int) -> tuple[int, int]:
        """Initial values of P[j], without the P before, and of P[j+1]."""
        sums = self.bias + offset
        return (
            ((sums << LANE) + ((sums + self.low_odd) << (2 * LANE))) % (1 << 64),
            (-self.low_odd + (sums << LANE) + (sums << (2 * LANE))) % (1 << 64),
        )


def _channel(parts: Sequence[_Part], multiplier: Multiplier) -> list[Channel] | None:
    """Constants of a channel for each part of the input channels; those of requantisation belong to the whole sum."""
    shift = SHIFT + 1 + multiplier.shift
    if not 2 <= shift <= 32 - LANE or multiplier.shift > -1 or not all(part.fits for part in parts):
        return None
    *first, last = parts
    low, high = sum(part.low for part in parts), sum(part.high for part in parts)
    half = (1 << (shift - 2)) + (1 << (SHIFT - 1))
    factor = multiplier.mantissa << shift
    # The other parts have the lowest offset of their lanes. The whole sum is shifted into a number that the
    # multiplication takes as signed.
    others = -sum(part.low for part in first)
    largest = min(others + (1 << LANE) - 1 - last.high, (((1 << 31) - 1) >> shift) - high)
    offset = _offset(others - last.low, largest, factor, _smallest_gap(low, high, factor, half))
    if offset is None:
        return None
    rounding = half + _LOW * (1 << SHIFT) - (offset * factor >> 32)
    offsets = [*(-part.low for part in first), offset - others]
    return [
        Channel(part.starts(own), multiplier.mantissa, rounding, shift)
        for part, own in zip(parts, offsets, strict=True)
    ]


def _smallest_gap(low: int, high: int, factor: int, half: int) -> int:
    """How far, in 2^-32 of the product, the sums that just miss a result are from reaching it.

    The result is at least r where floor(sum * factor / 2^32) + half >= r * 2^SHIFT. Whatever is added to the product
    and stays below the gap changes no result of the sums from `low` to `high`.
    """
    gap = _WORD
    for result in range(1, _HIGH - _LOW + 1):
        wanted = ((result << SHIFT) - half) << 32
        below = (wanted - 1) // factor
        if low <= below <= high:
            gap = min(gap, wanted - below * factor)
    return gap


def _offset(smallest: int, largest: int, factor: int, gap: int) -> int | None:
    """An offset from `smallest` to `largest` whose product is less than `gap` above a whole number."""
    for first in range(smallest, largest + 1, _CANDIDATES):
        candidates = np.arange(first, min(first + _CANDIDATES, largest + 1), dtype=np.int64)
        # Below 2^25 and 2^32.
        rest = candidates * (factor % _WORD) % _WORD
        best = int(np.argmin(rest))
        if rest[best] < gap:
            return int(candidates[best])
    return None
