/* Convolution along time with stride 1, four multiplications an instruction.
 *
 * The idea. A dilated convolution falls into `dilation` independent ones, one for each phase: the positions p,
 * p + dilation, p + 2 dilation, ... Within a phase call the inputs u[0], u[1], ... and pack two neighbours of one
 * channel into a word, and two neighbouring weights into another:
 *
 *     B[j] = u[2j] + u[2j+1] * 2^21          W[m] = w[2m+1] + w[2m] * 2^21
 *
 * An input counts from 0 to 255 there: with 128 added, packing takes fewer instructions, and the bias makes up for it.
 * The 64-bit product of the two holds three sums side by side, in lanes of 21, 21 and 22 bits:
 *
 *     u[2j] w[2m+1]  |  u[2j] w[2m] + u[2j+1] w[2m+1]  |  u[2j+1] w[2m]
 *
 * So one multiply-accumulate into 64 bits (SMLAL, one cycle on a Cortex-M4) does four multiplications, all of them
 * needed. Summed over the channels and over m into P[j] = sum B[j+m] W[m], the outputs are
 *
 *     y[2j] = lane 1 of P[j]                 y[2j+1] = lane 2 of P[j] + lane 0 of P[j+1]
 *
 * The result is exact, because the code generator proves from the weights that no lane can leave its bits, and because
 * only the final value of a lane has to fit. Bias, zero point and an offset that keeps the lanes from being negative,
 * so that they do not borrow from each other, are part of the initial values: of y an offset of its channel, of lane 0
 * of P[j+1] 2^20, which lane 2 of P[j] has less. Lane 2 of P[j+1] is lane 0 of the next P[j] from the start on: there
 * the sum of y[2j-1] goes on.
 *
 * Requantisation is TensorFlow Lite's double rounding folded into one floor. With acc * 2^s in a register, m the
 * multiplier and e its shift to the right, the reference's result (for a result that is not negative) is
 *
 *     floor((acc m + 2^30 + 2^(30+e)) / 2^(31+e)) = (floor(acc 2^s m / 2^32) + 2^(s-2) + 2^(e+s-2)) >> (e+s-1)
 *
 * for s >= 2. ECGSEG_PHASES_SHIFT fixes e+s-1, and the output's zero point joins the constant. Negative results round
 * differently but are clamped away: the kernel is used only where the output's zero point is -128. The offset of y goes
 * through the multiplication and leaves with the constant, too: of all offsets that keep the lanes apart the generator
 * takes one whose product is so near to a whole number that no result changes.
 *
 * The input may lie where the output goes when the padding is a multiple of the dilation and both have as many
 * channels: a phase reads and writes the same positions, and is always read further than it has been written.
 */
#ifndef ECGSEG_PHASES_H
#define ECGSEG_PHASES_H

#include <stdint.h>

#define ECGSEG_PHASES_LANE 21
#define ECGSEG_PHASES_SHIFT 12

/* What the stream holds in front of a pair's weights and in all besides them, in words. */
#define ECGSEG_PHASES_START_WORDS 6u
#define ECGSEG_PHASES_PAIR_WORDS 14u

/* What the stream holds for each output channel of a pair behind the weights. */
typedef struct {
    int32_t multiplier;
    int32_t rounding;   /* 2^(s-2) + 2^(e+s-2) + zero point * 2^(e+s-1) - the offset's product */
    uint32_t shift;     /* s; of the second channel, by 2^8: how far the next pair's output lies behind this one's */
    uint32_t start_low; /* low word of the initial value of P[j], to which lane 2 of the P before comes */
} ecgseg_phases_end_t;

typedef struct ecgseg_phases_tile ecgseg_phases_tile_t;
typedef struct ecgseg_phases ecgseg_phases_t;

/* Code for a number of tap pairs. */
typedef struct {
    void (*pack)(const intptr_t rows[4], int32_t *words, uint32_t in_channels);
    void (*tile)(const ecgseg_phases_tile_t *tile);
    void (*in_parts)(const ecgseg_phases_t *layer, const ecgseg_phases_tile_t *whole, int32_t *sums); /* or NULL */
    int32_t pairs;
} ecgseg_phases_form_t;

/* For so many pairs of taps; a round of the inner loop takes so many input channels: there must be a multiple (_by_),
 * or just as many (_of_). Inputs are packed four channels at a time but for rounds of one, so that of rounds of ten
 * there must be an even number. _parts_: for layers in parts, each with a multiple. Which one computes a layer the
 * generator chooses, by what each costs. */
#define ECGSEG_PHASES_FORMS(pairs)                                                                \
    extern const ecgseg_phases_form_t ecgseg_phases_##pairs##_by_1, ecgseg_phases_##pairs##_by_4, \
        ecgseg_phases_##pairs##_parts_by_4, ecgseg_phases_##pairs##_parts_by_8
#define ECGSEG_PHASES_LONG_FORMS(pairs)                                                             \
    extern const ecgseg_phases_form_t ecgseg_phases_##pairs##_by_8, ecgseg_phases_##pairs##_by_10,  \
        ecgseg_phases_##pairs##_by_16, ecgseg_phases_##pairs##_of_8, ecgseg_phases_##pairs##_of_16, \
        ecgseg_phases_##pairs##_of_20
ECGSEG_PHASES_FORMS(1);
ECGSEG_PHASES_FORMS(2);
ECGSEG_PHASES_FORMS(3);
ECGSEG_PHASES_FORMS(4);
ECGSEG_PHASES_LONG_FORMS(1);
ECGSEG_PHASES_LONG_FORMS(2);

/* stream, for each pair of output channels:
 *     high word of P[j], then P[j+1], initial values, of the first and of the second channel
 *     [in_channels][pairs][channel of the pair] of W
 *     ecgseg_phases_end_t of the first and of the second channel
 * The last pair of an odd number of channels begins with the one before the last again. There are two at least.
 * Where the sums of all input channels could leave their lanes, the layer is in `parts` of as many input channels each,
 * and has an even number of output channels: the stream is that of the first part, then of the next, and so on, and
 * what the parts give is added up before it is requantised.
 * Output position t reads inputs t - pad + dilation * tap. */
struct ecgseg_phases {
    uint16_t in_length, in_channels;
    uint16_t out_length, out_channels;
    uint16_t dilation;
    int16_t pad;
    uint16_t gap; /* outputs behind those of a phase that are nobody's, see ecgseg_phases.c */
    int8_t input_zero_point;
    uint8_t parts;
    const uint32_t *stream;
    const ecgseg_phases_end_t *ends; /* of a layer in parts, per output channel; start_low is not used */
    const ecgseg_phases_form_t *form;
};

/* scratch, aligned to 4 bytes: (pairs + 1) * in_channels words of packed inputs, then for each pair of output channels
 * two words, in_channels bytes of padding, and out_channels bytes for outputs that are nobody's. In parts: two words
 * for each part and pair, and before all that four words per output channel. */
static inline void ecgseg_phases(const ecgseg_phases_t *layer, const int8_t *input, int8_t *output, void *scratch);

/* The same. What is called has the layer behind the memory, whose arguments stay in their registers that way. */
void ecgseg_phases_run(const int8_t *input, int8_t *output, void *scratch, const ecgseg_phases_t *layer);

static inline void ecgseg_phases(const ecgseg_phases_t *layer, const int8_t *input, int8_t *output, void *scratch)
{
    ecgseg_phases_run(input, output, scratch, layer);
}

#endif
