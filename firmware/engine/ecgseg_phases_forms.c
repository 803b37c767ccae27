/* The forms of ecgseg_phases.h: packing of inputs and the tile, portable and for the Cortex-M4. */
#include <stdbool.h>
#include <string.h>

#include "ecgseg_phases_tile.h"

/* What makes an input non-negative. */
#define INPUT_OFFSET 128

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

/* The four sums of a channel. */
static void take_apart(const uint64_t sums[2], uint32_t four[4])
{
    const uint32_t next = (uint32_t)(sums[0] >> (2 * ECGSEG_PHASES_LANE)) + (uint32_t)sums[1];
    four[0] = (uint32_t)sums[0] & LANE_MASK;
    four[1] = middle(sums[0]);
    four[2] = next & LANE_MASK;
    four[3] = middle(sums[1]);
}

static inline void tile(const ecgseg_phases_tile_t *t, uint32_t pairs, bool part)
{
    const uint32_t weights = (uint32_t)(t->packed_end - t->packed) / (pairs + 1) * pairs * 2u;
    uint32_t *carry = t->carry;
    int8_t *row = (int8_t *)t->rows[0];
    uint32_t *parts = (uint32_t *)t->rows[0];
    for (const uint32_t *stream = t->stream; stream != t->stream_end; stream += weights + ECGSEG_PHASES_PAIR_WORDS) {
        ecgseg_phases_end_t ends[2];
        (void)memcpy(ends, stream + ECGSEG_PHASES_START_WORDS + weights, sizeof ends);
        for (uint32_t i = 0; i < 2; i++) {
            const uint32_t *start = stream + 3 * i;
            uint64_t sums[2] = {*carry | (uint64_t)start[0] << 32, start[1] | (uint64_t)start[2] << 32};
            accumulate(sums, t, stream + ECGSEG_PHASES_START_WORDS + i, pairs);
            uint32_t four[4];
            take_apart(sums, four);
            for (uint32_t k = 0; k < 4; k++) {
                if (part) {
                    *parts++ += four[k];
                } else {
                    row[(k == 0 ? 0 : t->rows[k]) + (intptr_t)i] = requantise(four[k], &ends[i]);
                }
            }
            *carry++ = ends[i].start_low + (uint32_t)(sums[1] >> (2 * ECGSEG_PHASES_LANE));
        }
        row += ends[1].shift >> 8;
    }
}

#define TILE(name, pairs, steps, whole)             \
    static void name(const ecgseg_phases_tile_t *t) \
    {                                               \
        tile(t, pairs, false);                      \
    }
#define PART(name, pairs, steps)                    \
    static void name(const ecgseg_phases_tile_t *t) \
    {                                               \
        tile(t, pairs, true);                       \
    }

#else

/* Register plan of the inner loop
 *   r0:r1, r2:r3  P[j], P[j+1] of the first channel of a pair, r4:r5, r6:r7 of the second
 *   r8, r9        packed inputs
 *   r10, r11      weights
 *   r12           next packed input, lr the stream from this pair or round on
 * of the rest
 *   r8-r11        multiplier, rounding, shift, start_low; then r8, r9, r10, r3 the rows of the output
 *   r12, r0-r2    y[2j-1] to y[2j+2] of the first channel; r12, r4-r6 of the second
 * What the inner loop does not need waits in floating-point registers, one instruction away:
 *   s0 packed, s1 packed_end, s2 carry, s3-s6 rows, s7 stream_end
 * Loads are single ones with immediate offsets: n of them in a row take n + 1 cycles, as many as one LDM, and not each
 * lot has to lie in registers that follow each other. In front of the target of a branch what has a 16-bit form is
 * written as 32 bits, so that the target is aligned.
 */
/* clang-format off */
#define LOAD(register, base, offset) "ldr.w " #register ", [" #base ", #(" offset ")]\n"
#define MULTIPLY(first, second)        \
    "smlal r0, r1, " #first ", r10\n"  \
    "smlal r4, r5, " #first ", r11\n"  \
    "smlal r2, r3, " #second ", r10\n" \
    "smlal r6, r7, " #second ", r11\n"
/* The m-th pair of taps; the packed input that the one before has loaded last is `first`. */
#define PAIR(m, first, second)                 \
    LOAD(second, r12, ".Lin + 4 * " #m " + 4") \
    LOAD(r10, lr, ".Lat + 8 * " #m)            \
    LOAD(r11, lr, ".Lat + 8 * " #m " + 4")     \
    MULTIPLY(first, second)
#define PAIRS_1 LOAD(r8, r12, ".Lin") PAIR(0, r8, r9)
#define PAIRS_2 PAIRS_1 PAIR(1, r9, r8)
#define PAIRS_3 PAIRS_2 PAIR(2, r8, r9)
#define PAIRS_4 PAIRS_3 PAIR(3, r9, r8)

#define BEGIN               \
    "push.w {r4-r11, lr}\n" \
    "vldmia r0!, {s0-s7}\n" \
    "ldr.w lr, [r0]\n"      \
    "1:\n"                  \
    "vmov r10, s2\n"        \
    "vmov r12, s0\n"        \
    LOAD(r0, r10, "0")      \
    LOAD(r4, r10, "4")      \
    LOAD(r1, lr, "0")       \
    LOAD(r2, lr, "4")       \
    LOAD(r3, lr, "8")       \
    LOAD(r5, lr, "12")      \
    LOAD(r6, lr, "16")      \
    LOAD(r7, lr, "20")
/* .Lin and .Lat: offsets of the next packed input and of the next weights, which begin behind the initial values. */
#define INNER(pairs, steps)                    \
    "2:\n"                                     \
    ".set .Lin, 0\n"                           \
    ".set .Lat, 24\n"                          \
    ".rept " #steps "\n"                       \
    PAIRS_##pairs                              \
    ".set .Lin, .Lin + 4 * (" #pairs " + 1)\n" \
    ".set .Lat, .Lat + 8 * " #pairs "\n"       \
    ".endr\n"
#define NEXT_ROUND                \
    "add.w r12, r12, #.Lin\n"     \
    "addw lr, lr, #(.Lat - 24)\n" \
    ".set .Lat, 24\n"             \
    "vmov r8, s1\n"               \
    "cmp.w r12, r8\n"             \
    "bne 2b\n"
#define ROUNDS_0 NEXT_ROUND
#define ROUNDS_1

/* From P[j] in lo0:hi0 and P[j+1] in lo1:hi1 the four sums, in r12, lo0, hi0, lo1, and the next carry in start. */
#define SUMS(lo0, hi0, lo1, hi1, start)                 \
    "add.w " #start ", " #start ", " #hi1 ", lsr #10\n" \
    "ubfx r12, " #lo0 ", #0, #21\n"                     \
    "lsrs.n " #lo0 ", " #lo0 ", #21\n"                  \
    "bfi " #lo0 ", " #hi0 ", #11, #10\n"                \
    "add.w " #hi0 ", " #lo1 ", " #hi0 ", lsr #10\n"     \
    "ubfx " #hi0 ", " #hi0 ", #0, #21\n"                \
    "lsrs.n " #lo1 ", " #lo1 ", #21\n"                  \
    "bfi " #lo1 ", " #hi1 ", #11, #10\n"
#define SHIFT(y, by) "lsl.w " #y ", " #y ", " #by "\n"
#define SCALE(y, multiplier, rounding) "smmla " #y ", " #y ", " #multiplier ", " #rounding "\n"
#define CLAMP(y) "ssat " #y ", #8, " #y ", asr #12\n"
#define BYTES(y0, y1, y2, y3, multiplier, rounding, by)             \
    SHIFT(y0, by) SHIFT(y1, by) SHIFT(y2, by) SHIFT(y3, by)         \
    SCALE(y0, multiplier, rounding) SCALE(y1, multiplier, rounding) \
    SCALE(y2, multiplier, rounding) SCALE(y3, multiplier, rounding) \
    CLAMP(y0) CLAMP(y1) CLAMP(y2) CLAMP(y3)
#define STORE(y0, y1, y2, y3, channel)       \
    "strb.w " #y0 ", [r8, #" #channel "]\n"  \
    "strb.w " #y1 ", [r9, #" #channel "]\n"  \
    "strb.w " #y2 ", [r10, #" #channel "]\n" \
    "strb.w " #y3 ", [r3, #" #channel "]\n"
/* The shift of the second channel holds beside it how far the next pair's output lies behind this one's. */
#define END                             \
    LOAD(r8, lr, ".Lat")                \
    LOAD(r9, lr, ".Lat + 4")            \
    LOAD(r10, lr, ".Lat + 8")           \
    LOAD(r11, lr, ".Lat + 12")          \
    SUMS(r0, r1, r2, r3, r11)           \
    BYTES(r12, r0, r1, r2, r8, r9, r10) \
    "vmov r8, s3\n"                     \
    "vmov r9, r10, s4, s5\n"            \
    "vmov r3, s6\n"                     \
    "add.n r9, r9, r8\n"                \
    "add.n r10, r10, r8\n"              \
    "add.n r3, r3, r8\n"                \
    STORE(r12, r0, r1, r2, 0)           \
    "vmov r12, s2\n"                    \
    "str.w r11, [r12]\n"                \
    LOAD(r0, lr, ".Lat + 16")           \
    LOAD(r1, lr, ".Lat + 20")           \
    LOAD(r2, lr, ".Lat + 24")           \
    LOAD(r11, lr, ".Lat + 28")          \
    SUMS(r4, r5, r6, r7, r11)           \
    BYTES(r12, r4, r5, r6, r0, r1, r2)  \
    STORE(r12, r4, r5, r6, 1)           \
    "vmov r12, s2\n"                    \
    "add.w r8, r8, r2, lsr #8\n"        \
    "str.w r11, [r12, #4]\n"            \
    "add.w r12, r12, #8\n"              \
    "vmov s2, r12\n"                    \
    "vmov s3, r8\n"                     \
    "addw lr, lr, #(.Lat + 32)\n"       \
    "vmov r12, s7\n"                    \
    "cmp.n lr, r12\n"                   \
    "bne 1b\n"                          \
    "pop.w {r4-r11, pc}\n"

/* The same for a part of the input channels: the sums are added to those of the other parts. */
#define ADD_4(y0, y1, y2, y3, at)    \
    LOAD(r8, r3, at)                 \
    LOAD(r9, r3, at " + 4")          \
    LOAD(r10, r3, at " + 8")         \
    "add.w " #y0 ", " #y0 ", r8\n"   \
    "add.w " #y1 ", " #y1 ", r9\n"   \
    "add.w " #y2 ", " #y2 ", r10\n"  \
    LOAD(r8, r3, at " + 12")         \
    "str.w " #y0 ", [r3, #" at "]\n" \
    "str.w " #y1 ", [r3, #" at " + 4]\n" \
    "str.w " #y2 ", [r3, #" at " + 8]\n" \
    "add.w " #y3 ", " #y3 ", r8\n"   \
    "str.w " #y3 ", [r3, #" at " + 12]\n"
#define END_PART                  \
    LOAD(r11, lr, ".Lat + 12")    \
    SUMS(r0, r1, r2, r3, r11)     \
    "vmov r3, s3\n"               \
    ADD_4(r12, r0, r1, r2, "0")   \
    "vmov r12, s2\n"              \
    "str.w r11, [r12]\n"          \
    LOAD(r11, lr, ".Lat + 28")    \
    SUMS(r4, r5, r6, r7, r11)     \
    ADD_4(r12, r4, r5, r6, "16")  \
    "vmov r12, s2\n"              \
    "add.w r3, r3, #32\n"         \
    "str.w r11, [r12, #4]\n"      \
    "add.w r12, r12, #8\n"        \
    "vmov s2, r12\n"              \
    "vmov s3, r3\n"               \
    "addw lr, lr, #(.Lat + 32)\n" \
    "vmov r12, s7\n"              \
    "cmp.n lr, r12\n"             \
    "bne 1b\n"                    \
    "pop.w {r4-r11, pc}\n"

/* `steps` input channels a round of the inner loop; their number is a multiple of it, or with `whole` just that. */
#define TILE(name, pairs, steps, whole)                                                          \
    __attribute__((naked, noinline, aligned(4))) static void name(const ecgseg_phases_tile_t *t) \
    {                                                                                            \
        __asm__ volatile(BEGIN INNER(pairs, steps) ROUNDS_##whole END);                          \
        (void)t;                                                                                 \
    }
#define PART(name, pairs, steps)                                                                 \
    __attribute__((naked, noinline, aligned(4))) static void name(const ecgseg_phases_tile_t *t) \
    {                                                                                            \
        __asm__ volatile(BEGIN INNER(pairs, steps) NEXT_ROUND END_PART);                         \
        (void)t;                                                                                 \
    }
/* clang-format on */

#endif

/* For every input channel: moves the last pairs - 1 words to the front and packs the next two behind them, from four
 * rows of input. */
static inline void pack(const intptr_t rows[4], int32_t *words, uint32_t in_channels, uint32_t pairs)
{
    for (uint32_t channel = 0; channel < in_channels; channel++) {
        for (uint32_t i = 2; i <= pairs; i++) {
            words[i - 2] = words[i];
        }
        for (uint32_t i = 0; i < 2; i++) {
            const int32_t low = ((const int8_t *)rows[2 * i])[channel] + INPUT_OFFSET;
            const int32_t high = ((const int8_t *)rows[2 * i + 1])[channel] + INPUT_OFFSET;
            words[pairs - 1 + i] = low + high * (1 << ECGSEG_PHASES_LANE);
        }
        words += pairs + 1;
    }
}

#define PACK(name, pairs)                                                          \
    static void name(const intptr_t rows[4], int32_t *words, uint32_t in_channels) \
    {                                                                              \
        pack(rows, words, in_channels, pairs);                                     \
    }

#if !defined(__ARM_FEATURE_DSP)

#define PACK_FOURS(name, pairs) PACK(name, pairs)

#else

/* Four channels a round
 *   r0, r3-r5     rows, r1 words, r2 their end, r12 INPUT_OFFSET twice
 *   r6-r9         a word of each row
 *   r10, r11, lr  two channels' inputs of a row in halves, and a word that they make
 * .Lp: from one channel's words to the next one's.
 */
/* clang-format off */
#define MOVE(to, from)                     \
    "ldr.n r6, [r1, #" #from "]\n"         \
    "ldr.n r7, [r1, #" #from " + .Lp]\n"   \
    LOAD(r8, r1, #from " + 2 * .Lp")       \
    LOAD(r9, r1, #from " + 3 * .Lp")       \
    "str.n r6, [r1, #" #to "]\n"           \
    "str.n r7, [r1, #" #to " + .Lp]\n"     \
    "str.w r8, [r1, #" #to " + 2 * .Lp]\n" \
    "str.w r9, [r1, #" #to " + 3 * .Lp]\n"
#define MOVES_1
#define MOVES_2 MOVE(0, 8)
#define MOVES_3 MOVES_2 MOVE(4, 12)
#define MOVES_4 MOVES_3 MOVE(8, 16)
/* Channels 0 and 2 of four (or 1 and 3, rotated) from the words of two rows. */
#define TWO(low, high, rotated, at)         \
    "sxtab16 r10, r12, " #low rotated "\n"  \
    "sxtab16 r11, r12, " #high rotated "\n" \
    "pkhbt lr, r10, r11, lsl #21\n"         \
    "lsl.w r11, r11, #5\n"                  \
    "pkhtb r11, r11, r10, asr #16\n"        \
    "str.w lr, [r1, #" at "]\n"             \
    "str.w r11, [r1, #" at " + 2 * .Lp]\n"
#define FOUR(low, high, at) TWO(low, high, "", at) TWO(low, high, ", ror #8", at " + .Lp")
#define PACK_FOURS(name, pairs)                                                                       \
    __attribute__((naked, noinline, aligned(4))) static void name(const intptr_t rows[4],             \
                                                                  int32_t *words, uint32_t in_channels) \
    {                                                                                                 \
        __asm__ volatile("push.w {r4-r11, lr}\n"                                                      \
                         ".set .Lp, 4 * (" #pairs " + 1)\n"                                           \
                         "mov.w r12, #.Lp\n"                                                          \
                         "mla r2, r2, r12, r1\n"                                                      \
                         "mov.w r12, #0x00800080\n"                                                   \
                         LOAD(r3, r0, "4")                                                            \
                         LOAD(r4, r0, "8")                                                            \
                         LOAD(r5, r0, "12")                                                           \
                         LOAD(r0, r0, "0")                                                            \
                         "1:\n"                                                                       \
                         MOVES_##pairs                                                                \
                         "ldr.w r6, [r0], #4\n"                                                       \
                         "ldr.w r7, [r3], #4\n"                                                       \
                         "ldr.w r8, [r4], #4\n"                                                       \
                         "ldr.w r9, [r5], #4\n"                                                       \
                         FOUR(r6, r7, "(.Lp - 8)")                                                    \
                         FOUR(r8, r9, "(.Lp - 4)")                                                    \
                         "add.w r1, r1, #4 * .Lp\n"                                                   \
                         "cmp.w r1, r2\n"                                                             \
                         "bne 1b\n"                                                                   \
                         "pop.w {r4-r11, pc}\n");                                                     \
        (void)rows;                                                                                   \
        (void)words;                                                                                  \
        (void)in_channels;                                                                            \
    }
/* clang-format on */

#endif

/* One form per number of tap pairs and of input channels a round. The linker drops the others. */
#define FORM(name, pairs, steps, whole, pack) \
    TILE(tile_##name, pairs, steps, whole)    \
    const ecgseg_phases_form_t ecgseg_phases_##name = {pack, tile_##name, NULL, pairs};
#define PART_FORM(name, pairs, steps) \
    PART(part_##name, pairs, steps)   \
    const ecgseg_phases_form_t ecgseg_phases_##name = {pack_fours_##pairs, part_##name, ecgseg_phases_in_parts, pairs};
#define FORMS(pairs)                                    \
    PACK(pack_##pairs, pairs)                           \
    PACK_FOURS(pack_fours_##pairs, pairs)               \
    FORM(pairs##_by_1, pairs, 1, 0, pack_##pairs)       \
    FORM(pairs##_by_4, pairs, 4, 0, pack_fours_##pairs) \
    PART_FORM(pairs##_parts_by_4, pairs, 4)             \
    PART_FORM(pairs##_parts_by_8, pairs, 8)
#define LONG_FORMS(pairs)                                 \
    FORM(pairs##_by_8, pairs, 8, 0, pack_fours_##pairs)   \
    FORM(pairs##_by_10, pairs, 10, 0, pack_fours_##pairs) \
    FORM(pairs##_by_16, pairs, 16, 0, pack_fours_##pairs) \
    FORM(pairs##_of_8, pairs, 8, 1, pack_fours_##pairs)   \
    FORM(pairs##_of_16, pairs, 16, 1, pack_fours_##pairs) \
    FORM(pairs##_of_20, pairs, 20, 1, pack_fours_##pairs)

FORMS(1)
FORMS(2)
FORMS(3)
FORMS(4)
LONG_FORMS(1)
LONG_FORMS(2)
