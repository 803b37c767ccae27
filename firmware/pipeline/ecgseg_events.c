#include "ecgseg_events.h"

#include <string.h>

#include "ecgseg_beats.h"

#define WHOLE ECGSEG_BEATS_WHOLE
#define BAD_SHIFT 3
#define MOST_STANDING 100u
#define CALM_SHIFT ECGSEG_BEATS_CALM_SHIFT
/* Every 11 minutes old times are dropped: longer than any rule looks back, far below 2^32 samples, where distances
 * begin anew. */
#define EXPIRE_EVERY 65536u

/* Nearly always there is no state to end; every sample asks. */
static inline void end_state(ecgseg_events_t *s, uint8_t kind, ecgseg_condition_t *state)
{
    if (state->is_on) {
        ecgseg_beats_end_state(s, kind, state);
    }
}

/* Counts a wave as good or bad; enough of one kind make the signal good or noise. */
static void judge(ecgseg_events_t *s, bool good)
{
    s->bad = (uint16_t)(good ? s->bad - (s->bad >> BAD_SHIFT) : s->bad + ((WHOLE - s->bad) >> BAD_SHIFT));
    if (s->noisy.is_on && s->bad < ECGSEG_NOISY_TO) {
        ecgseg_beats_drop_held(s);
        ecgseg_beats_end_state(s, ECGSEG_EVENT_NOISY_END, &s->noisy);
    } else if (!s->noisy.is_on && s->bad >= ECGSEG_NOISY_FROM) {
        ecgseg_beats_fall_into_noise(s);
        s->noisy.is_on = true;
        s->noisy.since = s->now;
        (void)ecgseg_beats_add(s, ECGSEG_EVENT_NOISY_BEGIN, ecgseg_beats_edge_tick(s, s->now));
    }
}

/* ---- Waves ---- */

/* How often the steepest step of a QRS complex is the mean step outside of them, in tenths, at most 100. */
static uint8_t standing(const ecgseg_events_t *s)
{
    const uint32_t calm = s->calm > 1 ? (uint32_t)s->calm : 1u;
    const uint32_t tenths = 10u * ((uint32_t)s->peak.steepness << CALM_SHIFT) / calm;
    return (uint8_t)(tenths > MOST_STANDING ? MOST_STANDING : tenths);
}

/* What `standing` has to be: less for a complex as high as those of a rhythm that is known. */
static uint8_t least_standing(const ecgseg_events_t *s)
{
    const bool is_known =
        ecgseg_known_is_fresh(&s->known, s->now) && ecgseg_known_is_as_high(&s->known, s->peak.height);
    return is_known ? ECGSEG_BEAT_LEAST_KNOWN : ECGSEG_BEAT_LEAST_STANDING;
}

/* Leaves in s->p the P wave of a beat whose QRS complex begins at a sample, in noise none, and tells whether that is
 * what the network says. */
static bool take_p(ecgseg_events_t *s, uint32_t qrs_first)
{
    if (s->noisy.is_on) {
        ecgseg_faint_drop(&s->faint);
        s->p.label = ECGSEG_NONE;
        return false;
    }
    if (s->p.label != ECGSEG_NONE && qrs_first - s->p.first > ECGSEG_BEAT_MAX_PR) {
        /* It is told alone, and no part of it a second time. */
        ecgseg_faint_drop_before(&s->faint, s->p.last + 1u);
        ecgseg_beats_drop_p(s);
    }
    /* Behind a pause beats are held again, which is told when this one closes. */
    const bool is_after_pause = s->has_last_r && s->peak.at - s->last_r > ECGSEG_BEAT_PAUSE;
    if (is_after_pause) {
        ecgseg_faint_forget(&s->faint);
    }
    const bool is_seen = s->p.label != ECGSEG_NONE;
    ecgseg_faint_p_wave(&s->faint, qrs_first, s->is_locked && !is_after_pause, &s->p);
    return is_seen || s->p.label == ECGSEG_NONE;
}

static void take_qrs(ecgseg_events_t *s, const ecgseg_wave_t *wave)
{
    if (!wave->begins || !wave->ends) {
        ecgseg_beats_close(s);
        return;
    }
    const bool too_soon = s->has_last_qrs && wave->first - s->last_qrs < ECGSEG_BEAT_REFRACTORY;
    const uint8_t stands_out = standing(s);
    if (too_soon || ecgseg_wave_length(wave) > ECGSEG_BEAT_MAX_QRS || stands_out < least_standing(s)) {
        judge(s, false);
        return;
    }
    ecgseg_beats_close(s);
    judge(s, true);
    const bool p_known = take_p(s, wave->first);
    s->beat = (ecgseg_open_beat_t){
        .qrs = *wave,
        .p = s->p,
        .at = s->peak.at,
        .height = s->peak.height,
        .fine = (int8_t)ecgseg_peak_fine(&s->peak),
        .standing = stands_out,
        .is_open = true,
        .rr_known = s->rr_known,
        .p_known = p_known,
        .returns = 2 * ecgseg_distance(s->peak.after, 0) <= ecgseg_distance(s->peak.height, 0),
    };
    s->rr_known = true;
    s->p.label = ECGSEG_NONE;
    s->has_last_qrs = true;
    s->last_qrs = wave->first;
}

static void take_t(ecgseg_events_t *s, const ecgseg_wave_t *wave)
{
    ecgseg_faint_drop_before(&s->faint, wave->last);
    if (!s->beat.is_open || wave->first - s->beat.qrs.last > ECGSEG_BEAT_MAX_ST) {
        judge(s, false);
        return;
    }
    if (s->p.label != ECGSEG_NONE) {
        /* Between a QRS complex and its T wave there is no P wave. */
        s->p.label = ECGSEG_NONE;
        judge(s, false);
    }
    s->beat.t = *wave;
    judge(s, true);
    ecgseg_beats_close(s);
}

/* A wave that has ended. */
static void take_wave(ecgseg_events_t *s, const ecgseg_wave_t *wave)
{
    static const uint8_t least[] = {0, ECGSEG_WAVE_MIN_P, ECGSEG_WAVE_MIN_QRS, ECGSEG_WAVE_MIN_T};
    if (ecgseg_wave_length(wave) < least[wave->label]) {
        if (wave->begins && wave->ends) {
            judge(s, false);
        }
    } else if (wave->label == ECGSEG_P) {
        ecgseg_beats_drop_p(s);
        s->p = *wave;
    } else if (wave->label == ECGSEG_QRS) {
        take_qrs(s, wave);
    } else {
        take_t(s, wave);
    }
}

/* The signal is not to be used from here on. */
static void cut(ecgseg_events_t *s)
{
    ecgseg_wave_t done;
    if (ecgseg_waves_cut(&s->open, s->now, &done)) {
        take_wave(s, &done);
    }
}

static void follow(ecgseg_events_t *s, uint8_t label, bool is_faint_p, int16_t sample)
{
    const bool continues = s->samples_before > 0u;
    if (label != ECGSEG_QRS && continues) {
        s->calm += ecgseg_distance(sample, s->before) - (s->calm >> CALM_SHIFT);
    }
    ecgseg_wave_t done;
    if (!ecgseg_wave_goes_on(&s->open, s->now, label) && ecgseg_waves_push(&s->open, s->now, label, continues, &done)) {
        take_wave(s, &done);
    }
    if (label == ECGSEG_P || (is_faint_p && s->open.label != ECGSEG_QRS)) {
        ecgseg_faint_follow(&s->faint, s->now, continues);
    } else if (label == ECGSEG_QRS) {
        const int32_t before = continues ? s->before : sample;
        if (s->open.first == s->now) {
            ecgseg_peak_begin(&s->peak, s->samples_before > 1u ? (before + s->before_that) >> 1 : before);
        }
        ecgseg_peak_add(&s->peak, s->now, sample, before);
    }
}

/* Closes a beat that has waited for its T wave as long as the rules allow. */
static void wait_no_longer_for_t(ecgseg_events_t *s)
{
    const uint32_t since_qrs = s->now - s->beat.qrs.last;
    if (s->open.label == ECGSEG_T && s->open.first - s->beat.qrs.last <= ECGSEG_BEAT_MAX_ST) {
        if (s->open.last - s->beat.qrs.first >= ECGSEG_BEAT_MAX_QT) {
            if (ecgseg_wave_length(&s->open) >= ECGSEG_WAVE_MIN_T) {
                s->beat.t = s->open;
                s->beat.t.ends = false;
            }
            ecgseg_beats_close(s);
        }
    } else if (since_qrs > ECGSEG_BEAT_MAX_ST) {
        judge(s, false);
        ecgseg_beats_close(s);
    }
}

/* Forgets what is too old to matter, before samples are counted anew from 0 and it looks young. */
static void expire(ecgseg_events_t *s)
{
    s->has_last_qrs = s->has_last_qrs && s->now - s->last_qrs < EXPIRE_EVERY;
    s->known.is_there = ecgseg_known_is_fresh(&s->known, s->now);
}

static void wait_no_longer(ecgseg_events_t *s)
{
    if (s->beat.is_open) {
        wait_no_longer_for_t(s);
    }
    if (s->p.label != ECGSEG_NONE && s->open.label != ECGSEG_QRS && s->now - s->p.last > ECGSEG_BEAT_MAX_PR) {
        ecgseg_beats_drop_p(s);
    }
    if (s->now % EXPIRE_EVERY == 0u) {
        expire(s);
    }
    if (s->has_last_r && s->now - s->last_r > ECGSEG_BEATS_LONGEST_RR / ECGSEG_PARTS) {
        ecgseg_beats_drop_held(s);
        ecgseg_beats_forget(s);
    }
}

/* ---- The signal's state ---- */

static void no_contact(ecgseg_events_t *s)
{
    cut(s);
    s->rr_known = false;
    if (s->off.count == 0u) {
        s->off.since = s->now;
    }
    s->off.count = (uint16_t)(s->off.count + (s->off.count < ECGSEG_LOST_AFTER));
    if (s->off.count == ECGSEG_LOST_AFTER && !s->off.is_on) {
        ecgseg_beats_break_off(s);
        s->off.is_on = true;
        (void)ecgseg_beats_add(s, ECGSEG_EVENT_LEAD_OFF_BEGIN, ecgseg_beats_edge_tick(s, s->off.since));
    }
    s->samples_before = 0;
    ecgseg_faint_drop(&s->faint);
}

static void look_for_flat(ecgseg_events_t *s, int16_t sample)
{
    if (s->flat.count != 0u && ecgseg_distance(sample, s->flat_level) <= ECGSEG_FLAT_WITHIN_UV) {
        s->flat.count = (uint16_t)(s->flat.count + (s->flat.count < ECGSEG_FLAT_AFTER));
    } else {
        end_state(s, ECGSEG_EVENT_FLAT_END, &s->flat);
        s->flat.count = 1;
        s->flat.since = s->now;
        s->flat_level = sample;
    }
    if (s->flat.count == ECGSEG_FLAT_AFTER && !s->flat.is_on) {
        cut(s);
        ecgseg_beats_break_off(s);
        s->flat.is_on = true;
        (void)ecgseg_beats_add(s, ECGSEG_EVENT_FLAT_BEGIN, ecgseg_beats_edge_tick(s, s->flat.since));
    }
}

static void contact(ecgseg_events_t *s, uint8_t label, int16_t sample)
{
    s->off.count = 0;
    end_state(s, ECGSEG_EVENT_LEAD_OFF_END, &s->off);
    look_for_flat(s, sample);
    const bool follows_qrs = s->open.label == ECGSEG_QRS && s->now - s->open.last == 1u;
    if (follows_qrs || s->peak.wants_right) {
        ecgseg_peak_follow(&s->peak, sample, follows_qrs);
    }
    const bool is_used = label <= ECGSEG_T && !s->flat.is_on;
    follow(s, is_used ? label : ECGSEG_NONE, label == ECGSEG_FAINT_P && !s->flat.is_on, sample);
    s->before_that = s->before;
    s->before = sample;
    s->samples_before = (uint8_t)(s->samples_before + (s->samples_before < 2u));
}

static bool has_room(const ecgseg_events_t *s)
{
    return s->queued + ECGSEG_EVENTS_AT_ONCE <= ECGSEG_EVENTS_CAPACITY;
}

bool ecgseg_events_push(ecgseg_events_t *s, uint8_t label, int16_t sample)
{
    if (!has_room(s)) {
        return false;
    }
    if (sample == ECGSEG_LEAD_OFF_SAMPLE) {
        no_contact(s);
    } else {
        contact(s, label, sample);
    }
    wait_no_longer(s);
    s->now++;
    s->tick += ECGSEG_TICKS_A_SAMPLE;
    return true;
}

/* Nothing is known of the signal before. */
static void start(ecgseg_events_t *s)
{
    s->samples_before = 0;
    s->calm = 0;
    s->bad = 0;
    s->open.label = ECGSEG_NONE;
    s->p.label = ECGSEG_NONE;
    s->peak = (ecgseg_peak_t){.is_empty = true};
    s->beat.is_open = false;
    s->has_last_qrs = false;
    s->rr_known = false;
    s->off = (ecgseg_condition_t){0};
    s->flat = (ecgseg_condition_t){0};
    s->noisy = (ecgseg_condition_t){0};
    ecgseg_faint_drop(&s->faint);
    ecgseg_beats_forget(s);
}

/* The signal ends here. */
static void leave(ecgseg_events_t *s)
{
    cut(s);
    ecgseg_beats_break_off(s);
    end_state(s, ECGSEG_EVENT_LEAD_OFF_END, &s->off);
    end_state(s, ECGSEG_EVENT_FLAT_END, &s->flat);
    end_state(s, ECGSEG_EVENT_NOISY_END, &s->noisy);
    start(s);
}

void ecgseg_events_init(ecgseg_events_t *s, uint64_t first_tick, uint8_t options)
{
    (void)memset(s, 0, sizeof *s);
    s->tick = first_tick;
    s->now = (uint32_t)(first_tick / ECGSEG_TICKS_A_SAMPLE);
    s->options = options;
    start(s);
}

bool ecgseg_events_lose(ecgseg_events_t *s, uint8_t kind, uint64_t ticks, uint64_t next_tick)
{
    if (!has_room(s)) {
        return false;
    }
    leave(s);
    ecgseg_beats_add(s, kind, s->tick)->length = ecgseg_beats_saturated(ticks);
    s->tick = next_tick;
    return true;
}

bool ecgseg_events_end(ecgseg_events_t *s)
{
    if (!has_room(s)) {
        return false;
    }
    leave(s);
    return true;
}

bool ecgseg_events_next(ecgseg_events_t *s, ecgseg_event_t *event)
{
    if (s->queued == s->held) {
        return false;
    }
    *event = s->queue[s->oldest];
    s->oldest = (uint8_t)((s->oldest + 1u) % ECGSEG_EVENTS_CAPACITY);
    s->queued--;
    return true;
}
