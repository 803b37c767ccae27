/* Preprocessor: raw int16 microvolts -> 100 Hz ring buffer -> int8 frame, equal to the Python reference to the bit.
 *
 * The steps and their order are the contract in docs/architecture.md, section 3. Rates, filter and frame come from the
 * rendered ecgseg_preprocess_params.h: they size the arrays and unroll the filter, so they are compiled in and shared
 * by all models of an image. The quantisation of the input is the model's own and part of the state. No heap, no
 * library call; the only float operations are one square root, one division and a conversion, a multiplication and an
 * addition per sample.
 */
#ifndef ECGSEG_PREPROCESS_H
#define ECGSEG_PREPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_preprocess_params.h"

#define ECGSEG_PREPROCESS_VERSION 3
#if ECGSEG_PREPROCESS_PARAMS_VERSION != ECGSEG_PREPROCESS_VERSION
#error "ecgseg_preprocess_params.h was rendered for another version of the preprocessor: run `invoke render` again"
#endif

#define ECGSEG_LEAD_OFF_SAMPLE INT16_MIN /* raw sample value: no contact */
#define ECGSEG_RAIL 32767

/* Status bits of a frame. */
#define ECGSEG_FRAME_FLAT 1u      /* standard deviation below ECGSEG_FLAT_UV: frame replaced by the zero point */
#define ECGSEG_FRAME_LEAD_OFF 2u  /* fewer than half of the samples valid: frame replaced by the zero point */
#define ECGSEG_FRAME_HAS_GAP 4u   /* at least one sample is not valid */
#define ECGSEG_FRAME_SATURATED 8u /* at least one sample was touched by a raw sample at a rail */

/* Flags of a 100 Hz sample. */
#define ECGSEG_SAMPLE_LEAD_OFF 1u
#define ECGSEG_SAMPLE_SATURATED 2u

/* Samples at 100 Hz made in one go before the filter's history moves down, and the most raw samples for them. */
#define ECGSEG_BLOCK_OUTPUTS 16
#define ECGSEG_BLOCK_SAMPLES ((ECGSEG_FACTOR * ECGSEG_BLOCK_OUTPUTS + ECGSEG_PHASES - 1) / ECGSEG_PHASES)
#define ECGSEG_LINE_LENGTH (ECGSEG_TAP_COUNT + ECGSEG_BLOCK_SAMPLES)

typedef struct {
    int16_t ring[ECGSEG_FRAME_LENGTH];
    uint8_t flags[ECGSEG_FRAME_LENGTH];
    uint16_t ring_next;               /* where the next 100 Hz sample goes; the oldest one */
    uint16_t flagged;                 /* samples in the ring with a flag */
    uint16_t until_frame;             /* 100 Hz samples still to come until the next frame */
    uint32_t raw_samples;             /* raw samples seen since the reset */
    uint32_t frames;                  /* frames completed since the reset */
    int16_t line[ECGSEG_LINE_LENGTH]; /* filter history, oldest first */
    uint16_t line_fill;               /* samples in the line */
    uint16_t until_output;            /* raw samples still to come until the next output; 0: it is due */
#if ECGSEG_PHASES > 1
    uint16_t
        phase; /* of the next output: how far it lies behind a raw sample, in parts of which one has ECGSEG_PHASES */
#endif
    int16_t last_good;       /* last raw sample that was not LEAD_OFF */
    uint16_t lead_off_reach; /* outputs' filter windows touch a LEAD_OFF sample for so many more raw samples */
    uint16_t rail_reach;     /* the same for a sample at a rail */
    float input_scale;       /* of the model's int8 input */
    int32_t input_zero_point;
} ecgseg_preprocess_t;

typedef struct {
    uint32_t index;            /* number of the frame since the reset */
    uint32_t status;           /* ECGSEG_FRAME_* */
    uint16_t lead_off_samples; /* 100 Hz samples that are not valid */
    uint16_t saturated_samples;
} ecgseg_frame_info_t;

/* For a model whose int8 input has that quantisation: scale above 1e-5, zero point -128..127. */
void ecgseg_preprocess_init(ecgseg_preprocess_t *state, float input_scale, int32_t input_zero_point);

/* Forgets all samples; the next one starts a stream. */
void ecgseg_preprocess_reset(ecgseg_preprocess_t *state);

/* Raw samples still to come until so many samples at 100 Hz are made, 1 or more. */
uint32_t ecgseg_preprocess_until(const ecgseg_preprocess_t *state, uint32_t outputs);

/* Raw samples still to come until the next frame is complete. */
uint32_t ecgseg_preprocess_until_frame(const ecgseg_preprocess_t *state);

/* Takes raw samples until they are used up or a frame is complete. Returns how many were taken and sets *frame_ready;
 * the caller fetches the frame before it pushes the rest. Below 100 Hz one raw sample may make two at 100 Hz: if the
 * first of them completes a frame, the second is made by the next call, before it takes any. */
size_t ecgseg_preprocess_push(ecgseg_preprocess_t *state, const int16_t *samples, size_t count, bool *frame_ready);

/* Normalises and quantises the newest ECGSEG_FRAME_LENGTH samples. valid[n] is 1 where a sample may carry a class. */
ecgseg_frame_info_t ecgseg_preprocess_frame(const ecgseg_preprocess_t *state, int8_t frame[ECGSEG_FRAME_LENGTH],
                                            uint8_t valid[ECGSEG_FRAME_LENGTH]);

#endif
