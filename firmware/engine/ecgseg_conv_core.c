#include "ecgseg_conv_core.h"

#include "ecgseg_fixed.h"

#if !defined(__ARM_FEATURE_DSP)

static int32_t dot(int32_t sum, uint32_t x, uint32_t w)
{
    return ecgseg_mac_high(ecgseg_mac_low(sum, x, w), x, w);
}

/* Sums of one pair of channels; returns the stream behind the weights. */
static const uint32_t *pair_sums(const uint32_t *column, const uint32_t *stream, uint32_t groups, int32_t sums[4])
{
    sums[0] = (int32_t)stream[0];
    sums[1] = sums[0];
    sums[2] = (int32_t)stream[1];
    sums[3] = sums[2];
    stream += 2;
    for (uint32_t group = 0; group < groups; group++) {
        sums[0] = dot(dot(sums[0], column[0], stream[0]), column[1], stream[1]);
        sums[1] = dot(dot(sums[1], column[2], stream[0]), column[3], stream[1]);
        sums[2] = dot(dot(sums[2], column[0], stream[2]), column[1], stream[3]);
        sums[3] = dot(dot(sums[3], column[2], stream[2]), column[3], stream[3]);
        column += 4;
        stream += 4;
    }
    return stream;
}

/* Two positions of one channel; returns what follows its constants. */
static const uint32_t *finish_two(const int32_t sums[2], const uint32_t *constants, int8_t *out_a, int8_t *out_b)
{
    const ecgseg_channel_t channel = {(int32_t)constants[0], (int32_t)constants[1], (int32_t)constants[2]};
    *out_a = (int8_t)ecgseg_clamp(ecgseg_finish(sums[0], &channel), INT8_MIN, INT8_MAX);
    *out_b = (int8_t)ecgseg_clamp(ecgseg_finish(sums[1], &channel), INT8_MIN, INT8_MAX);
    return constants + 3;
}

static int8_t finish_one_short(int32_t sum, const uint32_t *constants)
{
    const int32_t high = (int32_t)(((int64_t)sum * (int32_t)constants[0]) >> 32);
    return (int8_t)ecgseg_clamp((high + (int32_t)constants[1]) >> ECGSEG_CONV_SHIFT, INT8_MIN, INT8_MAX);
}

static const uint32_t *finish_short(const int32_t sums[2], const uint32_t *constants, int8_t *out_a, int8_t *out_b)
{
    *out_a = finish_one_short(sums[0], constants);
    *out_b = finish_one_short(sums[1], constants);
    return constants + 2;
}

void ecgseg_conv_finish(const uint32_t *columns, const uint32_t *stream, uint32_t groups, int32_t pairs, int8_t *out_a,
                        int8_t *out_b)
{
    for (int32_t left = pairs < 0 ? -pairs : pairs; left > 0; left--) {
        int32_t sums[4];
        stream = pair_sums(columns, stream, groups, sums);
        for (uint32_t i = 0; i < 2; i++) {
            stream = pairs < 0 ? finish_short(sums + 2 * i, stream, out_a++, out_b++)
                               : finish_two(sums + 2 * i, stream, out_a++, out_b++);
        }
    }
}

void ecgseg_conv_accumulate(const uint32_t *columns, const uint32_t *stream, uint32_t groups, int32_t pairs,
                            int32_t *accumulators)
{
    for (; pairs > 0; pairs--) {
        stream = pair_sums(columns, stream, groups, accumulators);
        accumulators += 4;
    }
}

#else

/* Register plan
 *   r0-r3    sums a.v, b.v, a.w, b.w
 *   r4-r7    a (two words), b (two words)
 *   r8-r11   v (two words), w (two words)
 *   r12      column, lr  stream
 *   s0, s1   out_a, out_b (or accumulators in s0)
 *   s2       columns, s3  where to enter the unrolled groups, s4  end of the columns, s5  pairs left
 * What the inner loop does not need lives in the floating-point registers: fetching it costs one instruction and no
 * memory access. The groups are unrolled eight times and entered so that the last pass ends with the last group: a
 * layer of up to 32 taps has no loop. Loads are single ones behind each other, which take a cycle each but the first;
 * only the last one of a lot moves its base. What has a 16-bit form is written so that targets of branches are aligned.
 */
/* clang-format off */
#define GROUP                 \
    "ldr.w r5, [r12, #4]\n"   \
    "ldr.w r6, [r12, #8]\n"   \
    "ldr.w r7, [r12, #12]\n"  \
    "ldr.w r4, [r12], #16\n"  \
    "ldr.w r9, [lr, #4]\n"    \
    "ldr.w r10, [lr, #8]\n"   \
    "ldr.w r11, [lr, #12]\n"  \
    "ldr.w r8, [lr], #16\n"   \
    "smlad r0, r4, r8, r0\n"  \
    "smlad r1, r6, r8, r1\n"  \
    "smlad r2, r4, r10, r2\n" \
    "smlad r3, r6, r10, r3\n" \
    "smlad r0, r5, r9, r0\n"  \
    "smlad r1, r7, r9, r1\n"  \
    "smlad r2, r5, r11, r2\n" \
    "smlad r3, r7, r11, r3\n"
#define GROUPS_8 GROUP GROUP GROUP GROUP GROUP GROUP GROUP GROUP

#define PROLOGUE                                                            \
    "push.w {r4-r11, lr}\n"                                                 \
    "mov.n lr, r1\n"                                                        \
    "vmov s2, r0\n"                                                         \
    "vmov s5, r3\n"                                                         \
    "add.w r0, r0, r2, lsl #4\n" /* a group of two columns has 16 bytes */  \
    "vmov s4, r0\n"                                                         \
    "negs.n r2, r2\n"                                                       \
    "and.w r2, r2, #7\n" /* groups to leave out in the first pass */        \
    "adr.w r1, 2f\n"                                                        \
    "add.w r2, r1, r2, lsl #6\n" /* sixteen instructions of four bytes */   \
    "orr.w r2, r2, #1\n"                                                    \
    "vmov s3, r2\n"

/* Behind it r5 holds the pairs left. */
#define SUMS                     \
    "ldr.w r2, [lr, #4]\n"       \
    "ldr.w r0, [lr], #8\n"       \
    "vmov r12, r4, s2, s3\n"     \
    "mov.n r3, r2\n"             \
    "mov.n r1, r0\n"             \
    "bx r4\n"                    \
    ".balign 4\n"                \
    "2:\n" GROUPS_8              \
    "vmov r4, r5, s4, s5\n"      \
    "cmp.n r12, r4\n"            \
    "bne 2b\n"

#define CLAMPED(y, shift) "ssat " #y ", #8, " #y shift "\n"
#define STORED                  \
    "strb.w r0, [r4], #1\n"     \
    "strb.w r1, [r12], #1\n"    \
    "strb.w r2, [r4], #1\n"     \
    "strb.w r3, [r12], #1\n"    \
    "vmov s0, s1, r4, r12\n"
#define NEXT_PAIR(count)         \
    count " r5, r5, #1\n"        \
    "vmov s5, r5\n"              \
    "bne 1b\n"                   \
    "pop.w {r4-r11, pc}\n"

__attribute__((naked, aligned(4))) void ecgseg_conv_finish(const uint32_t *columns, const uint32_t *stream,
                                                           uint32_t groups, int32_t pairs, int8_t *out_a,
                                                           int8_t *out_b)
{
    __asm__ volatile(PROLOGUE
                     "ldrd r4, r5, [sp, #36]\n"
                     "vmov s0, s1, r4, r5\n"
                     "1:\n"
                     SUMS
                     "vmov r4, r12, s0, s1\n"
                     "cmp.n r5, #0\n"
                     "bgt 3f\n"
                     "ldmia.w lr!, {r6-r9}\n" /* multiplier, rounding of both channels */
                     "smmla r0, r0, r6, r7\n"
                     "smmla r1, r1, r6, r7\n"
                     "smmla r2, r2, r8, r9\n"
                     "smmla r3, r3, r8, r9\n"
                     CLAMPED(r0, ", asr #12") CLAMPED(r1, ", asr #12")
                     CLAMPED(r2, ", asr #12") CLAMPED(r3, ", asr #12")
                     STORED
                     NEXT_PAIR("adds.n")
                     ".balign 4\n"
                     "3:\n"
                     "ldmia.w lr!, {r6-r11}\n" /* multiplier, rounding, shift of both channels */
                     "smmulr r0, r0, r6\n"
                     "smmulr r1, r1, r6\n"
                     "smmulr r2, r2, r9\n"
                     "smmulr r3, r3, r9\n"
                     "add.w r0, r0, r0, asr #31\n"
                     "add.w r1, r1, r1, asr #31\n"
                     "add.w r2, r2, r2, asr #31\n"
                     "add.w r3, r3, r3, asr #31\n"
                     "adds.n r0, r0, r7\n"
                     "adds.n r1, r1, r7\n"
                     "add.w r2, r2, r10\n"
                     "add.w r3, r3, r10\n"
                     "asr.w r0, r0, r8\n"
                     "asr.w r1, r1, r8\n"
                     "asr.w r2, r2, r11\n"
                     "asr.w r3, r3, r11\n"
                     CLAMPED(r0, "") CLAMPED(r1, "") CLAMPED(r2, "") CLAMPED(r3, "")
                     STORED
                     NEXT_PAIR("subs.n"));
    (void)columns;
    (void)stream;
    (void)groups;
    (void)pairs;
    (void)out_a;
    (void)out_b;
}

__attribute__((naked, aligned(4))) void ecgseg_conv_accumulate(const uint32_t *columns, const uint32_t *stream,
                                                               uint32_t groups, int32_t pairs, int32_t *accumulators)
{
    __asm__ volatile(PROLOGUE
                     "ldr.w r4, [sp, #36]\n"
                     "vmov s0, r4\n"
                     "1:\n"
                     SUMS
                     "vmov r4, s0\n"
                     "stmia.w r4!, {r0-r3}\n"
                     "vmov s0, r4\n"
                     NEXT_PAIR("subs.n"));
    (void)columns;
    (void)stream;
    (void)groups;
    (void)pairs;
    (void)accumulators;
}
/* clang-format on */

#endif
