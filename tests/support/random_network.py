"""Random int8 networks over the whole operator list, for comparing implementations with one another.

A network is drawn from a seed. Scales follow the size that values can be expected to have, so that most outputs are
neither constant nor all clamped; a part of them is drawn at the edges on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt

import numpy as np
import numpy.typing as npt

from support.tflite_builder import SAME, VALID, Builder, conv_options

MAX_ELEMENTS = 6000
MAX_MACS = 400_000


class RandomNetwork:
    """Draws a network.

    Args:
        seed: everything follows from it.
        operators: number of operators drawn, at most.
        names: operators to draw from; all of them when None.
    """

    def __init__(self, seed: int, operators: int = 6, names: Sequence[str] | None = None) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()
        self.pool: list[int] = []
        self.float_ends = self.rng.random() < 0.15
        self.input = self._input()
        self.current = self.input
        kinds = list(names) if names is not None else list(_KINDS)
        for _ in range(int(self.rng.integers(1, operators + 1))):
            self.pool.append(self.current)
            self._step(kinds)
        if self.current == self.input:
            self.current = _requantise(self)
        self.content = self._finish()

    def _step(self, kinds: list[str]) -> None:
        for _ in range(20):
            result = _KINDS[str(self.rng.choice(kinds))](self)
            if result is not None:
                self.current = result
                return

    def _input(self) -> int:
        size = self.choice([1, 2, 3, 5, 17, 31, 50, 125, 250], [1, 1, 1, 2, 4, 4, 4, 2, 2])
        channels = self.choice([1, 2, 3, 4, 5, 8, 12, 16], [5, 1, 2, 3, 1, 3, 1, 3])
        kind = self.choice(["row", "flat", "column", "image"], [5, 3, 2, 2])
        if kind == "image":
            shape = [1, int(self.rng.integers(1, 9)), int(self.rng.integers(1, 12)), channels]
        else:
            shape = {"row": [1, 1, size, channels], "flat": [1, size, channels], "column": [1, size, 1, channels]}[kind]
        index = self.new(shape, self.scale(), self.zero_point())
        if kind == "flat":
            self._flat = index
        return index

    def _finish(self) -> bytes:
        builder = self.builder
        inputs, outputs = [self.input], [self.current]
        if self.float_ends:
            source = builder.tensor(builder.shape(self.input), np.float32)
            result = builder.tensor(builder.shape(self.current), np.float32)
            builder.operator("QUANTIZE", [source], [self.input], "QuantizeOptions")
            operators = builder.graph.operators
            operators.insert(0, operators.pop())
            builder.operator("DEQUANTIZE", [self.current], [result], "DequantizeOptions")
            inputs, outputs = [source], [result]
        return builder.finish(inputs, outputs)

    # Draws -----------------------------------------------------------------------------------------------------------

    def choice(self, values: Sequence[object], weights: Sequence[float] | None = None) -> object:
        """One of the values."""
        p = None if weights is None else np.array(weights, float) / sum(weights)
        return values[int(self.rng.choice(len(values), p=p))]

    def scale(self) -> float:
        """Scale of an activation."""
        return float(np.float32(np.exp(self.rng.normal(-3.5, 0.8))))

    def zero_point(self) -> int:
        """Zero point, often at an edge."""
        return int(self.choice([-128, 127, 0, int(self.rng.integers(-128, 128))], [4, 1, 2, 5]))

    def new(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        """New activation."""
        return self.builder.int8(shape, scale, zero_point)

    def like(self, index: int, shape: Sequence[int]) -> int:
        """New activation quantised like another."""
        scale, zero_point = self.builder.quantisation(index)
        return self.builder.int8(shape, scale, zero_point)

    def image(self) -> list[int] | None:
        """Shape of the current tensor if it is [1, h, w, c]; else it is reshaped on the way half of the time."""
        shape = self.builder.shape(self.current)
        if len(shape) == 4:
            return shape
        if len(shape) == 3:
            self.current = _reshape_to(self, [1, 1, *shape[1:]])
            return self.builder.shape(self.current)
        return None

    def weights(self, shape: Sequence[int]) -> npt.NDArray[np.int8]:
        """int8 weights; now and then all at the edges."""
        kind = self.choice(["normal", "uniform", "edge", "sparse"], [6, 2, 1, 1])
        if kind == "normal":
            values = self.rng.normal(0, 40, shape)
        elif kind == "uniform":
            values = self.rng.integers(-127, 128, shape).astype(float)
        elif kind == "edge":
            values = self.rng.choice([-127.0, 127.0, -128.0], shape)
        else:
            values = self.rng.normal(0, 60, shape) * (self.rng.random(shape) < 0.2)
        return np.clip(np.rint(values), -128, 127).astype(np.int8)

    def weight_scales(self, channels: int, per_channel: bool) -> npt.NDArray[np.float32]:
        """One scale or one per channel."""
        base = np.exp(self.rng.normal(-4.5, 0.5))
        spread = np.exp(self.rng.normal(0, self.choice([0.1, 0.5, 1.5]), channels if per_channel else 1))
        return (base * spread).astype(np.float32)

    def activation(self) -> str:
        """Fused activation."""
        return str(self.choice(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"], [4, 5, 2, 1]))

    def accumulating_output(
        self,
        shape: Sequence[int],
        in_scale: float,
        scales: npt.NDArray[np.float32],
        weights: npt.NDArray[np.int8],
        axis: int,
        activation: str,
    ) -> tuple[int, str]:
        """Output tensor of a layer that sums products, and the activation that fits it."""
        energy = np.sqrt((weights.astype(float) ** 2).sum(axis=tuple(i for i in range(weights.ndim) if i != axis)))
        spread = float(np.median(energy * in_scale * scales) * 60) or in_scale
        scale = float(np.float32(spread / self.choice([30, 60, 120, 10], [3, 3, 1, 1])))
        zero_point = -128 if activation != "NONE" and self.rng.random() < 0.7 else self.zero_point()
        if activation == "RELU_N1_TO_1":
            scale = max(scale, 1 / 100)
            zero_point = int(np.clip(zero_point, -100, 100))
        return self.new(shape, scale, zero_point), activation


def _sliding(net: RandomNetwork, shape: list[int]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], int]:
    """(kernel, stride, dilation, padding)."""
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


def _temporal(net: RandomNetwork, shape: list[int]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], int]:
    """A window along the one axis that is longer than 1, with stride 1; otherwise as `_sliding`."""
    taps, dilation = int(net.rng.integers(2, 9)), int(net.choice([1, 2, 3, 4, 8, 16]))
    fits = (taps - 1) * dilation + 1 <= max(shape[1:3])
    padding = VALID if fits and net.rng.random() < 0.3 else SAME
    if shape[1] == 1:
        return (1, taps), (1, 1), (1, dilation), padding
    return (taps, 1), (1, 1), (dilation, 1), padding


def _out_size(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    return -(-size // stride) if padding == SAME else (size - (kernel - 1) * dilation - 1) // stride + 1


def _bias(
    net: RandomNetwork, channels: int, in_scale: float, scales: npt.NDArray[np.float32], spread: float
) -> list[int]:
    if net.rng.random() < 0.15:
        return []
    values = np.rint(net.rng.normal(0, spread, channels)).astype(np.int32)
    bias_scales = np.broadcast_to(scales, (len(scales),)).astype(float) * in_scale
    return [net.builder.tensor([channels], np.int32, bias_scales, [0] * len(scales), 0, values)]


def _conv(net: RandomNetwork) -> int | None:
    shape = net.image()
    if shape is None:
        return None
    # Half of them are what a TCN is made of: along time, stride 1, dilated, rectified onto the whole int8 range.
    temporal = max(shape[1:3]) > 1 and min(shape[1:3]) == 1 and net.rng.random() < 0.5
    kernel, stride, dilation, padding = _temporal(net, shape) if temporal else _sliding(net, shape)
    channels = int(net.choice([1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 24], [1, 2, 2, 4, 1, 1, 4, 1, 2, 4, 1]))
    depth = shape[3]
    if depth % 2 == 0 and channels % 2 == 0 and net.rng.random() < 0.05:
        depth //= 2
    out = [1, *(_out_size(shape[1 + a], kernel[a], stride[a], dilation[a], padding) for a in (0, 1)), channels]
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


def _depthwise(net: RandomNetwork) -> int | None:
    shape = net.image()
    if shape is None:
        return None
    kernel, stride, dilation, padding = _sliding(net, shape)
    multiplier = int(net.choice([1, 2, 3], [8, 1, 1]))
    channels = shape[3] * multiplier
    out = [1, *(_out_size(shape[1 + a], kernel[a], stride[a], dilation[a], padding) for a in (0, 1)), channels]
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


def _transpose_conv(net: RandomNetwork) -> int | None:
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


def _fully_connected(net: RandomNetwork) -> int | None:
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


def _partner(net: RandomNetwork, shape: list[int]) -> int | None:
    """A second operand: an earlier tensor that broadcasts, or a constant."""
    candidates = [index for index in net.pool if _broadcasts(net.builder.shape(index), shape)]
    if candidates and net.rng.random() < 0.75:
        return int(net.choice(candidates))
    kind = net.choice(["scalar", "channel", "whole"], [4, 3, 1])
    constant = {"scalar": [1] if net.rng.random() < 0.5 else [], "channel": shape[-1:], "whole": shape}[str(kind)]
    data = net.rng.integers(-128, 128, constant).astype(np.int8)
    return net.builder.int8(constant, net.scale(), net.zero_point(), np.asarray(data))


def _broadcasts(small: list[int], shape: list[int]) -> bool:
    return len(small) == len(shape) and all(a in (1, b) for a, b in zip(small, shape, strict=True))


def _operands(net: RandomNetwork, other: int) -> list[int]:
    return [net.current, other] if net.rng.random() < 0.7 else [other, net.current]


def _add(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    other = _partner(net, shape)
    if other is None:
        return None
    first, second = net.builder.quantisation(net.current)[0], net.builder.quantisation(other)[0]
    scale = float(np.float32(sqrt(first**2 + second**2) * np.exp(net.rng.normal(0.2, 0.4))))
    result = net.new(shape, scale, net.zero_point())
    activation = conv_options((1, 1), (1, 1), SAME, str(net.choice(["NONE", "RELU", "RELU6"], [6, 3, 1])))
    net.builder.operator(
        "ADD",
        _operands(net, other),
        [result],
        "AddOptions",
        fusedActivationFunction=activation["fusedActivationFunction"],
        potScaleInt16=True,
    )
    return result


def _mul(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    other = _partner(net, shape)
    if other is None:
        return None
    first, second = net.builder.quantisation(net.current)[0], net.builder.quantisation(other)[0]
    scale = float(np.float32(first * second * 80 * np.exp(net.rng.normal(0, 0.6))))
    result = net.new(shape, scale, net.zero_point())
    activation = conv_options((1, 1), (1, 1), SAME, str(net.choice(["NONE", "RELU", "RELU6"], [6, 3, 1])))
    net.builder.operator(
        "MUL",
        _operands(net, other),
        [result],
        "MulOptions",
        fusedActivationFunction=activation["fusedActivationFunction"],
    )
    return result


def _extreme(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    scale, zero_point = net.builder.quantisation(net.current)
    kind = net.choice(["scalar", "channel", "whole"], [4, 2, 1])
    constant = {"scalar": [1], "channel": shape[-1:], "whole": shape}[str(kind)]
    other = net.builder.int8(constant, scale, zero_point, net.rng.integers(-128, 128, constant).astype(np.int8))
    result = net.like(net.current, shape)
    net.builder.operator(
        str(net.choice(["MINIMUM", "MAXIMUM"])), [net.current, other], [result], "MaximumMinimumOptions"
    )
    return result


def _mean(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    if len(shape) < 2:
        return None
    axes = [(1, 2), (2,), (1,), (3,)][int(net.rng.integers(0, 4))] if len(shape) == 4 else (1,)
    keep = bool(net.rng.random() < 0.7)
    out = [1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes]
    scale, _ = net.builder.quantisation(net.current)
    result = net.new(out, float(np.float32(scale * np.exp(net.rng.normal(-0.7, 0.5)))), net.zero_point())
    stored = [axis - len(shape) for axis in axes] if net.rng.random() < 0.3 else axes
    net.builder.operator("MEAN", [net.current, net.builder.int32(stored)], [result], "ReducerOptions", keepDims=keep)
    return result


def _relu(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    scale, zero_point = net.builder.quantisation(net.current)
    if net.rng.random() < 0.5 and zero_point > -120 and round(6 / scale) + zero_point < 127:
        result = net.like(net.current, shape)
        net.builder.operator("RELU6", [net.current], [result])
        return result
    result = net.new(shape, float(np.float32(scale * np.exp(net.rng.normal(-0.3, 0.4)))), net.zero_point())
    net.builder.operator("RELU", [net.current], [result])
    return result


def _logistic(net: RandomNetwork) -> int:
    result = net.new(net.builder.shape(net.current), 1 / 256, -128)
    net.builder.operator("LOGISTIC", [net.current], [result])
    return result


def _softmax(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    if not shape:
        return None
    result = net.new(shape, 1 / 256, -128)
    net.builder.operator("SOFTMAX", [net.current], [result], "SoftmaxOptions", beta=1.0)
    return result


def _reshape_to(net: RandomNetwork, shape: list[int]) -> int:
    result = net.like(net.current, shape)
    net.builder.operator("RESHAPE", [net.current, net.builder.int32(shape)], [result], "ReshapeOptions", newShape=shape)
    return result


def _reshape(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    total = prod(shape)
    divisors = [size for size in range(1, min(total, 32) + 1) if total % size == 0]
    channels = int(net.choice(divisors))
    rest = total // channels
    form = net.choice([[1, 1, rest, channels], [1, rest, 1, channels], [1, rest, channels]], [3, 1, 2])
    return _reshape_to(net, list(form))


def _pad(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    if len(shape) > 4:
        return None
    amounts = np.zeros((len(shape), 2), np.int32)
    for axis in range(1, len(shape)):
        if net.rng.random() < 0.5:
            amounts[axis] = net.rng.integers(0, 3, 2)
    out = [int(size + pair.sum()) for size, pair in zip(shape, amounts, strict=True)]
    if prod(out) > MAX_ELEMENTS:
        return None
    result = net.like(net.current, out)
    paddings = net.builder.tensor(amounts.shape, np.int32, data=amounts)
    if net.rng.random() < 0.3:
        scale, zero_point = net.builder.quantisation(net.current)
        value = net.builder.int8([1], scale, zero_point, net.rng.integers(-128, 128, [1]).astype(np.int8))
        net.builder.operator("PADV2", [net.current, paddings, value], [result], "PadV2Options")
    else:
        net.builder.operator("PAD", [net.current, paddings], [result], "PadOptions")
    return result


def _concatenation(net: RandomNetwork) -> int | None:
    shape = net.builder.shape(net.current)
    axis = int(net.rng.integers(max(1, len(shape) - 2), len(shape)))
    quantisation = net.builder.quantisation(net.current)
    operands = [net.current]
    for index in net.pool:
        other = net.builder.shape(index)
        alike = len(other) == len(shape) and all(
            a == b for i, (a, b) in enumerate(zip(other, shape, strict=True)) if i != axis
        )
        if alike and net.builder.quantisation(index) == quantisation and len(operands) < 4:
            operands.append(index)
    if len(operands) == 1:
        data = net.rng.integers(-128, 128, shape).astype(np.int8)
        operands.append(net.builder.int8(shape, *quantisation, data) if net.rng.random() < 0.3 else net.current)
    order = [operands[i] for i in net.rng.permutation(len(operands))]
    out = list(shape)
    out[axis] = sum(net.builder.shape(index)[axis] for index in order)
    if prod(out) > MAX_ELEMENTS:
        return None
    result = net.like(net.current, out)
    stored = axis - len(shape) if net.rng.random() < 0.3 else axis
    net.builder.operator(
        "CONCATENATION", order, [result], "ConcatenationOptions", axis=stored, fusedActivationFunction=0
    )
    return result


def _pool(net: RandomNetwork) -> int | None:
    shape = net.image()
    if shape is None:
        return None
    kernel, stride, _, _ = _sliding(net, shape)
    fits = all(kernel[a] <= shape[1 + a] for a in (0, 1))
    padding = VALID if fits and net.rng.random() < 0.4 else SAME
    out = [1, *(_out_size(shape[1 + a], kernel[a], stride[a], 1, padding) for a in (0, 1)), shape[3]]
    result = net.like(net.current, out)
    options = conv_options(stride, (1, 1), padding, str(net.choice(["NONE", "RELU"], [3, 1])))
    del options["dilationHFactor"], options["dilationWFactor"]
    name = str(net.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
    net.builder.operator(
        name, [net.current], [result], "Pool2DOptions", filterHeight=kernel[0], filterWidth=kernel[1], **options
    )
    return result


def _resize(net: RandomNetwork) -> int | None:
    shape = net.image()
    if shape is None:
        return None
    size = [shape[1] * int(net.rng.integers(1, 3)), max(1, int(shape[2] * net.rng.choice([0.5, 1, 2, 3, 1.7])))]
    out = [1, *size, shape[3]]
    if prod(out) > MAX_ELEMENTS:
        return None
    align, half = [(False, False), (True, False), (False, True)][int(net.rng.integers(0, 3))]
    result = net.like(net.current, out)
    net.builder.operator(
        "RESIZE_NEAREST_NEIGHBOR",
        [net.current, net.builder.int32(size)],
        [result],
        "ResizeNearestNeighborOptions",
        alignCorners=align,
        halfPixelCenters=half,
    )
    return result


def _requantise(net: RandomNetwork) -> int:
    scale, _ = net.builder.quantisation(net.current)
    result = net.new(
        net.builder.shape(net.current), float(np.float32(scale * np.exp(net.rng.normal(0, 0.5)))), net.zero_point()
    )
    net.builder.operator("QUANTIZE", [net.current], [result], "QuantizeOptions")
    return result


_KINDS: dict[str, Callable[[RandomNetwork], int | None]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _add,
    "MUL": _mul,
    "EXTREME": _extreme,
    "MEAN": _mean,
    "RELU": _relu,
    "LOGISTIC": _logistic,
    "SOFTMAX": _softmax,
    "RESHAPE": _reshape,
    "PAD": _pad,
    "CONCATENATION": _concatenation,
    "POOL": _pool,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "QUANTIZE": _requantise,
}
KINDS = tuple(_KINDS)


def random_inputs(rng: np.random.Generator, size: int, count: int) -> npt.NDArray[np.int8]:
    """int8 [count, size]: uniform noise, narrow noise, and now and then only edges."""
    uniform = rng.integers(-128, 128, (count, size))
    narrow = np.clip(rng.normal(0, 25, (count, size)), -128, 127)
    edges = rng.choice([-128, 127], (count, size))
    kind = rng.random((count, 1))
    return np.where(kind < 0.5, uniform, np.where(kind < 0.85, narrow, edges)).astype(np.int8)
