/* Convolution along time with stride 1, three multiplications an instruction, for positions anywhere.
 *
 * ecgseg_phases makes neighbours of a phase at once; where a block holds only a few positions of a phase, there are
 * none. Here three positions p, q, r and two output channels a, b are packed instead, whatever lies between them: of
 * one input of each position and one weight of each channel
 *
 *     X = x[p] + x[q] * 2^21      Y = x[q] + x[r] * 2^21      W = a + b * 2^21
 *
 * and the 64-bit products hold three sums side by side, in lanes of 21, 21 and 22 bits:
 *
 *     X W = a x[p]  |  a x[q] + b x[p]  |  b x[q]
 *     Y W = a x[q]  |  a x[r] + b x[q]  |  b x[r]
 *
 * Two multiply-accumulates into 64 bits (SMLAL, one cycle on a Cortex-M4) give all six sums: four stand in a lane of
 * their own, and the other two follow by taking one of these from a middle lane, whose carry into the next one leaves
 * with it. Inputs count from 0 to 255 here; the initial values make up for it, and hold bias and an offset that keeps
 * every sum from being negative. That none reaches 2^21 is proved by the code generator from the weights.
 *
 * Requantisation is one multiplication: the generator looks for a multiplier and an offset for which
 *
 *     (floor(sum * multiplier / 2^32) + rounding) >> 5
 *
 * is TensorFlow Lite's result for every sum that can occur. It finds them where results are not negative before the
 * zero point, as behind RELU; negative ones are rounded otherwise.
 *
 * The last positions are computed first. So the output may lie over the rows of input that the last tap reads, if both
 * have as many channels: no position reads rows behind those of its last tap.
 */
#ifndef ECGSEG_THREES_H
#define ECGSEG_THREES_H

#include <stdint.h>

#define ECGSEG_THREES_LANE 21
#define ECGSEG_THREES_SHIFT 5

/* Words of the stream of four output channels besides their weights. */
#define ECGSEG_THREES_START_WORDS 4u
#define ECGSEG_THREES_FOUR_WORDS 12u

/* stream, for each four output channels a, b, c, d:
 *     initial value of the sums of a and b, low word first, and of c and d
 *     [taps][in_channels] of W of a and b, W of c and d
 *     multiplier and rounding of a, of b, of c, of d
 * in_channels and out_channels are multiples of four. Output position t reads the rows t + tap * dilation. */
typedef struct {
    uint16_t positions, taps, dilation;
    uint16_t in_channels, out_channels;
    const uint32_t *stream;
} ecgseg_threes_t;

/* Without a ring (NULL) all rows lie behind each other from input on.
 *
 * With one, input holds only the rows of the last tap, `positions` of them. The (taps - 1) * dilation rows before are
 * in the ring, the oldest at `first`, and the new rows take the place of the oldest: the next block's first lies
 * `positions` further. There are at most `dilation` positions then.
 *
 * scratch: 2 * taps * in_channels words. */
void ecgseg_threes(const ecgseg_threes_t *layer, const int8_t *input, int8_t *output, int32_t *scratch, int8_t *ring,
                   uint32_t first);

#endif
