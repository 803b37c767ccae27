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

void ecgseg_conv_finish(const uint32_t *columns, const uint32_t *stream, uint32_t groups, uint32_t pairs, int8_t *out_a,
                        int8_t *out_b)
{
    while (pairs-- != 0) {
        int32_t sums[4];
        stream = pair_sums(columns, stream, groups, sums);
        for (uint32_t i = 0; i < 2; i++) {
            const ecgseg_channel_t channel = {(int32_t)stream[0], (int32_t)stream[1], (int32_t)stream[2]};
            *out_a++ = (int8_t)ecgseg_clamp(ecgseg_finish(sums[2 * i], &channel), INT8_MIN, INT8_MAX);
            *out_b++ = (int8_t)ecgseg_clamp(ecgseg_finish(sums[2 * i + 1], &channel), INT8_MIN, INT8_MAX);
            stream += 3;
        }
    }
}

void ecgseg_conv_accumulate(const uint32_t *columns, const uint32_t *stream, uint32_t groups, uint32_t pairs,
                            int32_t *accumulators)
{
    while (pairs-- != 0) {
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
 * memory access. The groups are unrolled 16 times and entered so that the last pass ends with the last group: a layer
 * of up to 64 taps has no loop. Instructions count the same whatever they load, so loads are as wide as registers
 * allow.
 */
#define GROUP                 \
    "ldmia r12!, {r4-r7}\n"   \
    "ldmia lr!, {r8-r11}\n"   \
    "smlad r0, r4, r8, r0\n"  \
    "smlad r1, r6, r8, r1\n"  \
    "smlad r2, r4, r10, r2\n" \
    "smlad r3, r6, r10, r3\n" \
    "smlad r0, r5, r9, r0\n"  \
    "smlad r1, r7, r9, r1\n"  \
    "smlad r2, r5, r11, r2\n" \
    "smlad r3, r7, r11, r3\n"
#define GROUPS_4 GROUP GROUP GROUP GROUP
/* Ten instructions of four bytes each. */
#define GROUP_BYTES "40"

#define PROLOGUE                                                         \
    "push {r4-r11, lr}\n"                                                \
    "mov lr, r1\n"                                                       \
    "vmov s2, r0\n"                                                      \
    "vmov s5, r3\n"                                                      \
    "add r0, r0, r2, lsl #4\n" /* a group of two columns has 16 bytes */ \
    "vmov s4, r0\n"                                                      \
    "rsb r2, r2, #0\n"                                                   \
    "and r2, r2, #15\n" /* groups to leave out in the first pass */      \
    "movs r0, #" GROUP_BYTES "\n"                                        \
    "adr r1, 2f\n"                                                       \
    "mla r2, r2, r0, r1\n"                                               \
    "orr r2, r2, #1\n"                                                   \
    "vmov s3, r2\n"

#define SUMS                                                   \
    "ldmia lr!, {r0, r2}\n"                                    \
    "vmov r12, r4, s2, s3\n"                                   \
    "mov r1, r0\n"                                             \
    "mov r3, r2\n"                                             \
    "bx r4\n"                                                  \
    ".balign 4\n"                                              \
    "2:\n" GROUPS_4 GROUPS_4 GROUPS_4 GROUPS_4 "vmov r4, s4\n" \
    "cmp r12, r4\n"                                            \
    "bne 2b\n"

#define NEXT_PAIR       \
    "vmov r4, s5\n"     \
    "subs r4, r4, #1\n" \
    "vmov s5, r4\n"     \
    "bne 1b\n"          \
    "pop {r4-r11, pc}\n"

__attribute__((naked)) void ecgseg_conv_finish(const uint32_t *columns, const uint32_t *stream, uint32_t groups,
                                               uint32_t pairs, int8_t *out_a, int8_t *out_b)
{
    __asm__ volatile(PROLOGUE "ldrd r4, r5, [sp, #36]\n"
                              "vmov s0, s1, r4, r5\n"
                              "1:\n" SUMS "ldmia lr!, {r4-r9}\n" /* multiplier, rounding, shift of both channels */
                              "smmulr r0, r0, r4\n"
                              "smmulr r1, r1, r4\n"
                              "smmulr r2, r2, r7\n"
                              "smmulr r3, r3, r7\n"
                              "vmov r10, r11, s0, s1\n"
                              "add r0, r0, r0, asr #31\n"
                              "add r1, r1, r1, asr #31\n"
                              "add r2, r2, r2, asr #31\n"
                              "add r3, r3, r3, asr #31\n"
                              "add r0, r0, r5\n"
                              "add r1, r1, r5\n"
                              "add r2, r2, r8\n"
                              "add r3, r3, r8\n"
                              "asr r0, r0, r6\n"
                              "asr r1, r1, r6\n"
                              "asr r2, r2, r9\n"
                              "asr r3, r3, r9\n"
                              "ssat r0, #8, r0\n"
                              "ssat r1, #8, r1\n"
                              "ssat r2, #8, r2\n"
                              "ssat r3, #8, r3\n"
                              "strb r0, [r10], #1\n"
                              "strb r1, [r11], #1\n"
                              "strb r2, [r10], #1\n"
                              "strb r3, [r11], #1\n"
                              "vmov s0, s1, r10, r11\n" NEXT_PAIR);
    (void)columns;
    (void)stream;
    (void)groups;
    (void)pairs;
    (void)out_a;
    (void)out_b;
}

__attribute__((naked)) void ecgseg_conv_accumulate(const uint32_t *columns, const uint32_t *stream, uint32_t groups,
                                                   uint32_t pairs, int32_t *accumulators)
{
    __asm__ volatile(PROLOGUE "ldr r4, [sp, #36]\n"
                              "vmov s0, r4\n"
                              "1:\n" SUMS "vmov r4, s0\n"
                              "stmia r4!, {r0-r3}\n"
                              "vmov s0, r4\n" NEXT_PAIR);
    (void)columns;
    (void)stream;
    (void)groups;
    (void)pairs;
    (void)accumulators;
}

#endif
