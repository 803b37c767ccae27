#include "app_bench.h"

#include <stddef.h>

#include "app_model.h"
#include "app_stream.h"
#include "board.h"
#include "ecgseg_messages.h"

#define BLOCK_SAMPLES 64u

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

/* Hops of the test signal, each of which completes a frame. Resets the stream before and after. */
static ecgseg_link_error_t bench_preprocess(uint32_t repetitions, uint64_t *ticks)
{
    ecgseg_link_error_t error = app_stream_restart();
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    app_model_set_result(APP_RESULT_NONE);
    const app_stream_info_t stream = app_stream_info();
    const uint32_t hop = (uint32_t)stream.hop * stream.factor;
    /* What the first frame takes more than the others is not counted. */
    const uint32_t lead = stream.delay + 1u + (ECGSEG_MODEL_FRAME_LENGTH - 1u) * (uint32_t)stream.factor - hop;
    uint32_t position = 0;
    uint32_t once = 0;
    error = preprocess(&position, lead, &once);
    for (uint32_t i = 0; i < repetitions && error == ECGSEG_ERROR_OK; i++) {
        error = preprocess(&position, hop, &once);
        *ticks += once;
        board_feed_watchdog();
    }
    app_model_input_is_complete();
    return error == ECGSEG_ERROR_OK ? app_stream_restart() : error;
}

static ecgseg_link_error_t bench_inference(uint32_t repetitions, uint64_t *ticks)
{
    ecgseg_link_error_t error = ECGSEG_ERROR_OK;
    for (uint32_t i = 0; i < repetitions && error == ECGSEG_ERROR_OK; i++) {
        uint32_t once = 0;
        error = app_model_run(&once);
        *ticks += once;
        board_feed_watchdog();
    }
    return error;
}

static ecgseg_link_error_t bench_layers(uint16_t layer, uint32_t repetitions, uint64_t *ticks)
{
    if (layer >= ecgseg_model_info.layer_count) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    ecgseg_link_error_t error = ECGSEG_ERROR_OK;
    for (uint32_t i = 0; i < repetitions && error == ECGSEG_ERROR_OK; i++) {
        uint32_t once = 0;
        error = app_model_run_to_layer(layer, 0, NULL, 0, &once);
        *ticks += once;
        board_feed_watchdog();
    }
    return error;
}

ecgseg_link_error_t app_bench(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_bench_request_t wanted = ecgseg_get_bench_request(request);
    if (wanted.repetitions == 0) {
        return ECGSEG_ERROR_BAD_ARGUMENT;
    }
    ecgseg_bench_answer_t values = {0};
    ecgseg_link_error_t error;
    switch (wanted.kind) {
    case ECGSEG_BENCH_PREPROCESS:
        error = bench_preprocess(wanted.repetitions, &values.ticks);
        break;
    case ECGSEG_BENCH_INFERENCE:
        error = bench_inference(wanted.repetitions, &values.ticks);
        break;
    case ECGSEG_BENCH_LAYERS:
        error = bench_layers(wanted.layer, wanted.repetitions, &values.ticks);
        break;
    default:
        error = ECGSEG_ERROR_BAD_ARGUMENT;
        break;
    }
    if (error == ECGSEG_ERROR_OK) {
        ecgseg_put_bench_answer(answer, &values);
    }
    return error;
}
