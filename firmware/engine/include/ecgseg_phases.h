/* Convolution along time with stride 1, four multiplications an instruction.
 *
 * The idea. A dilated convolution falls into `dilation` independent ones, one for each phase: the positions p,
 * p + dilation, p + 2 dilation, ... Within a phase call the inputs u[0], u[1], ... and pack two neighbours of one
 * channel into a word, and two neighbouring weights into another:
 *
 *     B[j] = u[2j] + u[2j+1] * 2^21          W[m] = w[2m+1] + w[2m] * 2^21
 *
 * Their 64-bit product holds three sums side by side, in lanes of 21, 21 and 22 bits:
 *
 *     u[2j] w[2m+1]  |  u[2j] w[2m] + u[2j+1] w[2m+1]  |  u[2j+1] w[2m]
 *
 * So one multiply-accumulate into 64 bits (SMLAL, one cycle on a Cortex-M4) does four multiplications, all of them
 * needed. Summed over the channels and over m into P[j] = sum B[j+m] W[m], the outputs are
 *
 *     y[2j] = lane 1 of P[j]                 y[2j+1] = lane 2 of P[j] + lane 0 of P[j+1]
 *
 * The result is exact, because the code generator proves from the weights that no lane can leave its bits, and because
 * only the final value of a lane has to fit. Bias and zero point are part of the initial value of P; lanes 0 and 1
 * carry an offset of 2^20 so that they are never negative and lanes do not borrow from each other.
 *
 * Requantisation is TensorFlow Lite's double rounding folded into one floor. With acc * 2^s in a register, m the
 * multiplier and e its shift to the right, the reference's result (for a result that is not negative) is
 *
 *     floor((acc m + 2^30 + 2^(30+e)) / 2^(31+e)) = (floor(acc 2^s m / 2^32) + 2^(s-2) + 2^(e+s-2)) >> (e+s-1)
 *
 * for s >= 2. ECGSEG_PHASES_SHIFT fixes e+s-1, and the output's zero point joins the constant. Negative results round
 * differently but are clamped away: the kernel is used only where the output's zero point is -128.
 *
 * The input may lie where the output goes when the padding is a multiple of the dilation and both have as many
 * channels: a phase reads and writes the same positions, and is always read further than it has been written.
 */
#ifndef ECGSEG_PHASES_H
#define ECGSEG_PHASES_H

#include <stdint.h>

#define ECGSEG_PHASES_LANE 21
#define ECGSEG_PHASES_SHIFT 12

/* One output channel. */
typedef struct {
    uint64_t start; /* initial value of P */
    int32_t multiplier;
    int32_t rounding;   /* 2^(s-2) + 2^(e+s-2) + zero point * 2^(e+s-1) */
    int32_t left_shift; /* s */
    int32_t unused;     /* keeps `start` aligned */
} ecgseg_phases_channel_t;

typedef struct ecgseg_phases_tile ecgseg_phases_tile_t;

/* Code for a number of tap pairs. */
typedef struct {
    void (*pack)(const int8_t *const rows[4], int32_t *words, uint32_t in_channels);
    void (*tile)(const ecgseg_phases_tile_t *tile);
    int32_t pairs;
} ecgseg_phases_form_t;

/* By 4 when the input channels are a multiple of 4. */
extern const ecgseg_phases_form_t ecgseg_phases_1_by_1, ecgseg_phases_1_by_4;
extern const ecgseg_phases_form_t ecgseg_phases_2_by_1, ecgseg_phases_2_by_4;
extern const ecgseg_phases_form_t ecgseg_phases_3_by_1, ecgseg_phases_3_by_4;
extern const ecgseg_phases_form_t ecgseg_phases_4_by_1, ecgseg_phases_4_by_4;

/* weights: [out_channels][in_channels][pairs] of W. Output position t reads inputs t - pad + dilation * tap. */
typedef struct {
    uint16_t in_length, in_channels;
    uint16_t out_length, out_channels;
    uint16_t dilation;
    int16_t pad;
    int8_t input_zero_point;
    const int32_t *weights;
    const ecgseg_phases_channel_t *channels;
    const ecgseg_phases_form_t *form;
} ecgseg_phases_t;

/* scratch, aligned to 4 bytes: (pairs + 1) * in_channels words of packed inputs, then per output channel a word for
 * lane 2 of the last P and a byte for each of the four rows at the border of a phase, then in_channels bytes of
 * padding. */
void ecgseg_phases(const ecgseg_phases_t *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
