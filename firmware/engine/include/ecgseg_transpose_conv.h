/* TRANSPOSE_CONV: each output gathers the inputs that spread onto it; input (y, x) reaches output y * stride - pad +
 * tap. */
#ifndef ECGSEG_TRANSPOSE_CONV_H
#define ECGSEG_TRANSPOSE_CONV_H

#include "ecgseg_window.h"

typedef struct {
    ecgseg_window_t window;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min, activation_max;
    const int8_t *weights; /* [out_channels][kernel_height][kernel_width][in_channels] */
    const int32_t *bias;   /* without the input's zero point: the number of inputs under an output varies */
    const ecgseg_scale_t *scales;
} ecgseg_transpose_conv_t;

/* Input coordinate that reaches `position` through `tap`, or -1. */
ECGSEG_INLINE int32_t ecgseg_transpose_source(int32_t position, int32_t tap, int32_t stride, int32_t size)
{
    const int32_t reached = position - tap;
    if (reached < 0 || reached % stride != 0 || reached / stride >= size) {
        return -1;
    }
    return reached / stride;
}

ECGSEG_INLINE int32_t ecgseg_transpose_sum(const ecgseg_transpose_conv_t *layer, const int8_t *input, int32_t y,
                                           int32_t x, int32_t channel)
{
    const ecgseg_window_t *w = &layer->window;
    int32_t sum = layer->bias[channel];
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        const int32_t in_y = ecgseg_transpose_source(y + w->pad_top, ky, w->stride_height, w->in_height);
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int32_t in_x = ecgseg_transpose_source(x + w->pad_left, kx, w->stride_width, w->in_width);
            if (in_y < 0 || in_x < 0) {
                continue;
            }
            const int8_t *source = input + (in_y * w->in_width + in_x) * w->in_channels;
            const int8_t *weight =
                layer->weights + ((channel * w->kernel_height + ky) * w->kernel_width + kx) * w->in_channels;
            for (int32_t c = 0; c < w->in_channels; c++) {
                sum += (source[c] - layer->input_zero_point) * weight[c];
            }
        }
    }
    return sum;
}

ECGSEG_INLINE void ecgseg_transpose_conv(const ecgseg_transpose_conv_t *layer, const int8_t *input, int8_t *output)
{
    const ecgseg_window_t *w = &layer->window;
    for (int32_t y = 0; y < w->out_height; y++) {
        for (int32_t x = 0; x < w->out_width; x++) {
            for (int32_t c = 0; c < w->out_channels; c++) {
                const int32_t sum = ecgseg_transpose_sum(layer, input, y, x, c);
                const int32_t value = ecgseg_requantise(sum, layer->scales[c]) + layer->output_zero_point;
                *output++ = (int8_t)ecgseg_clamp(value, layer->activation_min, layer->activation_max);
            }
        }
    }
}

#endif
