"""Operators that treat every element alike, or reduce along axes: two operands, softmax, mean, largest."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import numpy.typing as npt

from ecgseg.graph.fixed_point import (
    INT32_MAX,
    Multiplier,
    doubling_high_multiply,
    exp_on_negative_values,
    input_radius,
    wrap,
)
from ecgseg.graph.ir import Tensor
from ecgseg.graph.layers import (
    AddRule,
    Binary,
    ExtremeRule,
    Int8Array,
    Layer,
    Mean,
    MulRule,
    Pool,
    Rescale,
    Softmax,
    Window,
)
from ecgseg.graph.lower.context import Context, check_softmax
from ecgseg.graph.lower.functions import ALL_INT8, check_small, clip, table
from ecgseg.graph.refusals import unsupported


def softmax(context: Context) -> Softmax:
    """SOFTMAX over the last axis."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    context.expect_shape(output, source.shape)
    if output.zero_point != -128 or output.scale != np.float32(1 / 256) or not source.shape:
        raise unsupported(
            context.operator,
            f"Output scale {float(output.scale)}, zero point {output.zero_point}",
            "output scale 1/256 and zero point -128",
        )
    check_softmax(context.operator, source)
    depth = source.shape[-1]
    factor = min(float(np.float32(context.option("beta"))) * float(source.scale) * (1 << 26), float(INT32_MAX))
    if not factor > 1.0:
        raise unsupported(context.operator, f"Input scale {float(source.scale)}", "beta * scale above 1.5e-8")
    multiplier = Multiplier.of(factor)
    differences = np.arange(min(input_radius(5, multiplier.shift), 255) + 1, dtype=np.int64)
    scaled = doubling_high_multiply(wrap(-differences << multiplier.shift), multiplier.mantissa)
    exponentials = tuple(int(value) for value in exp_on_negative_values(scaled, 5))
    return Softmax(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        rows=source.size // depth,
        depth=depth,
        exponentials=exponentials,
    )


def mean(context: Context) -> Layer:
    """MEAN over axes that are neighbours once axes of size 1 are left out."""
    context.arity((2,))
    source, output = context.activation(), context.output()
    outer, count, inner = _reduced(context, source, output)
    multiplier = _mean_multiplier(source, output, count)
    check_small(context, multiplier)
    if count * 256 << max(multiplier.shift, 0) >= 1 << 31:
        raise unsupported(context.operator, f"{count} elements to average", "sums that stay inside 32 bits")
    return Mean(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        outer=outer,
        count=count,
        inner=inner,
        in_zero_point=source.zero_point,
        rescale=Rescale((multiplier,), output.zero_point, -128, 127),
    )


def largest(context: Context) -> Pool:
    """REDUCE_MAX over axes that are neighbours once axes of size 1 are left out: a pool whose window is all of them."""
    context.arity((2,))
    source, output = context.activation(), context.output()
    context.same_quantisation(source, output)
    outer, count, inner = _reduced(context, source, output)
    return Pool(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        window=Window((outer, count), (1, count), (1, 1), (1, 1), (0, 0), (outer, 1)),
        channels=inner,
        average=False,
        low=-128,
        high=127,
    )


def _reduced(context: Context, source: Tensor, output: Tensor) -> tuple[int, int, int]:
    """The input seen as [outer, count, inner], of which count is reduced to one."""
    rank = len(source.shape)
    axes = {int(axis) + (rank if axis < 0 else 0) for axis in context.constant(1, ("int32",), "axes").reshape(-1)}
    if not axes <= set(range(rank)):
        raise unsupported(context.operator, f"Axes {sorted(axes)} of {rank}", "axes of the input")
    keep = context.option("keep_dims")
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(source.shape) if keep or axis not in axes)
    context.expect_shape(output, kept)
    return _split_axes(context, source, axes)


def _split_axes(context: Context, source: Tensor, axes: set[int]) -> tuple[int, int, int]:
    shape = source.shape
    reduced = [axis for axis in sorted(axes) if shape[axis] > 1]
    if not reduced:
        return source.size, 1, 1
    first, last = reduced[0], reduced[-1]
    if any(axis not in axes and shape[axis] > 1 for axis in range(first, last)):
        raise unsupported(context.operator, f"Axes {sorted(axes)} of {list(shape)}", "neighbouring axes")
    return prod(shape[:first]), prod(shape[first : last + 1]), prod(shape[last + 1 :])


def _mean_multiplier(source: Tensor, output: Tensor, count: int) -> Multiplier:
    """Scale ratio divided by the number of elements, in integers as TensorFlow Lite does it."""
    base = Multiplier.of(float(source.scale) / float(output.scale))
    shift = min(count.bit_length() - 1, 32, 31 + base.shift)
    return Multiplier((base.mantissa << shift) // count, base.shift - shift)


def binary(context: Context) -> Layer:
    """ADD, SUB, MUL, MINIMUM, MAXIMUM; with a constant scalar it becomes a table."""
    context.arity((2,))
    output = context.output()
    operands = [context.quantised(context.tensor(position), f"input {position}") for position in (0, 1)]
    constants = [position for position in (0, 1) if operands[position].data is not None]
    if len(constants) == 2:
        raise unsupported(context.operator, "Both inputs are constants", "at least one input computed at run time")
    rule = _RULES[context.operator.name](context, operands[0], operands[1], output)
    shapes = _broadcast(context, operands, output)
    constant = None
    if constants:
        position = constants[0]
        if operands[position].size == 1:
            return table(context, _constant_table(rule, operands[position], position), 1 - position)
        constant = (position, np.asarray(operands[position].data, np.int8).reshape(-1))
    return Binary(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=tuple(operand.index for operand in operands if operand.data is None),
        output=output.index,
        output_size=output.size,
        rule=rule,
        shape=output.shape,
        shapes=shapes,
        constant=constant,
    )


def _broadcast(context: Context, operands: list[Tensor], output: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of both operands, with leading ones to the output's rank; refuses what NumPy would not broadcast."""
    rank = len(output.shape)
    if any(len(operand.shape) > rank for operand in operands):
        raise unsupported(context.operator, "An operand has more axes than the output", "NumPy's broadcasting")
    first, second = ((1,) * (rank - len(operand.shape)) + operand.shape for operand in operands)
    pairs = list(zip(first, second, strict=True))
    if any(1 not in pair and pair[0] != pair[1] for pair in pairs):
        raise unsupported(context.operator, f"Shapes {first} and {second}", "NumPy's broadcasting")
    context.expect_shape(output, tuple(max(pair) for pair in pairs))
    return first, second


def _constant_table(rule: AddRule | MulRule | ExtremeRule, constant: Tensor, position: int) -> Int8Array:
    assert constant.data is not None
    fixed = np.full(256, int(constant.data.reshape(-1)[0]), np.int64)
    operands = (fixed, ALL_INT8) if position == 0 else (ALL_INT8, fixed)
    return apply_rule(rule, *operands)


def apply_rule(
    rule: AddRule | MulRule | ExtremeRule, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> Int8Array:
    """The arithmetic of ADD, SUB, MUL, MINIMUM or MAXIMUM on int8 values held in int64."""
    if isinstance(rule, ExtremeRule):
        return clip(np.maximum(first, second) if rule.maximum else np.minimum(first, second))
    x, y = first - rule.zero_points[0], second - rule.zero_points[1]
    if isinstance(rule, MulRule):
        return clip(rule.output.apply(x * y) + rule.out_zero_point, rule.low, rule.high)
    other = rule.multipliers[1].apply(y << 20)
    total = rule.multipliers[0].apply(x << 20) + (-other if rule.subtract else other)
    return clip(rule.output.apply(total) + rule.out_zero_point, rule.low, rule.high)


def _add_rule(context: Context, first: Tensor, second: Tensor, output: Tensor) -> AddRule:
    twice = 2 * max(float(first.scale), float(second.scale))
    multipliers = (Multiplier.of(float(first.scale) / twice), Multiplier.of(float(second.scale) / twice))
    factor = twice / ((1 << 20) * float(output.scale))
    if factor >= 1.0 or multipliers[0].mantissa == 0 or multipliers[1].mantissa == 0:
        raise unsupported(
            context.operator,
            f"Scales {float(first.scale)}, {float(second.scale)} and {float(output.scale)} lie too far apart",
            "scales within a factor of half a million",
        )
    low, high = context.clamp(output)
    points = (first.zero_point, second.zero_point)
    subtract = context.operator.name == "SUB"
    return AddRule(points, multipliers, Multiplier.of(factor), output.zero_point, low, high, subtract)


def _mul_rule(context: Context, first: Tensor, second: Tensor, output: Tensor) -> MulRule:
    multiplier = Multiplier.of(float(first.scale) * float(second.scale) / float(output.scale))
    if multiplier.shift > 14:
        raise unsupported(context.operator, "The output's scale is too fine", "scales of the same order of magnitude")
    low, high = context.clamp(output)
    return MulRule((first.zero_point, second.zero_point), multiplier, output.zero_point, low, high)


def _extreme_rule(context: Context, first: Tensor, second: Tensor, output: Tensor) -> ExtremeRule:
    context.same_quantisation(first, output)
    context.same_quantisation(second, output)
    return ExtremeRule(maximum=context.operator.name == "MAXIMUM")


_Rule = Callable[[Context, Tensor, Tensor, Tensor], AddRule | MulRule | ExtremeRule]
_RULES: dict[str, _Rule] = {
    "ADD": _add_rule,
    "SUB": _add_rule,
    "MUL": _mul_rule,
    "MINIMUM": _extreme_rule,
    "MAXIMUM": _extreme_rule,
}
