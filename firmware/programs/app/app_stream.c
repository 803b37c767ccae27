#include "app_stream.h"

#include <stdbool.h>

#include "app_measure.h"
#include "app_model.h"
#include "ecgseg_messages.h"
#include "ecgseg_segmenter.h"

_Static_assert(ECGSEG_MODEL_FRAME_LENGTH == ECGSEG_FRAME_LENGTH, "model and preprocessor have different frames");
_Static_assert(ECGSEG_MODEL_INPUT_BYTES == ECGSEG_FRAME_LENGTH, "the stream feeds models with one input channel");
_Static_assert(ECGSEG_MODEL_OUTPUT_BYTES == ECGSEG_FRAME_LENGTH * ECGSEG_MODEL_CLASS_COUNT,
               "a segmenter has one score per class and time step");
_Static_assert((ECGSEG_LINK_REQUEST_HEADER_BYTES + ECGSEG_LINK_PUSH_SMALLEST) % sizeof(int16_t) == 0,
               "samples are used where they lie in the frame, which is aligned to words");
_Static_assert(ECGSEG_MODEL_CLASS_COUNT <= ECGSEG_MAX_CLASSES, "the segmenter has no room for so many scores");

static ecgseg_segmenter_t segmenter;

static struct {
    uint32_t running; /* of the preprocessor, for the frame that is being filled */
    uint32_t preprocess;
    uint32_t inference;
    uint32_t postprocess;
} ticks_of;

app_stream_info_t app_stream_info(void)
{
    return (app_stream_info_t){
        .input_rate = ECGSEG_INPUT_RATE,
        .factor = ECGSEG_FACTOR,
        .hop = ECGSEG_HOP,
        .hop_samples = (uint32_t)ECGSEG_HOP * (uint32_t)ECGSEG_FACTOR / ECGSEG_PHASES,
        .delay = ECGSEG_DELAY,
        .flat_uv = ECGSEG_FLAT_UV,
    };
}

app_engine_t app_stream_start(void)
{
    const ecgseg_engine_status_t status = ecgseg_segmenter_init(&segmenter, &ecgseg_model);
    return (app_engine_t){.status = status, .input = segmenter.input, .output = segmenter.scores};
}

ecgseg_link_error_t app_stream_restart(void)
{
    ticks_of.running = 0;
    if (app_model_result() == APP_RESULT_FRAME) {
        app_model_set_result(APP_RESULT_NONE);
    }
    return ecgseg_segmenter_reset(&segmenter) == ECGSEG_ENGINE_OK ? ECGSEG_ERROR_OK : ECGSEG_ERROR_ENGINE_FAILED;
}

uint32_t app_stream_until_frame(void)
{
    return ecgseg_preprocess_until_frame(&segmenter.preprocess);
}

ecgseg_link_error_t app_stream_reset(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    (void)answer;
    return app_stream_restart();
}

/* The preprocessor's step: how many samples it took, 0 when it refused them. */
static size_t preprocess(const int16_t *samples, size_t count, bool *frame_ready)
{
    size_t taken = 0;
    const uint32_t start = app_begin(BOARD_STATE_PREPROCESS);
    const ecgseg_engine_status_t status = ecgseg_segmenter_preprocess(&segmenter, samples, count, &taken, frame_ready);
    ticks_of.running += app_end(start);
    return status == ECGSEG_ENGINE_OK ? taken : 0;
}

ecgseg_link_error_t app_stream_preprocess(const int16_t *samples, size_t count, uint32_t *ticks)
{
    ticks_of.running = 0;
    while (count > 0) {
        bool frame_ready = false;
        const size_t taken = preprocess(samples, count, &frame_ready);
        if (taken == 0) {
            return ECGSEG_ERROR_ENGINE_FAILED;
        }
        samples += taken;
        count -= taken;
    }
    *ticks = ticks_of.running;
    return ECGSEG_ERROR_OK;
}

/* The steps behind the preprocessor's. */
static ecgseg_link_error_t process_frame(void)
{
    app_model_set_result(APP_RESULT_NONE);
    app_model_input_is_complete();
    ticks_of.preprocess = ticks_of.running;
    ticks_of.running = 0;
    uint32_t start = app_begin(BOARD_STATE_INFERENCE);
    const ecgseg_engine_status_t inferred = ecgseg_segmenter_infer(&segmenter);
    ticks_of.inference = app_end(start);
    if (inferred != ECGSEG_ENGINE_OK) {
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
    start = board_ticks();
    const ecgseg_engine_status_t segmented = ecgseg_segmenter_segment(&segmenter);
    ticks_of.postprocess = board_ticks() - start;
    if (segmented != ECGSEG_ENGINE_OK) {
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
    app_model_set_result(APP_RESULT_FRAME);
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t push_samples(const int16_t *samples, size_t count, bool *any_frame)
{
    while (count > 0) {
        bool frame_ready = false;
        const size_t taken = preprocess(samples, count, &frame_ready);
        if (taken == 0) {
            return ECGSEG_ERROR_ENGINE_FAILED;
        }
        samples += taken;
        count -= taken;
        if (frame_ready) {
            *any_frame = true;
            const ecgseg_link_error_t error = process_frame();
            if (error != ECGSEG_ERROR_OK) {
                return error;
            }
        }
    }
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_stream_push(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_preprocess_t *const stream = &segmenter.preprocess;
    const uint32_t first = ecgseg_get_push_request(request).first_index;
    if (request->left % 2u != 0) {
        return ECGSEG_ERROR_BAD_LENGTH;
    }
    if (first != stream->raw_samples) {
        ecgseg_put_u32(answer, stream->raw_samples);
        return ECGSEG_ERROR_WRONG_INDEX;
    }
    const uint32_t until_second_frame = ecgseg_preprocess_until(stream, stream->until_frame + (uint32_t)ECGSEG_HOP);
    if (request->left / 2u >= until_second_frame) {
        return ECGSEG_ERROR_TOO_MANY_FRAMES;
    }
    const size_t count = request->left / 2u;
    const int16_t *const samples = ecgseg_get_i16s(request, count);
    if (samples == NULL) {
        return ECGSEG_ERROR_BAD_LENGTH;
    }
    bool any_frame = false;
    const ecgseg_link_error_t error = push_samples(samples, count, &any_frame);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    const ecgseg_push_answer_t values = {
        .samples_seen = stream->raw_samples,
        .frames_done = stream->frames,
        .flags = any_frame ? (uint8_t)ECGSEG_PUSH_FRAME_READY : 0,
    };
    ecgseg_put_push_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_stream_frame(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    if (app_model_result() != APP_RESULT_FRAME) {
        return ECGSEG_ERROR_NO_FRAME;
    }
    const ecgseg_frame_answer_t values = {
        .index = segmenter.frame.index,
        .status = (uint16_t)segmenter.frame.status,
        .lead_off_samples = segmenter.frame.lead_off_samples,
        .saturated_samples = segmenter.frame.saturated_samples,
        .segment_count = segmenter.segment_count,
        .preprocess_ticks = ticks_of.preprocess,
        .inference_ticks = ticks_of.inference,
        .postprocess_ticks = ticks_of.postprocess,
    };
    ecgseg_put_frame_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

/* Byte `position` of the segments as they are sent: class, onset, offset. */
static uint8_t segment_byte(uint32_t position)
{
    const ecgseg_segment_t *segment = &segmenter.segments[position / ECGSEG_LINK_SEGMENT_BYTES];
    switch (position % ECGSEG_LINK_SEGMENT_BYTES) {
    case 0:
        return segment->label;
    case 1:
        return (uint8_t)(segment->onset & 0xFFu);
    case 2:
        return (uint8_t)(segment->onset >> 8);
    case 3:
        return (uint8_t)(segment->offset & 0xFFu);
    default:
        return (uint8_t)(segment->offset >> 8);
    }
}

ecgseg_link_error_t app_stream_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer)
{
    if (app_model_result() != APP_RESULT_FRAME) {
        return ECGSEG_ERROR_NO_FRAME;
    }
    const uint32_t size =
        kind == ECGSEG_READ_MASK ? ECGSEG_FRAME_LENGTH : segmenter.segment_count * ECGSEG_LINK_SEGMENT_BYTES;
    if (offset > size || length > size - offset) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    if (kind == ECGSEG_READ_MASK) {
        ecgseg_put_bytes(answer, &segmenter.mask[offset], length);
        return ECGSEG_ERROR_OK;
    }
    uint8_t *const part = ecgseg_put_space(answer, length);
    for (uint32_t i = 0; part != NULL && i < length; i++) {
        part[i] = segment_byte(offset + i);
    }
    return ECGSEG_ERROR_OK;
}
