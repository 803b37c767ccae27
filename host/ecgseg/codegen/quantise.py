"""Fixed-point scales, as TensorFlow Lite computes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ecgseg.errors import GraphError


@dataclass(frozen=True)
class Scale:
    """A real factor as multiplier * 2^-31 * 2^-shift; shift is negative for a shift to the left."""

    multiplier: int
    shift: int


def fixed_point(real: float) -> Scale:
    """Nearest fixed-point form of a positive real factor.

    The mantissa is rounded half away from zero to 31 bits, as in TensorFlow Lite's QuantizeMultiplier; a factor too
    small for a shift of 31 becomes zero.

    Raises:
        GraphError: the factor is not a number, not positive or 2^30 and more.
    """
    if not math.isfinite(real) or real <= 0 or real >= 2.0**30:
        raise GraphError(
            f"A rescaling factor of {real} cannot be represented.",
            "The quantisation scales of an operator's input, weights and output do not fit each other.",
            "Quantise the model again with representative data.",
        )
    mantissa, exponent = math.frexp(real)
    multiplier = math.floor(mantissa * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        exponent += 1
    if exponent < -31:
        return Scale(0, 0)
    return Scale(multiplier, -exponent)
