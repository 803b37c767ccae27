#include "ecgseg_segmenter.h"

#include <string.h>

/* Rounding by adding 1.5 * 2^23 needs |x| < 2^22; a normalised sample is below sqrt(256) = 16. */
#define SMALLEST_SCALE 1e-5f

static bool shape_fits(const ecgseg_model_info_t *info)
{
    const uint32_t classes = info->class_count;
    return info->frame_length == ECGSEG_FRAME_LENGTH && info->input_bytes == ECGSEG_FRAME_LENGTH && classes >= 1 &&
           classes <= ECGSEG_MAX_CLASSES && info->output_bytes == ECGSEG_FRAME_LENGTH * classes;
}

static bool fits(const ecgseg_model_t *model)
{
    if (model == NULL || model->info == NULL || model->init == NULL || model->run == NULL) {
        return false;
    }
    const ecgseg_model_info_t *info = model->info;
    return info->engine_version == ECGSEG_ENGINE_VERSION && shape_fits(info) && info->input_scale > SMALLEST_SCALE &&
           info->input_zero_point >= INT8_MIN && info->input_zero_point <= INT8_MAX &&
           info->segment_rules.min_length != NULL;
}

ecgseg_engine_status_t ecgseg_segmenter_init(ecgseg_segmenter_t *segmenter, const ecgseg_model_t *model)
{
    if (segmenter == NULL) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    (void)memset(segmenter, 0, sizeof *segmenter);
    if (!fits(model)) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    segmenter->model = model;
    ecgseg_preprocess_init(&segmenter->preprocess, model->info->input_scale, model->info->input_zero_point);
    segmenter->started = model->init();
    return segmenter->started;
}

static bool is_ready(const ecgseg_segmenter_t *segmenter)
{
    return segmenter != NULL && segmenter->model != NULL;
}

ecgseg_engine_status_t ecgseg_segmenter_reset(ecgseg_segmenter_t *segmenter)
{
    if (!is_ready(segmenter)) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    ecgseg_preprocess_reset(&segmenter->preprocess);
    segmenter->stage = ECGSEG_SEGMENTER_NO_FRAME;
    segmenter->segment_count = 0;
    return ECGSEG_ENGINE_OK;
}

ecgseg_engine_status_t ecgseg_segmenter_preprocess(ecgseg_segmenter_t *segmenter, const int16_t *samples, size_t count,
                                                   size_t *taken, bool *frame_ready)
{
    if (taken == NULL || frame_ready == NULL) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    *taken = 0;
    *frame_ready = false;
    if (!is_ready(segmenter) || (samples == NULL && count > 0)) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    *taken = ecgseg_preprocess_push(&segmenter->preprocess, samples, count, frame_ready);
    if (*frame_ready) {
        segmenter->frame = ecgseg_preprocess_frame(&segmenter->preprocess, segmenter->input, segmenter->valid);
        segmenter->stage = ECGSEG_SEGMENTER_HAS_INPUT;
    }
    return ECGSEG_ENGINE_OK;
}

ecgseg_engine_status_t ecgseg_segmenter_infer(ecgseg_segmenter_t *segmenter)
{
    if (!is_ready(segmenter) || segmenter->stage < ECGSEG_SEGMENTER_HAS_INPUT) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    if (segmenter->started != ECGSEG_ENGINE_OK) {
        return segmenter->started;
    }
    segmenter->stage = ECGSEG_SEGMENTER_HAS_INPUT;
    const ecgseg_engine_status_t status = segmenter->model->run(segmenter->input, segmenter->scores);
    if (status == ECGSEG_ENGINE_OK) {
        segmenter->stage = ECGSEG_SEGMENTER_HAS_SCORES;
    }
    return status;
}

ecgseg_engine_status_t ecgseg_segmenter_segment(ecgseg_segmenter_t *segmenter)
{
    if (!is_ready(segmenter) || segmenter->stage < ECGSEG_SEGMENTER_HAS_SCORES) {
        return ECGSEG_ENGINE_BAD_ARGUMENT;
    }
    const ecgseg_model_info_t *info = segmenter->model->info;
    ecgseg_class_mask(segmenter->scores, segmenter->valid, ECGSEG_FRAME_LENGTH, info->class_count, segmenter->mask);
    segmenter->segment_count = (uint16_t)ecgseg_segments(&info->segment_rules, info->class_count, segmenter->mask,
                                                         ECGSEG_FRAME_LENGTH, segmenter->segments);
    segmenter->stage = ECGSEG_SEGMENTER_HAS_SEGMENTS;
    return ECGSEG_ENGINE_OK;
}

ecgseg_engine_status_t ecgseg_segmenter_push(ecgseg_segmenter_t *segmenter, const int16_t *samples, size_t count,
                                             size_t *taken, bool *frame_ready)
{
    ecgseg_engine_status_t status = ecgseg_segmenter_preprocess(segmenter, samples, count, taken, frame_ready);
    if (status != ECGSEG_ENGINE_OK || !*frame_ready) {
        return status;
    }
    *frame_ready = false;
    status = ecgseg_segmenter_infer(segmenter);
    if (status == ECGSEG_ENGINE_OK) {
        status = ecgseg_segmenter_segment(segmenter);
    }
    *frame_ready = status == ECGSEG_ENGINE_OK;
    return status;
}
