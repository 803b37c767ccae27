/* The first half of the preprocessor: raw samples, filtered and decimated, into the ring of samples at 100 Hz. */
#include "ecgseg_preprocess.h"

#include <string.h>

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#endif

/* Raw samples in a filter window, and from one output to the next at the least and at the most. */
#define WINDOW (ECGSEG_PAST + 1 + ECGSEG_DELAY)
#define LEAST_STEP (ECGSEG_FACTOR / ECGSEG_PHASES)
#define MOST_STEP ((ECGSEG_FACTOR + ECGSEG_PHASES - 1) / ECGSEG_PHASES)
/* Several outputs are made at once where each takes raw samples. */
#define HAS_BLOCKS (ECGSEG_TAP_COUNT > 0 && ECGSEG_FACTOR > ECGSEG_PHASES)
/* Then what is not the usual case is a function of its own, and leaves the registers to it. */
#if HAS_BLOCKS
#define APART __attribute__((noinline))
#else
#define APART
#endif
/* The next output is no further away than a step, as it is at the start; with one phase exactly a step. */
#define IS_NEAR(state) \
    ((state)->until_output <= MOST_STEP && (ECGSEG_PHASES > 1 || (state)->until_output == LEAST_STEP))
/* Only where the raw samples are fewer is an output due that takes none. */
#if ECGSEG_FACTOR < ECGSEG_PHASES
#define IS_DUE(state) ((state)->until_output == 0)
#else
#define IS_DUE(state) false
#endif

#if ECGSEG_TAP_COUNT > 0
// cppcheck-suppress misra-c2012-2.2 ; with one phase the product is one factor
static const int16_t taps[ECGSEG_PHASES * ECGSEG_TAP_COUNT] __attribute__((aligned(4))) = ECGSEG_TAPS;
#endif

void ecgseg_preprocess_init(ecgseg_preprocess_t *state, float input_scale, int32_t input_zero_point)
{
    (void)memset(state, 0, sizeof *state);
    state->until_frame = ECGSEG_FRAME_LENGTH;
    state->until_output = ECGSEG_DELAY + 1;
    state->input_scale = input_scale;
    state->input_zero_point = input_zero_point;
}

void ecgseg_preprocess_reset(ecgseg_preprocess_t *state)
{
    ecgseg_preprocess_init(state, state->input_scale, state->input_zero_point);
}

uint32_t ecgseg_preprocess_until_frame(const ecgseg_preprocess_t *state)
{
    return ecgseg_preprocess_until(state, state->until_frame);
}

uint32_t ecgseg_preprocess_until(const ecgseg_preprocess_t *state, uint32_t outputs)
{
#if ECGSEG_PHASES > 1
    return state->until_output + (state->phase + (outputs - 1u) * (uint32_t)ECGSEG_FACTOR) / ECGSEG_PHASES;
#else
    return state->until_output + (outputs - 1u) * (uint32_t)ECGSEG_FACTOR;
#endif
}

/* Raw samples from the output that was due to the next one, which is due from now on. */
static inline uint16_t step(ecgseg_preprocess_t *state)
{
#if ECGSEG_PHASES > 1
    const uint32_t phase = state->phase + (uint32_t)(ECGSEG_FACTOR % ECGSEG_PHASES);
    const uint32_t is_over = phase >= ECGSEG_PHASES ? 1u : 0u;
    state->phase = (uint16_t)(phase - is_over * ECGSEG_PHASES);
    return (uint16_t)(LEAST_STEP + is_over);
#else
    (void)state;
    return LEAST_STEP;
#endif
}

#if ECGSEG_TAP_COUNT > 0
/* Before the first sample the filter is full of it, as if the electrode had always read so. The line is oldest
 * first; ECGSEG_TAP_COUNT is even, so it may hold one sample more than the window, under a tap of zero. The taps lie
 * phase by phase. */
static void prime_line(ecgseg_preprocess_t *state, int16_t sample)
{
    for (uint16_t i = 0; i < ECGSEG_TAP_COUNT; i++) {
        state->line[i] = sample;
    }
    state->line_fill = ECGSEG_TAP_COUNT;
}

static inline int32_t multiply_pair(const int16_t *samples, const int16_t *tap_pair, int32_t sum)
{
#if defined(__ARM_FEATURE_DSP)
    int16x2_t pair;
    int16x2_t tap;
    (void)memcpy(&pair, samples, sizeof pair);
    (void)memcpy(&tap, tap_pair, sizeof tap);
    return __smlad(pair, tap, sum);
#else
    return sum + (int32_t)samples[0] * tap_pair[0] + (int32_t)samples[1] * tap_pair[1];
#endif
}

/* |sum| < 2^31: the taps' absolute sum is below 1.9 * 2^15. The shift of a negative number is arithmetic in every
 * compiler this builds with; the tests against the reference would show another. */
static inline int16_t round_output(int32_t sum)
{
    const int32_t rounded = (sum + 16384) >> 15;
    if (rounded > ECGSEG_RAIL) {
        return ECGSEG_RAIL;
    }
    return (int16_t)(rounded < -ECGSEG_RAIL ? -ECGSEG_RAIL : rounded);
}

#if ECGSEG_PHASES == 1
#define NEXT_TAPS(state) taps
/* Two outputs that follow each other; each tap is fetched once for both. */
static void filter_two(const int16_t *window, int16_t output[2])
{
    int32_t first = 0;
    int32_t second = 0;
#pragma GCC unroll 64
    for (uint32_t i = 0; i < ECGSEG_TAP_COUNT; i += 2) {
        first = multiply_pair(&window[i], &taps[i], first);
        second = multiply_pair(&window[i + ECGSEG_FACTOR], &taps[i], second);
    }
    output[0] = round_output(first);
    output[1] = round_output(second);
}
#else
#define NEXT_TAPS(state) (&taps[(state)->phase * (uint32_t)ECGSEG_TAP_COUNT])
#endif

static int16_t filter_one(const int16_t *window, const int16_t *phase_taps)
{
    int32_t sum = 0;
#if ECGSEG_PHASES > 1
#pragma GCC unroll 64
#endif
    for (uint32_t i = 0; i < ECGSEG_TAP_COUNT; i += 2) {
        sum = multiply_pair(&window[i], &phase_taps[i], sum);
    }
    return round_output(sum);
}

/* The newest sample is the last one in the line. */
static int16_t filter_output(const ecgseg_preprocess_t *state)
{
    return filter_one(&state->line[state->line_fill - ECGSEG_TAP_COUNT], NEXT_TAPS(state));
}

/* Makes room for `count` samples, at most ECGSEG_BLOCK_SAMPLES. */
static void reserve_in_line(ecgseg_preprocess_t *state, size_t count)
{
    if (state->line_fill + count > ECGSEG_LINE_LENGTH) {
        /* In pairs, upwards: the library's memmove goes byte by byte when the two are not aligned alike. */
        const int16_t *newest = &state->line[state->line_fill - ECGSEG_TAP_COUNT];
#pragma GCC unroll 4
        for (uint32_t i = 0; i < ECGSEG_TAP_COUNT; i += 2) {
            int32_t pair;
            (void)memcpy(&pair, &newest[i], sizeof pair);
            (void)memcpy(&state->line[i], &pair, sizeof pair);
        }
        state->line_fill = ECGSEG_TAP_COUNT;
    }
}
#endif

static bool append_to_ring(ecgseg_preprocess_t *state, int16_t sample, uint8_t flags)
{
    state->ring[state->ring_next] = sample;
    state->flagged = (uint16_t)(state->flagged + (flags != 0) - (state->flags[state->ring_next] != 0));
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

/* One raw sample of any value, without what follows from it. */
static int16_t take_any(ecgseg_preprocess_t *state, int16_t raw)
{
    if (raw == ECGSEG_LEAD_OFF_SAMPLE) {
        raw = state->last_good;
        state->lead_off_reach = WINDOW + 1;
    } else {
        state->last_good = raw;
        if (raw == ECGSEG_RAIL || raw == -ECGSEG_RAIL) {
            state->rail_reach = WINDOW + 1;
        }
    }
    /* A reach counts the samples for which the window still touches the special one, this sample included: it is
     * lowered before it is looked at. */
    state->lead_off_reach = (uint16_t)(state->lead_off_reach - (state->lead_off_reach != 0));
    state->rail_reach = (uint16_t)(state->rail_reach - (state->rail_reach != 0));
    return raw;
}

/* Neither LEAD_OFF nor at a rail. */
static inline bool is_plain(int32_t raw)
{
    return (uint32_t)(raw + (ECGSEG_RAIL - 1)) <= 2u * (ECGSEG_RAIL - 1);
}

/* Puts `count` raw samples (up to the next output) into the filter's line; returns the last one. */
static int16_t take_group(ecgseg_preprocess_t *state, const int16_t *samples, size_t count)
{
    int16_t taken = 0;
#if ECGSEG_TAP_COUNT > 0
    if (state->line_fill == 0) {
        const int16_t first = samples[0] == ECGSEG_LEAD_OFF_SAMPLE ? state->last_good : samples[0];
        prime_line(state, first);
    }
    reserve_in_line(state, count);
    int16_t *line = &state->line[state->line_fill];
    state->line_fill = (uint16_t)(state->line_fill + count);
#endif
    for (size_t n = 0; n < count; n++) {
        taken = take_any(state, samples[n]);
#if ECGSEG_TAP_COUNT > 0
        line[n] = taken;
#endif
    }
    state->raw_samples += (uint32_t)count;
    return taken;
}

/* The sample at 100 Hz that is due now; true when it completes a frame. */
static bool produce(ecgseg_preprocess_t *state, int16_t newest)
{
    const uint8_t flags = (uint8_t)((state->lead_off_reach != 0 ? ECGSEG_SAMPLE_LEAD_OFF : 0u) |
                                    (state->rail_reach != 0 ? ECGSEG_SAMPLE_SATURATED : 0u));
#if ECGSEG_TAP_COUNT > 0
    (void)newest;
    return append_to_ring(state, filter_output(state), flags);
#else
    return append_to_ring(state, newest, flags);
#endif
}

#if HAS_BLOCKS
/* Copies samples, with one phase an even number; true when all of them are plain. */
static bool copy_plain(int16_t *line, const int16_t *samples, size_t count)
{
    uint32_t special = 0;
#if ECGSEG_PHASES > 1
    if (count % 2u != 0u) {
        count--;
        line[count] = samples[count];
        special = is_plain(samples[count]) ? 0u : 1u;
    }
#endif
#pragma GCC unroll 4
    for (size_t n = 0; n < count; n += 2) {
#if defined(__ARM_FEATURE_DSP)
        /* With saturation, x + 1 - 3 is x - 2 except for -32768, -32767 and 32767. */
        int16x2_t pair;
        (void)memcpy(&pair, &samples[n], sizeof pair);
        (void)memcpy(&line[n], &pair, sizeof pair);
        const int16x2_t back = __sadd16(__qsub16(__qadd16(pair, 0x00010001), 0x00030003), 0x00020002);
        special |= (uint32_t)(back ^ pair);
#else
        line[n] = samples[n];
        line[n + 1] = samples[n + 1];
        special |= !is_plain(samples[n]) || !is_plain(samples[n + 1]);
#endif
    }
    return special == 0;
}

#if ECGSEG_PHASES == 1
/* Outputs that so many raw samples complete. */
static inline size_t outputs_of(const ecgseg_preprocess_t *state, size_t count)
{
    (void)state;
    return count / ECGSEG_FACTOR;
}

/* An even number of outputs whose raw samples begin at `line`, into the ring. */
static inline void filter_block(ecgseg_preprocess_t *state, const int16_t *line, size_t outputs)
{
    const int16_t *window = line + ECGSEG_FACTOR - ECGSEG_TAP_COUNT;
    uint32_t next = state->ring_next;
    for (size_t n = 0; n < outputs; n += 2) {
        int16_t pair[2];
        filter_two(window, pair);
        window += 2 * ECGSEG_FACTOR;
        state->ring[next++] = pair[0];
        next = next == ECGSEG_FRAME_LENGTH ? 0 : next;
        state->ring[next++] = pair[1];
        next = next == ECGSEG_FRAME_LENGTH ? 0 : next;
    }
    state->ring_next = (uint16_t)next;
}
#else
/* Outputs that so many raw samples complete. */
static inline size_t outputs_of(const ecgseg_preprocess_t *state, size_t count)
{
    if (count < state->until_output) {
        return 0;
    }
    const uint32_t most = count > ECGSEG_BLOCK_SAMPLES ? ECGSEG_BLOCK_SAMPLES : (uint32_t)count;
    return ((most - state->until_output + 1u) * ECGSEG_PHASES - 1u - state->phase) / ECGSEG_FACTOR + 1u;
}

/* Outputs whose raw samples begin at `line`, into the ring. */
static inline void filter_block(ecgseg_preprocess_t *state, const int16_t *line, size_t outputs)
{
    const int16_t *window = line - ECGSEG_TAP_COUNT;
    for (size_t n = 0; n < outputs; n++) {
        window += state->until_output;
        state->ring[state->ring_next++] = filter_one(window, NEXT_TAPS(state));
        state->ring_next = state->ring_next == ECGSEG_FRAME_LENGTH ? 0 : state->ring_next;
        state->until_output = step(state);
    }
}
#endif

/* How many outputs can be computed at once, none of whose windows touches a special sample among those seen so far. */
static size_t block_outputs(const ecgseg_preprocess_t *state, size_t count)
{
    if (state->line_fill == 0 || !IS_NEAR(state) || (state->lead_off_reach | state->rail_reach | state->flagged) != 0) {
        return 0;
    }
    size_t outputs = outputs_of(state, count);
    outputs = outputs > ECGSEG_BLOCK_OUTPUTS ? ECGSEG_BLOCK_OUTPUTS : outputs;
    outputs = outputs > state->until_frame ? state->until_frame : outputs;
    return ECGSEG_PHASES == 1 ? outputs & ~(size_t)1 : outputs;
}

/* The usual case, several outputs at once. Returns the raw samples taken, 0 when one of them is special. */
static size_t take_block(ecgseg_preprocess_t *state, const int16_t *samples, size_t outputs, bool *frame_ready)
{
    const size_t raw = ECGSEG_PHASES == 1 ? outputs * ECGSEG_FACTOR : ecgseg_preprocess_until(state, (uint32_t)outputs);
    reserve_in_line(state, raw);
    int16_t *line = &state->line[state->line_fill];
    if (!copy_plain(line, samples, raw)) {
        return 0;
    }
    filter_block(state, line, outputs);
    state->line_fill = (uint16_t)(state->line_fill + raw);
    state->last_good = samples[raw - 1];
    state->raw_samples += (uint32_t)raw;
    state->until_frame = (uint16_t)(state->until_frame - outputs);
    if (state->until_frame == 0) {
        state->until_frame = ECGSEG_HOP;
        state->frames++;
        *frame_ready = true;
    }
    return raw;
}
#endif

/* At most one output. Returns the raw samples taken. */
static APART size_t take_some(ecgseg_preprocess_t *state, const int16_t *samples, size_t count, bool *frame_ready)
{
    size_t group = count > MOST_STEP ? MOST_STEP : count;
    group = group > state->until_output ? state->until_output : group;
    const int16_t newest = take_group(state, samples, group);
    state->until_output = (uint16_t)(state->until_output - group);
    if (state->until_output == 0) {
        *frame_ready = produce(state, newest);
        state->until_output = step(state);
    }
    return group;
}

size_t ecgseg_preprocess_push(ecgseg_preprocess_t *state, const int16_t *samples, size_t count, bool *frame_ready)
{
    *frame_ready = false;
    size_t taken = 0;
#if HAS_BLOCKS
    size_t one_by_one = 0; /* a block that was not plain is not tried again before it is through */
#endif
    while ((taken < count || IS_DUE(state)) && !*frame_ready) {
#if HAS_BLOCKS
        const size_t outputs = taken < one_by_one ? 0 : block_outputs(state, count - taken);
        if (outputs != 0) {
            const size_t block = take_block(state, samples + taken, outputs, frame_ready);
            taken += block;
            if (block != 0) {
                continue;
            }
            one_by_one = taken + ECGSEG_BLOCK_SAMPLES;
        }
#endif
        taken += take_some(state, samples + taken, count - taken, frame_ready);
    }
    return taken;
}
