/* DEPTHWISE_CONV_2D.
 *
 * Four channels at a time: a word of input is widened by two SXTB16 and meets weights that are packed the same way, so that
 * four multiplications cost one load of input, one of weights and four SMLABB/SMLATT. The four sums stay in registers.
 */
#ifndef ECGSEG_DEPTHWISE_CONV_H
#define ECGSEG_DEPTHWISE_CONV_H

#include "ecgseg_window.h"

typedef struct {
    ecgseg_window_t window;
    int32_t multiplier;         /* output channel c reads input channel c / multiplier */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min, activation_max;
    /* Groups of four channels (then multiplier is 1, weights and biases are doubled): per group and tap the
     * words w0 w2 | w1 w3. NULL: the plain form below. */
    const uint32_t *packed;
    const int32_t *bias;        /* per channel, includes the input's zero point */
    const ecgseg_channel_t *channels; /* of the packed form */
    const int8_t *weights;      /* plain form: [kernel_height][kernel_width][out_channels] */
    const ecgseg_scale_t *scales;
} ecgseg_depthwise_t;

/* Adds one tap to four sums; padding is read as the zero point. */
ECGSEG_INLINE void ecgseg_depthwise_tap(int32_t sums[4], uint32_t even, uint32_t odd, const uint32_t *weights)
{
    sums[0] = ecgseg_mac_low(sums[0], even, weights[0]);
    sums[1] = ecgseg_mac_low(sums[1], odd, weights[1]);
    sums[2] = ecgseg_mac_high(sums[2], even, weights[0]);
    sums[3] = ecgseg_mac_high(sums[3], odd, weights[1]);
}

ECGSEG_INLINE void ecgseg_depthwise_border(const ecgseg_depthwise_t *layer, const int8_t *input,
                                           ecgseg_origin_t origin, int32_t channel, const uint32_t *weights,
                                           int32_t sums[4])
{
    const ecgseg_window_t *w = &layer->window;
    const uint32_t padding = (uint32_t)(uint16_t)layer->input_zero_point * 0x10001u;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = ecgseg_tap(w, input, origin, ky, kx);
            uint32_t even = padding;
            uint32_t odd = padding;
            if (source != NULL) {
                const uint32_t word = ecgseg_load4(source + channel);
                even = ecgseg_widen_even(word);
                odd = ecgseg_widen_odd(word);
            }
            ecgseg_depthwise_tap(sums, even, odd, weights);
            weights += 2;
        }
    }
}

ECGSEG_INLINE void ecgseg_depthwise_interior(const ecgseg_depthwise_t *layer, const int8_t *source,
                                             const uint32_t *weights, int32_t sums[4])
{
    const ecgseg_window_t *w = &layer->window;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
#pragma GCC unroll 9
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int32_t offset = (ky * w->dilation_height * w->in_width + kx * w->dilation_width) * w->in_channels;
            const uint32_t word = ecgseg_load4(source + offset);
            ecgseg_depthwise_tap(sums, ecgseg_widen_even(word), ecgseg_widen_odd(word), weights);
            weights += 2;
        }
    }
}

/* Four channels over all positions. */
ECGSEG_INLINE void ecgseg_depthwise_group(const ecgseg_depthwise_t *layer, const int8_t *input, int8_t *output,
                                          int32_t channel, const uint32_t *weights)
{
    const ecgseg_window_t *w = &layer->window;
    const int32_t *bias = layer->bias + channel;
    const ecgseg_channel_t *channels = layer->channels + channel;
    const int32_t positions = w->out_height * w->out_width;
    int8_t *next = output + channel;
    for (int32_t position = 0; position < positions; position++) {
        const ecgseg_origin_t origin = ecgseg_origin(w, position);
        int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
        if (ecgseg_interior(w, origin)) {
            const int8_t *source = input + (origin.y * w->in_width + origin.x) * w->in_channels + channel;
            ecgseg_depthwise_interior(layer, source, weights, sums);
        } else {
            ecgseg_depthwise_border(layer, input, origin, channel, weights, sums);
        }
        for (int32_t i = 0; i < 4; i++) {
            const int32_t value = ecgseg_finish(sums[i], &channels[i]);
            next[i] = (int8_t)ecgseg_clamp(value, layer->activation_min, layer->activation_max);
        }
        next += w->out_channels;
    }
}

ECGSEG_INLINE int32_t ecgseg_depthwise_sum(const ecgseg_depthwise_t *layer, const int8_t *input,
                                           ecgseg_origin_t origin, int32_t channel)
{
    const ecgseg_window_t *w = &layer->window;
    const int32_t in_channel = channel / layer->multiplier;
    const int8_t *weight = layer->weights + channel;
    int32_t sum = layer->bias[channel];
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = ecgseg_tap(w, input, origin, ky, kx);
            sum += *weight * (source != NULL ? source[in_channel] : layer->input_zero_point);
            weight += w->out_channels;
        }
    }
    return sum;
}

ECGSEG_INLINE void ecgseg_depthwise(const ecgseg_depthwise_t *layer, const int8_t *input, int8_t *output)
{
    const ecgseg_window_t *w = &layer->window;
    if (layer->packed != NULL) {
        for (int32_t channel = 0; channel < w->out_channels; channel += 4) {
            const uint32_t *weights = layer->packed + channel / 4 * (2 * w->kernel_height * w->kernel_width);
            ecgseg_depthwise_group(layer, input, output, channel, weights);
        }
        return;
    }
    for (int32_t position = 0; position < w->out_height * w->out_width; position++) {
        const ecgseg_origin_t origin = ecgseg_origin(w, position);
        for (int32_t c = 0; c < w->out_channels; c++) {
            const int32_t sum = ecgseg_depthwise_sum(layer, input, origin, c);
            const int32_t value = ecgseg_requantise(sum, layer->scales[c]) + layer->output_zero_point;
            *output++ = (int8_t)ecgseg_clamp(value, layer->activation_min, layer->activation_max);
        }
    }
}

#endif
