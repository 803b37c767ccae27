/* The multiply-accumulate core of convolutions.
 *
 * Two columns a and b (the inputs of two output positions, widened to int16) are stored interleaved, `groups` times
 *     a0 a2 | a1 a3 | b0 b2 | b1 b3          (four words of two int16)
 * which is what two SXTB16 of a word give. The stream of a layer holds, for each pair of output channels,
 *     bias of the first, bias of the second
 *     `groups` times  v0 v2 | v1 v3 | w0 w2 | w1 w3
 *     and, for ecgseg_conv_finish, {multiplier, rounding, shift} of the first and of the second channel, or of its
 *     short form {multiplier, rounding}
 * so that 16 multiplications need eight loads and eight SMLAD. Everything is 4-byte aligned.
 *
 * The short form is that of ecgseg_phases.h, for outputs whose zero point is -128: biases and weights, which have room
 * in their int16, are stored with the factor 2^s, and ECGSEG_CONV_SHIFT fixes e+s-1.
 */
#ifndef ECGSEG_CONV_CORE_H
#define ECGSEG_CONV_CORE_H

#include <stdint.h>

#define ECGSEG_CONV_SHIFT 12

/* Weights and biases are stored doubled. Writes 2 * pairs bytes to each of out_a and out_b. A negative number of pairs
 * asks for the short form. */
void ecgseg_conv_finish(const uint32_t *columns, const uint32_t *stream, uint32_t groups, int32_t pairs, int8_t *out_a,
                        int8_t *out_b);

/* For each pair of channels accumulators[0..3] = a.v, b.v, a.w, b.w, bias included. */
void ecgseg_conv_accumulate(const uint32_t *columns, const uint32_t *stream, uint32_t groups, int32_t pairs,
                            int32_t *accumulators);

#endif
