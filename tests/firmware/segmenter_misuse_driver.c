/* Test program: calls of the segmenter that must be refused, and models that fail. Prints what was not as it should
 * be. */
#include <stdio.h>
#include <string.h>

#include "ecgseg_segmenter.h"

#define CLASSES ECGSEG_MAX_CLASSES
#define RAW (ECGSEG_DELAY + 1 + ECGSEG_FRAME_LENGTH * ECGSEG_FACTOR)

static ecgseg_engine_status_t start_status, run_status;
static int faults;

#define CHECK(condition)                                         \
    do {                                                         \
        if (!(condition)) {                                      \
            (void)printf("line %d: %s\n", __LINE__, #condition); \
            faults++;                                            \
        }                                                        \
    } while (0)

static ecgseg_engine_status_t start(void)
{
    return start_status;
}

static ecgseg_engine_status_t run(const int8_t *input, int8_t *output)
{
    (void)input;
    (void)memset(output, 0, ECGSEG_FRAME_LENGTH * CLASSES);
    return run_status;
}

static ecgseg_engine_status_t run_to_layer(const int8_t *input, uint16_t layer, uint32_t offset, int8_t *destination,
                                           uint32_t count)
{
    (void)input, (void)layer, (void)offset, (void)destination, (void)count;
    return ECGSEG_ENGINE_OK;
}

static const uint8_t min_lengths[CLASSES + 1];
static const ecgseg_model_info_t good_info = {
    .engine_version = ECGSEG_ENGINE_VERSION,
    .input_bytes = ECGSEG_FRAME_LENGTH,
    .output_bytes = ECGSEG_FRAME_LENGTH * CLASSES,
    .frame_length = ECGSEG_FRAME_LENGTH,
    .class_count = CLASSES,
    .input_scale = 0.03f,
    .segment_rules = {5, min_lengths},
};
static const ecgseg_model_t good_model = {&good_info, start, run, run_to_layer};
static ecgseg_segmenter_t segmenter;
static int16_t samples[RAW];

/* What a model with one number changed is told. */
#define REFUSES(field, value)                                                                        \
    do {                                                                                             \
        ecgseg_model_info_t info = good_info;                                                        \
        info.field = (value);                                                                        \
        const ecgseg_model_t model = {&info, start, run, run_to_layer};                              \
        CHECK(ecgseg_segmenter_init(&segmenter, &model) == ECGSEG_ENGINE_BAD_ARGUMENT && #field[0]); \
        CHECK(ecgseg_segmenter_reset(&segmenter) == ECGSEG_ENGINE_BAD_ARGUMENT);                     \
    } while (0)

static void models_that_do_not_fit(void)
{
    CHECK(ecgseg_segmenter_init(NULL, &good_model) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_init(&segmenter, NULL) == ECGSEG_ENGINE_BAD_ARGUMENT);
    const ecgseg_model_t empty[] = {{NULL, start, run, run_to_layer},
                                    {&good_info, NULL, run, run_to_layer},
                                    {&good_info, start, NULL, run_to_layer}};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        CHECK(ecgseg_segmenter_init(&segmenter, &empty[i]) == ECGSEG_ENGINE_BAD_ARGUMENT);
    }
    REFUSES(engine_version, ECGSEG_ENGINE_VERSION + 1);
    REFUSES(frame_length, ECGSEG_FRAME_LENGTH - 1);
    REFUSES(frame_length, 0);
    REFUSES(input_bytes, 2 * ECGSEG_FRAME_LENGTH);
    REFUSES(class_count, CLASSES + 1);
    REFUSES(class_count, 0);
    REFUSES(output_bytes, ECGSEG_FRAME_LENGTH * CLASSES + 1);
    REFUSES(input_scale, 0.0f);
    REFUSES(input_scale, -0.03f);
    REFUSES(input_scale, (float)(0.0 / 0.0));
    REFUSES(input_zero_point, 128);
    REFUSES(input_zero_point, -129);
    REFUSES(segment_rules.min_length, NULL);
    ecgseg_model_info_t wide = good_info;
    wide.class_count = CLASSES + 1;
    wide.output_bytes = ECGSEG_FRAME_LENGTH * (CLASSES + 1);
    const ecgseg_model_t model = {&wide, start, run, run_to_layer};
    CHECK(ecgseg_segmenter_init(&segmenter, &model) == ECGSEG_ENGINE_BAD_ARGUMENT);
}

/* Every call with such a segmenter. */
static void is_refused(ecgseg_segmenter_t *s)
{
    size_t taken = 7;
    bool ready = true;
    CHECK(ecgseg_segmenter_reset(s) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_push(s, samples, RAW, &taken, &ready) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(taken == 0 && !ready);
    taken = 7;
    ready = true;
    CHECK(ecgseg_segmenter_preprocess(s, samples, RAW, &taken, &ready) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(taken == 0 && !ready);
    CHECK(ecgseg_segmenter_infer(s) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_segment(s) == ECGSEG_ENGINE_BAD_ARGUMENT);
}

static void null_pointers(void)
{
    size_t taken = 7;
    bool ready = true;
    is_refused(NULL);
    static ecgseg_segmenter_t untouched;
    is_refused(&untouched);
    CHECK(ecgseg_segmenter_init(&segmenter, &good_model) == ECGSEG_ENGINE_OK);
    CHECK(ecgseg_segmenter_push(&segmenter, samples, RAW, NULL, &ready) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_push(&segmenter, samples, RAW, &taken, NULL) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_push(&segmenter, NULL, 1, &taken, &ready) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(taken == 0 && !ready && segmenter.preprocess.raw_samples == 0);
    CHECK(ecgseg_segmenter_push(&segmenter, NULL, 0, &taken, &ready) == ECGSEG_ENGINE_OK);
    CHECK(taken == 0 && !ready);
}

static void steps_out_of_order(void)
{
    size_t taken = 0;
    bool ready = false;
    CHECK(ecgseg_segmenter_init(&segmenter, &good_model) == ECGSEG_ENGINE_OK);
    CHECK(ecgseg_segmenter_infer(&segmenter) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_segment(&segmenter) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_preprocess(&segmenter, samples, RAW, &taken, &ready) == ECGSEG_ENGINE_OK && ready);
    CHECK(ecgseg_segmenter_segment(&segmenter) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_infer(&segmenter) == ECGSEG_ENGINE_OK);
    CHECK(ecgseg_segmenter_segment(&segmenter) == ECGSEG_ENGINE_OK);
    CHECK(segmenter.stage == ECGSEG_SEGMENTER_HAS_SEGMENTS);
    CHECK(ecgseg_segmenter_reset(&segmenter) == ECGSEG_ENGINE_OK);
    CHECK(ecgseg_segmenter_infer(&segmenter) == ECGSEG_ENGINE_BAD_ARGUMENT);
    CHECK(ecgseg_segmenter_segment(&segmenter) == ECGSEG_ENGINE_BAD_ARGUMENT);
}

static void models_that_fail(void)
{
    size_t taken = 0;
    bool ready = true;
    start_status = ECGSEG_ENGINE_BACKEND_FAILED;
    CHECK(ecgseg_segmenter_init(&segmenter, &good_model) == ECGSEG_ENGINE_BACKEND_FAILED);
    CHECK(ecgseg_segmenter_push(&segmenter, samples, RAW, &taken, &ready) == ECGSEG_ENGINE_BACKEND_FAILED);
    CHECK(taken > 0 && taken < RAW && !ready);
    start_status = ECGSEG_ENGINE_OK;
    run_status = ECGSEG_ENGINE_BACKEND_FAILED;
    CHECK(ecgseg_segmenter_init(&segmenter, &good_model) == ECGSEG_ENGINE_OK);
    CHECK(ecgseg_segmenter_push(&segmenter, samples, RAW, &taken, &ready) == ECGSEG_ENGINE_BACKEND_FAILED && !ready);
    CHECK(segmenter.stage == ECGSEG_SEGMENTER_HAS_INPUT);
    CHECK(ecgseg_segmenter_segment(&segmenter) == ECGSEG_ENGINE_BAD_ARGUMENT);
    run_status = ECGSEG_ENGINE_OK;
    CHECK(ecgseg_segmenter_infer(&segmenter) == ECGSEG_ENGINE_OK);
    CHECK(ecgseg_segmenter_segment(&segmenter) == ECGSEG_ENGINE_OK);
    CHECK(ecgseg_segmenter_push(&segmenter, samples, RAW, &taken, &ready) == ECGSEG_ENGINE_OK && ready);
}

int main(void)
{
    models_that_do_not_fit();
    null_pointers();
    steps_out_of_order();
    models_that_fail();
    return faults != 0;
}
