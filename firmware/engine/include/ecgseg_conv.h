/* CONV_2D and FULLY_CONNECTED: two output positions at a time are widened into columns, then multiplied by the core.
 *
 * Inlined with a constant layer: geometry, padding, zero points and clamps cost nothing at run time.
 */
#ifndef ECGSEG_CONV_H
#define ECGSEG_CONV_H

#include "ecgseg_conv_core.h"
#include "ecgseg_window.h"

typedef struct {
    ecgseg_window_t window;
    int32_t groups; /* of four taps; the last one is filled up with zero weights */
    bool finished;  /* the stream is one for ecgseg_conv_finish */
    bool brief;     /* for its short form */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t activation_min, activation_max;
    const uint32_t *stream;       /* see ecgseg_conv_core.h; biases include the input's zero point */
    const ecgseg_scale_t *scales; /* per output channel, when not finished */
} ecgseg_conv_t;

/* Widens four words, which need not be aligned, into one of the two interleaved columns. */
ECGSEG_INLINE void ecgseg_conv_widen16(uint32_t *column, const int8_t *source)
{
#if defined(__ARM_FEATURE_DSP)
    __asm__ volatile("ldr r4, [%[source]]\n"
                     "ldr r5, [%[source], #4]\n"
                     "ldr r6, [%[source], #8]\n"
                     "ldr r8, [%[source], #12]\n"
                     "sxtb16 r9, r4\n"
                     "sxtb16 r4, r4, ror #8\n"
                     "str r9, [%[column]]\n"
                     "str r4, [%[column], #4]\n"
                     "sxtb16 r9, r5\n"
                     "sxtb16 r4, r5, ror #8\n"
                     "str r9, [%[column], #16]\n"
                     "str r4, [%[column], #20]\n"
                     "sxtb16 r9, r6\n"
                     "sxtb16 r4, r6, ror #8\n"
                     "str r9, [%[column], #32]\n"
                     "str r4, [%[column], #36]\n"
                     "sxtb16 r9, r8\n"
                     "sxtb16 r4, r8, ror #8\n"
                     "str r9, [%[column], #48]\n"
                     "str r4, [%[column], #52]\n"
                     :
                     : [source] "r"(source), [column] "r"(column)
                     : "r4", "r5", "r6", "r8", "r9", "memory");
#else
    for (int32_t i = 0; i < 4; i++) {
        column[4 * i] = ecgseg_widen_even(ecgseg_load4(source + 4 * i));
        column[4 * i + 1] = ecgseg_widen_odd(ecgseg_load4(source + 4 * i));
    }
#endif
}

ECGSEG_INLINE void ecgseg_conv_widen(uint32_t *column, const int8_t *source, int32_t groups)
{
    for (; groups >= 4; groups -= 4) {
        ecgseg_conv_widen16(column, source);
        column += 16;
        source += 16;
    }
    for (; groups > 0; groups--) {
        const uint32_t word = ecgseg_load4(source);
        column[0] = ecgseg_widen_even(word);
        column[1] = ecgseg_widen_odd(word);
        column += 4;
        source += 4;
    }
}

/* Channel counts that are a multiple of four: each tap is widened where it lies. */
ECGSEG_INLINE void ecgseg_conv_fill_taps(const ecgseg_conv_t *layer, const int8_t *input, ecgseg_origin_t origin,
                                         uint32_t *column)
{
    const ecgseg_window_t *w = &layer->window;
    const int32_t groups = w->in_channels / 4;
    const uint32_t padding = (uint32_t)(uint16_t)layer->input_zero_point * 0x10001u;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = ecgseg_tap(w, input, origin, ky, kx);
            if (source != NULL) {
                ecgseg_conv_widen(column, source, groups);
            } else {
                for (int32_t group = 0; group < groups; group++) {
                    column[4 * group] = padding;
                    column[4 * group + 1] = padding;
                }
            }
            column += 4 * groups;
        }
    }
}

/* Any channel count: the window is copied byte by byte, then widened. */
ECGSEG_INLINE void ecgseg_conv_fill_staged(const ecgseg_conv_t *layer, const int8_t *input, ecgseg_origin_t origin,
                                           uint32_t *column, int8_t *stage)
{
    const ecgseg_window_t *w = &layer->window;
    int8_t *next = stage;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int8_t *source = ecgseg_tap(w, input, origin, ky, kx);
            for (int32_t c = 0; c < w->in_channels; c++) {
                *next++ = source != NULL ? source[c] : (int8_t)layer->input_zero_point;
            }
        }
    }
    ecgseg_conv_widen(column, stage, layer->groups);
}

ECGSEG_INLINE void ecgseg_conv_fill(const ecgseg_conv_t *layer, const int8_t *input, int32_t position, uint32_t *column,
                                    int8_t *stage)
{
    const ecgseg_window_t *w = &layer->window;
    const ecgseg_origin_t origin = ecgseg_origin(w, position);
    if (w->in_channels % 4 == 0) {
        ecgseg_conv_fill_taps(layer, input, origin, column);
        return;
    }
    /* A window that is one run of bytes is read in whole words, as long as the last one does not leave the input. */
    if (w->kernel_height == 1 && (w->dilation_width == 1 || w->kernel_width == 1) && ecgseg_interior(w, origin)) {
        const int32_t start = (origin.y * w->in_width + origin.x) * w->in_channels;
        if (start + 4 * layer->groups <= w->in_height * w->in_width * w->in_channels) {
            ecgseg_conv_widen(column, input + start, layer->groups);
            return;
        }
    }
    ecgseg_conv_fill_staged(layer, input, origin, column, stage);
}

/* A window of one that moves by one: every position lies inside, with as many channels as words are read. */
ECGSEG_INLINE bool ecgseg_conv_is_pointwise(const ecgseg_window_t *w)
{
    return w->kernel_height == 1 && w->kernel_width == 1 && w->stride_height == 1 && w->stride_width == 1 &&
           w->pad_top == 0 && w->pad_left == 0 && w->in_channels % 4 == 0;
}

/* The columns of a position and, `second` positions behind it, of the other one. */
ECGSEG_INLINE void ecgseg_conv_fill_both(const ecgseg_conv_t *layer, const int8_t *input, int32_t position,
                                         int32_t second, uint32_t *columns, int8_t *stage)
{
    if (ecgseg_conv_is_pointwise(&layer->window)) {
        const int8_t *source = input + position * layer->window.in_channels;
        ecgseg_conv_widen(columns, source, layer->groups);
        ecgseg_conv_widen(columns + 2, source + second * layer->window.in_channels, layer->groups);
        return;
    }
    for (int32_t i = 0; i < 2; i++) {
        ecgseg_conv_fill(layer, input, position + i * second, columns + 2 * i, stage);
    }
}

/* Requantises the sums of one of the two positions into out_channels bytes. */
ECGSEG_INLINE void ecgseg_conv_store(const ecgseg_conv_t *layer, const int32_t *sums, int8_t *output)
{
    for (int32_t c = 0; c < layer->window.out_channels; c++) {
        const int32_t value = ecgseg_requantise(sums[2 * c], layer->scales[c]) + layer->output_zero_point;
        output[c] = (int8_t)ecgseg_clamp(value, layer->activation_min, layer->activation_max);
    }
}

/* output may be the input when the window is a single tap without stride and out_channels <= in_channels: a position's
 * bytes are read before they are written. */
ECGSEG_INLINE void ecgseg_conv(const ecgseg_conv_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const ecgseg_window_t *w = &layer->window;
    uint32_t *columns = (uint32_t *)(void *)scratch;
    int8_t *stage = (int8_t *)(scratch + 4 * layer->groups);
    int32_t *sums = scratch + 5 * layer->groups;
    const int32_t positions = w->out_height * w->out_width;
    const uint32_t groups = (uint32_t)layer->groups;
    const int32_t pairs = (w->out_channels + 1) / 2;
    if (w->in_channels % 4 != 0) {
        (void)memset(stage, 0, 4u * groups);
    }
    for (int32_t position = 0; position < positions; position += 2) {
        /* The last of an odd number of positions is computed twice, in both columns. */
        const int32_t second = position + 1 < positions ? 1 : 0;
        ecgseg_conv_fill_both(layer, input, position, second, columns, stage);
        int8_t *next = output + second * w->out_channels;
        if (layer->finished) {
            ecgseg_conv_finish(columns, layer->stream, groups, layer->brief ? -pairs : pairs, output, next);
        } else {
            ecgseg_conv_accumulate(columns, layer->stream, groups, pairs, sums);
            ecgseg_conv_store(layer, sums, output);
            ecgseg_conv_store(layer, sums + 1, next);
        }
        output = next + w->out_channels;
    }
}

#endif
