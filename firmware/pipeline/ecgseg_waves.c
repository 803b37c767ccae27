#include "ecgseg_waves.h"

#include "ecgseg_intervals.h"
#include "ecgseg_preprocess_params.h"

static void close_wave(ecgseg_wave_t *open, bool ends, ecgseg_wave_t *done)
{
    *done = *open;
    done->ends = ends;
    *open = (ecgseg_wave_t){0};
}

bool ecgseg_waves_push(ecgseg_wave_t *open, uint32_t now, uint8_t label, bool continues, ecgseg_wave_t *done)
{
    const bool ended = open->label != ECGSEG_NONE && (label != ECGSEG_NONE || now - open->last > ECGSEG_WAVE_MAX_GAP);
    if (ended) {
        close_wave(open, true, done);
    }
    if (label != ECGSEG_NONE) {
        *open = (ecgseg_wave_t){.first = now, .last = now, .label = label, .begins = continues};
    }
    return ended;
}

bool ecgseg_waves_cut(ecgseg_wave_t *open, uint32_t now, ecgseg_wave_t *done)
{
    if (open->label == ECGSEG_NONE) {
        return false;
    }
    close_wave(open, now - open->last > 1u, done);
    return true;
}

void ecgseg_peak_begin(ecgseg_peak_t *peak, int32_t level)
{
    *peak = (ecgseg_peak_t){.level = level, .at = peak->at, .is_empty = true};
}

void ecgseg_peak_add(ecgseg_peak_t *peak, uint32_t now, int32_t sample, int32_t before)
{
    const int32_t step = ecgseg_distance(sample, before);
    const int32_t height = sample - peak->level;
    if (step > peak->steepness) {
        peak->steepness = step;
    }
    if (peak->is_empty || ecgseg_distance(height, 0) > ecgseg_distance(peak->height, 0)) {
        peak->is_empty = false;
        peak->height = height;
        peak->at = now;
        peak->left = before - peak->level;
        peak->right = 0;
        peak->wants_right = true;
    }
}

void ecgseg_peak_follow(ecgseg_peak_t *peak, int32_t sample, bool is_next)
{
    if (is_next) {
        peak->after = sample - peak->level;
    }
    if (peak->wants_right) {
        peak->right = sample - peak->level;
        peak->wants_right = false;
    }
}

int32_t ecgseg_peak_fine(const ecgseg_peak_t *peak)
{
    const bool is_below = peak->height < 0;
    const int32_t left = is_below ? -peak->left : peak->left;
    const int32_t middle = is_below ? -peak->height : peak->height;
    const int32_t right = is_below ? -peak->right : peak->right;
    if (left > middle || right > middle) {
        return 0;
    }
    const int32_t bend = 2 * middle - left - right;
    return ecgseg_rounded((right - left) * (ECGSEG_PARTS / 2), bend > 0 ? bend : 1);
}
