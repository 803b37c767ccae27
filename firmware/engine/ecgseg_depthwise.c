#include <stdbool.h>

#include "ecgseg_kernels.h"
#include "ecgseg_requantise.h"

static int32_t accumulate(const ecgseg_depthwise_t *layer, const int8_t *input, int32_t top, int32_t left,
                          uint32_t channel)
{
    const ecgseg_window_t *w = &layer->window;
    const uint32_t in_channel = layer->depth_multiplier == 1 ? channel : channel / layer->depth_multiplier;
    const int8_t *weight = layer->weights + channel;
    int32_t sum = layer->bias[channel];
    for (uint32_t ky = 0; ky < w->kernel_height; ky++) {
        const int32_t y = top + (int32_t)(ky * w->dilation_height);
        for (uint32_t kx = 0; kx < w->kernel_width; kx++) {
            const int32_t x = left + (int32_t)(kx * w->dilation_width);
            if (y >= 0 && y < w->in_height && x >= 0 && x < w->in_width) {
                const uint32_t index = ((uint32_t)y * w->in_width + (uint32_t)x) * w->in_channels + in_channel;
                sum += (input[index] - layer->input_zero_point) * (int32_t)*weight;
            }
            weight += w->out_channels;
        }
    }
    return sum;
}

void ecgseg_depthwise(const ecgseg_depthwise_t *layer, const int8_t *input, int8_t *output)
{
    const ecgseg_window_t *w = &layer->window;
    for (uint32_t y = 0; y < w->out_height; y++) {
        const int32_t top = (int32_t)(y * w->stride_height) - w->pad_top;
        for (uint32_t x = 0; x < w->out_width; x++) {
            const int32_t left = (int32_t)(x * w->stride_width) - w->pad_left;
            for (uint32_t c = 0; c < w->out_channels; c++) {
                const int32_t sum = accumulate(layer, input, top, left, c);
                const int32_t value = ecgseg_requantise(sum, layer->scales[c]) + layer->output_zero_point;
                *output++ = ecgseg_clamp(value, layer->activation_min, layer->activation_max);
            }
        }
    }
}
