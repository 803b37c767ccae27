/* From a label and a sample every 10 ms to beats, intervals and changes of the signal's state.
 *
 *     static ecgseg_events_t events;
 *     ecgseg_events_init(&events, 0, 0);
 *     ...
 *     taken = ecgseg_events_push(&events, label, sample);    // false: fetch events first, then push it again
 *     while (ecgseg_events_next(&events, &event)) { ... }
 *
 * Equal to the byte to host/ecgseg/pipeline/beats.py. What a beat is and when it comes is told in docs/architecture.md,
 * section 11; the numbers of the rules are rendered into ecgseg_preprocess_params.h. All state is the caller's; no
 * heap, no float. Time is in ticks of 5 ms, half a sample: sample n is at tick 2n, a wave begins half a sample before
 * its first sample and ends half a sample after its last.
 */
#ifndef ECGSEG_EVENTS_H
#define ECGSEG_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ecgseg_faint.h"
#include "ecgseg_known.h"
#include "ecgseg_preprocess.h"
#include "ecgseg_rhythm.h"
#include "ecgseg_shapes.h"
#include "ecgseg_waves.h"

#ifndef ECGSEG_BEAT_SLOW
#error "ecgseg_preprocess_params.h was rendered by an older generator: run `invoke render` again"
#endif

#define ECGSEG_TICK_MS 5u
#define ECGSEG_TICKS_A_SAMPLE 2u

/* Kinds of events. */
#define ECGSEG_EVENT_BEAT 1u
#define ECGSEG_EVENT_LONE_P 2u
#define ECGSEG_EVENT_LEAD_OFF_BEGIN 3u
#define ECGSEG_EVENT_LEAD_OFF_END 4u
#define ECGSEG_EVENT_FLAT_BEGIN 5u
#define ECGSEG_EVENT_FLAT_END 6u
#define ECGSEG_EVENT_NOISY_BEGIN 7u
#define ECGSEG_EVENT_NOISY_END 8u
#define ECGSEG_EVENT_GAP 9u
#define ECGSEG_EVENT_OVERRUN 10u

/* Which fields are known; those of an event that are not are 0. PR is known with P_ON, QT with T_OFF. */
#define ECGSEG_HAS_P_ON 1u
#define ECGSEG_HAS_P_OFF 2u
#define ECGSEG_HAS_T_ON 4u
#define ECGSEG_HAS_T_OFF 8u
#define ECGSEG_HAS_RR 16u /* and the rate */
#define ECGSEG_HAS_QTC 32u
#define ECGSEG_AFTER_BAZETT 64u

/* 48 bytes without padding. */
typedef struct {
    uint64_t tick;   /* BEAT: of R; LONE_P: where it begins; others: where the state changed or signal is missing */
    uint32_t number; /* events before it, modulo 2^32 */
    uint32_t length; /* ticks: how long a state was that ended; how much signal is missing; saturates */
    uint8_t kind;
    uint8_t quality;     /* BEAT: 0..100, how far its QRS stands out of what is around it */
    uint16_t flags;      /* ECGSEG_HAS_* */
    int16_t r_uv;        /* R from the level in front of the QRS, saturated */
    int16_t r_fine;      /* R from its tick in 1/32 of a sample, -8..7 */
    int16_t p_on, p_off; /* ticks from `tick`, as the four that follow */
    int16_t qrs_on, qrs_off;
    int16_t t_on, t_off;
    uint16_t rr_ms;       /* from the R of the beat before */
    uint16_t rate_tenths; /* beats a minute in tenths, over the last up to eight RR intervals */
    uint16_t pr_ms, qrs_ms, qt_ms, qtc_ms;
} ecgseg_event_t;

/* Events that wait, and how many one push, a loss or the end may bring. */
#define ECGSEG_EVENTS_CAPACITY 11u
#define ECGSEG_EVENTS_AT_ONCE 6u

/* Options. */
#define ECGSEG_EVENTS_BAZETT 1u /* QTc after Bazett instead of Fridericia */

/* A QRS complex that may still get its T wave. */
typedef struct {
    ecgseg_wave_t qrs, p, t;
    uint32_t at;
    int32_t height;
    int8_t fine;
    uint8_t standing; /* 0..100, how far the complex stands out of what is around it */
    bool is_open, rr_known;
    bool p_known; /* the network says whether there is a P wave: neither noise nor a faint wave */
    bool returns; /* behind the complex the signal is nearer to the level in front of it than to R */
} ecgseg_open_beat_t;

/* Something that goes on from some sample on. */
typedef struct {
    uint32_t since;
    uint16_t count; /* samples that speak for it */
    bool is_on;
} ecgseg_condition_t;

typedef struct {
    ecgseg_event_t queue[ECGSEG_EVENTS_CAPACITY];
    uint64_t tick;                /* of the next sample */
    uint32_t now;                 /* number of the next sample, modulo 2^32 */
    uint32_t number;              /* events so far, modulo 2^32 */
    uint8_t oldest, queued, held; /* of those in the queue the last `held` are not confirmed */
    uint8_t doubts;               /* of them in doubt, or how many were so in a row */
    uint8_t options;
    bool is_locked, has_last_r, has_last_qrs, rr_known;
    uint8_t samples_before; /* 0..2: which of the two below are there */
    int16_t before, before_that;
    int16_t flat_level;
    uint16_t bad; /* share of bad waves, of 1024 */
    int8_t last_fine;
    ecgseg_rhythm_t rhythm;
    ecgseg_shapes_t shapes;
    ecgseg_faint_t faint;
    ecgseg_known_t known;
    uint32_t last_r, last_qrs;
    int32_t calm; /* 64 times the mean step outside of QRS complexes */
    ecgseg_condition_t off, flat, noisy;
    ecgseg_wave_t open, p; /* that grows; that waits for its QRS complex */
    ecgseg_peak_t peak;
    ecgseg_open_beat_t beat;
} ecgseg_events_t;

/* Begins a stream whose first sample is at a tick; options: ECGSEG_EVENTS_BAZETT or 0. */
void ecgseg_events_init(ecgseg_events_t *events, uint64_t first_tick, uint8_t options);

/* Takes a label (0 none, 1 P, 2 QRS, 3 T, ECGSEG_FAINT_P) and its sample in microvolts, ECGSEG_LEAD_OFF_SAMPLE without
 * contact. False when there is no room for what may come of it; nothing was taken then. */
bool ecgseg_events_push(ecgseg_events_t *events, uint8_t label, int16_t sample);

/* So many ticks are missing here: ECGSEG_EVENT_GAP or ECGSEG_EVENT_OVERRUN. The next sample starts anew, at its own
 * tick. False when there is no room. */
bool ecgseg_events_lose(ecgseg_events_t *events, uint8_t kind, uint64_t ticks, uint64_t next_tick);

/* The stream ends: tells what is not finished. False when there is no room. */
bool ecgseg_events_end(ecgseg_events_t *events);

/* Fetches the oldest event; false without one. */
bool ecgseg_events_next(ecgseg_events_t *events, ecgseg_event_t *event);

#endif
