/* The multiply-accumulate core of convolutions.
 *
 * Two columns a and b (the inputs of two output positions) are stored interleaved, `groups` times
 *     a0 a2 a1 a3  b0 b2 b1 b3      (int16)
 * which is what two SXTB16 of a 32-bit word give. Weights are stored, for each pair of output channels, `groups` times
 *     v0 v2 v1 v3  w0 w2 w1 w3      (int16)
 * so that every 16 multiplications need two loads of four words and eight SMLAD.
 */
#ifndef ECGSEG_MAC_H
#define ECGSEG_MAC_H

#include <stdint.h>

/* For each of channel_pairs: accumulators[0..3] = bias[0] + a.v, bias[0] + b.v, bias[1] + a.w, bias[1] + b.w; then
 * bias, weights and accumulators move on. All pointers are aligned to 4 bytes. */
void ecgseg_mac(const int16_t *columns, const int16_t *weights, const int32_t *bias, uint32_t groups,
                uint32_t channel_pairs, int32_t *accumulators);

#endif
