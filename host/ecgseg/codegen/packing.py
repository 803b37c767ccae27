"""Weights in the order in which the kernels read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]


def _words(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int16 pairs [..., 2] as words, the first in the low half."""
    return (values[..., 0] & 0xFFFF) | (values[..., 1] & 0xFFFF) << 16


def conv_stream(
    rows: npt.NDArray[Any],
    bias: npt.NDArray[np.int64],
    factors: npt.NDArray[np.int64],
    channels: Sequence[tuple[int, ...]] = (),
) -> Words:
    """Everything a convolution reads, in the order of firmware/engine/include/ecgseg_conv_core.h.

    Args:
        rows: int8 [channels, taps].
        bias: int64 [channels], including the input's zero point.
        factors: int64 [channels], of weights and biases.
        channels: constants per channel for the finishing core; none for the accumulating one.

    Returns:
        uint32, one block per pair of channels; missing channels and taps are zero.
    """
    count, taps = rows.shape
    pairs, groups = -(-count // 2), -(-taps // 4)
    padded = np.zeros((2 * pairs, 4 * groups), np.int64)
    padded[:count, :taps] = factors[:, None] * rows.astype(np.int64)
    # [pair, group, channel of the pair, word, half]: taps 0 and 2, then 1 and 3
    ordered = (
        padded.reshape(pairs, 2, groups, 4)[..., [0, 2, 1, 3]].transpose(0, 2, 1, 3).reshape(pairs, groups, 2, 2, 2)
    )
    biases = np.zeros(2 * pairs, np.int64)
    biases[:count] = factors * bias
    parts = [biases.reshape(pairs, 2), _words(ordered).reshape(pairs, -1)]
    if channels:
        parts.append(np.array(channels, np.int64).reshape(pairs, -1))
    return (np.concatenate(parts, axis=1) & 0xFFFFFFFF).astype(np.uint32).reshape(-1)


def depthwise_words(rows: npt.NDArray[Any]) -> Words:
    """Doubled weights of a depthwise convolution for groups of four channels.

    Args:
        rows: int8 [channels, taps], channels a multiple of four.

    Returns:
        uint32 [channels / 4 * taps * 2]: per group and tap the words w0 w2 | w1 w3.
    """
    channels, taps = rows.shape
    doubled = 2 * rows.astype(np.int64)
    ordered = doubled.reshape(channels // 4, 4, taps)[:, [0, 2, 1, 3]].transpose(0, 2, 1).reshape(-1, 2, 2)
    return _words(ordered).astype(np.uint32).reshape(-1)
