#include "ecgseg_confirm.h"

#include "ecgseg_beats.h"
#include "ecgseg_preprocess_params.h"
#include "ecgseg_waves.h"

_Static_assert(ECGSEG_BEAT_CONFIRM <= ECGSEG_BEAT_CERTAIN && ECGSEG_BEAT_CERTAIN < ECGSEG_BEAT_MOST_HELD, "held");
_Static_assert(ECGSEG_BEAT_MOST_HELD <= ECGSEG_MOST_SHAPES, "so many shapes are kept");

/* The event that came so many before the newest, which is 0. */
static const ecgseg_event_t *recent(const ecgseg_events_t *s, uint32_t place)
{
    return &s->queue[ecgseg_beats_slot(s, place)];
}

/* How many of the last `count` beats have one of these flags. */
static uint32_t have_flags(const ecgseg_events_t *s, uint32_t flags, uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t place = 0; place < count; place++) {
        found += (recent(s, place)->flags & flags) != 0u ? 1u : 0u;
    }
    return found;
}

/* Of the last `count` beats all but the doubtful have one of these flags. */
static bool have_most(const ecgseg_events_t *s, uint32_t flags, uint32_t count)
{
    return have_flags(s, flags, count) + ECGSEG_BEAT_MOST_DOUBTS >= count;
}

/* Of the last beats, as many as confirm each other, two have P waves as far in front. */
static bool have_alike_pr(const ecgseg_events_t *s)
{
    bool found = false;
    for (uint32_t later = 1; later < ECGSEG_BEAT_CONFIRM; later++) {
        const uint8_t pr = ecgseg_beats_pr_of(recent(s, later));
        for (uint32_t place = 0; place < later && pr != ECGSEG_NO_P; place++) {
            const uint8_t other = ecgseg_beats_pr_of(recent(s, place));
            found = found || (other != ECGSEG_NO_P && ecgseg_distance(pr, other) <= ECGSEG_BEAT_PR_ALIKE);
        }
    }
    return found;
}

/* The last `count` beats are as high, and so many of the last intervals as long, as in the rhythm that is known. */
static bool are_as_known(const ecgseg_events_t *s, uint32_t count, uint32_t intervals)
{
    if (!ecgseg_known_is_fresh(&s->known, s->now) || !ecgseg_rhythm_keeps(&s->rhythm, s->known.interval, intervals)) {
        return false;
    }
    bool found = true;
    for (uint32_t place = 0; place < count; place++) {
        found = found && ecgseg_known_is_as_high(&s->known, recent(s, place)->r_uv);
    }
    return found;
}

/* Those that are held are as known; in noise one more has to be. */
static bool held_are_as_known(const ecgseg_events_t *s)
{
    const uint32_t count = s->noisy.is_on ? ECGSEG_BEAT_CERTAIN : ECGSEG_BEAT_CONFIRM;
    return s->held >= count && are_as_known(s, count, count - 1u);
}

/* QRS onsets of the last beats are as far apart, where a lead that sees QRS from the side has R now here, now there. */
static bool have_regular_onsets(const ecgseg_events_t *s)
{
    int32_t longest = 0;
    int32_t shortest = INT32_MAX;
    for (uint32_t place = 0; place + 1u < ECGSEG_BEAT_CERTAIN; place++) {
        const ecgseg_event_t *const later = recent(s, place);
        const ecgseg_event_t *const before = recent(s, place + 1u);
        const int32_t apart = (int32_t)(later->tick - before->tick) + later->qrs_on - before->qrs_on;
        longest = apart > longest ? apart : longest;
        shortest = apart < shortest ? apart : shortest;
    }
    return ECGSEG_BEAT_REGULAR * (longest - shortest) < shortest;
}

/* The last beats stand out, come regularly and have T waves, however high they are. */
static bool are_regular(const ecgseg_events_t *s)
{
    return s->held >= ECGSEG_BEAT_CERTAIN &&
           have_flags(s, ECGSEG_BEATS_T, ECGSEG_BEAT_CERTAIN) == ECGSEG_BEAT_CERTAIN &&
           ecgseg_shapes_as_sure(&s->shapes, ECGSEG_BEAT_CERTAIN, ECGSEG_SHAPE_PLAIN) == ECGSEG_BEAT_CERTAIN &&
           have_regular_onsets(s);
}

/* Of the last `count` beats all but the doubtful look alike for certain. */
static bool most_look_alike(const ecgseg_events_t *s, uint32_t count)
{
    return s->held >= count &&
           ecgseg_shapes_most_alike(&s->shapes, count, ECGSEG_SHAPE_CERTAIN) + ECGSEG_BEAT_MOST_DOUBTS >= count;
}

/* Most of the last beats look alike; of those without T waves that do not come regularly it takes one more. */
static bool look_alike(const ecgseg_events_t *s)
{
    if (most_look_alike(s, ECGSEG_BEAT_CERTAIN + 1u)) {
        return true;
    }
    return most_look_alike(s, ECGSEG_BEAT_CERTAIN) &&
           (have_most(s, ECGSEG_BEATS_T, ECGSEG_BEAT_CERTAIN) || have_regular_onsets(s));
}

/* As many as may wait are certain, have T waves and are as long. */
static bool are_as_long(const ecgseg_events_t *s)
{
    return s->held >= ECGSEG_BEAT_MOST_HELD &&
           have_flags(s, ECGSEG_BEATS_T, ECGSEG_BEAT_MOST_HELD) == ECGSEG_BEAT_MOST_HELD &&
           ecgseg_shapes_are_as_long(&s->shapes, ECGSEG_BEAT_MOST_HELD, ECGSEG_SHAPE_CERTAIN);
}

bool ecgseg_confirm_held(const ecgseg_events_t *s)
{
    if (s->held < ECGSEG_BEAT_CONFIRM) {
        return false;
    }
    const bool have_alike_p = have_most(s, ECGSEG_BEATS_P, ECGSEG_BEAT_CONFIRM) && have_alike_pr(s);
    return held_are_as_known(s) || have_alike_p || are_regular(s) || look_alike(s) || are_as_long(s);
}

bool ecgseg_confirm_is_doubtful(const ecgseg_events_t *s, uint8_t sureness)
{
    if (s->noisy.is_on) {
        return !are_as_known(s, 1, 1);
    }
    if ((recent(s, 0)->flags & ECGSEG_BEATS_P) != 0u || ecgseg_rhythm_is_regular(&s->rhythm) ||
        sureness == ECGSEG_SHAPE_CERTAIN) {
        return false;
    }
    return ecgseg_shapes_as_high(&s->shapes, ECGSEG_BEAT_CERTAIN) + ECGSEG_BEAT_MOST_DOUBTS < ECGSEG_BEAT_CERTAIN;
}
