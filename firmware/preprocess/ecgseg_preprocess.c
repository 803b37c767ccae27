#include "ecgseg_preprocess.h"

#include <string.h>

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#endif

#define WINDOW (2 * ECGSEG_DELAY + 1) /* raw samples in a filter window */

/* Adding this to a float below 2^22 leaves it, rounded to nearest even, in the low bits of the mantissa. */
#define ROUNDING_OFFSET 12582912.0f
#define ROUNDING_BITS 0x4B400000

#if ECGSEG_TAP_COUNT > 0
static const int16_t taps[ECGSEG_TAP_COUNT] = ECGSEG_TAPS;
#endif

void ecgseg_preprocess_reset(ecgseg_preprocess_t *state)
{
    memset(state, 0, sizeof *state);
    state->until_frame = ECGSEG_FRAME_LENGTH;
    state->until_output = ECGSEG_DELAY + 1;
}

#if ECGSEG_TAP_COUNT > 0
/* Before the first sample the filter is full of it, as if the electrode had always read so. The line is oldest
 * first; ECGSEG_TAP_COUNT is even, so it may hold one sample more than the window, under a tap of zero. */
static void prime_line(ecgseg_preprocess_t *state, int16_t sample)
{
    for (uint16_t i = 0; i < ECGSEG_TAP_COUNT; i++) {
        state->line[i] = sample;
    }
    state->line_fill = ECGSEG_TAP_COUNT;
}

static int32_t dot_product(const int16_t *samples)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t even = 0;
    for (uint32_t i = 0; i < ECGSEG_TAP_COUNT; i += 2) {
        int16x2_t pair;
        int16x2_t tap;
        memcpy(&pair, &samples[i], sizeof pair);
        memcpy(&tap, &taps[i], sizeof tap);
        even = __smlad(pair, tap, even);
    }
    return even;
#else
    int32_t sum = 0;
    for (uint32_t i = 0; i < ECGSEG_TAP_COUNT; i++) {
        sum += (int32_t)samples[i] * taps[i];
    }
    return sum;
#endif
}

/* The newest sample is the last one in the line. */
static int16_t filter_output(const ecgseg_preprocess_t *state)
{
    /* |sum| < 2^31: the taps' absolute sum is below 1.5 * 2^15. The shift of a negative number is arithmetic in every
     * compiler this builds with; the tests against the reference would show another. */
    const int32_t rounded = (dot_product(&state->line[state->line_fill - ECGSEG_TAP_COUNT]) + 16384) >> 15;
    if (rounded > ECGSEG_RAIL) {
        return ECGSEG_RAIL;
    }
    if (rounded < -ECGSEG_RAIL) {
        return -ECGSEG_RAIL;
    }
    return (int16_t)rounded;
}

static void append_to_line(ecgseg_preprocess_t *state, int16_t sample)
{
    if (state->line_fill == 0) {
        prime_line(state, sample);
        return;
    }
    if (state->line_fill == ECGSEG_LINE_LENGTH) {
        memmove(state->line, &state->line[ECGSEG_LINE_LENGTH - (ECGSEG_TAP_COUNT - 1)],
                (ECGSEG_TAP_COUNT - 1) * sizeof state->line[0]);
        state->line_fill = ECGSEG_TAP_COUNT - 1;
    }
    state->line[state->line_fill++] = sample;
}
#endif

static bool append_to_ring(ecgseg_preprocess_t *state, int16_t sample, uint8_t flags)
{
    state->ring[state->ring_next] = sample;
    state->flags[state->ring_next] = flags;
    state->ring_next++;
    if (state->ring_next == ECGSEG_FRAME_LENGTH) {
        state->ring_next = 0;
    }
    state->until_frame--;
    if (state->until_frame != 0) {
        return false;
    }
    state->until_frame = ECGSEG_HOP;
    state->frames++;
    return true;
}

/* One raw sample; true when it completes a frame. */
static bool push_sample(ecgseg_preprocess_t *state, int16_t raw)
{
    if (raw == ECGSEG_LEAD_OFF_SAMPLE) {
        raw = state->last_good;
        state->lead_off_reach = WINDOW;
    } else {
        state->last_good = raw;
        if (raw == ECGSEG_RAIL || raw == -ECGSEG_RAIL) {
            state->rail_reach = WINDOW;
        }
    }
    state->raw_samples++;
#if ECGSEG_TAP_COUNT > 0
    append_to_line(state, raw);
#endif
    const uint8_t flags = (uint8_t)((state->lead_off_reach != 0 ? ECGSEG_SAMPLE_LEAD_OFF : 0u) |
                                    (state->rail_reach != 0 ? ECGSEG_SAMPLE_SATURATED : 0u));
    state->lead_off_reach = (uint16_t)(state->lead_off_reach - (state->lead_off_reach != 0));
    state->rail_reach = (uint16_t)(state->rail_reach - (state->rail_reach != 0));
    state->until_output--;
    if (state->until_output != 0) {
        return false;
    }
    state->until_output = ECGSEG_FACTOR;
#if ECGSEG_TAP_COUNT > 0
    return append_to_ring(state, filter_output(state), flags);
#else
    return append_to_ring(state, raw, flags);
#endif
}

size_t ecgseg_preprocess_push(ecgseg_preprocess_t *state, const int16_t *samples, size_t count, bool *frame_ready)
{
    *frame_ready = false;
    size_t taken = 0;
    while (taken < count && !*frame_ready) {
        *frame_ready = push_sample(state, samples[taken]);
        taken++;
    }
    return taken;
}

typedef struct {
    int32_t count;
    int32_t sum;
    int64_t squares;
} statistics_t;

static statistics_t gather(const ecgseg_preprocess_t *state, uint8_t valid[ECGSEG_FRAME_LENGTH],
                           ecgseg_frame_info_t *info)
{
    statistics_t result = {0, 0, 0};
    uint32_t position = state->ring_next;
    for (uint32_t n = 0; n < ECGSEG_FRAME_LENGTH; n++) {
        const int32_t x = state->ring[position];
        const uint32_t flags = state->flags[position];
        position++;
        if (position == ECGSEG_FRAME_LENGTH) {
            position = 0;
        }
        valid[n] = (flags & ECGSEG_SAMPLE_LEAD_OFF) == 0;
        info->saturated_samples = (uint16_t)(info->saturated_samples + ((flags & ECGSEG_SAMPLE_SATURATED) != 0));
        if (valid[n]) {
            result.count++;
            result.sum += x;
            result.squares += (int64_t)x * x;
        }
    }
    info->lead_off_samples = (uint16_t)(ECGSEG_FRAME_LENGTH - result.count);
    return result;
}

static int8_t quantise(int32_t centred, float gain)
{
    const float shifted = (float)centred * gain + ROUNDING_OFFSET;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    const int32_t value = bits - ROUNDING_BITS + ECGSEG_INPUT_ZERO_POINT;
    if (value > INT8_MAX) {
        return INT8_MAX;
    }
    if (value < INT8_MIN) {
        return INT8_MIN;
    }
    return (int8_t)value;
}

ecgseg_frame_info_t ecgseg_preprocess_frame(const ecgseg_preprocess_t *state, int8_t frame[ECGSEG_FRAME_LENGTH],
                                            uint8_t valid[ECGSEG_FRAME_LENGTH])
{
    ecgseg_frame_info_t info = {.index = state->frames - 1u};
    const statistics_t s = gather(state, valid, &info);
    const int64_t spread = s.count * s.squares - (int64_t)s.sum * s.sum;
    if (info.lead_off_samples != 0) {
        info.status |= ECGSEG_FRAME_HAS_GAP;
    }
    if (info.saturated_samples != 0) {
        info.status |= ECGSEG_FRAME_SATURATED;
    }
    if (2 * s.count < ECGSEG_FRAME_LENGTH) {
        info.status |= ECGSEG_FRAME_LEAD_OFF;
    } else if (spread < (int64_t)s.count * s.count * (ECGSEG_FLAT_UV * ECGSEG_FLAT_UV)) {
        info.status |= ECGSEG_FRAME_FLAT;
    }
    if ((info.status & (ECGSEG_FRAME_LEAD_OFF | ECGSEG_FRAME_FLAT)) != 0) {
        memset(frame, ECGSEG_INPUT_ZERO_POINT, ECGSEG_FRAME_LENGTH);
        memset(valid, 0, ECGSEG_FRAME_LENGTH);
        return info;
    }
    /* The hardware's square root (VSQRT, SQRTSS): with -fno-math-errno the builtin is that one instruction. */
    const float gain = 1.0f / (__builtin_sqrtf((float)spread) * ECGSEG_INPUT_SCALE);
    uint32_t position = state->ring_next;
    for (uint32_t n = 0; n < ECGSEG_FRAME_LENGTH; n++) {
        frame[n] = valid[n] ? quantise(s.count * state->ring[position] - s.sum, gain) : ECGSEG_INPUT_ZERO_POINT;
        position++;
        if (position == ECGSEG_FRAME_LENGTH) {
            position = 0;
        }
    }
    return info;
}
