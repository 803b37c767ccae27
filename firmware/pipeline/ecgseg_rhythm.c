#include "ecgseg_rhythm.h"

#include "ecgseg_preprocess_params.h"
#include "ecgseg_waves.h"

/* A beat without a P wave tells nothing when it comes early: after an interval below 7/8 of the mean. */
#define EARLY_SHARE 7u
#define EIGHTHS 8u
#define PERCENT 100u

/* The interval so many beats ago, 0 for the newest. */
static uint32_t index_of(const ecgseg_rhythm_t *rhythm, uint32_t place)
{
    return (rhythm->next + 2u * ECGSEG_RATE_INTERVALS - 1u - place) % ECGSEG_RATE_INTERVALS;
}

void ecgseg_rhythm_forget(ecgseg_rhythm_t *rhythm)
{
    rhythm->count = 0;
    rhythm->next = 0;
}

void ecgseg_rhythm_add(ecgseg_rhythm_t *rhythm, uint16_t parts, uint8_t pr)
{
    rhythm->intervals[rhythm->next] = parts;
    rhythm->pr[rhythm->next] = pr;
    rhythm->next = (uint8_t)((rhythm->next + 1u) % ECGSEG_RATE_INTERVALS);
    rhythm->count = (uint8_t)(rhythm->count + (rhythm->count < ECGSEG_RATE_INTERVALS));
}

static uint32_t sum_of(const ecgseg_rhythm_t *rhythm)
{
    uint32_t sum = 0;
    for (uint32_t place = 0; place < rhythm->count; place++) {
        sum += rhythm->intervals[index_of(rhythm, place)];
    }
    return sum;
}

uint32_t ecgseg_rhythm_parts(const ecgseg_rhythm_t *rhythm)
{
    return sum_of(rhythm);
}

bool ecgseg_rhythm_is_regular(const ecgseg_rhythm_t *rhythm)
{
    if (rhythm->count < 2u) {
        return false;
    }
    const int32_t last = rhythm->intervals[index_of(rhythm, 0)];
    const int32_t before = rhythm->intervals[index_of(rhythm, 1)];
    return 8 * ecgseg_distance(last, before) < last;
}

bool ecgseg_rhythm_keeps(const ecgseg_rhythm_t *rhythm, uint32_t parts, uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t place = 0; place < count && place < rhythm->count; place++) {
        const int32_t interval = rhythm->intervals[index_of(rhythm, place)];
        found += 4u * (uint32_t)ecgseg_distance(interval, (int32_t)parts) <= parts ? 1u : 0u;
    }
    return found == count;
}

/* The steps from an interval to the next, together. An extrasystole or a pause makes few, however large; fibrillation
 * makes many. */
static uint32_t steps_of(const ecgseg_rhythm_t *rhythm, uint32_t longest)
{
    uint32_t steps = 0;
    for (uint32_t place = 1; place < rhythm->count; place++) {
        const uint32_t step = (uint32_t)ecgseg_distance(rhythm->intervals[index_of(rhythm, place)],
                                                        rhythm->intervals[index_of(rhythm, place - 1u)]);
        steps += step < longest ? step : longest;
    }
    return steps;
}

static bool is_alike(uint8_t pr, uint8_t other)
{
    return pr == ECGSEG_SOME_P || other == ECGSEG_SOME_P || ecgseg_distance(pr, other) <= ECGSEG_BEAT_PR_ALIKE;
}

/* There intervals are irregular and beats without a P wave come when they like. In sinus rhythm with extrasystoles
 * those without one come early, in a block every beat has its P wave, and all else is regular. */
bool ecgseg_rhythm_speaks_against(const ecgseg_rhythm_t *rhythm, uint8_t pr, uint32_t place)
{
    if (rhythm->count < 2u) {
        return false;
    }
    const uint32_t parts = sum_of(rhythm);
    uint32_t alike = 1;
    uint32_t without = 0;
    for (uint32_t other = 0; other < rhythm->count; other++) {
        const uint32_t index = index_of(rhythm, other);
        if (rhythm->pr[index] == ECGSEG_NO_P) {
            without += EIGHTHS * rhythm->intervals[index] * rhythm->count >= EARLY_SHARE * parts ? 1u : 0u;
        } else if (rhythm->pr[index] != ECGSEG_UNKNOWN_P && other != place) {
            alike += is_alike(pr, rhythm->pr[index]) ? 1u : 0u;
        }
    }
    const uint32_t behind_others = parts - rhythm->intervals[index_of(rhythm, rhythm->count - 1u)];
    const uint32_t steps = steps_of(rhythm, parts / (EIGHTHS * rhythm->count));
    return PERCENT * steps * without > ECGSEG_BEAT_IRREGULAR * behind_others * alike;
}
