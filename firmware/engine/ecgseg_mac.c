#include "ecgseg_mac.h"

#if !defined(__ARM_FEATURE_DSP)

void ecgseg_mac(const int16_t *columns, const int16_t *weights, const int32_t *bias, uint32_t groups,
                uint32_t channel_pairs, int32_t *accumulators)
{
    for (uint32_t pair = 0; pair < channel_pairs; pair++) {
        int32_t sum[4] = {bias[0], bias[0], bias[1], bias[1]};
        const int16_t *column = columns;
        for (uint32_t group = 0; group < groups; group++) {
            for (uint32_t i = 0; i < 4; i++) {
                sum[0] += (int32_t)column[i] * weights[i];
                sum[1] += (int32_t)column[4 + i] * weights[i];
                sum[2] += (int32_t)column[i] * weights[4 + i];
                sum[3] += (int32_t)column[4 + i] * weights[4 + i];
            }
            column += 8;
            weights += 8;
        }
        for (uint32_t i = 0; i < 4; i++) {
            accumulators[i] = sum[i];
        }
        accumulators += 4;
        bias += 2;
    }
}

#else

/* Register plan
 *   r0-r3   accumulators a.v, b.v, a.w, b.w
 *   r4-r7   a (two words), b (two words)
 *   r8-r11  v (two words), w (two words)
 *   r12     column, lr  weights
 *   s0      end of the columns, s1  end of its part that is unrolled four times
 *   s2      columns, s3  channel pairs left, s4  bias, s5  accumulators
 * Everything that the inner loop does not need lives in the floating-point registers: moving it in costs one
 * instruction, spilling it costs a memory access.
 */
#define GROUP                                                                                                         \
    "ldmia r12!, {r4-r7}\n"                                                                                           \
    "ldmia lr!, {r8-r11}\n"                                                                                           \
    "smlad r0, r4, r8, r0\n"                                                                                          \
    "smlad r1, r6, r8, r1\n"                                                                                          \
    "smlad r2, r4, r10, r2\n"                                                                                         \
    "smlad r3, r6, r10, r3\n"                                                                                         \
    "smlad r0, r5, r9, r0\n"                                                                                          \
    "smlad r1, r7, r9, r1\n"                                                                                          \
    "smlad r2, r5, r11, r2\n"                                                                                         \
    "smlad r3, r7, r11, r3\n"

__attribute__((naked)) void ecgseg_mac(const int16_t *columns, const int16_t *weights, const int32_t *bias,
                                       uint32_t groups, uint32_t channel_pairs, int32_t *accumulators)
{
    __asm__ volatile("push {r4-r11, lr}\n"
                     "ldr r4, [sp, #36]\n" /* channel_pairs */
                     "ldr r5, [sp, #40]\n" /* accumulators */
                     "vmov s3, r4\n"
                     "vmov s5, r5\n"
                     "vmov s2, r0\n"
                     "vmov s4, r2\n"
                     "mov lr, r1\n"
                     "add r4, r0, r3, lsl #4\n" /* a group of two columns has 16 bytes */
                     "vmov s0, r4\n"
                     "bic r3, r3, #3\n"
                     "add r4, r0, r3, lsl #4\n"
                     "vmov s1, r4\n"
                     "1:\n" /* one pair of channels */
                     "vmov r4, s4\n"
                     "ldmia r4!, {r0, r2}\n"
                     "vmov s4, r4\n"
                     "mov r1, r0\n"
                     "mov r3, r2\n"
                     "vmov r12, s2\n"
                     "vmov r4, s1\n"
                     "cmp r12, r4\n"
                     "beq 3f\n"
                     "2:\n" GROUP GROUP GROUP GROUP
                     "vmov r4, s1\n"
                     "cmp r12, r4\n"
                     "bne 2b\n"
                     "3:\n"
                     "vmov r4, s0\n"
                     "cmp r12, r4\n"
                     "beq 5f\n"
                     "4:\n" GROUP
                     "vmov r4, s0\n"
                     "cmp r12, r4\n"
                     "bne 4b\n"
                     "5:\n"
                     "vmov r4, s5\n"
                     "stmia r4!, {r0-r3}\n"
                     "vmov s5, r4\n"
                     "vmov r5, s3\n"
                     "subs r5, r5, #1\n"
                     "vmov s3, r5\n"
                     "bne 1b\n"
                     "pop {r4-r11, pc}\n");
    (void)columns;
    (void)weights;
    (void)bias;
    (void)groups;
    (void)channel_pairs;
    (void)accumulators;
}

#endif
