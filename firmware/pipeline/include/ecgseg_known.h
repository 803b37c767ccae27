/* What a rhythm was like when it was last sure. Not for callers of events.
 *
 * Equal to host/ecgseg/pipeline/known.py.
 */
#ifndef ECGSEG_KNOWN_H
#define ECGSEG_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

/* How high R of the last confirmed beats was, and how far they were apart. */
typedef struct {
    uint32_t at;       /* sample of the last of them */
    int32_t eighths;   /* mean height, in eighths of a microvolt */
    uint32_t interval; /* mean of the last ones, in 1/32 samples */
    bool is_there;
} ecgseg_known_t;

/* Nothing is known. */
void ecgseg_known_forget(ecgseg_known_t *known);

/* A confirmed beat: R in microvolts, of either sign, and the mean of the last intervals, or 0 to keep what is known. */
void ecgseg_known_learn(ecgseg_known_t *known, uint32_t now, int32_t height, uint32_t interval);

/* True when something is known that is not too old. */
bool ecgseg_known_is_fresh(const ecgseg_known_t *known, uint32_t now);

/* True for an R as high as those that are known, to within a half, to whichever side. */
bool ecgseg_known_is_as_high(const ecgseg_known_t *known, int32_t height);

#endif
