/* P waves that a network misses by little, found where the beats before had theirs. Not for callers of events.
 *
 * Equal to host/ecgseg/pipeline/faint.py.
 */
#ifndef ECGSEG_FAINT_H
#define ECGSEG_FAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "ecgseg_waves.h"

/* Places of P waves that are kept, of as many beats. */
#define ECGSEG_MOST_PLACES 8u

typedef struct {
    ecgseg_wave_t run, kept;            /* that grows; the last one before it that may be a P wave */
    uint8_t places[ECGSEG_MOST_PLACES]; /* twice the samples from the middle of P to QRS; 0 without P */
    uint8_t next;
} ecgseg_faint_t;

/* Nothing is known of the beats before. */
void ecgseg_faint_forget(ecgseg_faint_t *faint);

/* What was seen so far is of no beat that comes. */
void ecgseg_faint_drop(ecgseg_faint_t *faint);

/* What began in front of this sample is no P wave of the next beat. */
void ecgseg_faint_drop_before(ecgseg_faint_t *faint, uint32_t sample);

/* Sample `now` is P or nearly so; `continues` says whether the sample before had contact. */
void ecgseg_faint_follow(ecgseg_faint_t *faint, uint32_t now, bool continues);

/* The P wave of a beat whose QRS complex begins at a sample, and remembers where it is: *p, that of the network, or a
 * faint one when there is none and the beats before are confirmed; of label NONE without one. */
void ecgseg_faint_p_wave(ecgseg_faint_t *faint, uint32_t qrs_first, bool is_confirmed, ecgseg_wave_t *p);

#endif
