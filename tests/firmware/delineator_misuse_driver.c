/* Test program: calls of the delineator that must be refused, and networks that fail. Prints what was not as it should
 * be. */
#include <stdio.h>
#include <string.h>

#include "ecgseg_delineator.h"
#include "one_stream_model.h"

static int faults;
static ecgseg_stream_status_t status;

#define CHECK(condition)                                         \
    do {                                                         \
        if (!(condition)) {                                      \
            (void)printf("line %d: %s\n", __LINE__, #condition); \
            faults++;                                            \
        }                                                        \
    } while (0)

static ecgseg_delineator_t d;
static one_stream_t stream;
static one_stream_arena_t arena;
static int8_t scores[ECGSEG_DELINEATOR_SCORE_BYTES];
static int16_t samples[100 * ECGSEG_FACTOR];

static ecgseg_stream_status_t failing_init(void *any)
{
    (void)any;
    return status;
}

static ecgseg_stream_status_t failing_push(void *any, void *scratch, const int8_t *input, uint32_t rows, int8_t *output,
                                           uint32_t capacity, uint32_t *count)
{
    (void)any, (void)scratch, (void)input, (void)rows, (void)output, (void)capacity;
    *count = 0;
    return status;
}

static ecgseg_stream_status_t failing_end(void *any, void *scratch, int8_t *output, uint32_t capacity, uint32_t *count)
{
    (void)any, (void)scratch, (void)output, (void)capacity;
    *count = 0;
    return status;
}

#define REFUSES(field, value)                                                                                    \
    do {                                                                                                         \
        ecgseg_stream_model_t model = one_stream_model;                                                          \
        model.field = (value);                                                                                   \
        CHECK(ecgseg_delineator_init(&d, &model, &stream, &arena, scores, 0) == ECGSEG_DELINEATOR_BAD_ARGUMENT); \
    } while (0)

static ecgseg_delineator_status_t begin(void)
{
    return ecgseg_delineator_init(&d, &one_stream_model, &stream, &arena, scores, 0);
}

static void check_init(void)
{
    const ecgseg_stream_model_t *good = &one_stream_model;
    CHECK(ecgseg_delineator_init(NULL, good, &stream, &arena, scores, 0) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_init(&d, NULL, &stream, &arena, scores, 0) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_init(&d, good, NULL, &arena, scores, 0) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_init(&d, good, &stream, NULL, scores, 0) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_init(&d, good, &stream, &arena, NULL, 0) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    REFUSES(engine_version, ECGSEG_ENGINE_VERSION + 1u);
    REFUSES(faint_margin, -1);
    REFUSES(input_row_bytes, 2);
    REFUSES(output_row_bytes, 2);
    REFUSES(block, 0);
    REFUSES(block_answers, 5);
    REFUSES(granule, 0);
    REFUSES(end_answers, ECGSEG_DELINEATOR_ANSWERS);
    REFUSES(input_scale, 0.0f);
    REFUSES(input_zero_point, 128);
    size_t taken = 7;
    ecgseg_event_t event;
    CHECK(ecgseg_delineator_push(&d, samples, 1, &taken) == ECGSEG_DELINEATOR_ENDED && taken == 0u);
    CHECK(ecgseg_delineator_end(&d) == ECGSEG_DELINEATOR_ENDED);
    CHECK(!ecgseg_delineator_next(&d, &event));
}

static void check_calls(void)
{
    size_t taken = 7;
    ecgseg_event_t event;
    CHECK(begin() == ECGSEG_DELINEATOR_OK);
    CHECK(ecgseg_delineator_push(NULL, samples, 1, &taken) == ECGSEG_DELINEATOR_BAD_ARGUMENT && taken == 0u);
    CHECK(ecgseg_delineator_push(&d, NULL, 1, &taken) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_push(&d, samples, 1, NULL) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_push(&d, NULL, 0, &taken) == ECGSEG_DELINEATOR_OK && taken == 0u);
    CHECK(ecgseg_delineator_gap(NULL, 1) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_overrun(NULL, 1) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_end(NULL) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_tap(NULL, NULL, NULL) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_start_at(NULL, 1) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(!ecgseg_delineator_next(NULL, &event));
    CHECK(!ecgseg_delineator_next(&d, NULL));
    CHECK(ecgseg_delineator_start_at(&d, 5) == ECGSEG_DELINEATOR_OK);
    CHECK(ecgseg_delineator_push(&d, samples, 1, &taken) == ECGSEG_DELINEATOR_OK && taken == 1u);
    CHECK(ecgseg_delineator_start_at(&d, 5) == ECGSEG_DELINEATOR_BAD_ARGUMENT);
    CHECK(ecgseg_delineator_end(&d) == ECGSEG_DELINEATOR_OK);
    CHECK(!ecgseg_delineator_next(&d, &event));
    CHECK(ecgseg_delineator_push(&d, samples, 1, &taken) == ECGSEG_DELINEATOR_ENDED && taken == 0u);
    CHECK(ecgseg_delineator_gap(&d, 1) == ECGSEG_DELINEATOR_ENDED);
}

/* Losses that nobody fetches: when the queue is full, they are refused, and none is lost. */
static void check_room(void)
{
    ecgseg_event_t event;
    uint32_t told = 0;
    CHECK(begin() == ECGSEG_DELINEATOR_OK);
    while (ecgseg_delineator_gap(&d, 1) == ECGSEG_DELINEATOR_OK) {
        told++;
    }
    CHECK(told > 1u && told < 2u * ECGSEG_EVENTS_CAPACITY);
    CHECK(ecgseg_delineator_end(&d) == ECGSEG_DELINEATOR_FETCH);
    uint32_t fetched = 0;
    while (ecgseg_delineator_next(&d, &event)) {
        CHECK(event.kind == ECGSEG_EVENT_GAP && event.number == fetched);
        fetched++;
    }
    CHECK(fetched == told);
    CHECK(ecgseg_delineator_end(&d) == ECGSEG_DELINEATOR_OK);
}

static void check_failing_network(void)
{
    ecgseg_stream_model_t model = one_stream_model;
    size_t taken = 0;
    model.init = failing_init;
    model.push = failing_push;
    model.end = failing_end;
    status = ECGSEG_STREAM_NOT_OPEN;
    CHECK(ecgseg_delineator_init(&d, &model, &stream, &arena, scores, 0) == ECGSEG_DELINEATOR_MODEL_FAILED);
    CHECK(ecgseg_delineator_push(&d, samples, 1, &taken) == ECGSEG_DELINEATOR_ENDED);
    status = ECGSEG_STREAM_OK;
    CHECK(ecgseg_delineator_init(&d, &model, &stream, &arena, scores, 0) == ECGSEG_DELINEATOR_OK);
    status = ECGSEG_STREAM_NOT_OPEN;
    CHECK(ecgseg_delineator_push(&d, samples, 100 * ECGSEG_FACTOR, &taken) == ECGSEG_DELINEATOR_MODEL_FAILED);
    CHECK(taken < 100u * ECGSEG_FACTOR);
    CHECK(ecgseg_delineator_gap(&d, 1) == ECGSEG_DELINEATOR_MODEL_FAILED);
}

int main(void)
{
    check_init();
    check_calls();
    check_room();
    check_failing_network();
    return faults;
}
