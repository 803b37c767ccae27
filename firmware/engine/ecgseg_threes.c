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

/* The work of three positions: their taps are packed, one behind the other, into columns; in a ring the newest rows
 * take the place of the oldest; then come the sums of all output channels. The assembly knows this layout. */
typedef struct {
    uint32_t *columns; /* X, Y of every input */
    uint32_t tap_bytes;
    const uint32_t *columns_end;
    uintptr_t rows[POSITIONS];   /* of the first tap */
    uintptr_t step;              /* from the end of a row to the next tap's */
    uintptr_t end, size;         /* of the ring's memory */
    uintptr_t newest[POSITIONS]; /* rows of the last tap */
    uint32_t kept;               /* bytes of a row that go into the ring, 0 without one */
    int8_t *outputs[POSITIONS];
    const uint32_t *stream_end;
    uint32_t left_out; /* what the first pass of the unrolled loop leaves out, in bytes of columns or stream */
    const uint32_t *stream;
} work_t;

#if !defined(__ARM_FEATURE_DSP)

#define LANE_MASK ((1u << ECGSEG_THREES_LANE) - 1u)
/* What makes an input non-negative. */
#define INPUT_OFFSET 128

static uint32_t input_at(uintptr_t row, uint32_t channel)
{
    return (uint32_t)(((const int8_t *)row)[channel] + INPUT_OFFSET);
}

static void threes_pack(const work_t *work)
{
    const uint32_t in_channels = work->tap_bytes / STEP_BYTES;
    uintptr_t rows[POSITIONS] = {work->rows[0], work->rows[1], work->rows[2]};
    for (uint32_t *words = work->columns; words != work->columns_end; words += 2u * in_channels) {
        if (words + 2u * in_channels == work->columns_end) {
            (void)memcpy(rows, work->newest, sizeof rows);
        }
        for (uint32_t channel = 0; channel < in_channels; channel++) {
            const uint32_t q = input_at(rows[1], channel);
            words[2u * channel] = input_at(rows[0], channel) | q << ECGSEG_THREES_LANE;
            words[2u * channel + 1u] = q | input_at(rows[2], channel) << ECGSEG_THREES_LANE;
        }
        for (uint32_t i = 0; i < POSITIONS; i++) {
            rows[i] += (uintptr_t)in_channels + work->step;
            rows[i] -= rows[i] < work->end ? 0 : work->size;
        }
    }
}

/* The sums of two channels in three positions, each with its offset, from the two accumulators. */
static void threes_sums(const uint64_t sums[2], uint32_t first[POSITIONS], uint32_t second[POSITIONS])
{
    first[0] = (uint32_t)sums[0] & LANE_MASK;
    first[1] = (uint32_t)sums[1] & LANE_MASK;
    const uint64_t rest_x = (sums[0] >> ECGSEG_THREES_LANE) - first[1];
    second[0] = (uint32_t)rest_x & LANE_MASK;
    second[1] = (uint32_t)(rest_x >> ECGSEG_THREES_LANE);
    const uint64_t rest_y = (sums[1] >> ECGSEG_THREES_LANE) - second[1];
    first[2] = (uint32_t)rest_y & LANE_MASK;
    second[2] = (uint32_t)(rest_y >> ECGSEG_THREES_LANE);
}

static int8_t threes_byte(uint32_t sum, const uint32_t ends[2])
{
    const int32_t high = (int32_t)(((int64_t)(int32_t)sum * (int32_t)ends[0]) >> 32) + (int32_t)ends[1];
    return (int8_t)ecgseg_clamp(high >> ECGSEG_THREES_SHIFT, INT8_MIN, INT8_MAX);
}

/* The pair of channels at `channel`, of the four that `stream` begins with; `words` are those of columns in all. */
static void threes_pair(const work_t *t, const uint32_t *stream, uint32_t words, uint32_t channel)
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
    threes_sums(sums, first, second);
    const uint32_t *ends = stream + ECGSEG_THREES_START_WORDS + words + 4u * pair;
    for (uint32_t i = 0; i < POSITIONS; i++) {
        t->outputs[i][channel] = threes_byte(first[i], ends);
        t->outputs[i][channel + 1u] = threes_byte(second[i], ends + 2);
    }
}

static void threes_run(const work_t *t)
{
    const uint32_t words = (uint32_t)(t->columns_end - t->columns);
    uint32_t channel = 0;
    threes_pack(t);
    for (uint32_t i = 0; i < POSITIONS && t->kept > 0u; i++) {
        (void)memcpy((int8_t *)t->rows[i], (const int8_t *)t->newest[i], t->kept);
    }
    for (const uint32_t *stream = t->stream; stream != t->stream_end; stream += words + ECGSEG_THREES_FOUR_WORDS) {
        threes_pair(t, stream, words, channel);
        threes_pair(t, stream, words, channel + 2u);
        channel += CHANNELS;
    }
}

#else

/* clang-format off */
#define LOAD(register, base, offset) "ldr.w " #register ", [" #base ", #(" offset ")]\n"

/* Four channels of three rows a round
 *   r0, r3, r4    rows, r1 columns, r2 their end in this tap, r12 what makes two inputs non-negative
 *   r5-r7         a word of each row, r8-r10 two channels of each
 *   s0 columns_end, s1-s3 step, end, size, s4-s6 newest, s7 tap_bytes, s8 the work
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
    "vmov s8, r0\n"            \
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
#define PACK                            \
    PACK_BEGIN                          \
    "1:\n"                              \
    "vmov r0, s4\n"                     \
    "vmov r3, r4, s5, s6\n"             \
    "2:\n"                              \
    PACK_FOUR                           \
    "cmp.w r1, r2\n"                    \
    "bne.w 2b\n"                        \
    "vmov r9, r5, s0, s1\n"             \
    "vmov r6, r7, s2, s3\n"             \
    "cmp.w r1, r9\n"                    \
    "beq.w 3f\n"                        \
    "vmov r8, s7\n"                     \
    "add.w r2, r1, r8\n"                \
    "cmp.w r2, r9\n"                    \
    "beq.w 1b\n"                        \
    "add.w r0, r0, r5\n"                \
    "add.w r3, r3, r5\n"                \
    "add.w r4, r4, r5\n"                \
    WRAP("r0") WRAP("r3") WRAP("r4")    \
    "b.w 2b\n"                          \
    ".balign 4\n"                       \
    "3:\n"
/* r1 bytes left of a row, r2-r4 oldest rows, r5-r7 newest ones. */
#define KEEP                 \
    "vmov r0, s8\n"          \
    LOAD(r1, r0, "48")       \
    LOAD(r2, r0, "12")       \
    LOAD(r3, r0, "16")       \
    LOAD(r4, r0, "20")       \
    LOAD(r5, r0, "36")       \
    LOAD(r6, r0, "40")       \
    LOAD(r7, r0, "44")       \
    "cmp.w r1, #0\n"         \
    "beq.w 5f\n"             \
    "4:\n"                   \
    "ldr.w r8, [r5], #4\n"   \
    "ldr.w r9, [r6], #4\n"   \
    "ldr.w r10, [r7], #4\n"  \
    "str.w r8, [r2], #4\n"   \
    "str.w r9, [r3], #4\n"   \
    "str.w r10, [r4], #4\n"  \
    "subs.w r1, r1, #4\n"    \
    "bne.w 4b\n"             \
    "5:\n"

/* Register plan
 *   r0:r1, r2:r3  sums of X W and Y W of a and b, r4:r5, r6:r7 of c and d
 *   r8, r9        X, Y
 *   r10, r11      W of a and b, of c and d
 *   r12           columns, lr the stream
 * What the inner loop does not need waits in floating-point registers, one instruction away:
 *   s0 columns, s1 columns_end, s2-s4 outputs, s5 stream_end, s6 how far the loop's first pass begins before the
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
    "ubfx " #t1 ", " #lo1 ", #0, #21\n"               \
    "subs.w " #lo0 ", " #lo0 ", " #t1 ", lsl #21\n"   \
    "sbc.w " #hi0 ", " #hi0 ", " #t1 ", lsr #11\n"    \
    "lsr.w " #lo0 ", " #lo0 ", #21\n"                 \
    "bfi " #lo0 ", " #hi0 ", #11, #10\n"              \
    "lsr.w " #hi0 ", " #hi0 ", #10\n"                 \
    "subs.w " #lo1 ", " #lo1 ", " #hi0 ", lsl #21\n"  \
    "sbc.w " #hi1 ", " #hi1 ", " #hi0 ", lsr #11\n"   \
    "lsr.w " #lo1 ", " #lo1 ", #21\n"                 \
    "bfi " #lo1 ", " #hi1 ", #11, #10\n"              \
    "lsr.w " #hi1 ", " #hi1 ", #10\n"
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
    LOAD(r3, r0, "0")            \
    LOAD(r4, r0, "8")            \
    LOAD(r1, r0, "68")           \
    LOAD(lr, r0, "72")           \
    "add.w r2, r0, #52\n"        \
    "vldmia r2, {s2-s5}\n"       \
    "adr.w r2, 2f\n"             \
    "add.w r2, r2, r1, lsl #2\n" \
    "orr.w r2, r2, #1\n"         \
    "sub.w r3, r3, r1\n"         \
    "sub.w r1, r1, #16\n"        \
    "vmov s0, s1, r3, r4\n"      \
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

__attribute__((naked, noinline, aligned(4))) static void threes_run(const work_t *t)
{
    __asm__ volatile("push.w {r4-r11, lr}\n"
                     PACK
                     KEEP
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

static inline uintptr_t wrapped(uintptr_t row, const work_t *work)
{
    return row < work->end ? row : row - work->size;
}

void ecgseg_threes(const ecgseg_threes_t *layer, const int8_t *input, int8_t *output, int32_t *scratch, int8_t *ring,
                   uint32_t first)
{
    const uintptr_t row = layer->in_channels;
    const uintptr_t dilation = layer->dilation;
    const uintptr_t before = ((uintptr_t)layer->taps - 1u) * dilation * row;
    const uint32_t inputs = (uint32_t)layer->taps * layer->in_channels;
    const uint32_t words = layer->out_channels / CHANNELS * (2u * inputs + ECGSEG_THREES_FOUR_WORDS);
    const uintptr_t oldest = ring == NULL ? (uintptr_t)input : (uintptr_t)(ring + first * layer->in_channels);
    const uintptr_t newest = (uintptr_t)(ring == NULL ? input + before : input);
    work_t work; /* set one by one: an initialiser would clear the rest first */
    work.columns = (uint32_t *)(void *)scratch;
    work.tap_bytes = STEP_BYTES * layer->in_channels;
    work.columns_end = work.columns + 2u * inputs;
    work.step = (dilation - 1u) * row;
    work.end = ring == NULL ? UINTPTR_MAX : (uintptr_t)(ring + before);
    work.size = before;
    work.kept = ring == NULL ? 0u : layer->in_channels;
    work.stream_end = layer->stream + words;
    work.left_out = STEP_BYTES * ((UNROLLED - inputs % UNROLLED) % UNROLLED);
    work.stream = layer->stream;
    for (uintptr_t end = layer->positions; end > 0u; end = end > POSITIONS ? end - POSITIONS : 0u) {
        /* Positions end - 3 to end - 1; those before the first are that one again. */
        const uintptr_t last = end - 1u;
        const uintptr_t middle = last > 0u ? last - 1u : 0u;
        const uintptr_t early = middle > 0u ? middle - 1u : 0u;
        work.newest[0] = newest + early * row;
        work.newest[1] = newest + middle * row;
        work.newest[2] = newest + last * row;
        work.rows[0] = wrapped(oldest + early * row, &work);
        work.rows[1] = wrapped(oldest + middle * row, &work);
        work.rows[2] = wrapped(oldest + last * row, &work);
        work.outputs[0] = output + early * layer->out_channels;
        work.outputs[1] = output + middle * layer->out_channels;
        work.outputs[2] = output + last * layer->out_channels;
        threes_run(&work);
    }
}
