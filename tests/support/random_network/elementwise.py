"""Operators that treat every element alike, or average over an axis."""

from __future__ import annotations

from math import sqrt

import numpy as np

from support.random_network.draws import Draws
from support.tflite_builder import SAME, conv_options


def _partner(net: Draws, shape: list[int]) -> int | None:
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


def _operands(net: Draws, other: int) -> list[int]:
    return [net.current, other] if net.rng.random() < 0.7 else [other, net.current]


def add(net: Draws) -> int | None:
    """ADD."""
    return _sum(net, "ADD")


def subtract(net: Draws) -> int | None:
    """SUB."""
    return _sum(net, "SUB")


def _sum(net: Draws, name: str) -> int | None:
    shape = net.builder.shape(net.current)
    other = _partner(net, shape)
    if other is None:
        return None
    first, second = net.builder.quantisation(net.current)[0], net.builder.quantisation(other)[0]
    scale = float(np.float32(sqrt(first**2 + second**2) * np.exp(net.rng.normal(0.2, 0.4))))
    result = net.new(shape, scale, net.zero_point())
    activation = conv_options((1, 1), (1, 1), SAME, str(net.choice(["NONE", "RELU", "RELU6"], [6, 3, 1])))
    net.builder.operator(
        name,
        _operands(net, other),
        [result],
        f"{name.capitalize()}Options",
        fusedActivationFunction=activation["fusedActivationFunction"],
        potScaleInt16=True,
    )
    return result


def mul(net: Draws) -> int | None:
    """MUL."""
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


def extreme(net: Draws) -> int | None:
    """MINIMUM or MAXIMUM with a constant."""
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


def _axes(net: Draws, shape: list[int]) -> tuple[tuple[int, ...], bool, list[int]]:
    """Axes that are reduced, whether they are kept with size 1, and the shape that is left."""
    axes = [(1, 2), (2,), (1,), (3,)][int(net.rng.integers(0, 4))] if len(shape) == 4 else (1,)
    keep = bool(net.rng.random() < 0.7)
    return axes, keep, [1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes]


def _reduce(net: Draws, name: str, result: int, axes: tuple[int, ...], keep: bool) -> int:
    rank = len(net.builder.shape(net.current))
    stored = [axis - rank for axis in axes] if net.rng.random() < 0.3 else axes
    net.builder.operator(name, [net.current, net.builder.int32(stored)], [result], "ReducerOptions", keepDims=keep)
    return result


def mean(net: Draws) -> int | None:
    """MEAN."""
    shape = net.builder.shape(net.current)
    if len(shape) < 2:
        return None
    axes, keep, out = _axes(net, shape)
    scale, _ = net.builder.quantisation(net.current)
    result = net.new(out, float(np.float32(scale * np.exp(net.rng.normal(-0.7, 0.5)))), net.zero_point())
    return _reduce(net, "MEAN", result, axes, keep)


def largest(net: Draws) -> int | None:
    """REDUCE_MAX."""
    shape = net.builder.shape(net.current)
    if len(shape) < 2:
        return None
    axes, keep, out = _axes(net, shape)
    return _reduce(net, "REDUCE_MAX", net.like(net.current, out), axes, keep)


def relu(net: Draws) -> int | None:
    """RELU or RELU6."""
    shape = net.builder.shape(net.current)
    scale, zero_point = net.builder.quantisation(net.current)
    if net.rng.random() < 0.5 and zero_point > -120 and round(6 / scale) + zero_point < 127:
        result = net.like(net.current, shape)
        net.builder.operator("RELU6", [net.current], [result])
        return result
    result = net.new(shape, float(np.float32(scale * np.exp(net.rng.normal(-0.3, 0.4)))), net.zero_point())
    net.builder.operator("RELU", [net.current], [result])
    return result


def logistic(net: Draws) -> int:
    """LOGISTIC."""
    result = net.new(net.builder.shape(net.current), 1 / 256, -128)
    net.builder.operator("LOGISTIC", [net.current], [result])
    return result


def softmax(net: Draws) -> int | None:
    """SOFTMAX."""
    shape = net.builder.shape(net.current)
    if not shape:
        return None
    result = net.new(shape, 1 / 256, -128)
    net.builder.operator("SOFTMAX", [net.current], [result], "SoftmaxOptions", beta=1.0)
    return result


def requantise(net: Draws) -> int:
    """QUANTIZE from int8 to int8."""
    scale, _ = net.builder.quantisation(net.current)
    result = net.new(
        net.builder.shape(net.current), float(np.float32(scale * np.exp(net.rng.normal(0, 0.5)))), net.zero_point()
    )
    net.builder.operator("QUANTIZE", [net.current], [result], "QuantizeOptions")
    return result
