"""Layers as convolutions that compute the same bytes, where the convolution's kernels are faster."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from ecgseg.graph.layers import Convolution, Depthwise, TransposeConvolution, Weighted, Window

# Sizes that the kernels hold.
_LARGEST_SIDE = 0xFFFF
# A depthwise convolution over more input channels would multiply mostly zeros as a full one.
_MOST_CHANNELS = 8


def depthwise_as_convolution(layer: Depthwise) -> Convolution | None:
    """A depthwise convolution with a multiplier over few input channels, as one over all of them; None for others.

    The weights of the channels that an output does not read are zero.
    """
    if layer.multiplier == 1 or layer.in_channels > _MOST_CHANNELS:
        return None
    height, width = layer.window.kernel
    weights = np.zeros((layer.out_channels, height, width, layer.in_channels), np.int8)
    for channel in range(layer.out_channels):
        weights[channel, :, :, channel // layer.multiplier] = layer.weights[:, :, channel]
    return _convolution(layer, weights=weights)


def transpose_as_convolution(layer: TransposeConvolution) -> Convolution | None:
    """A transposed convolution along one axis as one of stride 1 whose channels are the `stride` outputs of a position.

    Output o = t * stride + r gathers the inputs t - before + j through the taps (before - j) * stride + r + pad. The
    channels of the convolution's position t, in the order r, channel, are the outputs t * stride to
    t * stride + stride - 1 as they lie in memory. None where another axis moves too, the last position would not be
    whole, or most of the weights would be zeros.
    """
    window = layer.window
    axis = next((a for a in (0, 1) if _still(window, 1 - a)), None)
    if axis is None or window.out_size[axis] % window.stride[axis]:
        return None
    stride, taps, pad = window.stride[axis], window.kernel[axis], window.pad[axis]
    before, after = (taps - 1 - pad) // stride, (stride - 1 + pad) // stride
    if before < 0 or stride * (before + after + 1) > 2 * taps or stride * layer.out_channels > _LARGEST_SIDE:
        return None
    rows = layer.weights.reshape(layer.out_channels, taps, layer.in_channels)
    weights = np.zeros((stride, layer.out_channels, before + after + 1, layer.in_channels), np.int8)
    for r in range(stride):
        for j in range(before + after + 1):
            tap = (before - j) * stride + r + pad
            if 0 <= tap < taps:
                weights[r, :, j] = rows[:, tap]

    def along(value: int, other: int) -> tuple[int, int]:
        return (value, other) if axis == 0 else (other, value)

    channels = stride * layer.out_channels
    return _convolution(
        layer,
        window=Window(
            window.in_size,
            along(before + after + 1, 1),
            (1, 1),
            (1, 1),
            along(before, 0),
            along(window.out_size[axis] // stride, 1),
        ),
        out_channels=channels,
        weights=weights.reshape(channels, *along(before + after + 1, 1), layer.in_channels),
        bias=np.tile(layer.bias, stride),
        rescale=replace(layer.rescale, multipliers=layer.rescale.multipliers * stride),
    )


def _convolution(layer: Weighted, **changes: Any) -> Convolution:
    """A convolution with the layer's fields but for the changes."""
    return Convolution(**{field.name: getattr(layer, field.name) for field in fields(Convolution)} | changes)


def _still(window: Window, axis: int) -> bool:
    """Nothing moves along this axis."""
    return window.in_size[axis] == window.out_size[axis] == window.kernel[axis] == window.stride[axis] == 1
