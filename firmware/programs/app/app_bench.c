#include "app_bench.h"

#include <stddef.h>

#include "app_model.h"
#include "app_stream.h"
#include "board.h"
#include "ecgseg_messages.h"

#define BLOCK_SAMPLES 64u
/* The device hears nothing while it repeats. */
#define LONGEST_SECONDS 1u

/* A wandering sawtooth: what it is does not matter to the time, as long as it is neither flat nor a gap. */
static int16_t test_sample(uint32_t n)
{
    return (int16_t)((int32_t)((n * 37u) & 1023u) - 512);
}

/* Ticks of `count` samples of the test signal from `position` on. */
static ecgseg_link_error_t preprocess(uint32_t *position, uint32_t count, uint32_t *ticks)
{
    *ticks = 0;
    while (count > 0) {
        int16_t block[BLOCK_SAMPLES];
        const uint32_t length = count < BLOCK_SAMPLES ? count : BLOCK_SAMPLES;
        for (uint32_t i = 0; i < length; i++) {
            block[i] = test_sample(*position + i);
        }
        uint32_t once = 0;
        const ecgseg_link_error_t error = app_stream_preprocess(block, length, &once);
        if (error != ECGSEG_ERROR_OK) {
            return error;
        }
        *ticks += once;
        *position += length;
        count -= length;
    }
    return ECGSEG_ERROR_OK;
}

/* What comes before the first repetition. The preprocessor begins anew, and what its first frame takes more than the
 * others is not counted. */
static ecgseg_link_error_t prepare(const ecgseg_bench_request_t *wanted, uint32_t *position)
{
    switch (wanted->kind) {
    case ECGSEG_BENCH_PREPROCESS: {
        const ecgseg_link_error_t error = app_stream_restart();
        if (error != ECGSEG_ERROR_OK) {
            return error;
        }
        app_model_set_result(APP_RESULT_NONE);
        uint32_t not_counted = 0;
        return preprocess(position, app_stream_until_frame() - app_stream_info().hop_samples, &not_counted);
    }
    case ECGSEG_BENCH_INFERENCE:
        return ECGSEG_ERROR_OK;
    case ECGSEG_BENCH_LAYERS:
        return wanted->layer < ecgseg_model_info.layer_count ? ECGSEG_ERROR_OK : ECGSEG_ERROR_OUT_OF_RANGE;
    default:
        return ECGSEG_ERROR_BAD_ARGUMENT;
    }
}

/* One repetition; of the preprocessor a hop of the test signal, which completes a frame. */
static ecgseg_link_error_t run_once(const ecgseg_bench_request_t *wanted, uint32_t *position, uint32_t *ticks)
{
    if (wanted->kind == ECGSEG_BENCH_PREPROCESS) {
        return preprocess(position, app_stream_until_frame(), ticks);
    }
    if (wanted->kind == ECGSEG_BENCH_LAYERS) {
        return app_model_run_to_layer(wanted->layer, 0, NULL, 0, ticks);
    }
    return app_model_run(ticks);
}

/* All repetitions, unless they take too long: then they end before the next one would begin. A single one may take as
 * long as it takes, or a slow model could not be measured. */
static ecgseg_link_error_t repeat(const ecgseg_bench_request_t *wanted, uint32_t *position, uint64_t *ticks)
{
    const uint32_t longest = LONGEST_SECONDS * board_info()->tick_hz;
    const uint32_t start = board_ticks();
    for (uint32_t done = 0; done < wanted->repetitions; done++) {
        if (done > 0 && board_ticks() - start >= longest) {
            return ECGSEG_ERROR_TOO_LONG;
        }
        uint32_t once = 0;
        const ecgseg_link_error_t error = run_once(wanted, position, &once);
        if (error != ECGSEG_ERROR_OK) {
            return error;
        }
        *ticks += once;
        board_feed_watchdog();
    }
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_bench(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_bench_request_t wanted = ecgseg_get_bench_request(request);
    if (wanted.repetitions == 0) {
        return ECGSEG_ERROR_BAD_ARGUMENT;
    }
    ecgseg_bench_answer_t values = {0};
    uint32_t position = 0;
    ecgseg_link_error_t error = prepare(&wanted, &position);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    error = repeat(&wanted, &position, &values.ticks);
    if (wanted.kind == ECGSEG_BENCH_PREPROCESS) {
        /* The test signal stays neither in the stream nor undefined in the model's input. */
        app_model_input_is_complete();
        const ecgseg_link_error_t forgotten = app_stream_restart();
        error = error == ECGSEG_ERROR_OK ? forgotten : error;
    }
    if (error == ECGSEG_ERROR_OK) {
        ecgseg_put_bench_answer(answer, &values);
    }
    return error;
}
