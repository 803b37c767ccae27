#include "ecgseg_phases.h"

#include <stdbool.h>
#include <string.h>

/* Four outputs of every channel, y[2j-1] to y[2j+2], at output, output + stride, ...; for the packed inputs B[j] to
 * B[j+pairs] of every input channel. carry: the first word of the next P[j], per channel in the order of the stream.
 * The assembly knows this layout. */
struct ecgseg_phases_tile {
    const int32_t *packed;
    const int32_t *packed_end;
    uint32_t *carry;
    int8_t *output;
    uint32_t stride;
    const uint32_t *stream_end;
    const uint32_t *stream;
};

#if !defined(__ARM_FEATURE_DSP)

#define LANE_MASK ((1u << ECGSEG_PHASES_LANE) - 1u)

static int8_t requantise(uint32_t sum, const ecgseg_phases_end_t *end)
{
    const uint32_t shifted = sum << (end->shift & 0xFFu);
    const int32_t high = (int32_t)(((int64_t)(int32_t)shifted * end->multiplier) >> 32);
    const int32_t value = (high + end->rounding) >> ECGSEG_PHASES_SHIFT;
    if (value < INT8_MIN) {
        return INT8_MIN;
    }
    return (int8_t)(value > INT8_MAX ? INT8_MAX : value);
}

/* Adds the products of one channel of a pair; weights are those of the pair's first channel, or one behind it. */
static void accumulate(uint64_t sums[2], const ecgseg_phases_tile_t *t, const uint32_t *weights, uint32_t pairs)
{
    for (const int32_t *packed = t->packed; packed != t->packed_end; packed += pairs + 1) {
        for (uint32_t m = 0; m < pairs; m++) {
            const int32_t weight = (int32_t)*weights;
            sums[0] += (uint64_t)((int64_t)packed[m] * weight);
            sums[1] += (uint64_t)((int64_t)packed[m + 1] * weight);
            weights += 2;
        }
    }
}

/* Lane 1. */
static uint32_t middle(uint64_t sum)
{
    return (uint32_t)(sum >> ECGSEG_PHASES_LANE) & LANE_MASK;
}

static uint32_t finish(const uint64_t sums[2], const ecgseg_phases_end_t *end, int8_t *output, uint32_t stride)
{
    const uint32_t next = (uint32_t)(sums[0] >> (2 * ECGSEG_PHASES_LANE)) + (uint32_t)sums[1];
    output[0] = requantise((uint32_t)sums[0] & LANE_MASK, end);
    output[stride] = requantise(middle(sums[0]), end);
    output[2 * stride] = requantise(next & LANE_MASK, end);
    output[3 * stride] = requantise(middle(sums[1]), end);
    return end->start_low + (uint32_t)(sums[1] >> (2 * ECGSEG_PHASES_LANE));
}

static inline void tile(const ecgseg_phases_tile_t *t, uint32_t pairs)
{
    const uint32_t weights = (uint32_t)(t->packed_end - t->packed) / (pairs + 1) * pairs * 2u;
    uint32_t *carry = t->carry;
    int8_t *output = t->output;
    for (const uint32_t *stream = t->stream; stream != t->stream_end; stream += weights + ECGSEG_PHASES_PAIR_WORDS) {
        ecgseg_phases_end_t ends[2];
        (void)memcpy(ends, stream + ECGSEG_PHASES_START_WORDS + weights, sizeof ends);
        for (uint32_t i = 0; i < 2; i++) {
            const uint32_t *start = stream + 3 * i;
            uint64_t sums[2] = {*carry | (uint64_t)start[0] << 32, start[1] | (uint64_t)start[2] << 32};
            accumulate(sums, t, stream + ECGSEG_PHASES_START_WORDS + i, pairs);
            *carry++ = finish(sums, &ends[i], output + i, t->stride);
        }
        output += ends[1].shift >> 8;
    }
}

#define TILE(name, pairs, steps)                    \
    static void name(const ecgseg_phases_tile_t *t) \
    {                                               \
        tile(t, pairs);                             \
    }

#else

/* Register plan of the inner loop
 *   r0:r1, r2:r3  P[j], P[j+1] of the first channel of a pair, r4:r5, r6:r7 of the second
 *   r8, r9        packed inputs
 *   r10, r11      weights
 *   r12           next packed input, lr next word of the stream
 * of the rest
 *   r8-r11        multiplier, rounding, shift, start_low, then the rows of the output
 *   r12, r0-r2    y[2j-1] to y[2j+2] of the first channel; r12, r4-r6 of the second
 * What the inner loop does not need waits in floating-point registers, one instruction away:
 *   s0 packed, s1 packed_end, s2 carry, s3 output, s4 stride, s5 stream_end
 * Loads are single ones with immediate offsets: n behind each other take n + 1 cycles, and LDM, which cannot be entered
 * from a load or left into one, takes as many for a lot that then has to fit the registers.
 */
#define LOAD(register, base, offset) "ldr.w " #register ", [" #base ", #(" offset ")]\n"
#define MULTIPLY(first, second)        \
    "smlal r0, r1, " #first ", r10\n"  \
    "smlal r4, r5, " #first ", r11\n"  \
    "smlal r2, r3, " #second ", r10\n" \
    "smlal r6, r7, " #second ", r11\n"
/* The m-th pair of taps; the packed input that the one before has loaded last is `first`. */
#define PAIR(m, first, second)                 \
    LOAD(second, r12, ".Lin + 4 * " #m " + 4") \
    LOAD(r10, lr, ".Lat + 8 * " #m) LOAD(r11, lr, ".Lat + 8 * " #m " + 4") MULTIPLY(first, second)
#define PAIRS_1 LOAD(r8, r12, ".Lin") PAIR(0, r8, r9)
#define PAIRS_2 PAIRS_1 PAIR(1, r9, r8)
#define PAIRS_3 PAIRS_2 PAIR(2, r8, r9)
#define PAIRS_4 PAIRS_3 PAIR(3, r9, r8)

/* From P[j] in lo0:hi0 and P[j+1] in lo1:hi1 the four sums, in r12, lo0, hi0, lo1, and the next carry in start. */
#define SUMS(lo0, hi0, lo1, hi1, start)               \
    "add " #start ", " #start ", " #hi1 ", lsr #10\n" \
    "ubfx r12, " #lo0 ", #0, #21\n"                   \
    "lsr.w " #lo0 ", " #lo0 ", #21\n"                 \
    "bfi " #lo0 ", " #hi0 ", #11, #10\n"              \
    "add.w " #hi0 ", " #lo1 ", " #hi0 ", lsr #10\n"   \
    "ubfx " #hi0 ", " #hi0 ", #0, #21\n"              \
    "lsr.w " #lo1 ", " #lo1 ", #21\n"                 \
    "bfi " #lo1 ", " #hi1 ", #11, #10\n"
#define EACH_4(operation, a, b, c, d) operation(a) operation(b) operation(c) operation(d)
#define SHIFT_A(y) "lsl.w " #y ", " #y ", r10\n"
#define SCALE_A(y) "smmla " #y ", " #y ", r8, r9\n"
#define SHIFT_B(y) "lsl.w " #y ", " #y ", r2\n"
#define SCALE_B(y) "smmla " #y ", " #y ", r0, r1\n"
#define CLAMP(y) "ssat " #y ", #8, " #y ", asr #12\n"

/* `steps` input channels a round of the inner loop; their number must be a multiple of it. Offsets are those of the
 * stream, whose weights begin ECGSEG_PHASES_START_WORDS behind lr; what has no 16-bit form is written as 32 bits, so
 * that every target of a branch is aligned. */
#define TILE(name, pairs, steps)                                                                                       \
    __attribute__((naked, noinline, aligned(4))) static void name(const ecgseg_phases_tile_t *t)                       \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push.w {r4-r11, lr}\n"                                                                                    \
            "vldmia r0!, {s0-s5}\n"                                                                                    \
            "ldr.w lr, [r0]\n"                                                                                         \
            "1:\n"                                                                                                     \
            "vmov r10, s2\n"                                                                                           \
            "vmov r12, s0\n"                                                                                           \
            "ldr.w r0, [r10]\n"                                                                                        \
            "ldr.w r4, [r10, #4]\n"                                                                                    \
            "ldr.w r1, [lr]\n"                                                                                         \
            "ldr.w r2, [lr, #4]\n"                                                                                     \
            "ldr.w r3, [lr, #8]\n"                                                                                     \
            "ldr.w r5, [lr, #12]\n"                                                                                    \
            "ldr.w r6, [lr, #16]\n"                                                                                    \
            "ldr.w r7, [lr, #20]\n"                                                                                    \
            "2:\n"                                                                                                     \
            ".set .Lin, 0\n"                                                                                           \
            ".set .Lat, 24\n"                                                                                          \
            ".rept " #steps "\n" PAIRS_##pairs                                                                         \
            ".set .Lin, .Lin + 4 * (" #pairs " + 1)\n"                                                                 \
            ".set .Lat, .Lat + 8 * " #pairs "\n"                                                                       \
            ".endr\n"                                                                                                  \
            "add.w r12, r12, #4 * (" #pairs " + 1) * " #steps "\n"                                                     \
            "add.w lr, lr, #8 * " #pairs " * " #steps "\n"                                                             \
            "vmov r8, s1\n"                                                                                            \
            "cmp r12, r8\n"                                                                                            \
            "bne 2b\n"                                                                                                 \
            "ldr.w r8, [lr, #24]\n"                                                                                    \
            "ldr.w r9, [lr, #28]\n"                                                                                    \
            "ldr.w r10, [lr, #32]\n"                                                                                   \
            "ldr.w r11, [lr, #36]\n" SUMS(r0, r1, r2, r3, r11) EACH_4(SHIFT_A, r12, r0, r1, r2)                        \
                EACH_4(SCALE_A, r12, r0, r1, r2) "vmov r8, r9, s3, s4\n" EACH_4(                                       \
                    CLAMP, r12, r0, r1,                                                                                \
                    r2) "add.w r10, r8, r9, lsl #1\n"                                                                  \
                        "add.w r3, r10, r9\n"                                                                          \
                        "add.w r9, r8, r9\n"                                                                           \
                        "strb.w r12, [r8]\n"                                                                           \
                        "strb.w r0, [r9]\n"                                                                            \
                        "strb.w r1, [r10]\n"                                                                           \
                        "strb.w r2, [r3]\n"                                                                            \
                        "vmov r12, s2\n"                                                                               \
                        "str.w r11, [r12]\n"                                                                           \
                        "ldr.w r0, [lr, #40]\n"                                                                        \
                        "ldr.w r1, [lr, #44]\n"                                                                        \
                        "ldr.w r2, [lr, #48]\n"                                                                        \
                        "ldr.w r11, [lr, #52]\n" SUMS(r4, r5, r6, r7, r11) EACH_4(SHIFT_B, r12, r4, r5, r6)            \
                            EACH_4(SCALE_B, r12, r4, r5, r6)                                                           \
                                EACH_4(CLAMP, r12, r4, r5,                                                             \
                                       r6) "strb.w r12, [r8, #1]\n"                                                    \
                                           "strb.w r4, [r9, #1]\n"                                                     \
                                           "strb.w r5, [r10, #1]\n"                                                    \
                                           "strb.w r6, [r3, #1]\n"                                                     \
                                           "vmov r12, s2\n"                                                            \
                                           "add.w r8, r8, r2, lsr #8\n" /* by what the stream says beside the shift */ \
                                           "str.w r11, [r12, #4]\n"                                                    \
                                           "add.w r12, r12, #8\n"                                                      \
                                           "vmov s2, r12\n"                                                            \
                                           "vmov s3, r8\n"                                                             \
                                           "add.w lr, lr, #56\n"                                                       \
                                           "vmov r12, s5\n"                                                            \
                                           "cmp lr, r12\n"                                                             \
                                           "bne 1b\n"                                                                  \
                                           "pop.w {r4-r11, pc}\n");                                                    \
        (void)t;                                                                                                       \
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

/* One form per number of tap pairs and of input channels a round. The linker drops the others. */
#define BY(pairs, steps)                          \
    TILE(tile_##pairs##_by_##steps, pairs, steps) \
    const ecgseg_phases_form_t ecgseg_phases_##pairs##_by_##steps = {pack_##pairs, tile_##pairs##_by_##steps, pairs};
#define FORM(pairs)                                                                             \
    static void pack_##pairs(const int8_t *const rows[4], int32_t *words, uint32_t in_channels) \
    {                                                                                           \
        pack(rows, words, in_channels, pairs);                                                  \
    }                                                                                           \
    BY(pairs, 1) BY(pairs, 4) BY(pairs, 8) BY(pairs, 10) BY(pairs, 16) BY(pairs, 20)

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

/* Bytes of a row at the border: a tile writes two channels, also of a layer that has but one. */
static inline uint32_t border_row(const ecgseg_phases_t *layer)
{
    return layer->out_channels > 1u ? layer->out_channels : 2u;
}

/* Copies the rows first..first+3 of a phase that exist to their places in the output. */
static void copy_rows(const ecgseg_phases_t *layer, const int8_t *rows, int8_t *output, int32_t position)
{
    for (uint32_t i = 0; i < 4; i++, rows += border_row(layer), position += layer->dilation) {
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
        if (position >= 0 && position + 3 * dilation < layer->out_length && layer->out_channels > 1u) {
            t->output = output + position * layer->out_channels;
            t->stride = (uint32_t)dilation * layer->out_channels;
            form->tile(t);
        } else {
            t->output = border;
            t->stride = border_row(layer);
            form->tile(t);
            copy_rows(layer, border, output, position);
        }
    }
}

void ecgseg_phases(const ecgseg_phases_t *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const uint32_t words = ((uint32_t)layer->form->pairs + 1u) * layer->in_channels;
    const uint32_t pairs = (layer->out_channels + 1u) / 2u;
    const uint32_t pair_words = ECGSEG_PHASES_PAIR_WORDS + 2u * (uint32_t)layer->form->pairs * layer->in_channels;
    int32_t *const packed = scratch;
    uint32_t *const carry = (uint32_t *)(packed + words);
    int8_t *const border = (int8_t *)(carry + 2u * pairs);
    int8_t *const padding = border + 4u * border_row(layer);
    (void)memset(packed, 0, sizeof *packed * words);
    (void)memset(padding, layer->input_zero_point, layer->in_channels);
    for (uint32_t i = 0; i < pairs; i++) {
        /* Nothing was before: like P[j+1]. */
        carry[2 * i] = layer->stream[i * pair_words + 1];
        carry[2 * i + 1] = layer->stream[i * pair_words + 4];
    }
    ecgseg_phases_tile_t t = {.packed = packed,
                              .packed_end = packed + words,
                              .carry = carry,
                              .stream_end = layer->stream + pairs * pair_words,
                              .stream = layer->stream};
    const int32_t phases = layer->dilation < layer->out_length ? layer->dilation : layer->out_length;
    for (int32_t phase = 0; phase < phases; phase++) {
        run_phase(layer, input, output, phase, &t, packed, border, padding);
    }
}
