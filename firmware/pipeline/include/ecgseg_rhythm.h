/* The last beats, and whether they speak against a P wave. Not for callers of events.
 *
 * Equal to host/ecgseg/pipeline/rhythm.py.
 */
#ifndef ECGSEG_RHYTHM_H
#define ECGSEG_RHYTHM_H

#include <stdbool.h>
#include <stdint.h>

#define ECGSEG_RATE_INTERVALS 8u

/* In place of PR: there is no P wave, or nothing is known of where it begins. */
#define ECGSEG_NO_P 0u
#define ECGSEG_SOME_P 1u
/* The network does not say whether there is one: the signal was noise, or the wave is faint. */
#define ECGSEG_UNKNOWN_P 255u
/* In place of a beat's place: the P wave has none. */
#define ECGSEG_NO_BEAT ECGSEG_RATE_INTERVALS

/* The last RR intervals, each with the PR interval of the beat that ends it. */
typedef struct {
    uint16_t intervals[ECGSEG_RATE_INTERVALS]; /* in 1/32 samples */
    uint8_t pr[ECGSEG_RATE_INTERVALS];         /* samples from P onset to QRS onset and one more, or as above */
    uint8_t count, next;
} ecgseg_rhythm_t;

/* Nothing is known of the beats before. */
void ecgseg_rhythm_forget(ecgseg_rhythm_t *rhythm);

/* A beat: the interval that it ends, and its PR. */
void ecgseg_rhythm_add(ecgseg_rhythm_t *rhythm, uint16_t parts, uint8_t pr);

/* How long the intervals are together. */
uint32_t ecgseg_rhythm_parts(const ecgseg_rhythm_t *rhythm);

/* The last two intervals differ by less than an eighth. */
bool ecgseg_rhythm_is_regular(const ecgseg_rhythm_t *rhythm);

/* The last `count` intervals are there, and each is that long to within a quarter. */
bool ecgseg_rhythm_keeps(const ecgseg_rhythm_t *rhythm, uint32_t parts, uint32_t count);

/* True for a P wave as a network now and then sees one in atrial fibrillation; `place` counts its beat from the newest,
 * which is 0. */
bool ecgseg_rhythm_speaks_against(const ecgseg_rhythm_t *rhythm, uint8_t pr, uint32_t place);

#endif
