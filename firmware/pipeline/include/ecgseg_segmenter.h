/* The whole way of a signal through the device: raw samples -> int8 frame -> model -> class mask -> segments.
 *
 *     static ecgseg_segmenter_t segmenter;
 *     status = ecgseg_segmenter_init(&segmenter, &ecgseg_model);     // a rendered model's constant
 *     ...
 *     while (status == ECGSEG_ENGINE_OK && count > 0) {
 *         status = ecgseg_segmenter_push(&segmenter, samples, count, &taken, &frame_ready);
 *         if (frame_ready) { ... segmenter.segments[0 .. segmenter.segment_count - 1] ... }
 *         samples += taken;
 *         count -= taken;
 *     }
 *
 * All state lies in one struct that the caller owns: no heap, no globals, no clock, no port. As many segmenters as
 * there is memory for work side by side, of one model (whose runs must not interrupt each other: a model is not
 * reentrant) or of several that share the rate and the frame of ecgseg_preprocess_params.h.
 *
 * The push is three steps, and the steps are functions of their own. Who wants to know what each of them costs, to show
 * on a pin which one is at work, or to run the model in another task, calls the steps in place of the push. Functions,
 * not an observer: between two calls the caller may do whatever it likes, and nobody else pays for a pointer that is
 * looked at in every frame.
 *
 * Every function refuses null pointers, a segmenter that was not initialised and steps out of order with
 * ECGSEG_ENGINE_BAD_ARGUMENT and then changes nothing, apart from the counts that it tells, which become 0 and false.
 */
#ifndef ECGSEG_SEGMENTER_H
#define ECGSEG_SEGMENTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_engine.h"
#include "ecgseg_preprocess.h"
#include "ecgseg_segments.h"

/* How far the newest frame has come. */
typedef enum {
    ECGSEG_SEGMENTER_NO_FRAME = 0,
    ECGSEG_SEGMENTER_HAS_INPUT = 1,
    ECGSEG_SEGMENTER_HAS_SCORES = 2,
    ECGSEG_SEGMENTER_HAS_SEGMENTS = 3
} ecgseg_segmenter_stage_t;

typedef struct {
    const ecgseg_model_t *model;
    ecgseg_engine_status_t started; /* what the model's start said; any other than OK fails every frame */
    ecgseg_preprocess_t preprocess;
    /* Of the newest frame, as far as `stage` says; they stay until the next frame is complete. */
    ecgseg_segmenter_stage_t stage;
    ecgseg_frame_info_t frame;
    /* Aligned so that kernels may load several values at once. */
    int8_t input[ECGSEG_FRAME_LENGTH] __attribute__((aligned(8)));
    int8_t scores[ECGSEG_FRAME_LENGTH * ECGSEG_MAX_CLASSES] __attribute__((aligned(8))); /* [frame][class_count] */
    uint8_t valid[ECGSEG_FRAME_LENGTH]; /* 1 where a sample may carry a class */
    uint8_t mask[ECGSEG_FRAME_LENGTH];
    uint16_t segment_count;
    ecgseg_segment_t segments[ECGSEG_MAX_SEGMENTS];
} ecgseg_segmenter_t;

/* Binds the segmenter to a model, starts the model and forgets everything. BAD_ARGUMENT for a model that is no
 * segmenter of frames of ECGSEG_FRAME_LENGTH with at most ECGSEG_MAX_CLASSES classes, or was made for another engine;
 * otherwise what the model says to its start. A segmenter whose model did not start takes samples all the same; its
 * frames fail. */
ecgseg_engine_status_t ecgseg_segmenter_init(ecgseg_segmenter_t *segmenter, const ecgseg_model_t *model);

/* Forgets all samples and results; the next sample starts a record. */
ecgseg_engine_status_t ecgseg_segmenter_reset(ecgseg_segmenter_t *segmenter);

/* Takes raw samples until they are used up or a frame is complete, which then has its segments. *taken says how many it
 * took, also when the model fails; *frame_ready whether there is a frame with all its results. */
ecgseg_engine_status_t ecgseg_segmenter_push(ecgseg_segmenter_t *segmenter, const int16_t *samples, size_t count,
                                             size_t *taken, bool *frame_ready);

/* ---- The steps of a push ---- */

/* As push, but a complete frame is only the model's input: `frame`, `input` and `valid`. */
ecgseg_engine_status_t ecgseg_segmenter_preprocess(ecgseg_segmenter_t *segmenter, const int16_t *samples, size_t count,
                                                   size_t *taken, bool *frame_ready);

/* From `input` to `scores`. What the model says; the frame keeps its input when it fails. */
ecgseg_engine_status_t ecgseg_segmenter_infer(ecgseg_segmenter_t *segmenter);

/* From `scores` to `mask` and `segments`. */
ecgseg_engine_status_t ecgseg_segmenter_segment(ecgseg_segmenter_t *segmenter);

#endif
