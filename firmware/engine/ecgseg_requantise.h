/* Fixed-point requantisation, equal to TensorFlow Lite's two-step rounding. */
#ifndef ECGSEG_REQUANTISE_H
#define ECGSEG_REQUANTISE_H

#include <stdint.h>

#include "ecgseg_kernels.h"

/* (a * b * 2 + 2^31) >> 32 in 64 bits: TensorFlow Lite's saturating rounding doubling high multiply. Its rounding is
 * a round half up for either sign: for a negative product the reference truncates (ab + 1 - 2^30) / 2^31 towards
 * zero, which is floor((ab + 2^30) / 2^31). The one saturating case, both factors -2^31, cannot occur because a
 * multiplier is never negative. */
static inline int32_t ecgseg_doubling_high_multiply(int32_t a, int32_t multiplier)
{
    return (int32_t)(((int64_t)a * multiplier + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^shift, rounded to nearest, a half away from zero; 0 <= shift <= 31. */
static inline int32_t ecgseg_rounding_shift(int32_t x, int32_t shift)
{
    if (shift == 0) {
        return x;
    }
    const int64_t half = INT64_C(1) << (shift - 1);
    return (int32_t)(((int64_t)x + half + (x >> 31)) >> shift);
}

/* TensorFlow Lite's MultiplyByQuantizedMultiplier. A shift to the left wraps in 32 bits, as the reference does on the
 * machines this was compared on; the code generator refuses models in which it could. */
static inline int32_t ecgseg_requantise(int32_t accumulator, ecgseg_scale_t scale)
{
    if (scale.shift <= 0) {
        const int32_t shifted = (int32_t)((uint32_t)accumulator << (uint32_t)-scale.shift);
        return ecgseg_doubling_high_multiply(shifted, scale.multiplier);
    }
    return ecgseg_rounding_shift(ecgseg_doubling_high_multiply(accumulator, scale.multiplier), scale.shift);
}

static inline int8_t ecgseg_clamp(int32_t value, int32_t low, int32_t high)
{
    if (value < low) {
        return (int8_t)low;
    }
    return (int8_t)(value > high ? high : value);
}

#endif
