"""Packing for the kernel that multiplies three pairs an instruction, and the proof that it may be used.

What the numbers mean stands in firmware/engine/include/ecgseg_threes.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.graph.fixed_point import INT32_MAX, Multiplier
from ecgseg.graph.layers import Convolution, Rescale, Window

LANE = 21
SHIFT = 5
FOUR = 4
POSITIONS = 3
"""Of a tile."""
_LOW = -128
_MOST = 255
"""Inputs as they are packed, with 128 added, go from 0 to this."""
_WORD = 1 << 32
# Bits that W leaves above a weight.
_MOST_SHIFT = 3
# Offsets of a channel that are looked at in one go.
_CANDIDATES = 1 << 14

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Channel:
    """Constants of one output channel.

    Attributes:
        shift: of its weights and its bias to the left, for a factor that is too large for the multiplier.
        offset: that keeps its shifted sums from being negative.
        multiplier, rounding: of its requantisation.
    """

    shift: int
    offset: int
    multiplier: int
    rounding: int


@dataclass(frozen=True, eq=False)
class ThreesLayer:
    """Constants of one ecgseg_threes_t.

    Attributes:
        positions, taps, dilation, in_channels, out_channels: fields of that name.
        stream: uint32 [out_channels / 4, words].
    """

    positions: int
    taps: int
    dilation: int
    in_channels: int
    out_channels: int
    stream: npt.NDArray[np.uint32]

    @property
    def scratch(self) -> int:
        """Words that ecgseg_threes needs."""
        return 2 * self.taps * self.in_channels

    @property
    def cycles(self) -> int:
        """About what it takes on a Cortex-M4."""
        tiles = -(-self.positions // POSITIONS)
        inputs = self.taps * self.in_channels
        return tiles * (self.out_channels // FOUR * (9 * inputs + 110) + 9 * inputs + 30 * self.taps + 100)


def prepare(layer: Convolution) -> ThreesLayer | None:
    """The kernel's constants for a convolution without padding, None when it cannot be used or proved exact."""
    window = layer.window
    axis = 0 if window.in_size[0] > 1 else 1
    if not _has_shape(layer, axis):
        return None
    taps = window.kernel[axis]
    rows = layer.weights.reshape(layer.out_channels, taps * layer.in_channels).astype(np.int64)
    bias = layer.bias - (layer.in_zero_point - _LOW) * rows.sum(axis=1)
    low = bias + _MOST * np.minimum(rows, 0).sum(axis=1)
    high = bias + _MOST * np.maximum(rows, 0).sum(axis=1)
    channels = _channels(layer.rescale, low, high)
    if channels is None:
        return None
    factors = np.array([1 << channel.shift for channel in channels], np.int64)
    starts = factors * bias + np.array([channel.offset for channel in channels], np.int64)
    return ThreesLayer(
        positions=window.out_size[axis],
        taps=taps,
        dilation=window.dilation[axis],
        in_channels=layer.in_channels,
        out_channels=layer.out_channels,
        stream=_stream(factors[:, None] * rows, starts, channels),
    )


def _has_shape(layer: Convolution, axis: int) -> bool:
    """Along one axis with stride 1 and without padding, and of whole fours of channels."""
    window, other = layer.window, 1 - axis
    along = (window.in_size[other], window.kernel[other], window.out_size[other]) == (1, 1, 1)
    fours = layer.in_channels % FOUR == 0 and layer.out_channels % FOUR == 0 and layer.groups == 1
    return along and fours and window.stride[axis] == 1 and window.pad == (0, 0) and _whole(window, axis)


def _whole(window: Window, axis: int) -> bool:
    """Every input row is read by some position."""
    reach = (window.kernel[axis] - 1) * window.dilation[axis]
    return window.in_size[axis] == window.out_size[axis] + reach


def _stream(rows: Integers, starts: Integers, channels: Sequence[Channel]) -> npt.NDArray[np.uint32]:
    """What the kernel reads, in the order of ecgseg_threes.h, from weights [out_channels, inputs]."""
    first, second = starts[0::2], starts[1::2]
    # Python's integers: the top lane begins at bit 42 and wraps as the accumulator does.
    initial = [
        (a + ((a + b) << LANE) + (b << (2 * LANE))) % (1 << 64)
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    words = rows[0::2] + (rows[1::2] << LANE)
    lines = []
    for pair in range(0, len(words), 2):
        begin = [part for value in initial[pair : pair + 2] for part in (value % _WORD, value >> 32)]
        ends = [part for c in channels[2 * pair : 2 * pair + FOUR] for part in (c.multiplier, c.rounding)]
        lines.append(np.concatenate([np.array(begin), words[pair : pair + 2].T.reshape(-1), np.array(ends)]))
    return (np.array(lines, np.int64) % _WORD).astype(np.uint32)


def _channels(rescale: Rescale, low: Integers, high: Integers) -> list[Channel] | None:
    """Constants of every channel, whose sums lie between `low` and `high`; None when one has none."""
    shifts = [_shift(multiplier) for multiplier in rescale.multipliers]
    if (rescale.low, rescale.high) != (-128, 127) or max(shifts) > _MOST_SHIFT:
        return None
    spare = ((1 << LANE) - 1 - ((high - low) << np.array(shifts))).tolist()
    found: list[Channel] = []
    for number, multiplier in enumerate(rescale.multipliers):
        sums = int(low[number]), int(high[number])
        channel = None if spare[number] < 0 else _channel(multiplier, rescale.zero_point, sums, spare[number])
        if channel is None:
            return None
        found.append(channel)
    return found


def _shift(multiplier: Multiplier) -> int:
    """By how much the sums have to be larger, so that the factor * 2^(32 + SHIFT) fits the multiplier."""
    return max(1 + SHIFT + multiplier.shift, 0)


def _channel(multiplier: Multiplier, zero_point: int, sums: tuple[int, int], spare: int) -> Channel | None:
    """A multiplier, an offset O of the sums from low to high, and a rounding R that give every sum its result.

    O keeps the sums from being negative and is at most `spare` larger than that. With F the multiplier, r is reached
    from the sum t on where r * 2^(32 + SHIFT) - t * F <= O * F + R * 2^32 < r * 2^(32 + SHIFT) - (t - 1) * F.
    """
    shift = _shift(multiplier)
    # F is the real factor * 2^(32 + SHIFT), the mantissa that * 2^(31 - shift).
    drop = max(-multiplier.shift - (1 + SHIFT), 0)
    factor = (multiplier.mantissa + (1 << drop >> 1)) >> drop
    least, most = _window(multiplier, zero_point, sums, factor << shift)
    if least >= most or not 0 < factor <= INT32_MAX:
        return None
    smallest = -(sums[0] << shift)
    offset = _offset(smallest, smallest + spare, factor, least, most - least)
    return None if offset is None else Channel(shift, offset, factor, -((offset * factor - least) // _WORD))


def _window(multiplier: Multiplier, zero_point: int, sums: tuple[int, int], factor: int) -> tuple[int, int]:
    """From where to below where O * F + R * 2^32 gives every sum its result; from 0 to 0 when there is only one."""
    low, high = sums
    results = np.arange(-127, 128)
    firsts = _first_sums(multiplier, results - zero_point, low, high).tolist()
    # Python's integers do not overflow.
    pairs = [(int(result) * (_WORD << SHIFT), t) for result, t in zip(results, firsts, strict=True)]
    least = max((wanted - t * factor for wanted, t in pairs if t <= high), default=0)
    most = min((wanted - (t - 1) * factor for wanted, t in pairs if t > low), default=0)
    return least, most


def _first_sums(multiplier: Multiplier, results: Integers, low: int, high: int) -> Integers:
    """The least sum from `low` on that becomes at least each result, high + 1 where none does."""
    below, reached = np.full(len(results), low - 1), np.full(len(results), high + 1)
    while np.any(reached - below > 1):
        middle = (below + reached) // 2
        enough = multiplier.apply(middle) >= results
        active = reached - below > 1
        reached = np.where(active & enough, middle, reached)
        below = np.where(active & ~enough, middle, below)
    return reached


def _offset(smallest: int, largest: int, factor: int, least: int, window: int) -> int | None:
    """An offset from `smallest` to `largest` whose product lies less than `window` above `least`, modulo 2^32."""
    for first in range(smallest, largest + 1, _CANDIDATES):
        candidates = np.arange(first, min(first + _CANDIDATES, largest + 1), dtype=np.int64)
        # Below 2^22 and 2^31.
        rest = (candidates * factor - least % _WORD) % _WORD
        found = np.flatnonzero(rest < window)
        if found.size:
            return int(candidates[found[0]])
    return None
