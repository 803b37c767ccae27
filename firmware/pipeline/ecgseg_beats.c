#include "ecgseg_beats.h"

#include "ecgseg_confirm.h"

#define WHOLE ECGSEG_BEATS_WHOLE
#define SAMPLE_MS (ECGSEG_TICK_MS * ECGSEG_TICKS_A_SAMPLE)

_Static_assert(sizeof(ecgseg_event_t) == 48, "an event has no padding");
_Static_assert(ECGSEG_BEAT_MOST_HELD - 1 + ECGSEG_EVENTS_AT_ONCE <= ECGSEG_EVENTS_CAPACITY, "held beats leave room");
_Static_assert(ECGSEG_BEAT_MOST_HELD <= ECGSEG_RATE_INTERVALS, "the rhythm knows beats that are held");

uint32_t ecgseg_beats_slot(const ecgseg_events_t *s, uint32_t place)
{
    return (s->oldest + s->queued - 1u - place) % ECGSEG_EVENTS_CAPACITY;
}

ecgseg_event_t *ecgseg_beats_add(ecgseg_events_t *s, uint8_t kind, uint64_t tick)
{
    ecgseg_event_t *event = &s->queue[(s->oldest + s->queued) % ECGSEG_EVENTS_CAPACITY];
    s->queued++;
    *event = (ecgseg_event_t){.tick = tick, .number = s->number, .kind = kind};
    s->number++;
    return event;
}

void ecgseg_beats_forget(ecgseg_events_t *s)
{
    s->has_last_r = false;
    s->last_fine = 0;
    ecgseg_rhythm_forget(&s->rhythm);
    ecgseg_shapes_forget(&s->shapes);
    ecgseg_faint_forget(&s->faint);
    s->is_locked = false;
    s->doubts = 0;
}

/* Beats that were not confirmed are none. */
void ecgseg_beats_drop_held(ecgseg_events_t *s)
{
    if (s->held != 0u) {
        s->queued = (uint8_t)(s->queued - s->held);
        s->number -= s->held;
        s->held = 0;
        ecgseg_beats_forget(s);
    }
}

/* ---- Time ---- */

static uint64_t tick_of(const ecgseg_events_t *s, uint32_t sample)
{
    return s->tick - (uint64_t)ECGSEG_TICKS_A_SAMPLE * (uint32_t)(s->now - sample);
}

/* Half a sample before a sample; not before the stream. */
uint64_t ecgseg_beats_edge_tick(const ecgseg_events_t *s, uint32_t sample)
{
    const uint64_t tick = tick_of(s, sample);
    return tick > 0u ? tick - 1u : 0u;
}

uint32_t ecgseg_beats_saturated(uint64_t ticks)
{
    return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

/* The state is on. */
void ecgseg_beats_end_state(ecgseg_events_t *s, uint8_t kind, ecgseg_condition_t *state)
{
    state->is_on = false;
    ecgseg_beats_add(s, kind, ecgseg_beats_edge_tick(s, s->now))->length =
        ecgseg_beats_saturated((uint64_t)ECGSEG_TICKS_A_SAMPLE * (uint32_t)(s->now - state->since));
}

/* ---- Beats ---- */

/* Onset and offset of a wave, those that are known, in ticks from a tick; returns which are. */
static uint16_t place_wave(const ecgseg_events_t *s, const ecgseg_wave_t *wave, uint64_t tick, int16_t ends[2])
{
    uint16_t known = 0;
    if (wave->label != ECGSEG_NONE && wave->begins) {
        ends[0] = (int16_t)(int64_t)(tick_of(s, wave->first) - 1u - tick);
        known |= 1u;
    }
    if (wave->label != ECGSEG_NONE && wave->ends) {
        ends[1] = (int16_t)(int64_t)(tick_of(s, wave->last) + 1u - tick);
        known |= 2u;
    }
    return known;
}

static uint16_t ticks_ms(int32_t ticks)
{
    return (uint16_t)((uint32_t)ticks * ECGSEG_TICK_MS);
}

/* How far the complex stands out, less for bad waves. */
static uint8_t quality(const ecgseg_events_t *s, const ecgseg_open_beat_t *beat)
{
    return (uint8_t)(beat->standing * (uint32_t)(WHOLE - s->bad) / WHOLE);
}

uint8_t ecgseg_beats_pr_of(const ecgseg_event_t *event)
{
    const bool has_p = (event->flags & ECGSEG_BEATS_P) != 0u;
    return (uint8_t)(has_p ? ECGSEG_SOME_P + event->pr_ms / SAMPLE_MS : ECGSEG_NO_P);
}

static void add_intervals(ecgseg_events_t *s, const ecgseg_open_beat_t *beat, ecgseg_event_t *event)
{
    event->qrs_ms = ticks_ms(event->qrs_off - event->qrs_on);
    if ((event->flags & ECGSEG_HAS_P_ON) != 0u) {
        event->pr_ms = ticks_ms(event->qrs_on - event->p_on);
    }
    if ((event->flags & ECGSEG_HAS_T_OFF) != 0u) {
        event->qt_ms = ticks_ms(event->t_off - event->qrs_on);
    }
    if (!s->has_last_r) {
        return;
    }
    const uint32_t samples = beat->at - s->last_r;
    const uint32_t parts = (uint32_t)ECGSEG_PARTS * samples + (uint32_t)(beat->fine - s->last_fine);
    if (!beat->rr_known || parts > ECGSEG_BEATS_LONGEST_RR) {
        ecgseg_rhythm_forget(&s->rhythm);
        return;
    }
    ecgseg_rhythm_add(&s->rhythm, (uint16_t)parts, beat->p_known ? ecgseg_beats_pr_of(event) : ECGSEG_UNKNOWN_P);
    event->flags |= ECGSEG_HAS_RR;
    event->rr_ms = ecgseg_rr_ms(parts);
    event->rate_tenths = ecgseg_rate_tenths(ecgseg_rhythm_parts(&s->rhythm), s->rhythm.count);
    if ((event->flags & ECGSEG_HAS_T_OFF) != 0u) {
        const bool bazett = (s->options & ECGSEG_EVENTS_BAZETT) != 0u;
        event->flags |= bazett ? ECGSEG_HAS_QTC | ECGSEG_AFTER_BAZETT : ECGSEG_HAS_QTC;
        event->qtc_ms =
            bazett ? ecgseg_bazett(event->qt_ms, event->rr_ms) : ecgseg_fridericia(event->qt_ms, event->rr_ms);
    }
}

static const ecgseg_event_t *add_beat(ecgseg_events_t *s, const ecgseg_open_beat_t *beat)
{
    /* Whole ticks of 16 parts, rounded: 0 or 1 forward or back. */
    const int32_t half = ECGSEG_PARTS / 4;
    const int32_t shift = (beat->fine >= half) - (beat->fine < -half);
    const uint64_t tick = tick_of(s, beat->at) + (uint64_t)(int64_t)shift;
    ecgseg_event_t *const event = ecgseg_beats_add(s, ECGSEG_EVENT_BEAT, tick);
    event->quality = quality(s, beat);
    event->r_uv = (int16_t)(beat->height > ECGSEG_RAIL    ? ECGSEG_RAIL
                            : beat->height < -ECGSEG_RAIL ? -ECGSEG_RAIL
                                                          : beat->height);
    event->r_fine = (int16_t)(beat->fine - shift * (ECGSEG_PARTS / 2));
    int16_t ends[2] = {0, 0};
    (void)place_wave(s, &beat->qrs, tick, ends);
    event->qrs_on = ends[0];
    event->qrs_off = ends[1];
    int16_t p_ends[2] = {0, 0};
    event->flags = place_wave(s, &beat->p, tick, p_ends);
    event->p_on = p_ends[0];
    event->p_off = p_ends[1];
    int16_t t_ends[2] = {0, 0};
    event->flags |= (uint16_t)(place_wave(s, &beat->t, tick, t_ends) * ECGSEG_HAS_T_ON);
    event->t_on = t_ends[0];
    event->t_off = t_ends[1];
    add_intervals(s, beat, event);
    return event;
}

static uint8_t sureness_of(const ecgseg_open_beat_t *beat, const ecgseg_event_t *event)
{
    const bool is_low = event->r_uv < ECGSEG_BEAT_LEAST_HEIGHT && event->r_uv > -ECGSEG_BEAT_LEAST_HEIGHT;
    if (is_low || event->quality < ECGSEG_BEAT_PLAIN_QUALITY) {
        return ECGSEG_SHAPE_FAINT;
    }
    return beat->returns && event->quality >= ECGSEG_BEAT_CERTAIN_QUALITY ? ECGSEG_SHAPE_CERTAIN : ECGSEG_SHAPE_PLAIN;
}

/* The event that came so many before the newest, which is 0. */
static ecgseg_event_t *recent(ecgseg_events_t *s, uint32_t place)
{
    return &s->queue[ecgseg_beats_slot(s, place)];
}

/* Takes the P wave from the beat that came so many beats ago, when the rhythm speaks against it. */
static void doubt_p(ecgseg_events_t *s, uint32_t place)
{
    ecgseg_event_t *const event = recent(s, place);
    if (ecgseg_rhythm_speaks_against(&s->rhythm, ecgseg_beats_pr_of(event), place)) {
        event->flags &= (uint16_t)~ECGSEG_BEATS_P;
        event->p_on = 0;
        event->p_off = 0;
        event->pr_ms = 0;
    }
}

/* The oldest beat that is held is none. */
static void drop_oldest_held(ecgseg_events_t *s)
{
    for (uint32_t place = s->held - 1u; place > 0u; place--) {
        ecgseg_event_t *const event = recent(s, place);
        *event = *recent(s, place - 1u);
        event->number--;
    }
    s->held--;
    s->queued--;
    s->number--;
}

/* A beat that is not confirmed; enough of them confirm each other, or the oldest is none. */
static void hold(ecgseg_events_t *s)
{
    s->held++;
    if (ecgseg_confirm_held(s)) {
        for (uint32_t place = 0; place < s->held; place++) {
            doubt_p(s, place);
        }
        s->held = 0;
        s->is_locked = true;
        if (!ecgseg_known_is_as_high(&s->known, recent(s, 0)->r_uv)) {
            /* It takes the place of the one before: its beats are as high as themselves. */
            ecgseg_known_forget(&s->known);
        }
    } else if (s->held >= ECGSEG_BEAT_MOST_HELD) {
        drop_oldest_held(s);
    }
}

/* The newest beat of a confirmed rhythm: so many in a row that tell nothing for themselves end it. */
static void doubt(ecgseg_events_t *s, uint8_t sureness)
{
    s->doubts = (uint8_t)(ecgseg_confirm_is_doubtful(s, sureness) ? s->doubts + 1u : 0u);
    if (s->doubts >= ECGSEG_BEAT_CONFIRM) {
        s->doubts = 0;
        s->is_locked = false;
    }
    doubt_p(s, 0);
}

/* A beat that is told and leaves no doubt, R of so many microvolts. */
static void learn(ecgseg_events_t *s, int16_t height)
{
    if (s->is_locked && s->doubts == 0u) {
        /* The mean of intervals among which is a pause is that of no rhythm. */
        const uint32_t count = s->rhythm.count != 0u ? s->rhythm.count : 1u;
        const uint32_t mean = ecgseg_rhythm_parts(&s->rhythm) / count;
        ecgseg_known_learn(&s->known, s->now, height, ecgseg_rhythm_keeps(&s->rhythm, mean, 1) ? mean : 0u);
    }
}

void ecgseg_beats_close(ecgseg_events_t *s)
{
    const bool was_open = s->beat.is_open;
    s->beat.is_open = false;
    if (!was_open || (s->noisy.is_on && !s->is_locked && !ecgseg_known_is_fresh(&s->known, s->now))) {
        return;
    }
    if (s->noisy.is_on) {
        /* Where most waves make no sense none but QRS complexes are told. */
        s->beat.t.label = ECGSEG_NONE;
    }
    if (s->has_last_r && s->beat.at - s->last_r > ECGSEG_BEAT_PAUSE) {
        ecgseg_beats_drop_held(s);
        s->is_locked = false;
        s->doubts = 0;
        ecgseg_shapes_forget(&s->shapes);
    }
    const ecgseg_event_t *const event = add_beat(s, &s->beat);
    s->has_last_r = true;
    s->last_r = s->beat.at;
    s->last_fine = s->beat.fine;
    const uint8_t sureness = sureness_of(&s->beat, event);
    ecgseg_shapes_add(&s->shapes, event->r_uv, (uint8_t)(event->qrs_ms / SAMPLE_MS), sureness);
    const int16_t height = event->r_uv;
    if (s->is_locked) {
        doubt(s, sureness);
    } else {
        hold(s);
    }
    learn(s, height);
}

/* The P wave that waits gets no QRS complex. */
void ecgseg_beats_drop_p(ecgseg_events_t *s)
{
    const ecgseg_wave_t wave = s->p;
    s->p.label = ECGSEG_NONE;
    if (wave.label == ECGSEG_NONE || !wave.begins || !s->is_locked || s->noisy.is_on ||
        ecgseg_rhythm_speaks_against(&s->rhythm, ECGSEG_SOME_P, ECGSEG_NO_BEAT)) {
        return;
    }
    const uint64_t tick = ecgseg_beats_edge_tick(s, wave.first);
    ecgseg_event_t *const event = ecgseg_beats_add(s, ECGSEG_EVENT_LONE_P, tick);
    int16_t ends[2] = {0, 0};
    event->flags = place_wave(s, &wave, tick, ends);
    event->p_off = ends[1];
}

/* What is held is dropped, and the next beat has none before it. */
static void lose_rhythm(ecgseg_events_t *s)
{
    ecgseg_beats_drop_held(s);
    s->has_last_qrs = false;
    ecgseg_beats_forget(s);
}

/* What comes next has nothing to do with what was before: what is open is told, what is held is dropped. */
void ecgseg_beats_break_off(ecgseg_events_t *s)
{
    ecgseg_beats_close(s);
    ecgseg_beats_drop_p(s);
    lose_rhythm(s);
    ecgseg_known_forget(&s->known);
}

void ecgseg_beats_fall_into_noise(ecgseg_events_t *s)
{
    ecgseg_beats_close(s);
    ecgseg_beats_drop_p(s);
    if (!s->is_locked || !ecgseg_known_is_fresh(&s->known, s->now)) {
        lose_rhythm(s);
    }
}
