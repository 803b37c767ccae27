"""Kernels of layers that treat every element alike, and of those that reduce."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ecgseg.codegen.kernels.kernel import INT32, Kernel, Operand, operands_of, refuse, scale_fields
from ecgseg.graph.layers import AddRule, Binary, ExtremeRule, Mean, MulRule, Softmax, Table

# ECGSEG_GAIN_SHIFT, and the bits that the difference of two int8 leaves in an int16.
_GAIN_SHIFT = 12
_MOST_ROOM = 7


def table(layer: Table) -> Kernel:
    """Any function of one int8 value: ecgseg_table."""
    return Kernel(
        layer,
        "table",
        operands_of(layer),
        {"count": layer.output_size},
        {"table": layer.table},
        overwrites=layer.inputs,
    )


def merge_axes(shape: Sequence[int], strides: tuple[Sequence[int], Sequence[int]]) -> list[tuple[int, int, int]]:
    """Axes (size, stride of a, stride of b) without those of size 1, neighbours joined where both operands allow."""
    axes: list[tuple[int, int, int]] = []
    for size, a, b in zip(shape, *strides, strict=True):
        if size == 1:
            continue
        if axes and axes[-1][1] == a * size and axes[-1][2] == b * size:
            axes[-1] = (axes[-1][0] * size, a, b)
        else:
            axes.append((size, a, b))
    return axes


def _kind(rule: AddRule | MulRule) -> str:
    if isinstance(rule, MulRule):
        return "ECGSEG_MUL"
    return "ECGSEG_SUB" if rule.subtract else "ECGSEG_ADD"


def _arithmetic(layer: Binary) -> dict[str, Any]:
    rule = layer.rule
    if isinstance(rule, ExtremeRule):
        return {"kind": "ECGSEG_MAXIMUM" if rule.maximum else "ECGSEG_MINIMUM"}
    # |sum| on the common grid stays below 2^28, a product below 2^16; a shift to the left must stay inside 32 bits.
    reach = 1 << 28 if isinstance(rule, AddRule) else 1 << 16
    if reach << max(rule.output.shift, 0) >= INT32:
        raise refuse(layer, "Its output scale is far too small for its inputs", "scales of the same order of magnitude")
    values: dict[str, Any] = {
        "kind": _kind(rule),
        "zero_point_a": rule.zero_points[0],
        "zero_point_b": rule.zero_points[1],
        "scale_out": scale_fields(rule.output),
        "small": int(rule.output.shift <= 0),
        "output_zero_point": rule.out_zero_point,
        "activation_min": rule.low,
        "activation_max": rule.high,
    }
    if isinstance(rule, AddRule):
        values |= {"scale_a": scale_fields(rule.multipliers[0]), "scale_b": scale_fields(rule.multipliers[1])}
    return values


def _gain_shift(layer: Binary, values: dict[str, Any]) -> int:
    """s of the form for a gain per channel, 0 where that is no such product or not exact; see ecgseg_elementwise.h."""
    rule = layer.rule
    if isinstance(rule, AddRule | ExtremeRule) or not values["across"]:
        return 0
    shape, channels = values["shape"], values["shape"][3]
    gains = values["stride_b"] == [0, 0, 0, 1] and values["stride_a"][2:] == [channels, 1]
    shift = _GAIN_SHIFT + 1 + rule.output.shift
    full = (rule.out_zero_point, rule.low, rule.high) == (-128, -128, 127)
    return shift if gains and full and shape[:2] == [1, 1] and channels % 4 == 0 and 2 <= shift <= _MOST_ROOM else 0


def binary(layer: Binary) -> Kernel:
    """Two operands with broadcasting: ecgseg_binary."""
    axes = merge_axes(layer.shape, (layer.strides(0), layer.strides(1)))
    if len(axes) > 4:
        raise refuse(layer, f"Broadcasting over {len(axes)} separate axes", "at most 4 axes")
    axes = [(1, 0, 0)] * (4 - len(axes)) + axes
    operands = list(operands_of(layer))
    loose = {}
    if layer.constant is not None:
        operands.insert(layer.constant[0], Operand(None, "constant"))
        loose["constant"] = layer.constant[1].reshape(-1)
    values = {
        "shape": [axis[0] for axis in axes],
        "stride_a": [axis[1] for axis in axes],
        "stride_b": [axis[2] for axis in axes],
        "across": int(axes[2][0] > 1 and 0 in axes[2][1:]),
        **_arithmetic(layer),
    }
    values["gain_shift"] = _gain_shift(layer, values)
    return Kernel(
        layer, "binary", tuple(operands), values, loose=loose, overwrites=_overwritable(layer, tuple(operands))
    )


def _overwritable(layer: Binary, operands: tuple[Operand, ...]) -> tuple[int, ...]:
    """Operands of the output's size, but for one that is broadcast too: the other operand may be the same tensor."""
    whole: list[int] = []
    spread: list[int] = []
    for operand, shape in zip(operands, layer.shapes, strict=True):
        if operand.tensor is not None:
            (whole if prod(shape) == layer.output_size else spread).append(operand.tensor)
    return tuple(tensor for tensor in whole if tensor not in spread)


def mean(layer: Mean) -> Kernel:
    """Average over one axis of three: ecgseg_mean."""
    return Kernel(
        layer,
        "mean",
        operands_of(layer),
        {
            "outer": layer.outer,
            "count": layer.count,
            "inner": layer.inner,
            "input_zero_point": layer.in_zero_point,
            "output_zero_point": layer.rescale.zero_point,
            "scale": scale_fields(layer.rescale.multipliers[0]),
        },
    )


def softmax(layer: Softmax) -> Kernel:
    """SOFTMAX over rows: ecgseg_softmax."""
    exponentials = np.array(layer.exponentials, np.int32)
    values = {"rows": layer.rows, "depth": layer.depth, "entries": len(exponentials)}
    return Kernel(layer, "softmax", operands_of(layer), values, {"exponentials": exponentials})
