/* Operators that treat every element alike: functions of one value as tables, and two operands with broadcasting.
 * output may be one of the inputs when it has that input's size and nothing is broadcast over it. Unless lines run
 * across, it may also start below that input: both are walked upward. */
#ifndef ECGSEG_ELEMENTWISE_H
#define ECGSEG_ELEMENTWISE_H

#include "ecgseg_fixed.h"

/* Activations, QUANTIZE. */
typedef struct {
    int32_t count;
    const int8_t *table; /* [256], entry q + 128 */
} ecgseg_table_t;

ECGSEG_INLINE void ecgseg_table(const ecgseg_table_t *layer, const int8_t *input, int8_t *output)
{
    const int8_t *center = layer->table + 128;
    for (int32_t i = 0; i < layer->count; i++) {
        output[i] = center[input[i]];
    }
}

enum { ECGSEG_ADD, ECGSEG_MUL, ECGSEG_MINIMUM, ECGSEG_MAXIMUM, ECGSEG_SUB };

/* shape is the output's; stride_a and stride_b are 0 along an axis over which the operand is broadcast. */
typedef struct {
    int32_t kind;
    int32_t shape[4];
    int32_t stride_a[4], stride_b[4];
    bool across; /* lines run along axis 2, over which an operand is broadcast, such as time under a gain */
    int32_t zero_point_a, zero_point_b;
    ecgseg_scale_t scale_a, scale_b; /* ADD and SUB: to the common grid */
    ecgseg_scale_t scale_out;
    bool small; /* scale_out does not shift to the left */
    int32_t
        gain_shift; /* of a product of a and one gain b per channel, channels a multiple of four: s below; 0: none */
    int32_t output_zero_point;
    int32_t activation_min, activation_max;
} ecgseg_binary_t;

/* ADD and SUB scale their operands up by 2^20 first so that rounding loses nothing; TensorFlow Lite's value. That with
 * the larger scale is halved, which is exact. Returns a value below 2^27. */
ECGSEG_INLINE int32_t ecgseg_add_operand(int32_t x, ecgseg_scale_t scale)
{
    if (scale.multiplier == 1 << 30 && scale.shift == 0) {
        return x * (1 << 19);
    }
    return ecgseg_requantise_doubled(x * (1 << 21), scale, 0);
}

ECGSEG_INLINE int32_t ecgseg_binary_value(const ecgseg_binary_t *layer, int32_t a, int32_t b)
{
    if (layer->kind == ECGSEG_MINIMUM) {
        return a < b ? a : b;
    }
    if (layer->kind == ECGSEG_MAXIMUM) {
        return a > b ? a : b;
    }
    const int32_t x = a - layer->zero_point_a;
    const int32_t y = b - layer->zero_point_b;
    /* Twice the sum, difference or product: what SMMULR takes. The factor joins an earlier shift or addition. */
    int32_t doubled;
    if (layer->kind == ECGSEG_ADD) {
        doubled = 2 * (ecgseg_add_operand(x, layer->scale_a) + ecgseg_add_operand(y, layer->scale_b));
    } else if (layer->kind == ECGSEG_SUB) {
        doubled = 2 * (ecgseg_add_operand(x, layer->scale_a) - ecgseg_add_operand(y, layer->scale_b));
    } else {
        doubled = x * (2 * b - 2 * layer->zero_point_b);
    }
    int32_t value;
    if (layer->small) {
        value = ecgseg_requantise_doubled(doubled, layer->scale_out, layer->output_zero_point);
    } else {
        value = ecgseg_requantise(doubled / 2, layer->scale_out) + layer->output_zero_point;
    }
    return ecgseg_clamp(value, layer->activation_min, layer->activation_max);
}

/* One line of results along an axis. An operand that is broadcast along it is read once. */
ECGSEG_INLINE void ecgseg_binary_line(const ecgseg_binary_t *layer, int32_t axis, const int8_t *a, const int8_t *b,
                                      int8_t *output, int32_t step)
{
    const int32_t step_a = layer->stride_a[axis];
    const int32_t step_b = layer->stride_b[axis];
    const int32_t fixed_a = a[0];
    const int32_t fixed_b = b[0];
#pragma GCC unroll 4
    for (int32_t i = 0; i < layer->shape[axis]; i++) {
        const int32_t value_a = step_a == 0 ? fixed_a : a[i * step_a];
        const int32_t value_b = step_b == 0 ? fixed_b : b[i * step_b];
        output[i * step] = (int8_t)ecgseg_binary_value(layer, value_a, value_b);
    }
}

/* Four channels under their gains, one word of input at a time. Requantised as in ecgseg_phases.h: the gains have the
 * factor 2^s, and ECGSEG_GAIN_SHIFT fixes e+s-1. */
#define ECGSEG_GAIN_SHIFT 12

ECGSEG_INLINE int8_t ecgseg_gain_value(const ecgseg_binary_t *layer, int32_t product)
{
    const int32_t rounding = (1 << (layer->gain_shift > 2 ? layer->gain_shift - 2 : 0)) +
                             (1 << (ECGSEG_GAIN_SHIFT - 1)) + layer->output_zero_point * (1 << ECGSEG_GAIN_SHIFT);
    const int32_t value = ecgseg_smmla(rounding, product, layer->scale_out.multiplier) >> ECGSEG_GAIN_SHIFT;
    return (int8_t)ecgseg_clamp(value, INT8_MIN, INT8_MAX);
}

ECGSEG_INLINE uint32_t ecgseg_gain_pair(const ecgseg_binary_t *layer, int32_t low, int32_t high)
{
    const int32_t factor = 1 << layer->gain_shift;
    return (uint32_t)(uint16_t)((low - layer->zero_point_b) * factor) |
           (uint32_t)(uint16_t)((high - layer->zero_point_b) * factor) << 16;
}

ECGSEG_INLINE void ecgseg_binary_gains(const ecgseg_binary_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t channels = layer->shape[3];
    const uint32_t offsets = (uint32_t)(uint16_t)-layer->zero_point_a * 0x10001u;
    for (int32_t c = 0; c < channels; c += 4) {
        const uint32_t even = ecgseg_gain_pair(layer, b[c], b[c + 2]);
        const uint32_t odd = ecgseg_gain_pair(layer, b[c + 1], b[c + 3]);
        const int8_t *source = a + c;
        int8_t *target = output + c;
        for (int32_t i = 0; i < layer->shape[2]; i++) {
            const uint32_t word = ecgseg_load4(source);
            const uint32_t x = ecgseg_widen_add_even(offsets, word);
            const uint32_t y = ecgseg_widen_add_odd(offsets, word);
            target[0] = ecgseg_gain_value(layer, ecgseg_product_low(x, even));
            target[1] = ecgseg_gain_value(layer, ecgseg_product_low(y, odd));
            target[2] = ecgseg_gain_value(layer, ecgseg_product_high(x, even));
            target[3] = ecgseg_gain_value(layer, ecgseg_product_high(y, odd));
            source += channels;
            target += channels;
        }
    }
}

ECGSEG_INLINE void ecgseg_binary(const ecgseg_binary_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t *shape = layer->shape;
    if (layer->gain_shift > 0) {
        ecgseg_binary_gains(layer, a, b, output);
        return;
    }
    const int32_t line = layer->across ? 2 : 3;
    const int32_t other = layer->across ? 3 : 2;
    const int32_t line_step = layer->across ? shape[3] : 1;
    const int32_t other_step = layer->across ? 1 : shape[3];
    for (int32_t i = 0; i < shape[0]; i++) {
        for (int32_t j = 0; j < shape[1]; j++) {
            for (int32_t k = 0; k < shape[other]; k++) {
                const int8_t *line_a = a + i * layer->stride_a[0] + j * layer->stride_a[1] + k * layer->stride_a[other];
                const int8_t *line_b = b + i * layer->stride_b[0] + j * layer->stride_b[1] + k * layer->stride_b[other];
                ecgseg_binary_line(layer, line, line_a, line_b, output + k * other_step, line_step);
            }
            output += shape[2] * shape[3];
        }
    }
}

#endif
