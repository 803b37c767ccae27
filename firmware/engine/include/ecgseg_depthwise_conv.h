/* DEPTHWISE_CONV_2D.
 *
 * Four channels at a time: a word of input is widened by two SXTB16 and meets weights that are packed the same way, so
 * that four multiplications cost one load of input, one of weights and four SMLABB/SMLATT. The four sums stay in
 * registers.
 */
#ifndef ECGSEG_DEPTHWISE_CONV_H
#define ECGSEG_DEPTHWISE_CONV_H

#include "ecgseg_window.h"

typedef struct {
    ecgseg_window_t window;
    int32_t multiplier; /* output channel c reads input channel c / multiplier */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min, activation_max;
    /* Groups of four channels (then multiplier is 1, weights and biases are doubled): per group and tap the
     * words w0 w2 | w1 w3. NULL: the plain form below. */
    const uint32_t *packed;
    const int32_t *bias;              /* per channel, includes the input's zero point */
    const ecgseg_channel_t *channels; /* of the packed form */
    const int8_t *weights;            /* plain form: [kernel_height][kernel_width][out_channels] */
    const ecgseg_scale_t *scales;
} ecgseg_depthwise_t;

/* Biases of four channels. */
ECGSEG_INLINE void ecgseg_depthwise_start(int32_t sums[4], const int32_t *bias)
{
#if defined(__ARM_FEATURE_DSP)
    __asm__ volatile("ldr %[s0], [%[bias]]\n"
                     "ldr %[s1], [%[bias], #4]\n"
                     "ldr %[s2], [%[bias], #8]\n"
                     "ldr %[s3], [%[bias], #12]\n"
                     : [s0] "=&r"(sums[0]), [s1] "=&r"(sums[1]), [s2] "=&r"(sums[2]), [s3] "=&r"(sums[3])
                     : [bias] "r"(bias)
                     : "memory");
#else
    (void)memcpy(sums, bias, 4 * sizeof *sums);
#endif
}

/* Adds one tap of four channels, already widened. */
ECGSEG_INLINE void ecgseg_depthwise_wide(int32_t sums[4], uint32_t even, uint32_t odd, const uint32_t *weights)
{
    sums[0] = ecgseg_mac_low(sums[0], even, weights[0]);
    sums[1] = ecgseg_mac_low(sums[1], odd, weights[1]);
    sums[2] = ecgseg_mac_high(sums[2], even, weights[0]);
    sums[3] = ecgseg_mac_high(sums[3], odd, weights[1]);
}

/* Adds one tap of four channels and returns the weights of the next one. One block of assembly: gcc would load all taps
 * first and spill most of them. */
ECGSEG_INLINE const uint32_t *ecgseg_depthwise_tap(int32_t sums[4], const int8_t *source, const uint32_t *weights)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t x;
    uint32_t even;
    uint32_t w0;
    uint32_t w1;
    __asm__ volatile("ldr %[x], %[source]\n"
                     "ldr %[w1], [%[weights], #4]\n"
                     "ldr %[w0], [%[weights]], #8\n"
                     "sxtb16 %[even], %[x]\n"
                     "sxtb16 %[x], %[x], ror #8\n"
                     "smlabb %[s0], %[even], %[w0], %[s0]\n"
                     "smlatt %[s2], %[even], %[w0], %[s2]\n"
                     "smlabb %[s1], %[x], %[w1], %[s1]\n"
                     "smlatt %[s3], %[x], %[w1], %[s3]\n"
                     : [x] "=&r"(x), [even] "=&r"(even), [w0] "=&r"(w0), [w1] "=&r"(w1), [weights] "+r"(weights),
                       [s0] "+r"(sums[0]), [s1] "+r"(sums[1]), [s2] "+r"(sums[2]), [s3] "+r"(sums[3])
                     : [source] "m"(*(const int8_t (*)[4])source)
                     : "memory");
#else
    const uint32_t word = ecgseg_load4(source);
    ecgseg_depthwise_wide(sums, ecgseg_widen_even(word), ecgseg_widen_odd(word), weights);
    weights += 2;
#endif
    return weights;
}

ECGSEG_INLINE void ecgseg_depthwise_border(const ecgseg_depthwise_t *layer, const int8_t *input, ecgseg_origin_t origin,
                                           const uint32_t *weights, int32_t sums[4])
{
    const ecgseg_window_t *w = &layer->window;
    const uint32_t padding = (uint32_t)(uint16_t)layer->input_zero_point * 0x10001u;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = ecgseg_tap(w, input, origin, ky, kx);
            if (source != NULL) {
                weights = ecgseg_depthwise_tap(sums, source, weights);
            } else {
                ecgseg_depthwise_wide(sums, padding, padding, weights);
                weights += 2;
            }
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
            weights = ecgseg_depthwise_tap(sums, source + offset, weights);
        }
    }
}

ECGSEG_INLINE void ecgseg_depthwise_store(const ecgseg_depthwise_t *layer, const int32_t sums[4],
                                          const ecgseg_channel_t *channels, int8_t *output)
{
#pragma GCC unroll 2
    for (int32_t i = 0; i < 4; i += 2) {
        int32_t values[2] = {sums[i], sums[i + 1]};
        ecgseg_finish_two(values, &channels[i]);
        output[i] = (int8_t)ecgseg_clamp(values[0], layer->activation_min, layer->activation_max);
        output[i + 1] = (int8_t)ecgseg_clamp(values[1], layer->activation_min, layer->activation_max);
    }
}

/* First and last column of outputs of which no tap lies to the left or right of the input; last is exclusive. */
ECGSEG_INLINE int32_t ecgseg_depthwise_first(const ecgseg_window_t *w)
{
    const int32_t first = (w->pad_left + w->stride_width - 1) / w->stride_width;
    return first < w->out_width ? first : w->out_width;
}

ECGSEG_INLINE int32_t ecgseg_depthwise_last(const ecgseg_window_t *w)
{
    const int32_t room = w->in_width - 1 - (w->kernel_width - 1) * w->dilation_width + w->pad_left;
    const int32_t last = room < 0 ? 0 : room / w->stride_width + 1;
    const int32_t inside = last < w->out_width ? last : w->out_width;
    return inside > ecgseg_depthwise_first(w) ? inside : ecgseg_depthwise_first(w);
}

/* Columns first..last-1 of one row, four channels; input and output already point at the first of them. */
ECGSEG_INLINE int8_t *ecgseg_depthwise_edge(const ecgseg_depthwise_t *layer, const int8_t *input, int8_t *output,
                                            int32_t y, int32_t channel, int32_t first, int32_t last,
                                            const uint32_t *weights)
{
    const ecgseg_window_t *w = &layer->window;
    const int32_t *bias = layer->bias + channel;
    for (int32_t x = first; x < last; x++) {
        const ecgseg_origin_t origin = {y * w->stride_height - w->pad_top, x * w->stride_width - w->pad_left};
        int32_t sums[4];
        ecgseg_depthwise_start(sums, bias);
        ecgseg_depthwise_border(layer, input, origin, weights, sums);
        ecgseg_depthwise_store(layer, sums, layer->channels + channel, output);
        output += w->out_channels;
    }
    return output;
}

/* Four channels of one row of outputs. */
ECGSEG_INLINE void ecgseg_depthwise_row(const ecgseg_depthwise_t *layer, const int8_t *input, int8_t *output, int32_t y,
                                        int32_t channel, const uint32_t *weights)
{
    const ecgseg_window_t *w = &layer->window;
    const int32_t *bias = layer->bias + channel;
    const int32_t top = y * w->stride_height - w->pad_top;
    const bool rows_inside = top >= 0 && top + (w->kernel_height - 1) * w->dilation_height < w->in_height;
    const int32_t first = rows_inside ? ecgseg_depthwise_first(w) : w->out_width;
    const int32_t last = rows_inside ? ecgseg_depthwise_last(w) : w->out_width;
    output = ecgseg_depthwise_edge(layer, input, output, y, channel, 0, first, weights);
    const int32_t start = first < last ? top * w->in_width + first * w->stride_width - w->pad_left : 0;
    const int8_t *source = input + start * w->in_channels;
    for (int32_t x = first; x < last; x++) {
        int32_t sums[4];
        ecgseg_depthwise_start(sums, bias);
        ecgseg_depthwise_interior(layer, source, weights, sums);
        ecgseg_depthwise_store(layer, sums, layer->channels + channel, output);
        source += w->stride_width * w->in_channels;
        output += w->out_channels;
    }
    ecgseg_depthwise_edge(layer, input, output, y, channel, last, w->out_width, weights);
}

ECGSEG_INLINE int32_t ecgseg_depthwise_sum(const ecgseg_depthwise_t *layer, const int8_t *input, ecgseg_origin_t origin,
                                           int32_t channel)
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
            for (int32_t y = 0; y < w->out_height; y++) {
                int8_t *row = output + y * w->out_width * w->out_channels + channel;
                ecgseg_depthwise_row(layer, input + channel, row, y, channel, weights);
            }
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
