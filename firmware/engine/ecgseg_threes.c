#include "ecgseg_threes.h"

#include <stddef.h>
#include <string.h>

#include "ecgseg_fixed.h"

/* Positions of a tile, and output channels that it makes at once. */
#define POSITIONS 3u
#define CHANNELS 4u
/* Inputs of the unrolled loop, and bytes that each of them has in the columns and in the stream. */
#define UNROLLED 60u
#define STEP_BYTES 8u

/* Taps to be packed, one behind the other: where the rows of the first one lie, how far behind the end of a row the
 * next tap's begins, in a ring where its memory ends and how large it is, and where the rows of the last tap lie. The
 * assembly knows this layout. */
typedef struct {
    uint32_t *words;
    uint32_t tap_bytes; /* of a tap's words */
    const uint32_t *words_end;
    uintptr_t rows[POSITIONS];
    uintptr_t step;
    uintptr_t end;
    uintptr_t size;
    uintptr_t newest[POSITIONS];
} taps_t;

/* The work of three positions. The assembly knows this layout. */
typedef struct {
    const uint32_t *columns; /* X, Y of every input */
    const uint32_t *columns_end;
    int8_t *rows[POSITIONS];
    const uint32_t *stream_end;
    uint32_t left_out; /* what the first pass of the unrolled loop leaves out, in bytes of columns or stream */
    const uint32_t *stream;
} tile_t;

#if !defined(__ARM_FEATURE_DSP)

#define LANE_MASK ((1u << ECGSEG_THREES_LANE) - 1u)
/* What makes an input non-negative. */
#define INPUT_OFFSET 128

static uint32_t input_at(uintptr_t row, uint32_t channel)
{
    return (uint32_t)(((const int8_t *)row)[channel] + INPUT_OFFSET);
}

static void threes_pack(const taps_t *taps)
{
    const uint32_t in_channels = taps->tap_bytes / STEP_BYTES;
    uintptr_t rows[POSITIONS] = {taps->rows[0], taps->rows[1], taps->rows[2]};
    for (uint32_t *words = taps->words; words != taps->words_end; words += 2u * in_channels) {
        if (words + 2u * in_channels == taps->words_end) {
            (void)memcpy(rows, taps->newest, sizeof rows);
        }
        for (uint32_t channel = 0; channel < in_channels; channel++) {
            const uint32_t q = input_at(rows[1], channel);
            words[2u * channel] = input_at(rows[0], channel) | q << ECGSEG_THREES_LANE;
            words[2u * channel + 1u] = q | input_at(rows[2], channel) << ECGSEG_THREES_LANE;
        }
        for (uint32_t i = 0; i < POSITIONS; i++) {
            rows[i] += (uintptr_t)in_channels + taps->step;
            rows[i] -= rows[i] < taps->end ? 0 : taps->size;
        }
    }
}

/* The sums of two channels in three positions, each with its offset, from the two accumulators. */
static void take_apart(const uint64_t sums[2], uint32_t first[POSITIONS], uint32_t second[POSITIONS])
{
    const uint32_t middle_x = (uint32_t)(sums[0] >> ECGSEG_THREES_LANE) & LANE_MASK;
    const uint32_t middle_y = (uint32_t)(sums[1] >> ECGSEG_THREES_LANE) & LANE_MASK;
    first[0] = (uint32_t)sums[0] & LANE_MASK;
    first[1] = (uint32_t)sums[1] & LANE_MASK;
    second[1] = (uint32_t)(sums[0] >> (2 * ECGSEG_THREES_LANE));
    second[2] = (uint32_t)(sums[1] >> (2 * ECGSEG_THREES_LANE));
    second[0] = middle_x - first[1];
    first[2] = middle_y - second[1];
}

static int8_t requantise(uint32_t sum, const uint32_t ends[2])
{
    const int32_t high = (int32_t)(((int64_t)(int32_t)sum * (int32_t)ends[0]) >> 32) + (int32_t)ends[1];
    return (int8_t)ecgseg_clamp(high >> ECGSEG_THREES_SHIFT, INT8_MIN, INT8_MAX);
}

/* The pair of channels at `channel`, of the four that `stream` begins with; `words` are those of columns in all. */
static void run_pair(const tile_t *t, const uint32_t *stream, uint32_t words, uint32_t channel)
{
    const uint32_t pair = channel % CHANNELS / 2u;
    const uint64_t start = stream[2u * pair] | (uint64_t)stream[2u * pair + 1u] << 32;
    uint64_t sums[2] = {start, start};
    const uint32_t *weights = stream + ECGSEG_THREES_START_WORDS + pair;
    for (uint32_t i = 0; i < words; i += 2u) {
        const int64_t weight = (int32_t)weights[i];
        sums[0] += (uint64_t)((int64_t)t->columns[i] * weight);
        sums[1] += (uint64_t)((int64_t)t->columns[i + 1u] * weight);
    }
    uint32_t first[POSITIONS];
    uint32_t second[POSITIONS];
    take_apart(sums, first, second);
    const uint32_t *ends = stream + ECGSEG_THREES_START_WORDS + words + 4u * pair;
    for (uint32_t i = 0; i < POSITIONS; i++) {
        t->rows[i][channel] = requantise(first[i], ends);
        t->rows[i][channel + 1u] = requantise(second[i], ends + 2);
    }
}

static void threes_tile(const tile_t *t)
{
    const uint32_t words = (uint32_t)(t->columns_end - t->columns);
    uint32_t channel = 0;
    for (const uint32_t *stream = t->stream; stream != t->stream_end; stream += words + ECGSEG_THREES_FOUR_WORDS) {
        run_pair(t, stream, words, channel);
        run_pair(t, stream, words, channel + 2u);
        channel += CHANNELS;
    }
}

#else

/* clang-format off */
#define LOAD(register, base, offset) "ldr.w " #register ", [" #base ", #(" offset ")]\n"

/* Four channels of three rows a round
 *   r0, r3, r4    rows, r1 words, r2 their end in this tap, r12 what makes two inputs non-negative
 *   r5-r7         a word of each row, r8-r10 two channels of each
 *   s0 words_end, s1-s3 step, end, size, s4-s6 newest, s7 tap_bytes
 */
#define HALVES(rotated)                         \
    "sxtab16 r8, r12, r5" rotated "\n"          \
    "sxtab16 r9, r12, r6" rotated "\n"          \
    "sxtab16 r10, r12, r7" rotated "\n"
#define LOW                                     \
    "pkhbt r11, r8, r9, lsl #21\n"              \
    "pkhbt lr, r9, r10, lsl #21\n"
#define HIGH                                    \
    "lsl.w r11, r9, #5\n"                       \
    "lsl.w lr, r10, #5\n"                       \
    "pkhtb r11, r11, r8, asr #16\n"             \
    "pkhtb lr, lr, r9, asr #16\n"
#define STORE(at)                               \
    "str.w r11, [r1, #(" at ")]\n"              \
    "str.w lr, [r1, #(" at " + 4)]\n"
#define WRAP(row)                               \
    "cmp.w " row ", r6\n"                       \
    "it hs\n"                                   \
    "subhs.w " row ", " row ", r7\n"
#define PACK_BEGIN             \
    LOAD(r1, r0, "0")          \
    LOAD(r8, r0, "4")          \
    LOAD(r9, r0, "8")          \
    LOAD(r3, r0, "16")         \
    LOAD(r4, r0, "20")         \
    "add.w r5, r0, #24\n"      \
    LOAD(r0, r0, "12")         \
    "vmov s0, r9\n"            \
    "vldmia r5, {s1-s6}\n"     \
    "vmov s7, r8\n"            \
    "mov.w r12, #0x00800080\n" \
    "add.w r2, r1, r8\n"       \
    "cmp.w r2, r9\n"           \
    "bne.w 2f\n"
#define PACK_FOUR            \
    "ldr.w r5, [r0], #4\n"   \
    "ldr.w r6, [r3], #4\n"   \
    "ldr.w r7, [r4], #4\n"   \
    HALVES("")               \
    LOW                      \
    "str.w r11, [r1], #32\n" \
    "str.w lr, [r1, #-28]\n" \
    HIGH STORE("-16")        \
    HALVES(", ror #8")       \
    LOW STORE("-24")         \
    HIGH STORE("-8")
__attribute__((naked, noinline, aligned(4))) static void threes_pack(const taps_t *taps)
{
    __asm__ volatile("push.w {r4-r11, lr}\n"
                     PACK_BEGIN
                     "1:\n"
                     "vmov r0, s4\n"
                     "vmov r3, r4, s5, s6\n"
                     "2:\n"
                     PACK_FOUR
                     "cmp.w r1, r2\n"
                     "bne.w 2b\n"
                     "vmov r9, r5, s0, s1\n"
                     "vmov r6, r7, s2, s3\n"
                     "cmp.w r1, r9\n"
                     "beq.w 3f\n"
                     "vmov r8, s7\n"
                     "add.w r2, r1, r8\n"
                     "cmp.w r2, r9\n"
                     "beq.w 1b\n"
                     "add.w r0, r0, r5\n"
                     "add.w r3, r3, r5\n"
                     "add.w r4, r4, r5\n"
                     WRAP("r0") WRAP("r3") WRAP("r4")
                     "b.w 2b\n"
                     "3:\n"
                     "pop.w {r4-r11, pc}\n");
    (void)taps;
}

/* Register plan
 *   r0:r1, r2:r3  sums of X W and Y W of a and b, r4:r5, r6:r7 of c and d
 *   r8, r9        X, Y
 *   r10, r11      W of a and b, of c and d
 *   r12           columns, lr the stream
 * What the inner loop does not need waits in floating-point registers, one instruction away:
 *   s0 columns, s1 columns_end, s2-s4 rows, s5 stream_end, s6 how far the loop's first pass begins before the
 *   weights, less their offset, s7 where it is entered
 * It is entered so that its last pass ends with the last input. Loads are single ones behind each other, which take a
 * cycle each but the first.
 */
#define STEP                       \
    LOAD(r8, r12, ".At")           \
    LOAD(r9, r12, ".At + 4")       \
    LOAD(r10, lr, ".At")           \
    LOAD(r11, lr, ".At + 4")       \
    "smlal r0, r1, r8, r10\n"      \
    "smlal r2, r3, r9, r10\n"      \
    "smlal r4, r5, r8, r11\n"      \
    "smlal r6, r7, r9, r11\n"      \
    ".set .At, .At + 8\n"
/* From X W in lo0:hi0 and Y W in lo1:hi1 the sums: of the first channel in t0, t1, lo1, of the second in lo0, hi0,
 * hi1. */
#define SUMS(lo0, hi0, lo1, hi1, t0, t1)              \
    "ubfx " #t0 ", " #lo0 ", #0, #21\n"               \
    "lsr.w " #lo0 ", " #lo0 ", #21\n"                 \
    "bfi " #lo0 ", " #hi0 ", #11, #10\n"              \
    "lsr.w " #hi0 ", " #hi0 ", #10\n"                 \
    "ubfx " #t1 ", " #lo1 ", #0, #21\n"               \
    "lsr.w " #lo1 ", " #lo1 ", #21\n"                 \
    "bfi " #lo1 ", " #hi1 ", #11, #10\n"              \
    "lsr.w " #hi1 ", " #hi1 ", #10\n"                 \
    "sub.w " #lo0 ", " #lo0 ", " #t1 "\n"             \
    "sub.w " #lo1 ", " #lo1 ", " #hi0 "\n"
#define BYTE(y) "smmla " #y ", " #y ", r9, r10\n"
#define CLAMP(y) "ssat " #y ", #8, " #y ", asr #5\n"
/* Three sums of a channel whose constants lie at an offset. */
#define BYTES(p, q, r, at)                        \
    LOAD(r9, lr, at)                              \
    LOAD(r10, lr, at " + 4")                      \
    BYTE(p) BYTE(q) BYTE(r) CLAMP(p) CLAMP(q) CLAMP(r)
#define BEHIND(low, high) "bfi " #low ", " #high ", #8, #8\n"

/* A step is eight instructions of four bytes for eight bytes; the weights begin behind the initial values. */
#define TILE_BEGIN               \
    "vldmia r0!, {s0-s6}\n"      \
    "ldr.w lr, [r0]\n"           \
    "vmov r1, s6\n"              \
    "vmov r3, s0\n"              \
    "adr.w r2, 2f\n"             \
    "add.w r2, r2, r1, lsl #2\n" \
    "orr.w r2, r2, #1\n"         \
    "sub.w r3, r3, r1\n"         \
    "sub.w r1, r1, #16\n"        \
    "vmov s0, r3\n"              \
    "vmov s6, s7, r1, r2\n"
#define TILE_END                                  \
    SUMS(r0, r1, r2, r3, r12, r8)                 \
    BYTES(r12, r8, r2, "0")                       \
    BYTES(r0, r1, r3, "8")                        \
    BEHIND(r12, r0) BEHIND(r8, r1) BEHIND(r2, r3) \
    SUMS(r4, r5, r6, r7, r0, r1)                  \
    BYTES(r0, r1, r6, "16")                       \
    BYTES(r4, r5, r7, "24")                       \
    BEHIND(r0, r4) BEHIND(r1, r5) BEHIND(r6, r7)  \
    "vmov r9, s2\n"                               \
    "vmov r10, r11, s3, s4\n"                     \
    "pkhbt r0, r12, r0, lsl #16\n"                \
    "pkhbt r1, r8, r1, lsl #16\n"                 \
    "pkhbt r2, r2, r6, lsl #16\n"                 \
    "str.w r0, [r9], #4\n"                        \
    "str.w r1, [r10], #4\n"                       \
    "str.w r2, [r11], #4\n"                       \
    "vmov s2, r9\n"                               \
    "vmov s3, s4, r10, r11\n"

__attribute__((naked, noinline, aligned(4))) static void threes_tile(const tile_t *t)
{
    __asm__ volatile("push.w {r4-r11, lr}\n"
                     TILE_BEGIN
                     "1:\n"
                     LOAD(r0, lr, "0")
                     LOAD(r1, lr, "4")
                     LOAD(r4, lr, "8")
                     LOAD(r5, lr, "12")
                     "vmov r8, r9, s6, s7\n"
                     "vmov r12, s0\n"
                     "sub.w lr, lr, r8\n"
                     "mov.w r2, r0\n"
                     "mov.w r3, r1\n"
                     "mov.w r6, r4\n"
                     "mov.w r7, r5\n"
                     "bx r9\n"
                     ".balign 4\n"
                     "2:\n"
                     ".set .At, 0\n"
                     ".rept 60\n" STEP ".endr\n"
                     "vmov r8, s1\n"
                     "add.w r12, r12, #.At\n"
                     "addw lr, lr, #.At\n"
                     "cmp.w r12, r8\n"
                     "bne.w 2b\n"
                     TILE_END
                     "addw lr, lr, #32\n"
                     "vmov r8, s5\n"
                     "cmp.w lr, r8\n"
                     "bne.w 1b\n"
                     "pop.w {r4-r11, pc}\n");
    (void)t;
}
/* clang-format on */

#endif

/* New rows take the place of the oldest, which nobody reads any more. */
static inline void keep(const uintptr_t oldest[POSITIONS], const uintptr_t newest[POSITIONS], uintptr_t row_bytes)
{
    for (uintptr_t at = 0; at < row_bytes; at += 4) {
        const uint32_t words[POSITIONS] = {ecgseg_load4((const int8_t *)(newest[0] + at)),
                                           ecgseg_load4((const int8_t *)(newest[1] + at)),
                                           ecgseg_load4((const int8_t *)(newest[2] + at))};
        (void)memcpy((int8_t *)(oldest[0] + at), &words[0], 4);
        (void)memcpy((int8_t *)(oldest[1] + at), &words[1], 4);
        (void)memcpy((int8_t *)(oldest[2] + at), &words[2], 4);
    }
}

void ecgseg_threes(const ecgseg_threes_t *layer, const int8_t *input, int8_t *output, int32_t *scratch, int8_t *ring,
                   uint32_t first)
{
    uint32_t *const columns = (uint32_t *)(void *)scratch;
    const uint32_t row_bytes = layer->in_channels;
    const uint32_t inputs = layer->taps * row_bytes;
    const uint32_t before = (layer->taps - 1u) * layer->dilation * row_bytes;
    const uint32_t left_out = (UNROLLED - inputs % UNROLLED) % UNROLLED;
    const uint32_t words = layer->out_channels / CHANNELS * (2u * inputs + ECGSEG_THREES_FOUR_WORDS);
    const uintptr_t oldest = ring == NULL ? (uintptr_t)input : (uintptr_t)(ring + first * row_bytes);
    const uintptr_t newest = (uintptr_t)(ring == NULL ? input + before : input);
    taps_t taps; /* set one by one: an initialiser would clear the rest first */
    taps.words = columns;
    taps.tap_bytes = STEP_BYTES * row_bytes;
    taps.words_end = columns + 2u * inputs;
    taps.step = (uintptr_t)((layer->dilation - 1u) * row_bytes);
    taps.end = ring == NULL ? UINTPTR_MAX : (uintptr_t)(ring + before);
    taps.size = (uintptr_t)before;
    tile_t t;
    t.columns = columns;
    t.columns_end = taps.words_end;
    t.stream_end = layer->stream + words;
    t.left_out = STEP_BYTES * left_out;
    t.stream = layer->stream;
    for (uint32_t end = layer->positions; end > 0u; end = end > POSITIONS ? end - POSITIONS : 0u) {
        const uint32_t positions[POSITIONS] = {end < 3u ? 0u : end - 3u, end < 2u ? 0u : end - 2u, end - 1u};
        for (uint32_t i = 0; i < POSITIONS; i++) {
            const uintptr_t offset = (uintptr_t)(positions[i] * row_bytes);
            taps.newest[i] = newest + offset;
            taps.rows[i] = oldest + offset;
            taps.rows[i] -= taps.rows[i] < taps.end ? 0 : taps.size;
            t.rows[i] = output + positions[i] * layer->out_channels;
        }
        threes_pack(&taps);
        if (ring != NULL) {
            keep(taps.rows, taps.newest, (uintptr_t)row_bytes);
        }
        threes_tile(&t);
    }
}
