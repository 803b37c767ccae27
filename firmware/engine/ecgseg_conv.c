#include <stdbool.h>
#include <string.h>

#include "ecgseg_kernels.h"
#include "ecgseg_mac.h"
#include "ecgseg_requantise.h"

/* Two columns for ecgseg_mac, then one staged window, then the accumulators. */
typedef struct {
    int16_t *columns;
    int8_t *stage;
    int32_t *accumulators;
} scratch_t;

static scratch_t divide_scratch(const ecgseg_conv_t *layer, void *scratch)
{
    scratch_t parts;
    uint8_t *bytes = scratch;
    parts.columns = scratch;
    parts.stage = (int8_t *)(bytes + 16u * layer->groups);
    parts.accumulators = (int32_t *)(void *)(bytes + 20u * layer->groups);
    return parts;
}

/* Widens four int8 into one of the two interleaved columns, in the order of ecgseg_mac.h. */
static inline void widen_group(int16_t *column, const int8_t *source)
{
#if defined(__ARM_FEATURE_DSP)
    uint32_t word;
    uint32_t even;
    uint32_t odd;
    memcpy(&word, source, sizeof word);
    __asm__("sxtb16 %0, %1" : "=r"(even) : "r"(word));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(word));
    memcpy(column, &even, sizeof even);
    memcpy(column + 2, &odd, sizeof odd);
#else
    column[0] = source[0];
    column[1] = source[2];
    column[2] = source[1];
    column[3] = source[3];
#endif
}

static inline int16_t *widen(int16_t *column, const int8_t *source, uint32_t groups)
{
    for (; groups >= 4; groups -= 4) {
        widen_group(column, source);
        widen_group(column + 8, source + 4);
        widen_group(column + 16, source + 8);
        widen_group(column + 24, source + 12);
        source += 16;
        column += 32;
    }
    for (; groups != 0; groups--) {
        widen_group(column, source);
        source += 4;
        column += 8;
    }
    return column;
}

/* Position of the window of one output position in the input; may lie partly outside. */
typedef struct {
    int32_t y, x;
} origin_t;

static bool inside(int32_t position, uint32_t size)
{
    return position >= 0 && position < (int32_t)size;
}

/* One tap of the window, in_channels bytes, or the zero point where it lies in the padding. */
static const int8_t *tap_source(const ecgseg_conv_t *layer, const int8_t *input, origin_t origin, uint32_t ky,
                                uint32_t kx)
{
    const ecgseg_window_t *w = &layer->window;
    const int32_t y = origin.y + (int32_t)(ky * w->dilation_height);
    const int32_t x = origin.x + (int32_t)(kx * w->dilation_width);
    if (!inside(y, w->in_height) || !inside(x, w->in_width)) {
        return NULL;
    }
    return input + ((uint32_t)y * w->in_width + (uint32_t)x) * w->in_channels;
}

/* Any channel count: the window is copied byte by byte, then widened. */
static void stage_window(const ecgseg_conv_t *layer, const int8_t *input, origin_t origin, int8_t *stage)
{
    const ecgseg_window_t *w = &layer->window;
    for (uint32_t ky = 0; ky < w->kernel_height; ky++) {
        for (uint32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = tap_source(layer, input, origin, ky, kx);
            for (uint32_t c = 0; c < w->in_channels; c++) {
                *stage++ = source != NULL ? source[c] : layer->input_zero_point;
            }
        }
    }
}

static int16_t *widen_padding(const ecgseg_conv_t *layer, int16_t *column, uint32_t groups)
{
    for (; groups != 0; groups--) {
        for (uint32_t i = 0; i < 4; i++) {
            column[i] = layer->input_zero_point;
        }
        column += 8;
    }
    return column;
}

/* Channel counts that are a multiple of four: each tap is widened where it lies. */
static void widen_taps(const ecgseg_conv_t *layer, const int8_t *input, origin_t origin, int16_t *column)
{
    const ecgseg_window_t *w = &layer->window;
    const uint32_t channels = w->in_channels;
    const uint32_t in_width = w->in_width;
    int32_t y = origin.y;
    for (uint32_t ky = w->kernel_height; ky != 0; ky--) {
        const bool row_inside = inside(y, w->in_height);
        const int8_t *row = row_inside ? input + (uint32_t)y * in_width * channels : input;
        int32_t x = origin.x;
        for (uint32_t kx = w->kernel_width; kx != 0; kx--) {
            if (row_inside && (uint32_t)x < in_width) {
                column = widen(column, row + (uint32_t)x * channels, channels / 4u);
            } else {
                column = widen_padding(layer, column, channels / 4u);
            }
            x += w->dilation_width;
        }
        y += w->dilation_height;
    }
}

/* True when the window is one run of bytes that can be read in whole words without leaving the input. */
static bool contiguous(const ecgseg_conv_t *layer, origin_t origin)
{
    const ecgseg_window_t *w = &layer->window;
    if (w->kernel_height != 1 || w->dilation_width != 1 || origin.x < 0 || !inside(origin.y, w->in_height)) {
        return false;
    }
    const uint32_t start = ((uint32_t)origin.y * w->in_width + (uint32_t)origin.x) * w->in_channels;
    return origin.x + w->kernel_width <= w->in_width &&
           start + 4u * layer->groups <= (uint32_t)w->in_height * w->in_width * w->in_channels;
}

static void fill_column(const ecgseg_conv_t *layer, const int8_t *input, uint32_t position, int16_t *column,
                        int8_t *stage)
{
    const ecgseg_window_t *w = &layer->window;
    const uint32_t out_y = w->out_height == 1 ? 0 : position / w->out_width;
    const uint32_t out_x = position - out_y * w->out_width;
    const origin_t origin = {(int32_t)(out_y * w->stride_height) - w->pad_top,
                             (int32_t)(out_x * w->stride_width) - w->pad_left};
    if (contiguous(layer, origin)) {
        (void)widen(column, input + ((uint32_t)origin.y * w->in_width + (uint32_t)origin.x) * w->in_channels,
                    layer->groups);
    } else if (w->in_channels % 4u == 0) {
        widen_taps(layer, input, origin, column);
    } else {
        stage_window(layer, input, origin, stage);
        (void)widen(column, stage, layer->groups);
    }
}

/* doubled: twice the accumulator, because the weights and the bias of a prepared layer are stored doubled. */
static inline int32_t requantise_prepared(int32_t doubled, const ecgseg_channel_t *channel)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(doubled), "r"(channel->multiplier));
#else
    const int32_t high = (int32_t)(((int64_t)doubled * channel->multiplier + (INT64_C(1) << 31)) >> 32);
#endif
    return (high + (high >> 31) + channel->rounding) >> channel->shift;
}

static inline int8_t clamp_int8(int32_t value)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t clamped;
    __asm__("ssat %0, #8, %1" : "=r"(clamped) : "r"(value));
    return (int8_t)clamped;
#else
    return ecgseg_clamp(value, INT8_MIN, INT8_MAX);
#endif
}

/* Requantises the accumulators of both columns; b is written behind a. */
static void store_prepared(const ecgseg_conv_t *layer, const int32_t *accumulators, int8_t *output)
{
    const uint32_t count = layer->window.out_channels;
    const ecgseg_channel_t *channel = layer->channels;
    int8_t *second = output + count;
    for (uint32_t c = count; c != 0; c--) {
        const ecgseg_channel_t mine = *channel++;
        *output++ = clamp_int8(requantise_prepared(accumulators[0], &mine));
        *second++ = clamp_int8(requantise_prepared(accumulators[1], &mine));
        accumulators += 2;
    }
}

/* Any layer, one column (0: a, 1: b). */
static void store_any(const ecgseg_conv_t *layer, const int32_t *accumulators, int8_t *output)
{
    const ecgseg_channel_t *channels = layer->channels;
    for (uint32_t c = 0; c < layer->window.out_channels; c++) {
        int32_t value;
        if (layer->prepared) {
            value = requantise_prepared(accumulators[2 * c], &channels[c]);
        } else {
            const ecgseg_scale_t scale = {channels[c].multiplier, channels[c].shift};
            value = ecgseg_requantise(accumulators[2 * c], scale) + layer->output_zero_point;
        }
        output[c] = ecgseg_clamp(value, layer->activation_min, layer->activation_max);
    }
}

void ecgseg_conv(const ecgseg_conv_t *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const ecgseg_window_t *w = &layer->window;
    const scratch_t parts = divide_scratch(layer, scratch);
    const uint32_t positions = (uint32_t)w->out_height * w->out_width;
    const uint32_t pairs = (w->out_channels + 1u) / 2u;
    memset(parts.stage, 0, 4u * layer->groups);
    const bool fast = layer->prepared && layer->activation_min == INT8_MIN && layer->activation_max == INT8_MAX;
    for (uint32_t position = 0; position < positions; position += 2) {
        fill_column(layer, input, position, parts.columns, parts.stage);
        /* The last of an odd number of positions is computed twice and stored once. */
        const bool two = position + 1 < positions;
        fill_column(layer, input, two ? position + 1 : position, parts.columns + 4, parts.stage);
        ecgseg_mac(parts.columns, layer->weights, layer->bias, layer->groups, pairs, parts.accumulators);
        if (fast && two) {
            store_prepared(layer, parts.accumulators, output);
        } else {
            store_any(layer, parts.accumulators, output);
            if (two) {
                store_any(layer, parts.accumulators + 1, output + w->out_channels);
            }
        }
        output += 2u * w->out_channels;
    }
}
