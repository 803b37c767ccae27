/* Steps of ecgseg_events that make an event: the queue, times, a beat with its intervals. Not for callers of events. */
#ifndef ECGSEG_BEATS_H
#define ECGSEG_BEATS_H

#include "ecgseg_events.h"
#include "ecgseg_intervals.h"

/* Shares are of so much. */
#define ECGSEG_BEATS_WHOLE 1024
/* The newest step from a sample to the next counts 2^-6 of the mean. */
#define ECGSEG_BEATS_CALM_SHIFT 6
/* An RR interval is known up to so many parts, 20.48 s. */
#define ECGSEG_BEATS_LONGEST_RR 65535u

/* What a beat has of its P wave, and of its T wave. */
#define ECGSEG_BEATS_P (ECGSEG_HAS_P_ON | ECGSEG_HAS_P_OFF)
#define ECGSEG_BEATS_T (ECGSEG_HAS_T_ON | ECGSEG_HAS_T_OFF)

/* Where in the queue the event is that came so many before the newest, which is 0. */
uint32_t ecgseg_beats_slot(const ecgseg_events_t *s, uint32_t place);

/* PR of a beat as the rhythm counts it. */
uint8_t ecgseg_beats_pr_of(const ecgseg_event_t *event);

/* Puts an event into the queue, which has room for it; the caller adds what else it tells. */
ecgseg_event_t *ecgseg_beats_add(ecgseg_events_t *s, uint8_t kind, uint64_t tick);

/* Ticks as an event's length. */
uint32_t ecgseg_beats_saturated(uint64_t ticks);

/* Half a sample before a sample; not before the stream. */
uint64_t ecgseg_beats_edge_tick(const ecgseg_events_t *s, uint32_t sample);

/* Tells the end of a condition that is on. */
void ecgseg_beats_end_state(ecgseg_events_t *s, uint8_t kind, ecgseg_condition_t *state);

/* The next beat has none before it. */
void ecgseg_beats_forget(ecgseg_events_t *s);

/* Beats that were not confirmed are none. */
void ecgseg_beats_drop_held(ecgseg_events_t *s);

/* Tells the open beat. */
void ecgseg_beats_close(ecgseg_events_t *s);

/* The P wave that waits gets no QRS complex. */
void ecgseg_beats_drop_p(ecgseg_events_t *s);

/* What comes next has nothing to do with what was before: what is open is told, what is held is dropped. */
void ecgseg_beats_break_off(ecgseg_events_t *s);

/* What is open is told; a confirmed rhythm that is known goes on, any other is dropped. */
void ecgseg_beats_fall_into_noise(ecgseg_events_t *s);

#endif
