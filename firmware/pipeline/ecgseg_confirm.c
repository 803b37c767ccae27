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

/* PR of the beat that came so many before the newest, unless the rhythm speaks against its P wave. */
static uint8_t pr_left(const ecgseg_events_t *s, uint32_t place)
{
    const uint8_t pr = ecgseg_beats_pr_of(recent(s, place));
    return ecgseg_rhythm_speaks_against(&s->rhythm, pr, place) ? ECGSEG_NO_P : pr;
}

/* Two beats have P waves, which the rhythm leaves them, as far in front. */
static bool have_pr_alike(const ecgseg_events_t *s, uint32_t place, uint32_t other)
{
    const uint8_t pr = pr_left(s, place);
    const uint8_t other_pr = pr_left(s, other);
    return pr > ECGSEG_SOME_P && other_pr > ECGSEG_SOME_P && ecgseg_distance(pr, other_pr) <= ECGSEG_BEAT_PR_ALIKE;
}

/* Of the last beats, as many as confirm each other, two have P waves as far in front, and are as high to one side or
 * come at a regular interval. */
static bool have_alike_p(const ecgseg_events_t *s)
{
    const bool is_regular = ecgseg_rhythm_is_regular(&s->rhythm);
    bool found = false;
    for (uint32_t later = 1; later < ECGSEG_BEAT_CONFIRM; later++) {
        for (uint32_t place = 0; place < later && !found; place++) {
            found =
                have_pr_alike(s, later, place) && (is_regular || ecgseg_shapes_stand_alike(&s->shapes, later, place));
        }
    }
    return found;
}

/* As many of those that are held as confirm each other have P waves as far in front of R as high to one side as one of
 * them has. */
static bool have_p_and_are_as_high(const ecgseg_events_t *s)
{
    bool found = false;
    for (uint32_t place = 0; place < s->held && !found; place++) {
        uint32_t alike = 0;
        for (uint32_t other = 0; other < s->held; other++) {
            const bool is_alike = have_pr_alike(s, place, other) && ecgseg_shapes_stand_alike(&s->shapes, place, other);
            alike += is_alike ? 1u : 0u;
        }
        found = alike >= ECGSEG_BEAT_CONFIRM;
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

/* The longest and the shortest of some, none of them negative; of none 0 and INT32_MAX. */
typedef struct {
    int32_t longest;
    int32_t shortest;
} range_t;

static range_t widened(range_t range, int32_t one)
{
    return (range_t){one > range.longest ? one : range.longest, one < range.shortest ? one : range.shortest};
}

/* Ticks from QRS onset to QRS onset of the last `count` beats. */
static range_t distances_of(const ecgseg_events_t *s, uint32_t count)
{
    range_t range = {0, INT32_MAX};
    for (uint32_t place = 0; place + 1u < count; place++) {
        const ecgseg_event_t *const later = recent(s, place);
        const ecgseg_event_t *const before = recent(s, place + 1u);
        range = widened(range, (int32_t)(later->tick - before->tick) + later->qrs_on - before->qrs_on);
    }
    return range;
}

/* QRS onsets of the last `count` beats are as far apart, where a lead that sees QRS from the side has R now here, now
 * there. */
static bool have_regular_onsets(const ecgseg_events_t *s, uint32_t count)
{
    const range_t apart = distances_of(s, count);
    return ECGSEG_BEAT_REGULAR * (apart.longest - apart.shortest) < apart.shortest;
}

/* No distance of the last `count` beats is more than so many tenths of another. */
static bool are_within(const ecgseg_events_t *s, int32_t times, uint32_t count)
{
    const range_t apart = distances_of(s, count);
    return 10 * apart.longest <= times * apart.shortest;
}

/* QT intervals of the last `count` beats, where known, are at most so many samples apart; true where none is. */
static bool have_alike_qt(const ecgseg_events_t *s, uint32_t count, int32_t most)
{
    range_t range = {0, INT32_MAX};
    for (uint32_t place = 0; place < count; place++) {
        if ((recent(s, place)->flags & ECGSEG_HAS_T_OFF) != 0u) {
            range = widened(range, recent(s, place)->qt_ms);
        }
    }
    return range.longest - range.shortest <= most * (int32_t)(ECGSEG_TICK_MS * ECGSEG_TICKS_A_SAMPLE);
}

/* Distances and QT intervals of the last `count` beats, which look alike, differ no more than in an irregular rhythm of
 * one heart; neither do the distances of all that wait. */
static bool may_be_of_one_rhythm(const ecgseg_events_t *s, uint32_t count)
{
    if (count == ECGSEG_BEAT_CERTAIN && !have_most(s, ECGSEG_BEATS_T, count)) {
        return false;
    }
    const bool are_few = ecgseg_shapes_most_alike(&s->shapes, count, ECGSEG_SHAPE_CERTAIN) < ECGSEG_BEAT_CERTAIN;
    return have_alike_qt(s, count, are_few ? ECGSEG_BEAT_QT_ALIKE_FEW : ECGSEG_BEAT_QT_ALIKE) &&
           are_within(s, are_few ? ECGSEG_BEAT_APART_FEW : ECGSEG_BEAT_APART, count) &&
           are_within(s, ECGSEG_BEAT_APART, s->held);
}

/* The last `count` beats are there and have T waves. */
static bool all_have_t(const ecgseg_events_t *s, uint32_t count)
{
    return s->held >= count && have_flags(s, ECGSEG_BEATS_T, count) == count;
}

/* The last `count` beats have T waves, and QRS onsets as far apart. */
static bool have_t_and_are_regular(const ecgseg_events_t *s, uint32_t count)
{
    return all_have_t(s, count) && have_regular_onsets(s, count);
}

/* The last beats stand out, come regularly and have T waves, however high they are. */
static bool are_regular(const ecgseg_events_t *s)
{
    const uint32_t plain = ecgseg_shapes_as_sure(&s->shapes, ECGSEG_BEAT_CERTAIN, ECGSEG_SHAPE_PLAIN);
    return plain == ECGSEG_BEAT_CERTAIN && have_t_and_are_regular(s, ECGSEG_BEAT_CERTAIN);
}

/* Of the last `count` beats all but the doubtful look alike for certain. */
static bool most_look_alike(const ecgseg_events_t *s, uint32_t count)
{
    return s->held >= count &&
           ecgseg_shapes_most_alike(&s->shapes, count, ECGSEG_SHAPE_CERTAIN) + ECGSEG_BEAT_MOST_DOUBTS >= count;
}

/* Most of the last beats look alike, and come regularly or may be of one rhythm; of those without T waves that do not
 * come regularly it takes one more. */
static bool look_alike(const ecgseg_events_t *s)
{
    bool found = false;
    for (uint32_t count = ECGSEG_BEAT_CERTAIN; count <= ECGSEG_BEAT_CERTAIN + 1u && !found; count++) {
        found = most_look_alike(s, count) &&
                (have_regular_onsets(s, ECGSEG_BEAT_CERTAIN) || may_be_of_one_rhythm(s, count));
    }
    return found;
}

/* As many as may wait are certain, have T waves and are as long. */
static bool are_as_long(const ecgseg_events_t *s)
{
    return all_have_t(s, ECGSEG_BEAT_MOST_HELD) &&
           ecgseg_shapes_are_as_long(&s->shapes, ECGSEG_BEAT_MOST_HELD, ECGSEG_SHAPE_CERTAIN);
}

/* Somewhere among the last beats the distance is that of a slow rhythm, or of bumps that come now and then. */
static bool are_slow(const ecgseg_events_t *s)
{
    const uint32_t count = s->held < ECGSEG_BEAT_CERTAIN ? s->held : ECGSEG_BEAT_CERTAIN;
    return distances_of(s, count).longest > (int32_t)(ECGSEG_BEAT_SLOW * ECGSEG_TICKS_A_SAMPLE);
}

/* The last `count` beats are there, and as high to one side. */
static bool are_as_high(const ecgseg_events_t *s, uint32_t count)
{
    return s->held >= count && ecgseg_shapes_are_as_high(&s->shapes, count);
}

/* The last beats are as high and come regularly, or one more of them are as high and hardly irregular, or as many as
 * may wait come regularly and have T waves, or some of those that wait have P waves as far in front and are as high, as
 * every other beat in bigeminy. */
static bool are_steady(const ecgseg_events_t *s)
{
    return have_t_and_are_regular(s, ECGSEG_BEAT_MOST_HELD) ||
           (are_as_high(s, ECGSEG_BEAT_CERTAIN) && have_regular_onsets(s, ECGSEG_BEAT_CERTAIN)) ||
           (are_as_high(s, ECGSEG_BEAT_CERTAIN + 1u) &&
            are_within(s, ECGSEG_BEAT_APART_FEW, ECGSEG_BEAT_CERTAIN + 1u)) ||
           have_p_and_are_as_high(s);
}

bool ecgseg_confirm_held(const ecgseg_events_t *s)
{
    if (s->held < ECGSEG_BEAT_CONFIRM) {
        return false;
    }
    if (held_are_as_known(s)) {
        return true;
    }
    return (have_alike_p(s) || are_regular(s) || look_alike(s) || are_as_long(s)) && (!are_slow(s) || are_steady(s));
}

bool ecgseg_confirm_is_doubtful(const ecgseg_events_t *s, uint8_t sureness)
{
    if (s->noisy.is_on) {
        return !are_as_known(s, 1, 1);
    }
    const uint32_t flags = recent(s, 0)->flags;
    const bool has_both = (flags & ECGSEG_BEATS_P) != 0u && (flags & ECGSEG_BEATS_T) != 0u;
    if (has_both || ecgseg_rhythm_is_regular(&s->rhythm) || sureness == ECGSEG_SHAPE_CERTAIN) {
        return false;
    }
    return !are_as_known(s, 1, 0);
}
