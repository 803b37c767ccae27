/* Operators that treat every element alike: functions of one value as tables, and two operands with broadcasting.
 * output may be one of the inputs when it has that input's size and nothing is broadcast over it. */
#ifndef ECGSEG_ELEMENTWISE_H
#define ECGSEG_ELEMENTWISE_H

#include "ecgseg_fixed.h"

/* RELU, RELU6, LOGISTIC, QUANTIZE. */
typedef struct {
    int32_t count;
    const int8_t *table;        /* [256], entry q + 128 */
} ecgseg_table_t;

ECGSEG_INLINE void ecgseg_table(const ecgseg_table_t *layer, const int8_t *input, int8_t *output)
{
    const int8_t *center = layer->table + 128;
    for (int32_t i = 0; i < layer->count; i++) {
        output[i] = center[input[i]];
    }
}

enum { ECGSEG_ADD, ECGSEG_MUL, ECGSEG_MINIMUM, ECGSEG_MAXIMUM };

/* shape is the output's; stride_a and stride_b are 0 along an axis over which the operand is broadcast. */
typedef struct {
    int32_t kind;
    int32_t shape[4];
    int32_t stride_a[4], stride_b[4];
    int32_t zero_point_a, zero_point_b;
    ecgseg_scale_t scale_a, scale_b; /* ADD: to the common grid */
    ecgseg_scale_t scale_out;
    bool small;                 /* ADD and MUL: the arguments of the last rescaling stay below 2^29 */
    int32_t output_zero_point;
    int32_t activation_min, activation_max;
} ecgseg_binary_t;

/* ADD scales its operands up first so that rounding loses nothing; TensorFlow Lite's value. */
#define ECGSEG_ADD_HEADROOM (1 << 20)

ECGSEG_INLINE int32_t ecgseg_binary_value(const ecgseg_binary_t *layer, int32_t a, int32_t b)
{
    if (layer->kind == ECGSEG_MINIMUM) {
        return a < b ? a : b;
    }
    if (layer->kind == ECGSEG_MAXIMUM) {
        return a > b ? a : b;
    }
    int32_t x = a - layer->zero_point_a;
    int32_t y = b - layer->zero_point_b;
    if (layer->kind == ECGSEG_ADD) {
        x = ecgseg_requantise_small(x * ECGSEG_ADD_HEADROOM, layer->scale_a);
        y = ecgseg_requantise_small(y * ECGSEG_ADD_HEADROOM, layer->scale_b);
        x += y;
    } else {
        x *= y;
    }
    const int32_t scaled =
        layer->small ? ecgseg_requantise_small(x, layer->scale_out) : ecgseg_requantise(x, layer->scale_out);
    return ecgseg_clamp(scaled + layer->output_zero_point, layer->activation_min, layer->activation_max);
}

ECGSEG_INLINE void ecgseg_binary(const ecgseg_binary_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t *shape = layer->shape;
    for (int32_t i = 0; i < shape[0]; i++) {
        for (int32_t j = 0; j < shape[1]; j++) {
            for (int32_t k = 0; k < shape[2]; k++) {
                const int8_t *row_a =
                    a + i * layer->stride_a[0] + j * layer->stride_a[1] + k * layer->stride_a[2];
                const int8_t *row_b =
                    b + i * layer->stride_b[0] + j * layer->stride_b[1] + k * layer->stride_b[2];
                for (int32_t c = 0; c < shape[3]; c++) {
                    *output++ = (int8_t)ecgseg_binary_value(layer, row_a[c * layer->stride_a[3]],
                                                            row_b[c * layer->stride_b[3]]);
                }
            }
        }
    }
}

#endif
