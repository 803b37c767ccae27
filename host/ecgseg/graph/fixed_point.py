"""TensorFlow Lite's integer arithmetic in numpy: the definitions that C and every kernel have to equal.

Source of the rules: TensorFlow Lite's quantisation specification and its reference kernels, which compute with
gemmlowp's fixed-point primitives and round twice (once in the doubling high multiply, once in the shift).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int32Array = npt.NDArray[np.int64]
Integers = npt.ArrayLike
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


@dataclass(frozen=True)
class Multiplier:
    """A positive real factor as `mantissa * 2^(shift - 31)`; mantissa is 0 or in [2^30, 2^31)."""

    mantissa: int
    shift: int

    @staticmethod
    def of(factor: float) -> Multiplier:
        """The nearest representable factor; below about 2^-32 it becomes 0."""
        if factor == 0.0:
            return Multiplier(0, 0)
        fraction, shift = math.frexp(factor)
        mantissa = math.floor(fraction * (1 << 31) + 0.5)
        if mantissa == 1 << 31:
            mantissa, shift = mantissa // 2, shift + 1
        if shift < -31:
            return Multiplier(0, 0)
        return Multiplier(mantissa, shift)

    def apply(self, x: Integers) -> Int32Array:
        """`x` (int32) times the factor, rounded as TensorFlow Lite does; int64 array holding int32 values."""
        left, right = max(self.shift, 0), max(-self.shift, 0)
        return rounding_shift(doubling_high_multiply(wrap(np.asarray(x, np.int64) << left), self.mantissa), right)


def apply_each(multipliers: Sequence[Multiplier], x: Integers) -> Int32Array:
    """`x` [..., n] times n factors, as `Multiplier.apply` of each."""
    mantissas = np.array([one.mantissa for one in multipliers], np.int64)
    shifts = np.array([one.shift for one in multipliers], np.int64)
    product = doubling_high_multiply(wrap(np.asarray(x, np.int64) << np.maximum(shifts, 0)), mantissas)
    return rounding_shift(product, np.maximum(-shifts, 0))


def wrap(x: Int32Array) -> Int32Array:
    """Two's complement wrap to 32 bits."""
    return np.asarray(x).astype(np.int32).astype(np.int64)


def doubling_high_multiply(a: Integers, b: Integers) -> Int32Array:
    """round(a * b / 2^31), ties upward, saturated: gemmlowp's SaturatingRoundingDoublingHighMul."""
    product: Int32Array = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    high: Int32Array = (product + (1 << 30)) >> 31
    return np.minimum(high, INT32_MAX)


def saturate_16(x: Int32Array) -> Int32Array:
    """Saturated to 16 bits."""
    return np.clip(x, -(1 << 15), (1 << 15) - 1)


def doubling_high_multiply_16(a: Integers, b: Integers) -> Int32Array:
    """round(a * b / 2^15), ties upward, saturated: gemmlowp's SaturatingRoundingDoublingHighMul of 16 bits."""
    product: Int32Array = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return saturate_16((product + (1 << 14)) >> 15)


def rounding_shift(x: Integers, exponent: Integers) -> Int32Array:
    """x / 2^exponent rounded to nearest, ties away from zero: gemmlowp's RoundingDivideByPOT."""
    value: Int32Array = np.asarray(x, np.int64)
    by = np.asarray(exponent, np.int64)
    half = (np.int64(1) << by) >> 1
    result: Int32Array = (value + half - ((value < 0) & (by > 0))) >> by
    return result


def saturating_shift_left(x: Integers, exponent: int) -> Int32Array:
    """x * 2^exponent saturated to 32 bits."""
    shifted: Int32Array = np.asarray(x, np.int64) << exponent
    return np.clip(shifted, INT32_MIN, INT32_MAX)


def round_half_away(x: float) -> int:
    """C's round()."""
    return math.floor(abs(x) + 0.5) * (1 if x >= 0 else -1)


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Largest |q - zero point| whose scaled value is inside the fixed-point format (31 bits)."""
    return math.floor(1.0 * ((1 << integer_bits) - 1) * 2.0 ** (31 - integer_bits) / 2.0**left_shift)


def _exp_on_interval(a: Int32Array) -> Int32Array:
    # Taylor expansion around -1/8 for a in [-1/4, 0), Q0.31.
    constant, third = 1895147668, 715827883
    x = a + (1 << 28)
    x2 = doubling_high_multiply(x, x)
    x3 = doubling_high_multiply(x2, x)
    x4_over_4 = rounding_shift(doubling_high_multiply(x2, x2), 2)
    rest = rounding_shift(doubling_high_multiply(x4_over_4 + x3, third) + x2, 1)
    return constant + doubling_high_multiply(constant, x + rest)


def exp_on_negative_values(a: Integers, integer_bits: int) -> Int32Array:
    """exp(a) in Q0.31 for a <= 0 in Q(integer_bits).(31 - integer_bits), as gemmlowp computes it."""
    a = np.asarray(a, np.int64)
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    reduced = (a & (quarter - 1)) - quarter
    result = _exp_on_interval(saturating_shift_left(reduced, integer_bits))
    remainder = reduced - a
    factors = {-2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242}
    for exponent, factor in factors.items():
        if integer_bits > exponent:
            bit = (remainder >> (fractional_bits + exponent)) & 1
            result = np.where(bit == 1, doubling_high_multiply(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _double_reciprocal_of_one_plus(a: Integers) -> Int32Array:
    """2 / (1 + a) in Q2.29 for a in [0, 1] in Q0.31: three Newton steps, as gemmlowp computes it."""
    a = np.asarray(a, np.int64)
    # Half of a + 1, ties away from zero; C's division truncates and the sum is positive.
    half_denominator = (a + INT32_MAX + 1) >> 1
    x = 1515870810 + doubling_high_multiply(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - doubling_high_multiply(half_denominator, x)
        x = x + saturating_shift_left(doubling_high_multiply(x, error), 2)
    return x


def reciprocal_of_one_plus(a: Integers) -> Int32Array:
    """1 / (1 + a) in Q0.31 for a in [0, 1] in Q0.31, as gemmlowp computes it."""
    return saturating_shift_left(_double_reciprocal_of_one_plus(a), 1)


def logistic_q4(a: Integers) -> Int32Array:
    """Logistic function in Q0.31 of a in Q4.27, as gemmlowp computes it."""
    a = np.asarray(a, np.int64)
    positive = reciprocal_of_one_plus(exp_on_negative_values(-np.abs(a), 4))
    return np.where(a == 0, 1 << 30, np.where(a > 0, positive, INT32_MAX - positive))


def tanh_q4(a: Integers) -> Int32Array:
    """Hyperbolic tangent in Q0.31 of a in Q4.27, as gemmlowp computes it: (1 - e) / (1 + e) with e = exp(-2|a|)."""
    a = np.asarray(a, np.int64)
    # Under one more integer bit the same number is twice as large.
    exponential = exp_on_negative_values(-np.abs(a), 5)
    positive = saturating_shift_left(_double_reciprocal_of_one_plus(exponential) - (1 << 29), 2)
    return np.where(a == 0, 0, np.where(a > 0, positive, -positive))
