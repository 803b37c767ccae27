/* Running normalisation: sums over a ring of valid samples, and one sample quantised by them. */
#include "ecgseg_running.h"

#include <string.h>

/* Adding this to a float below 2^22 leaves it, rounded to nearest even, in the low bits of the mantissa. */
#define ROUNDING_OFFSET 12582912.0f
#define ROUNDING_BITS 0x4B400000

void ecgseg_running_init(ecgseg_running_t *state, float scale, int32_t zero_point)
{
    state->scale = scale;
    state->zero_point = zero_point;
    ecgseg_running_reset(state);
}

void ecgseg_running_reset(ecgseg_running_t *state)
{
    state->squares = 0;
    state->sum = 0;
    state->count = 0;
    state->next = 0;
    state->gap = 0;
}

static int8_t without_contact(ecgseg_running_t *state)
{
    if (state->gap < ECGSEG_RUNNING_GAP) {
        state->gap++;
        if (state->gap == ECGSEG_RUNNING_GAP) {
            ecgseg_running_reset(state);
            state->gap = ECGSEG_RUNNING_GAP;
        }
    }
    return (int8_t)state->zero_point;
}

static void take(ecgseg_running_t *state, int32_t x)
{
    int32_t sum = state->sum + x;
    int64_t squares = state->squares + (int64_t)x * x;
    if (state->count == ECGSEG_RUNNING_WINDOW) {
        const int32_t oldest = state->ring[state->next];
        sum -= oldest;
        squares -= (int64_t)oldest * oldest;
    } else {
        state->count++;
    }
    state->sum = sum;
    state->squares = squares;
    state->ring[state->next] = (int16_t)x;
    state->next++;
    if (state->next == ECGSEG_RUNNING_WINDOW) {
        state->next = 0;
    }
}

int8_t ecgseg_running_push(ecgseg_running_t *state, int16_t sample, bool valid)
{
    if (!valid) {
        return without_contact(state);
    }
    state->gap = 0;
    take(state, sample);
    const int32_t count = state->count;
    const int64_t spread = count * state->squares - (int64_t)state->sum * state->sum;
    if (count < ECGSEG_RUNNING_LEAST || spread < (int64_t)count * count * (ECGSEG_FLAT_UV * ECGSEG_FLAT_UV)) {
        return (int8_t)state->zero_point;
    }
    /* The hardware's square root (VSQRT, SQRTSS): with -fno-math-errno the builtin is that one instruction. The sum
     * above is at most 24 bits, so that its conversion is exact. */
    const float gain = 1.0f / (__builtin_sqrtf((float)spread) * state->scale);
    const float shifted = (float)(count * sample - state->sum) * gain + ROUNDING_OFFSET;
    int32_t bits;
    (void)memcpy(&bits, &shifted, sizeof bits);
    const int32_t value = bits - ROUNDING_BITS + state->zero_point;
    if (value > INT8_MAX) {
        return INT8_MAX;
    }
    return (int8_t)(value < INT8_MIN ? INT8_MIN : value);
}
