"""Functions of one int8 value, as tables of 256 entries: activations and requantisation."""

from __future__ import annotations

import math
from math import frexp

import numpy as np
import numpy.typing as npt

from ecgseg.graph.fixed_point import (
    INT32_MAX,
    Multiplier,
    doubling_high_multiply,
    doubling_high_multiply_16,
    input_radius,
    logistic_q4,
    round_half_away,
    rounding_shift,
    saturate_16,
    tanh_q4,
    wrap,
)
from ecgseg.graph.ir import Tensor
from ecgseg.graph.layers import Alias, Int8Array, Table
from ecgseg.graph.lower.context import Context, alias_of, quantise_value
from ecgseg.graph.refusals import unsupported

ALL_INT8 = np.arange(-128, 128, dtype=np.int64)
_FAR_APART = "scales of the same order of magnitude"


def clip(values: npt.NDArray[np.int64], low: int = -128, high: int = 127) -> Int8Array:
    """int8 of values that are held in int64."""
    return np.clip(values, low, high).astype(np.int8)


def table(context: Context, values: Int8Array, position: int = 0) -> Table:
    """The layer whose output for q is `values[q + 128]`, over the input at a position."""
    source, output = context.activation(position), context.output()
    if source.size != output.size:
        context.expect_shape(output, source.shape)
    return Table(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        table=values,
    )


def check_small(context: Context, multiplier: Multiplier) -> None:
    """Refuses a factor so large that an int8 under it leaves 32 bits."""
    if multiplier.shift > 20:
        raise unsupported(context.operator, "The output's scale is a million times finer", _FAR_APART)


def relu(context: Context) -> Table:
    """RELU, which may requantise."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    # In double, as the tflite_micro that is the oracle here divides; TensorFlow 2.21 and older TFLM divide in float,
    # which moves a tie by a step for a few pairs of scales.
    multiplier = Multiplier.of(float(source.scale) / float(output.scale))
    check_small(context, multiplier)
    values = multiplier.apply(ALL_INT8 - source.zero_point) + output.zero_point
    return table(context, clip(values, max(-128, output.zero_point)))


def relu6(context: Context) -> Table:
    """RELU6; TensorFlow Lite Micro clamps without requantising, so both sides must be quantised alike."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    context.same_quantisation(source, output)
    six = min(quantise_value(6.0, source), 127)
    return table(context, clip(ALL_INT8, source.zero_point, six))


def leaky_relu(context: Context) -> Table:
    """LEAKY_RELU with a slope of either sign."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    alpha = float(np.float32(context.option("alpha")))
    if not abs(alpha) < 1e6:
        raise unsupported(context.operator, f"Its slope is {alpha}", "slopes below a million")
    # In double, as for RELU.
    above = Multiplier.of(float(source.scale) / float(output.scale))
    below = Multiplier.of(abs(float(source.scale) * alpha / float(output.scale)))
    check_small(context, above)
    check_small(context, below)
    x = ALL_INT8 - source.zero_point
    sign = -1 if alpha < 0 else 1
    values = np.where(x >= 0, above.apply(x), sign * below.apply(x))
    return table(context, clip(values + output.zero_point))


def requantise(context: Context) -> Table | Alias:
    """QUANTIZE from int8 to int8; at uint8 ends it is often nothing but another name."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    if source.size == output.size and (source.scale, source.zero_point) == (output.scale, output.zero_point):
        return alias_of(context, source, output)
    multiplier = Multiplier.of(float(source.scale) / float(output.scale))
    check_small(context, multiplier)
    return table(context, clip(multiplier.apply(ALL_INT8 - source.zero_point) + output.zero_point))


def logistic(context: Context) -> Table:
    """LOGISTIC."""
    source = _saturating(context, 1 / 256, -128)
    inside, scaled = _in_q4(context, source)
    result = clip(rounding_shift(logistic_q4(scaled), 23) - 128)
    return table(context, _outside(source, inside, result))


def tanh(context: Context) -> Table:
    """TANH."""
    source = _saturating(context, 1 / 128, 0)
    inside, scaled = _in_q4(context, source)
    return table(context, _outside(source, inside, clip(rounding_shift(tanh_q4(scaled), 24))))


def _saturating(context: Context, scale: float, zero_point: int) -> Tensor:
    """Input of a function whose output is quantised by what it can reach."""
    context.arity((1,))
    output = context.output()
    if output.zero_point != zero_point or abs(float(output.scale) - scale) > 1e-9:
        raise unsupported(
            context.operator,
            f"Output scale {float(output.scale)}, zero point {output.zero_point}",
            f"output scale 1/{round(1 / scale)} and zero point {zero_point}",
        )
    return context.activation()


def _in_q4(context: Context, source: Tensor) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Every input in Q4.27, where it lies in -15..15, and whether it does."""
    fraction, shift = frexp(float(source.scale) * (1 << 27))
    mantissa = round_half_away(fraction * (1 << 31))
    if not 0 <= shift <= 62 or mantissa > INT32_MAX:
        raise unsupported(context.operator, f"Input scale {float(source.scale)}", "input scales from 4e-9 to 3e10")
    x = ALL_INT8 - source.zero_point
    # From a scale of 8 on nothing lies inside, not even zero.
    inside = np.abs(x) < input_radius(4, shift)
    return inside, doubling_high_multiply(wrap(np.where(inside, x, 0) << min(shift, 31)), mantissa)


def _outside(source: Tensor, inside: npt.NDArray[np.bool_], values: Int8Array) -> Int8Array:
    """The values, saturated where an input is not inside of what they are worked out for."""
    saturated = np.where(ALL_INT8 - source.zero_point > 0, 127, -128)
    return np.where(inside, values, saturated).astype(np.int8)


def hard_swish(context: Context) -> Table:
    """HARD_SWISH, in 16-bit fixed point: x times x moved from -3..3 to 0..1."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    fine = float(source.scale) / 128
    # In double, as for RELU.
    to_output = Multiplier.of(fine / float(output.scale))
    to_slope = Multiplier.of(fine / (3 / 32768))
    held = -15 <= to_output.shift <= 0 and -15 <= to_slope.shift <= 16
    if not held or 0 in (to_output.mantissa, to_slope.mantissa):
        raise unsupported(
            context.operator,
            f"Input scale {float(source.scale)}, output scale {float(output.scale)}",
            "an input scale from 4e-7 to 700, an output scale from 1/128 to 200 times of it",
        )
    x = (ALL_INT8 - source.zero_point) << 7
    scaled = doubling_high_multiply_16(x, _mantissa_16(to_output))
    slope = saturate_16(x << (to_slope.shift - 1)) if to_slope.shift > 0 else x
    slope = doubling_high_multiply_16(slope, _mantissa_16(to_slope))
    slope = saturate_16(slope << 1) if to_slope.shift > 0 else rounding_shift(slope, -to_slope.shift)
    slope = (slope + (1 << 15)) >> 1
    # C's division: towards zero.
    product = slope * scaled
    product = np.sign(product) * (np.abs(product) >> 15)
    return table(context, clip(rounding_shift(product, -to_output.shift) + output.zero_point))


def _mantissa_16(multiplier: Multiplier) -> int:
    """A mantissa in 16 bits, rounded."""
    return min((multiplier.mantissa + (1 << 15)) >> 16, (1 << 15) - 1)


def elu(context: Context) -> Table:
    """ELU, in single precision as TensorFlow Lite Micro makes a table of it."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    if float(source.scale) / float(output.scale) > 1 << 20:
        raise unsupported(context.operator, "The output's scale is a million times finer", _FAR_APART)
    inverse = np.float32(1) / output.scale
    values = source.scale * (ALL_INT8 - source.zero_point).astype(np.float32)
    exact = np.array([math.exp(min(float(value), 0.0)) for value in values]).astype(np.float32)
    found = []
    # Libraries of C differ in the last bit of an exponential.
    for exponential in (exact, np.nextafter(exact, np.float32(0)), np.nextafter(exact, np.float32(2))):
        transformed = np.where(values < 0, exponential - np.float32(1), values)
        found.append(_rounded(transformed * inverse, output.zero_point))
    if any(np.any(other != found[0]) for other in found[1:]):
        raise unsupported(
            context.operator,
            f"Under the output scale {float(output.scale)} an exponential lies on the border between two values, where "
            "libraries differ",
            "an output scale that is a little different",
        )
    return table(context, found[0])


def _rounded(values: npt.NDArray[np.float32], zero_point: int) -> Int8Array:
    """Half away from zero, in single precision throughout."""
    rounded = np.sign(values) * np.floor(np.abs(values).astype(np.float64) + 0.5)
    return clip((rounded.astype(np.float32) + np.float32(zero_point)).astype(np.int64))
