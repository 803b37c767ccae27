/* The multiply-accumulate core of convolutions.
 *
 * Two columns a and b (the inputs of two output positions, widened to int16) are stored interleaved, `groups` times
 *     a0 a2 | a1 a3 | b0 b2 | b1 b3          (four words of two int16)
 * which is what two SXTB16 of a word give. The stream of a layer holds, for each pair of output channels,
 *     bias of the first, bias of the second
 *     `groups` times  v0 v2 | v1 v3 | w0 w2 | w1 w3
 *     and, for ecgseg_conv_finish, {multiplier, rounding, shift} of the first and of the second channel
 * so that 16 multiplications need two loads of four words and eight SMLAD. Everything is 4-byte aligned.
 */
#ifndef ECGSEG_CONV_CORE_H
#define ECGSEG_CONV_CORE_H

#include <stdint.h>

/* Weights and biases are stored doubled. Writes 2 * pairs bytes to each of out_a and out_b. */
void ecgseg_conv_finish(const uint32_t *columns, const uint32_t *stream, uint32_t groups, uint32_t pairs, int8_t *out_a,
                        int8_t *out_b);

/* For each pair of channels accumulators[0..3] = a.v, b.v, a.w, b.w, bias included. */
void ecgseg_conv_accumulate(const uint32_t *columns, const uint32_t *stream, uint32_t groups, uint32_t pairs,
                            int32_t *accumulators);

#endif
