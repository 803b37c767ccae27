/* Fixed-point arithmetic, equal to TensorFlow Lite's two-step rounding (gemmlowp's primitives). */
#ifndef ECGSEG_FIXED_H
#define ECGSEG_FIXED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ECGSEG_INLINE static inline __attribute__((always_inline))

/* A layer stays a function of its own, and nothing is concluded from its body or from its arguments. */
#if defined(__GNUC__) && !defined(__clang__)
#define ECGSEG_LAYER static __attribute__((noipa))
#else
#define ECGSEG_LAYER static __attribute__((noinline))
#endif

/* A factor multiplier * 2^-31 * 2^-shift; a negative shift is a shift to the left. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} ecgseg_scale_t;

/* The same for one output channel whose accumulator arrives doubled: the result is
 * (h + (h >> 31) + rounding) >> shift with h = round(doubled * multiplier / 2^32), where rounding holds half a step and
 * the output's zero point. Exact for shift 1..22 and |accumulator| < 2^30, which the code generator proves. */
typedef struct {
    int32_t multiplier;
    int32_t rounding;
    int32_t shift;
} ecgseg_channel_t;

/* round(a * multiplier / 2^31), a half upward, which is what gemmlowp's SaturatingRoundingDoublingHighMul comes to: for
 * a negative product it truncates (ab + 1 - 2^30) / 2^31 towards zero, and that is floor((ab + 2^30) / 2^31). The
 * one saturating case, both factors -2^31, cannot occur because a multiplier is never negative. */
ECGSEG_INLINE int32_t ecgseg_high_multiply(int32_t a, int32_t multiplier)
{
    return (int32_t)(((int64_t)a * multiplier + (INT64_C(1) << 30)) >> 31);
}

/* round(doubled * multiplier / 2^32), a half upward: SMMULR. */
ECGSEG_INLINE int32_t ecgseg_smmulr(int32_t doubled, int32_t multiplier)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(doubled), "r"(multiplier));
    return high;
#else
    return (int32_t)(((int64_t)doubled * multiplier + (INT64_C(1) << 31)) >> 32);
#endif
}

/* x / 2^shift, rounded to nearest, a half away from zero; 0 <= shift <= 31. */
ECGSEG_INLINE int32_t ecgseg_rounding_shift(int32_t x, int32_t shift)
{
    if (shift == 0) {
        return x;
    }
    const int64_t half = INT64_C(1) << (shift - 1);
    return (int32_t)(((int64_t)x + half + (x >> 31)) >> shift);
}

/* TensorFlow Lite's MultiplyByQuantizedMultiplier. The code generator refuses models whose shift to the left could
 * leave 32 bits. */
ECGSEG_INLINE int32_t ecgseg_requantise(int32_t x, ecgseg_scale_t scale)
{
    if (scale.shift <= 0) {
        return ecgseg_high_multiply((int32_t)((uint32_t)x << (uint32_t)-scale.shift), scale.multiplier);
    }
    return ecgseg_rounding_shift(ecgseg_high_multiply(x, scale.multiplier), scale.shift);
}

/* zero_point + the same for x = doubled / 2, |x| < 2^28 and shift >= 0: no sum leaves 32 bits. With a constant scale
 * the zero point is part of the rounding. */
ECGSEG_INLINE int32_t ecgseg_requantise_doubled(int32_t doubled, ecgseg_scale_t scale, int32_t zero_point)
{
    const int32_t high = ecgseg_smmulr(doubled, scale.multiplier);
    if (scale.shift == 0) {
        return high + zero_point;
    }
    const int32_t half = 1 << (scale.shift - 1);
    if (scale.shift <= 22) {
        return (high + (high >> 31) + (half + zero_point * (1 << scale.shift))) >> scale.shift;
    }
    return ((high + (high >> 31) + half) >> scale.shift) + zero_point;
}

ECGSEG_INLINE int32_t ecgseg_clamp(int32_t value, int32_t low, int32_t high)
{
#if defined(__ARM_FEATURE_DSP)
    if (__builtin_constant_p(low) && __builtin_constant_p(high) && low == INT8_MIN && high == INT8_MAX) {
        int32_t saturated;
        __asm__("ssat %0, #8, %1" : "=r"(saturated) : "r"(value));
        return saturated;
    }
#endif
    if (value < low) {
        return low;
    }
    return value > high ? high : value;
}

/* One doubled accumulator to the output's range, zero point included. */
ECGSEG_INLINE int32_t ecgseg_finish(int32_t doubled, const ecgseg_channel_t *channel)
{
    const int32_t high = ecgseg_smmulr(doubled, channel->multiplier);
    return (high + (high >> 31) + channel->rounding) >> channel->shift;
}

/* The same for two channels in place: their constants are loaded in one go. */
ECGSEG_INLINE void ecgseg_finish_two(int32_t values[2], const ecgseg_channel_t channels[2])
{
#if defined(__ARM_FEATURE_DSP)
    int32_t m0;
    int32_t r0;
    int32_t s0;
    int32_t m1;
    int32_t r1;
    int32_t s1;
    __asm__ volatile("ldr %[m0], [%[channels]]\n"
                     "ldr %[r0], [%[channels], #4]\n"
                     "ldr %[s0], [%[channels], #8]\n"
                     "ldr %[m1], [%[channels], #12]\n"
                     "ldr %[r1], [%[channels], #16]\n"
                     "ldr %[s1], [%[channels], #20]\n"
                     "smmulr %[v0], %[v0], %[m0]\n"
                     "smmulr %[v1], %[v1], %[m1]\n"
                     "add %[v0], %[v0], %[v0], asr #31\n"
                     "add %[v1], %[v1], %[v1], asr #31\n"
                     "add %[v0], %[v0], %[r0]\n"
                     "add %[v1], %[v1], %[r1]\n"
                     "asr %[v0], %[v0], %[s0]\n"
                     "asr %[v1], %[v1], %[s1]\n"
                     : [v0] "+&r"(values[0]), [v1] "+&r"(values[1]), [m0] "=&r"(m0), [r0] "=&r"(r0), [s0] "=&r"(s0),
                       [m1] "=&r"(m1), [r1] "=&r"(r1), [s1] "=&r"(s1)
                     : [channels] "r"(channels)
                     : "memory");
#else
    values[0] = ecgseg_finish(values[0], &channels[0]);
    values[1] = ecgseg_finish(values[1], &channels[1]);
#endif
}

/* Four bytes at any address. */
ECGSEG_INLINE uint32_t ecgseg_load4(const int8_t *source)
{
    uint32_t word;
    (void)memcpy(&word, source, sizeof word);
    return word;
}

/* Bytes 0 and 2, and bytes 1 and 3, of a word of four int8 as two int16 each. */
ECGSEG_INLINE uint32_t ecgseg_widen_even(uint32_t word)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t wide;
    __asm__("sxtb16 %0, %1" : "=r"(wide) : "r"(word));
    return wide;
#else
    return (uint32_t)(uint16_t)(int8_t)word | (uint32_t)(uint16_t)(int8_t)(word >> 16) << 16;
#endif
}

ECGSEG_INLINE uint32_t ecgseg_widen_odd(uint32_t word)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t wide;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(wide) : "r"(word));
    return wide;
#else
    return ecgseg_widen_even(word >> 8);
#endif
}

/* Sums of the two halves as int16, which the caller keeps from overflowing. */
ECGSEG_INLINE uint32_t ecgseg_add16(uint32_t a, uint32_t b)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t sums;
    __asm__("sadd16 %0, %1, %2" : "=r"(sums) : "r"(a), "r"(b));
    return sums;
#else
    return ((a + b) & 0xFFFFu) | ((a & 0xFFFF0000u) + (b & 0xFFFF0000u));
#endif
}

/* The larger one of each of the four int8. */
ECGSEG_INLINE uint32_t ecgseg_max4(uint32_t a, uint32_t b)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t largest;
    __asm__("ssub8 %0, %1, %2\n"
            "sel %0, %1, %2"
            : "=&r"(largest)
            : "r"(a), "r"(b)
            : "cc");
    return largest;
#else
    uint32_t largest = 0;
    for (uint32_t bit = 0; bit < 32; bit += 8) {
        const int8_t x = (int8_t)(a >> bit);
        const int8_t y = (int8_t)(b >> bit);
        largest |= (uint32_t)(uint8_t)(x > y ? x : y) << bit;
    }
    return largest;
#endif
}

/* sum + low half of x times low half of w. */
ECGSEG_INLINE int32_t ecgseg_mac_low(int32_t sum, uint32_t x, uint32_t w)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(w), "r"(sum));
    return result;
#else
    return sum + (int32_t)(int16_t)x * (int16_t)w;
#endif
}

/* sum + high half of x times high half of w. */
ECGSEG_INLINE int32_t ecgseg_mac_high(int32_t sum, uint32_t x, uint32_t w)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(w), "r"(sum));
    return result;
#else
    return sum + (int32_t)(int16_t)(x >> 16) * (int16_t)(w >> 16);
#endif
}

/* The halves of `added`, as int16, with the bytes 0 and 2, or 1 and 3, of a word. */
ECGSEG_INLINE uint32_t ecgseg_widen_add_even(uint32_t added, uint32_t word)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t wide;
    __asm__("sxtab16 %0, %1, %2" : "=r"(wide) : "r"(added), "r"(word));
    return wide;
#else
    const int32_t low = (int32_t)(int16_t)added + (int8_t)word;
    const int32_t high = (int32_t)(int16_t)(added >> 16) + (int8_t)(word >> 16);
    return (uint32_t)(uint16_t)low | (uint32_t)(uint16_t)high << 16;
#endif
}

ECGSEG_INLINE uint32_t ecgseg_widen_add_odd(uint32_t added, uint32_t word)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t wide;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(wide) : "r"(added), "r"(word));
    return wide;
#else
    return ecgseg_widen_add_even(added, word >> 8);
#endif
}

/* Products of the low and of the high halves. */
ECGSEG_INLINE int32_t ecgseg_product_low(uint32_t x, uint32_t w)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smulbb %0, %1, %2" : "=r"(result) : "r"(x), "r"(w));
    return result;
#else
    return ecgseg_mac_low(0, x, w);
#endif
}

ECGSEG_INLINE int32_t ecgseg_product_high(uint32_t x, uint32_t w)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smultt %0, %1, %2" : "=r"(result) : "r"(x), "r"(w));
    return result;
#else
    return ecgseg_mac_high(0, x, w);
#endif
}

/* added + floor(x * w / 2^32): SMMLA. */
ECGSEG_INLINE int32_t ecgseg_smmla(int32_t added, int32_t x, int32_t w)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(w), "r"(added));
    return result;
#else
    return added + (int32_t)(((int64_t)x * w) >> 32);
#endif
}

#endif
