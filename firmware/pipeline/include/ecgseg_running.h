/* Running normalisation: one sample at 100 Hz in, one int8 for a streaming network out, equal to the Python reference
 * to the bit (docs/architecture.md, section 3).
 *
 * A sample is normalised by mean and spread of the last ECGSEG_RUNNING_WINDOW valid samples, itself included. Sums are
 * exact integers that follow the ring, so no error builds up however long the stream is. No heap, no library call.
 */
#ifndef ECGSEG_RUNNING_H
#define ECGSEG_RUNNING_H

#include <stdbool.h>
#include <stdint.h>

#include "ecgseg_preprocess_params.h"

#ifndef ECGSEG_RUNNING_WINDOW
#error "ecgseg_preprocess_params.h was rendered by an older generator: run `invoke render` again"
#endif

typedef struct {
    int64_t squares;
    int32_t sum;
    int32_t zero_point; /* of the network's int8 input */
    float scale;
    uint16_t count; /* samples in the ring */
    uint16_t next;  /* where the next one goes; of a full ring the oldest one */
    uint16_t gap;   /* samples without contact since the last valid one, up to ECGSEG_RUNNING_GAP */
    int16_t ring[ECGSEG_RUNNING_WINDOW];
} ecgseg_running_t;

/* For a network whose int8 input has that quantisation: scale above 1e-5, zero point -128..127. */
void ecgseg_running_init(ecgseg_running_t *state, float scale, int32_t zero_point);

/* Forgets all samples; the next one starts a record. */
void ecgseg_running_reset(ecgseg_running_t *state);

/* What the network gets for the next sample. It is the zero point where there is no contact, after too few samples and
 * on a flat line; after a gap of ECGSEG_RUNNING_GAP samples all is as at the start. `sample` of an invalid one is not
 * looked at. */
int8_t ecgseg_running_push(ecgseg_running_t *state, int16_t sample, bool valid);

#endif
