#include "ecgseg_known.h"

#include "ecgseg_preprocess_params.h"
#include "ecgseg_shapes.h"
#include "ecgseg_waves.h"

/* The newest beat counts 1/8 of the height. */
#define HEIGHT_PARTS 8

void ecgseg_known_forget(ecgseg_known_t *known)
{
    *known = (ecgseg_known_t){0};
}

bool ecgseg_known_is_fresh(const ecgseg_known_t *known, uint32_t now)
{
    return known->is_there && now - known->at <= ECGSEG_KNOWN_FOR;
}

void ecgseg_known_learn(ecgseg_known_t *known, uint32_t now, int32_t height, uint32_t interval)
{
    const int32_t size = ecgseg_distance(height, 0);
    if (!ecgseg_known_is_fresh(known, now)) {
        known->eighths = HEIGHT_PARTS * size;
        known->interval = 0;
        known->is_there = true;
    }
    known->eighths += size - known->eighths / HEIGHT_PARTS;
    known->at = now;
    known->interval = interval != 0u ? interval : known->interval;
}

bool ecgseg_known_is_as_high(const ecgseg_known_t *known, int32_t height)
{
    return ecgseg_are_as_high(ecgseg_distance(height, 0), known->eighths / HEIGHT_PARTS);
}
