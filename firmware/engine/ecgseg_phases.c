#include "ecgseg_phases.h"

#include <stdbool.h>
#include <string.h>

/* Four outputs of every channel, y[2j-1] to y[2j+2], at output, output + stride, ...; for the packed inputs B[j] to
 * B[j+pairs] of every input channel. carry: lane 2 of the P before, per channel. The assembly knows this layout. */
struct ecgseg_phases_tile {
    const int32_t *packed;
    const int32_t *packed_end;
    const int32_t *weights;
    const ecgseg_phases_channel_t *channels;
    int32_t *carry;
    int8_t *output;
    uint32_t stride;
    const ecgseg_phases_channel_t *channels_end;
};

#if !defined(__ARM_FEATURE_DSP)

static int8_t requantise(int32_t accumulator, const ecgseg_phases_channel_t *channel)
{
    const int32_t shifted = (int32_t)((uint32_t)accumulator << (uint32_t)channel->left_shift);
    const int32_t high = (int32_t)(((int64_t)shifted * channel->multiplier) >> 32);
    const int32_t value = (high + channel->rounding) >> ECGSEG_PHASES_SHIFT;
    if (value < INT8_MIN) {
        return INT8_MIN;
    }
    return (int8_t)(value > INT8_MAX ? INT8_MAX : value);
}

static inline void tile(const ecgseg_phases_tile_t *t, uint32_t pairs)
{
    const uint32_t mask = (1u << ECGSEG_PHASES_LANE) - 1u;
    const int32_t offset = 1 << (ECGSEG_PHASES_LANE - 1);
    const int32_t *weights = t->weights;
    int32_t *carry = t->carry;
    int8_t *output = t->output;
    for (const ecgseg_phases_channel_t *channel = t->channels; channel != t->channels_end; channel++) {
        uint64_t first = channel->start;
        uint64_t second = first;
        for (const int32_t *packed = t->packed; packed != t->packed_end; packed += pairs + 1) {
            for (uint32_t m = 0; m < pairs; m++) {
                first += (uint64_t)((int64_t)packed[m] * *weights);
                second += (uint64_t)((int64_t)packed[m + 1] * *weights);
                weights++;
            }
        }
        const int32_t lane0[2] = {(int32_t)((uint32_t)first & mask), (int32_t)((uint32_t)second & mask)};
        const int32_t lane1[2] = {(int32_t)((uint32_t)(first >> ECGSEG_PHASES_LANE) & mask) - offset,
                                  (int32_t)((uint32_t)(second >> ECGSEG_PHASES_LANE) & mask) - offset};
        const int32_t lane2[2] = {(int32_t)((int64_t)first >> (2 * ECGSEG_PHASES_LANE)),
                                  (int32_t)((int64_t)second >> (2 * ECGSEG_PHASES_LANE))};
        output[0] = requantise(*carry + lane0[0], channel);
        output[t->stride] = requantise(lane1[0], channel);
        output[2 * t->stride] = requantise(lane2[0] + lane0[1], channel);
        output[3 * t->stride] = requantise(lane1[1], channel);
        *carry++ = lane2[1];
        output++;
    }
}

#define TILE(name, pairs, steps)                    \
    static void name(const ecgseg_phases_tile_t *t) \
    {                                               \
        tile(t, pairs);                             \
    }

#else

/* Register plan of the inner loop
 *   r0:r1, r2:r3  P[j], P[j+1]
 *   r4-r8         packed inputs
 *   r8-r10        weights
 *   r11           next packed input, lr their end, r12 next weight
 * of the rest
 *   r4            multiplier, r5 rounding, r6 left shift
 *   r7, r8, r10, r11  y[2j-1], y[2j], y[2j+1], y[2j+2]
 * What the inner loop does not need waits in floating-point registers, one instruction away:
 *   s0 packed, s1 packed_end, s2 channel, s3 carry, s4 output, s5 stride, s6 channels_end
 */
#define STEP_1               \
    "ldmia r11!, {r4, r5}\n" \
    "ldr r8, [r12], #4\n"    \
    "smlal r0, r1, r4, r8\n" \
    "smlal r2, r3, r5, r8\n"
#define STEP_2               \
    "ldmia r11!, {r4-r6}\n"  \
    "ldmia r12!, {r8, r9}\n" \
    "smlal r0, r1, r4, r8\n" \
    "smlal r2, r3, r5, r8\n" \
    "smlal r0, r1, r5, r9\n" \
    "smlal r2, r3, r6, r9\n"
#define STEP_3                \
    "ldmia r11!, {r4-r7}\n"   \
    "ldmia r12!, {r8-r10}\n"  \
    "smlal r0, r1, r4, r8\n"  \
    "smlal r2, r3, r5, r8\n"  \
    "smlal r0, r1, r5, r9\n"  \
    "smlal r2, r3, r6, r9\n"  \
    "smlal r0, r1, r6, r10\n" \
    "smlal r2, r3, r7, r10\n"
#define STEP_4                \
    "ldmia r11!, {r4-r8}\n"   \
    "ldmia r12!, {r9, r10}\n" \
    "smlal r0, r1, r4, r9\n"  \
    "smlal r2, r3, r5, r9\n"  \
    "smlal r0, r1, r5, r10\n" \
    "smlal r2, r3, r6, r10\n" \
    "ldmia r12!, {r9, r10}\n" \
    "smlal r0, r1, r6, r9\n"  \
    "smlal r2, r3, r7, r9\n"  \
    "smlal r0, r1, r7, r10\n" \
    "smlal r2, r3, r8, r10\n"

/* `steps` input channels a round of the inner loop; their number must be a multiple of it. Offsets are those of
 * ecgseg_phases_channel_t. The comparison of the channel pointer is made early: nothing after it touches the flags. */
#define TILE(name, pairs, steps)                                                          \
    __attribute__((naked, noinline)) static void name(const ecgseg_phases_tile_t *t)      \
    {                                                                                     \
        __asm__ volatile("push {r4-r11, lr}\n"                                            \
                         "vldmia r0!, {s0, s1}\n"                                         \
                         "ldr r12, [r0], #4\n"                                            \
                         "vldmia r0!, {s2-s6}\n"                                          \
                         "1:\n"                                                           \
                         "vmov r4, s2\n"                                                  \
                         "vmov r11, s0\n"                                                 \
                         "vmov lr, s1\n"                                                  \
                         "ldrd r0, r1, [r4]\n"                                            \
                         "ldrd r2, r3, [r4]\n"                                            \
                         "2:\n"                                                           \
                         ".rept " #steps "\n" STEP_##pairs ".endr\n"                      \
                                                           "cmp r11, lr\n"                \
                                                           "bne 2b\n"                     \
                                                           "vmov r11, r9, s2, s3\n"       \
                                                           "vmov r10, s6\n"               \
                                                           "ldrd r4, r5, [r11, #8]\n"     \
                                                           "ldr r6, [r11, #16]\n"         \
                                                           "add r11, r11, #24\n"          \
                                                           "cmp r11, r10\n"               \
                                                           "vmov s2, r11\n"               \
                                                           "ldr r7, [r9]\n"               \
                                                           "ubfx r8, r0, #0, #21\n"       \
                                                           "add r7, r7, r8\n"             \
                                                           "lsr r8, r0, #21\n"            \
                                                           "bfi r8, r1, #11, #10\n"       \
                                                           "sub r8, r8, #1048576\n"       \
                                                           "ubfx r10, r2, #0, #21\n"      \
                                                           "add r10, r10, r1, asr #10\n"  \
                                                           "lsr r11, r2, #21\n"           \
                                                           "bfi r11, r3, #11, #10\n"      \
                                                           "sub r11, r11, #1048576\n"     \
                                                           "asr r3, r3, #10\n"            \
                                                           "str r3, [r9], #4\n"           \
                                                           "vmov s3, r9\n"                \
                                                           "lsl r7, r7, r6\n"             \
                                                           "lsl r8, r8, r6\n"             \
                                                           "lsl r10, r10, r6\n"           \
                                                           "lsl r11, r11, r6\n"           \
                                                           "smmla r7, r7, r4, r5\n"       \
                                                           "smmla r8, r8, r4, r5\n"       \
                                                           "smmla r10, r10, r4, r5\n"     \
                                                           "smmla r11, r11, r4, r5\n"     \
                                                           "vmov r0, r1, s4, s5\n"        \
                                                           "ssat r7, #8, r7, asr #12\n"   \
                                                           "ssat r8, #8, r8, asr #12\n"   \
                                                           "ssat r10, #8, r10, asr #12\n" \
                                                           "ssat r11, #8, r11, asr #12\n" \
                                                           "add r2, r0, r1, lsl #1\n"     \
                                                           "strb r8, [r0, r1]\n"          \
                                                           "strb r11, [r2, r1]\n"         \
                                                           "strb r7, [r0], #1\n"          \
                                                           "strb r10, [r2]\n"             \
                                                           "vmov s4, r0\n"                \
                                                           "bne 1b\n"                     \
                                                           "pop {r4-r11, pc}\n");         \
        (void)t;                                                                          \
    }

#endif

static inline int32_t two(uint32_t first, uint32_t second, uint32_t bit)
{
    return (int8_t)(first >> bit) + (int8_t)(second >> bit) * (1 << ECGSEG_PHASES_LANE);
}

static inline uint32_t word_at(const int8_t *bytes)
{
    uint32_t word;
    (void)memcpy(&word, bytes, sizeof word);
    return word;
}

/* For every input channel: moves the last pairs - 1 words to the front and packs the next two behind them, from four
 * rows of input. Whole words of four channels first. */
static inline void pack(const int8_t *const rows[4], int32_t *words, uint32_t in_channels, uint32_t pairs)
{
    const uint32_t fours = in_channels & ~3u;
    uint32_t channel = 0;
    for (; channel < fours; channel += 4) {
        const uint32_t a = word_at(rows[0] + channel);
        const uint32_t b = word_at(rows[1] + channel);
        const uint32_t c = word_at(rows[2] + channel);
        const uint32_t d = word_at(rows[3] + channel);
#pragma GCC unroll 4
        for (uint32_t bit = 0; bit < 32; bit += 8) {
#pragma GCC unroll 4
            for (uint32_t i = 2; i <= pairs; i++) {
                words[i - 2] = words[i];
            }
            words[pairs - 1] = two(a, b, bit);
            words[pairs] = two(c, d, bit);
            words += pairs + 1;
        }
    }
    for (; channel < in_channels; channel++) {
        for (uint32_t i = 2; i <= pairs; i++) {
            words[i - 2] = words[i];
        }
        words[pairs - 1] = rows[0][channel] + rows[1][channel] * (1 << ECGSEG_PHASES_LANE);
        words[pairs] = rows[2][channel] + rows[3][channel] * (1 << ECGSEG_PHASES_LANE);
        words += pairs + 1;
    }
}

/* One form per number of tap pairs: for input channels in fours, and for any number. The linker drops the others. */
#define FORM(pairs)                                                                                       \
    static void pack_##pairs(const int8_t *const rows[4], int32_t *words, uint32_t in_channels)           \
    {                                                                                                     \
        pack(rows, words, in_channels, pairs);                                                            \
    }                                                                                                     \
    TILE(tile_##pairs##_by_1, pairs, 1)                                                                   \
    TILE(tile_##pairs##_by_4, pairs, 4)                                                                   \
    const ecgseg_phases_form_t ecgseg_phases_##pairs##_by_1 = {pack_##pairs, tile_##pairs##_by_1, pairs}; \
    const ecgseg_phases_form_t ecgseg_phases_##pairs##_by_4 = {pack_##pairs, tile_##pairs##_by_4, pairs};

FORM(1)
FORM(2)
FORM(3)
FORM(4)

/* The row of the input at a position, or the row of padding. */
static inline const int8_t *row_at(const ecgseg_phases_t *layer, const int8_t *input, int32_t position,
                                   const int8_t *padding)
{
    return position < 0 || position >= layer->in_length ? padding : input + position * layer->in_channels;
}

/* Copies the rows first..first+3 of a phase that exist to their places in the output. */
static void copy_rows(const ecgseg_phases_t *layer, const int8_t *rows, int8_t *output, int32_t position)
{
    for (uint32_t i = 0; i < 4; i++, rows += layer->out_channels, position += layer->dilation) {
        if (position >= 0 && position < layer->out_length) {
            memcpy(output + position * layer->out_channels, rows, layer->out_channels);
        }
    }
}

/* All outputs of one phase. */
static void run_phase(const ecgseg_phases_t *layer, const int8_t *input, int8_t *output, int32_t phase,
                      ecgseg_phases_tile_t *t, int32_t *packed, int8_t *border, const int8_t *padding)
{
    const ecgseg_phases_form_t *form = layer->form;
    const int32_t dilation = layer->dilation;
    /* The first rounds only fill the packed inputs: B[0] is in place when j reaches 0. */
    int32_t j = -2 * (form->pairs / 2);
    int32_t next = phase - layer->pad + 2 * (j + form->pairs - 1) * dilation;
    int32_t position = phase + (2 * j - 1) * dilation;
    for (; position < layer->out_length; j += 2, next += 4 * dilation, position += 4 * dilation) {
        const int8_t *const rows[4] = {
            row_at(layer, input, next, padding), row_at(layer, input, next + dilation, padding),
            row_at(layer, input, next + 2 * dilation, padding), row_at(layer, input, next + 3 * dilation, padding)};
        form->pack(rows, packed, layer->in_channels);
        if (j < 0) {
            continue;
        }
        if (position >= 0 && position + 3 * dilation < layer->out_length) {
            t->output = output + position * layer->out_channels;
            t->stride = (uint32_t)dilation * layer->out_channels;
            form->tile(t);
        } else {
            t->output = border;
            t->stride = layer->out_channels;
            form->tile(t);
            copy_rows(layer, border, output, position);
        }
    }
}

void ecgseg_phases(const ecgseg_phases_t *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const uint32_t words = ((uint32_t)layer->form->pairs + 1u) * layer->in_channels;
    int32_t *const packed = scratch;
    int32_t *const carry = packed + words;
    int8_t *const border = (int8_t *)(carry + layer->out_channels);
    int8_t *const padding = border + 4u * layer->out_channels;
    (void)memset(packed, 0, sizeof *packed * (words + layer->out_channels));
    (void)memset(padding, layer->input_zero_point, layer->in_channels);
    ecgseg_phases_tile_t t = {.packed = packed,
                              .packed_end = packed + words,
                              .weights = layer->weights,
                              .channels = layer->channels,
                              .carry = carry,
                              .channels_end = layer->channels + layer->out_channels};
    const int32_t phases = layer->dilation < layer->out_length ? layer->dilation : layer->out_length;
    for (int32_t phase = 0; phase < phases; phase++) {
        run_phase(layer, input, output, phase, &t, packed, border, padding);
    }
}
