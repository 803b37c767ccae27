/* The second half of the preprocessor: the newest samples at 100 Hz, normalised and quantised into an int8 frame. */
#include "ecgseg_preprocess.h"

#include <string.h>

/* Adding this to a float below 2^22 leaves it, rounded to nearest even, in the low bits of the mantissa. */
#define ROUNDING_OFFSET 12582912.0f
#define ROUNDING_BITS 0x4B400000

typedef struct {
    int32_t count;
    int32_t sum;
    int64_t squares;
} statistics_t;

/* Statistics of a run of samples of which none is flagged. */
static void gather_plain(const int16_t *samples, uint32_t count, statistics_t *result)
{
    int32_t sum = 0;
    int64_t squares = 0;
#pragma GCC unroll 4
    for (uint32_t n = 0; n < count; n++) {
        const int32_t x = samples[n];
        sum += x;
        squares += (int64_t)x * x;
    }
    result->count += (int32_t)count;
    result->sum += sum;
    result->squares += squares;
}

static void gather_flagged(const ecgseg_preprocess_t *state, uint8_t valid[ECGSEG_FRAME_LENGTH],
                           ecgseg_frame_info_t *info, statistics_t *result)
{
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
        if (valid[n] != 0u) {
            result->count++;
            result->sum += x;
            result->squares += (int64_t)x * x;
        }
    }
}

static statistics_t gather(const ecgseg_preprocess_t *state, uint8_t valid[ECGSEG_FRAME_LENGTH],
                           ecgseg_frame_info_t *info)
{
    statistics_t result = {0, 0, 0};
    if (state->flagged == 0) {
        (void)memset(valid, 1, ECGSEG_FRAME_LENGTH);
        gather_plain(state->ring, ECGSEG_FRAME_LENGTH, &result); /* sums do not care where the ring starts */
    } else {
        gather_flagged(state, valid, info, &result);
    }
    info->lead_off_samples = (uint16_t)(ECGSEG_FRAME_LENGTH - result.count);
    return result;
}

static inline int8_t clamp_int8(int32_t value)
{
#if defined(__ARM_FEATURE_DSP)
    int32_t clamped;
    __asm__("ssat %0, #8, %1" : "=r"(clamped) : "r"(value));
    return (int8_t)clamped;
#else
    if (value > INT8_MAX) {
        return INT8_MAX;
    }
    return (int8_t)(value < INT8_MIN ? INT8_MIN : value);
#endif
}

/* below: sum - count * x, at most 24 bits, so that the conversion is exact. Both factors have the other sign than in
 * the contract, which leaves every bit as it is: to multiply and subtract in this order is one instruction. */
static inline int8_t quantise(int32_t below, float negative_gain, int32_t offset)
{
    const float shifted = (float)below * negative_gain + ROUNDING_OFFSET;
    int32_t bits;
    (void)memcpy(&bits, &shifted, sizeof bits);
    return clamp_int8(bits - offset);
}

/* offset: what the rounding leaves above the integer, less the zero point. */
static void quantise_run(const int16_t *samples, uint32_t count, const statistics_t *s, float negative_gain,
                         int32_t offset, int8_t *frame)
{
#pragma GCC unroll 4
    for (uint32_t n = 0; n < count; n++) {
        frame[n] = quantise(s->sum - s->count * samples[n], negative_gain, offset);
    }
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
        (void)memset(frame, state->input_zero_point, ECGSEG_FRAME_LENGTH);
        (void)memset(valid, 0, ECGSEG_FRAME_LENGTH);
        return info;
    }
    /* The hardware's square root (VSQRT, SQRTSS): with -fno-math-errno the builtin is that one instruction. */
    const float negative_gain = -1.0f / (__builtin_sqrtf((float)spread) * state->input_scale);
    const int32_t offset = ROUNDING_BITS - state->input_zero_point;
    const uint32_t older = ECGSEG_FRAME_LENGTH - state->ring_next;
    quantise_run(state->ring + state->ring_next, older, &s, negative_gain, offset, frame);
    quantise_run(state->ring, state->ring_next, &s, negative_gain, offset, frame + older);
    if (info.lead_off_samples != 0) {
        for (uint32_t n = 0; n < ECGSEG_FRAME_LENGTH; n++) {
            frame[n] = valid[n] ? frame[n] : (int8_t)state->input_zero_point;
        }
    }
    return info;
}
