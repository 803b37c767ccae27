"""Operators that slide a window or sum over channels; like all that draw one, None when a draw came out too large."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

from support.random_network.draws import MAX_ELEMENTS, MAX_MACS, Draws
from support.tflite_builder import SAME, VALID, conv_options

Geometry = tuple[tuple[int, int], tuple[int, int], tuple[int, int], int]
"""Kernel, stride, dilation, padding."""


def _sliding(net: Draws, shape: list[int]) -> Geometry:
    """A window over all axes that are longer than 1."""
    kernel, stride, dilation = [1, 1], [1, 1], [1, 1]
    for axis in (0, 1):
        size = shape[1 + axis]
        if size > 1 or net.rng.random() < 0.05:
            kernel[axis] = int(net.choice([1, 2, 3, 4, 5, 7, 9], [3, 1, 4, 1, 3, 2, 1]))
            stride[axis] = int(net.choice([1, 2, 3, 5], [8, 3, 1, 1]))
            if stride[axis] == 1:
                dilation[axis] = int(net.choice([1, 2, 3, 4, 8, 16], [6, 3, 1, 2, 1, 1]))
    reach = [(kernel[axis] - 1) * dilation[axis] + 1 for axis in (0, 1)]
    fits = all(reach[axis] <= shape[1 + axis] for axis in (0, 1))
    padding = VALID if fits and net.rng.random() < 0.3 else SAME
    return (kernel[0], kernel[1]), (stride[0], stride[1]), (dilation[0], dilation[1]), padding


def _temporal(net: Draws, shape: list[int]) -> Geometry:
    """A window along the one axis that is longer than 1, with stride 1; otherwise as `_sliding`."""
    taps, dilation = int(net.rng.integers(2, 9)), int(net.choice([1, 2, 3, 4, 8, 16]))
    fits = (taps - 1) * dilation + 1 <= max(shape[1:3])
    padding = VALID if fits and net.rng.random() < 0.3 else SAME
    if shape[1] == 1:
        return (1, taps), (1, 1), (1, dilation), padding
    return (taps, 1), (1, 1), (dilation, 1), padding


def out_size(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    return -(-size // stride) if padding == SAME else (size - (kernel - 1) * dilation - 1) // stride + 1


def _bias(net: Draws, channels: int, in_scale: float, scales: npt.NDArray[np.float32], spread: float) -> list[int]:
    if net.rng.random() < 0.15:
        return []
    values = np.rint(net.rng.normal(0, spread, channels)).astype(np.int32)
    bias_scales = np.broadcast_to(scales, (len(scales),)).astype(float) * in_scale
    return [net.builder.tensor([channels], np.int32, bias_scales, [0] * len(scales), 0, values)]


def _depth(net: Draws, in_channels: int, out_channels: int) -> int:
    """Input channels that one output channel sees: all of them, or now and then those of one of two groups."""
    if in_channels % 2 == 0 and out_channels % 2 == 0 and net.rng.random() < 0.05:
        return in_channels // 2
    return in_channels


def conv(net: Draws) -> int | None:
    """CONV_2D."""
    shape = net.image()
    if shape is None:
        return None
    # Half of them are what a TCN is made of: along time, stride 1, dilated, rectified onto the whole int8 range.
    temporal = max(shape[1:3]) > 1 and min(shape[1:3]) == 1 and net.rng.random() < 0.5
    return conv_with(net, shape, _temporal(net, shape) if temporal else _sliding(net, shape), temporal)


def conv_with(net: Draws, shape: list[int], geometry: Geometry, temporal: bool, channels: int = 0) -> int | None:
    """CONV_2D of the current tensor with this window; `temporal` rectifies onto the whole int8 range."""
    kernel, stride, dilation, padding = geometry
    channels = channels or int(net.choice([1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 24], [1, 2, 2, 4, 1, 1, 4, 1, 2, 4, 1]))
    depth = _depth(net, shape[3], channels)
    out = [1, *(out_size(shape[1 + a], kernel[a], stride[a], dilation[a], padding) for a in (0, 1)), channels]
    if prod(out) > MAX_ELEMENTS or prod(out) * prod(kernel) * depth > MAX_MACS:
        return None
    weights = net.weights((channels, *kernel, depth))
    scales = net.weight_scales(channels, bool(net.rng.random() < 0.85))
    in_scale, _ = net.builder.quantisation(net.current)
    activation = "RELU" if temporal else net.activation()
    result, activation = net.accumulating_output(out, in_scale, scales, weights, 0, activation)
    if temporal:
        result = net.new(out, net.builder.quantisation(result)[0], -128)
    tensor = net.builder.tensor(weights.shape, np.int8, scales, [0] * len(scales), 0, weights)
    bias = _bias(net, channels, in_scale, scales, 1000)
    net.builder.operator(
        "CONV_2D",
        [net.current, tensor, *bias],
        [result],
        "Conv2DOptions",
        **conv_options(stride, dilation, padding, activation),
    )
    return result


def depthwise(net: Draws) -> int | None:
    """DEPTHWISE_CONV_2D."""
    shape = net.image()
    if shape is None:
        return None
    return depthwise_with(net, shape, _sliding(net, shape))


def depthwise_with(net: Draws, shape: list[int], geometry: Geometry) -> int | None:
    """DEPTHWISE_CONV_2D of the current tensor with this window."""
    kernel, stride, dilation, padding = geometry
    multiplier = int(net.choice([1, 2, 3], [8, 1, 1]))
    channels = shape[3] * multiplier
    out = [1, *(out_size(shape[1 + a], kernel[a], stride[a], dilation[a], padding) for a in (0, 1)), channels]
    if prod(out) > MAX_ELEMENTS:
        return None
    weights = net.weights((1, *kernel, channels))
    scales = net.weight_scales(channels, bool(net.rng.random() < 0.85))
    in_scale, _ = net.builder.quantisation(net.current)
    activation = net.activation()
    result, activation = net.accumulating_output(out, in_scale, scales, weights, 3, activation)
    tensor = net.builder.tensor(weights.shape, np.int8, scales, [0] * len(scales), 3, weights)
    bias = _bias(net, channels, in_scale, scales, 300)
    net.builder.operator(
        "DEPTHWISE_CONV_2D",
        [net.current, tensor, *bias],
        [result],
        "DepthwiseConv2DOptions",
        depthMultiplier=multiplier,
        **conv_options(stride, dilation, padding, activation),
    )
    return result


def transpose_conv(net: Draws) -> int | None:
    """TRANSPOSE_CONV."""
    shape = net.image()
    if shape is None:
        return None
    kernel, stride = [1, 1], [1, 1]
    for axis in (0, 1):
        if shape[1 + axis] > 1:
            kernel[axis], stride[axis] = int(net.rng.integers(1, 6)), int(net.rng.integers(1, 4))
    channels = int(net.choice([1, 2, 3, 4, 8]))
    padding = VALID if net.rng.random() < 0.4 else SAME
    size = []
    for axis in (0, 1):
        rest = kernel[axis] - stride[axis]
        size.append(shape[1 + axis] * stride[axis] + (max(rest, 0) if padding == VALID else 0))
    out = [1, *size, channels]
    if prod(out) > MAX_ELEMENTS or prod(out) * prod(kernel) * shape[3] > MAX_MACS:
        return None
    weights = net.weights((channels, *kernel, shape[3]))
    scales = net.weight_scales(channels, bool(net.rng.random() < 0.85))
    in_scale, _ = net.builder.quantisation(net.current)
    activation = net.activation()
    result, activation = net.accumulating_output(out, in_scale, scales, weights, 0, activation)
    tensor = net.builder.tensor(weights.shape, np.int8, scales, [0] * len(scales), 0, weights)
    bias = _bias(net, channels, in_scale, scales, 500)
    options = conv_options((stride[0], stride[1]), (1, 1), padding, activation)
    del options["dilationHFactor"], options["dilationWFactor"]
    net.builder.operator(
        "TRANSPOSE_CONV",
        [net.builder.int32(out), tensor, net.current, *bias],
        [result],
        "TransposeConvOptions",
        **options,
    )
    return result


def fully_connected(net: Draws) -> int | None:
    """FULLY_CONNECTED."""
    shape = net.builder.shape(net.current)
    units = int(net.choice([1, 2, 3, 4, 8, 16]))
    depth = shape[-1]
    rows = prod(shape) // depth
    if rows * units * depth > MAX_MACS or rows * units > MAX_ELEMENTS:
        return None
    weights = net.weights((units, depth))
    scales = net.weight_scales(units, bool(net.rng.random() < 0.4))
    in_scale, _ = net.builder.quantisation(net.current)
    keep = bool(net.rng.random() < 0.5)
    out = [*shape[:-1], units] if keep else [rows, units]
    result, activation = net.accumulating_output(out, in_scale, scales, weights, 0, net.activation())
    tensor = net.builder.tensor(weights.shape, np.int8, scales, [0] * len(scales), 0, weights)
    bias = _bias(net, units, in_scale, scales, 500)
    net.builder.operator(
        "FULLY_CONNECTED",
        [net.current, tensor, *bias],
        [result],
        "FullyConnectedOptions",
        fusedActivationFunction=conv_options((1, 1), (1, 1), SAME, activation)["fusedActivationFunction"],
        keepNumDims=keep,
        weightsFormat=0,
    )
    return result


def pool(net: Draws) -> int | None:
    """AVERAGE_POOL_2D or MAX_POOL_2D."""
    shape = net.image()
    if shape is None:
        return None
    kernel, stride, dilation, _ = _sliding(net, shape)
    fits = all(kernel[a] <= shape[1 + a] for a in (0, 1))
    return pool_with(net, shape, (kernel, stride, dilation, VALID if fits and net.rng.random() < 0.4 else SAME))


def pool_with(net: Draws, shape: list[int], geometry: Geometry) -> int | None:
    """AVERAGE_POOL_2D or MAX_POOL_2D of the current tensor with this window, whatever its dilation."""
    kernel, stride, _, padding = geometry
    out = [1, *(out_size(shape[1 + a], kernel[a], stride[a], 1, padding) for a in (0, 1)), shape[3]]
    result = net.like(net.current, out)
    options = conv_options(stride, (1, 1), padding, str(net.choice(["NONE", "RELU"], [3, 1])))
    del options["dilationHFactor"], options["dilationWFactor"]
    name = str(net.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
    net.builder.operator(
        name, [net.current], [result], "Pool2DOptions", filterHeight=kernel[0], filterWidth=kernel[1], **options
    )
    return result
