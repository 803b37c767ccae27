/* MEAN, pooling, SOFTMAX. */
#ifndef ECGSEG_REDUCE_H
#define ECGSEG_REDUCE_H

#include "ecgseg_window.h"

/* The input is [outer, count, inner], averaged over count; the division is part of the scale. */
typedef struct {
    int32_t outer, count, inner;
    int32_t input_zero_point;
    int32_t output_zero_point;
    ecgseg_scale_t scale;
} ecgseg_mean_t;

ECGSEG_INLINE void ecgseg_mean_store(const ecgseg_mean_t *layer, int32_t sum, int8_t *output)
{
    const int32_t centered = sum - layer->count * layer->input_zero_point;
    const int32_t value = ecgseg_requantise(centered, layer->scale) + layer->output_zero_point;
    *output = (int8_t)ecgseg_clamp(value, INT8_MIN, INT8_MAX);
}

ECGSEG_INLINE void ecgseg_mean(const ecgseg_mean_t *layer, const int8_t *input, int8_t *output)
{
    /* Known before the loops, so that a compiler sees where nothing is left for the last one. */
    const int32_t fours = layer->inner - layer->inner % 4;
    for (int32_t o = 0; o < layer->outer; o++) {
        /* Four neighbouring columns at a time, in 32-bit sums. */
        for (int32_t i = 0; i < fours; i += 4) {
            int32_t sums[4] = {0, 0, 0, 0};
            const int8_t *source = input + i;
            for (int32_t n = 0; n < layer->count; n++) {
                const uint32_t word = ecgseg_load4(source);
                sums[0] = ecgseg_mac_low(sums[0], ecgseg_widen_even(word), 0x10001u);
                sums[1] = ecgseg_mac_low(sums[1], ecgseg_widen_odd(word), 0x10001u);
                sums[2] = ecgseg_mac_high(sums[2], ecgseg_widen_even(word), 0x10001u);
                sums[3] = ecgseg_mac_high(sums[3], ecgseg_widen_odd(word), 0x10001u);
                source += layer->inner;
            }
            for (int32_t k = 0; k < 4; k++) {
                ecgseg_mean_store(layer, sums[k], output++);
            }
        }
        for (int32_t i = fours; i < layer->inner; i++) {
            int32_t sum = 0;
            for (int32_t n = 0; n < layer->count; n++) {
                sum += input[n * layer->inner + i];
            }
            ecgseg_mean_store(layer, sum, output++);
        }
        input += layer->count * layer->inner;
    }
}

typedef struct {
    ecgseg_window_t window;
    bool average;
    int32_t activation_min, activation_max;
} ecgseg_pool_t;

ECGSEG_INLINE int32_t ecgseg_pool_mean(int32_t sum, int32_t count)
{
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

ECGSEG_INLINE int32_t ecgseg_pool_value(const ecgseg_pool_t *layer, const int8_t *input, ecgseg_origin_t origin,
                                        int32_t channel)
{
    const ecgseg_window_t *w = &layer->window;
    int32_t sum = 0;
    int32_t count = 0;
    int32_t largest = INT8_MIN;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = ecgseg_tap(w, input, origin, ky, kx);
            if (source != NULL) {
                sum += source[channel];
                count++;
                largest = source[channel] > largest ? source[channel] : largest;
            }
        }
    }
    return layer->average ? ecgseg_pool_mean(sum, count) : largest;
}

/* Four neighbouring channels: largest values in four bytes, or sums in two pairs of int16. */
ECGSEG_INLINE void ecgseg_pool_four(const ecgseg_pool_t *layer, const int8_t *input, ecgseg_origin_t origin,
                                    int32_t channel, int8_t *output)
{
    const ecgseg_window_t *w = &layer->window;
    uint32_t even = 0;
    uint32_t odd = 0;
    uint32_t largest = 0x80808080u;
    int32_t count = 0;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = ecgseg_tap(w, input, origin, ky, kx);
            if (source == NULL) {
                continue;
            }
            const uint32_t word = ecgseg_load4(source + channel);
            if (layer->average) {
                even = ecgseg_add16(even, ecgseg_widen_even(word));
                odd = ecgseg_add16(odd, ecgseg_widen_odd(word));
                count++;
            } else {
                largest = ecgseg_max4(largest, word);
            }
        }
    }
    for (uint32_t i = 0; i < 4; i++) {
        const int32_t sum = (int16_t)(((i & 1u) != 0 ? odd : even) >> (i >= 2u ? 16u : 0u));
        const int32_t value = layer->average ? ecgseg_pool_mean(sum, count) : (int8_t)(largest >> (8u * i));
        output[i] = (int8_t)ecgseg_clamp(value, layer->activation_min, layer->activation_max);
    }
}

/* Padding takes no part. */
ECGSEG_INLINE void ecgseg_pool(const ecgseg_pool_t *layer, const int8_t *input, int8_t *output)
{
    const ecgseg_window_t *w = &layer->window;
    for (int32_t position = 0; position < w->out_height * w->out_width; position++) {
        const ecgseg_origin_t origin = ecgseg_origin(w, position);
        int32_t c = 0;
        /* 255 int8 add up to an int16. */
        if (w->kernel_height * w->kernel_width <= 255) {
            for (; c + 4 <= w->in_channels; c += 4) {
                ecgseg_pool_four(layer, input, origin, c, output);
                output += 4;
            }
        }
        for (; c < w->in_channels; c++) {
            const int32_t value = ecgseg_pool_value(layer, input, origin, c);
            *output++ = (int8_t)ecgseg_clamp(value, layer->activation_min, layer->activation_max);
        }
    }
}

/* exponentials[d]: exp(-d * scale * beta) in Q0.31 for a value d below the largest of its row; a larger d gives the
 * lowest output. */
typedef struct {
    int32_t rows, depth;
    int32_t entries;
    const int32_t *exponentials;
} ecgseg_softmax_t;

/* 1 / (1 + a) in Q0.31 for a in [0, 1): gemmlowp's three Newton steps from 48/17 - 32/17 x. */
ECGSEG_INLINE int32_t ecgseg_reciprocal(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1);
    int32_t x = 1515870810 + (int32_t)(((int64_t)half * -1010580540 + (1 << 30)) >> 31);
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - ecgseg_high_multiply(half, x);
        const int64_t change = (((int64_t)x * error + (1 << 30)) >> 31) * 4;
        x = (int32_t)(x + (change > INT32_MAX ? INT32_MAX : change < INT32_MIN ? INT32_MIN : change));
    }
    const int64_t doubled = (int64_t)x * 2;
    return (int32_t)(doubled > INT32_MAX ? INT32_MAX : doubled);
}

ECGSEG_INLINE void ecgseg_softmax_row(const ecgseg_softmax_t *layer, const int8_t *input, int8_t *output)
{
    int32_t largest = input[0];
    for (int32_t c = 1; c < layer->depth; c++) {
        largest = input[c] > largest ? input[c] : largest;
    }
    uint32_t total = 0; /* Q12.19; at least 2^19, because the largest value itself is part of it */
    for (int32_t c = 0; c < layer->depth; c++) {
        const int32_t difference = largest - input[c];
        if (difference < layer->entries) {
            total += (uint32_t)ecgseg_rounding_shift(layer->exponentials[difference], 12);
        }
    }
    const int32_t headroom = __builtin_clz(total);
    const int32_t scale = ecgseg_reciprocal((int32_t)((total << (uint32_t)headroom) - (UINT32_C(1) << 31)));
    const int32_t shift = 12 - headroom + 31 - 8;
    for (int32_t c = 0; c < layer->depth; c++) {
        const int32_t difference = largest - input[c];
        int32_t value = INT8_MIN;
        if (difference < layer->entries) {
            value += ecgseg_rounding_shift(ecgseg_high_multiply(scale, layer->exponentials[difference]), shift);
        }
        output[c] = (int8_t)ecgseg_clamp(value, INT8_MIN, INT8_MAX);
    }
}

/* output may not be the input: a row is read twice. */
ECGSEG_INLINE void ecgseg_softmax(const ecgseg_softmax_t *layer, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < layer->rows; row++) {
        ecgseg_softmax_row(layer, input, output);
        input += layer->depth;
        output += layer->depth;
    }
}

#endif
