#include "ecgseg_faint.h"

#include <string.h>

#include "ecgseg_preprocess_params.h"

/* Twice the greatest PR interval, for a place is that of the middle. */
_Static_assert(2u * ECGSEG_BEAT_MAX_PR <= UINT8_MAX, "a place is a byte");

void ecgseg_faint_forget(ecgseg_faint_t *faint)
{
    (void)memset(faint->places, 0, sizeof faint->places);
    faint->next = 0;
}

void ecgseg_faint_drop(ecgseg_faint_t *faint)
{
    faint->run.label = ECGSEG_NONE;
    faint->kept.label = ECGSEG_NONE;
}

/* Samples are counted modulo 2^32: one is before another when the way to it is less than half of that. */
static bool begins_before(const ecgseg_wave_t *run, uint32_t sample)
{
    return run->first != sample && sample - run->first < UINT32_MAX / 2u;
}

void ecgseg_faint_drop_before(ecgseg_faint_t *faint, uint32_t sample)
{
    if (begins_before(&faint->run, sample)) {
        faint->run.label = ECGSEG_NONE;
    }
    if (begins_before(&faint->kept, sample)) {
        faint->kept.label = ECGSEG_NONE;
    }
}

/* Neither too short nor too long, and not cut by a loss of contact. */
static bool is_one(const ecgseg_wave_t *run)
{
    const uint32_t length = run->last - run->first + 1u;
    return run->label != ECGSEG_NONE && run->begins && length >= ECGSEG_FAINT_LEAST && length <= ECGSEG_FAINT_MOST;
}

void ecgseg_faint_follow(ecgseg_faint_t *faint, uint32_t now, bool continues)
{
    if (faint->run.label != ECGSEG_NONE && now - faint->run.last <= ECGSEG_FAINT_GAP + 1u) {
        faint->run.last = now;
        return;
    }
    if (is_one(&faint->run)) {
        faint->kept = faint->run;
    }
    faint->run = (ecgseg_wave_t){.first = now, .last = now, .label = ECGSEG_P, .begins = continues, .ends = true};
}

/* The last run that may belong to a QRS complex. */
static ecgseg_wave_t last_run(const ecgseg_faint_t *faint, uint32_t qrs_first)
{
    ecgseg_wave_t wave = is_one(&faint->run) ? faint->run : faint->kept;
    if (wave.label != ECGSEG_NONE && qrs_first - wave.first > ECGSEG_BEAT_MAX_PR) {
        wave.label = ECGSEG_NONE;
    }
    return wave;
}

/* How many of the last beats have a P wave at this place. */
static uint32_t alike(const ecgseg_faint_t *faint, uint8_t place)
{
    uint32_t found = 0;
    for (uint32_t n = 0; n < ECGSEG_MOST_PLACES; n++) {
        const uint8_t other = faint->places[n];
        const uint32_t apart = other > place ? (uint32_t)other - place : (uint32_t)place - other;
        found += other != 0u && apart <= 2u * ECGSEG_BEAT_PR_ALIKE ? 1u : 0u;
    }
    return found;
}

void ecgseg_faint_p_wave(ecgseg_faint_t *faint, uint32_t qrs_first, bool is_confirmed, ecgseg_wave_t *p)
{
    const bool is_seen = p->label != ECGSEG_NONE;
    const ecgseg_wave_t wave = is_seen ? *p : last_run(faint, qrs_first);
    const bool is_placed = wave.label != ECGSEG_NONE && wave.begins;
    const uint8_t place = (uint8_t)(is_placed ? 2u * qrs_first - wave.first - wave.last : 0u);
    if (!is_seen && is_placed && is_confirmed && alike(faint, place) >= ECGSEG_FAINT_ALIKE) {
        *p = wave;
    }
    faint->places[faint->next] = place;
    faint->next = (uint8_t)((faint->next + 1u) % ECGSEG_MOST_PLACES);
    ecgseg_faint_drop(faint);
}
