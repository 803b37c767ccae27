#include "app_stream.h"

#include <stdbool.h>
#include <stddef.h>

#include "app_model.h"
#include "board.h"
#include "ecgseg_preprocess.h"
#include "ecgseg_segments.h"

#define BLOCK_SAMPLES 64u

_Static_assert(ECGSEG_MODEL_FRAME_LENGTH == ECGSEG_FRAME_LENGTH, "model and preprocessor have different frames");
_Static_assert(ECGSEG_MODEL_INPUT_BYTES == ECGSEG_FRAME_LENGTH, "the stream feeds models with one input channel");
_Static_assert(ECGSEG_MODEL_OUTPUT_BYTES == ECGSEG_FRAME_LENGTH * ECGSEG_MODEL_CLASS_COUNT,
               "a segmenter has one score per class and time step");
_Static_assert(ECGSEG_MODEL_CLASS_COUNT == ECGSEG_RULE_CLASSES, "segment rules are for another number of classes");

static struct {
    ecgseg_preprocess_t preprocess;
    ecgseg_frame_info_t frame;
    uint8_t valid[ECGSEG_FRAME_LENGTH];
    uint8_t mask[ECGSEG_FRAME_LENGTH];
    ecgseg_segment_t segments[ECGSEG_MAX_SEGMENTS];
    uint16_t segment_count;
    uint32_t running_ticks; /* preprocessor ticks of the frame that is being filled */
    uint32_t preprocess_ticks;
    uint32_t inference_ticks;
    uint32_t postprocess_ticks;
} stream;

app_stream_info_t app_stream_info(void)
{
    return (app_stream_info_t){
        .input_rate = ECGSEG_INPUT_RATE,
        .factor = ECGSEG_FACTOR,
        .hop = ECGSEG_HOP,
        .delay = ECGSEG_DELAY,
        .flat_uv = ECGSEG_FLAT_UV,
    };
}

void app_stream_init(void)
{
    ecgseg_preprocess_reset(&stream.preprocess);
    stream.running_ticks = 0;
    if (app_model_result() == APP_RESULT_FRAME) {
        app_model_set_result(APP_RESULT_NONE);
    }
}

ecgseg_link_error_t app_stream_reset(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    (void)answer;
    app_stream_init();
    return ECGSEG_ERROR_OK;
}

/* Raw samples until the second frame from now is complete. */
static uint32_t samples_to_second_frame(void)
{
    return stream.preprocess.until_output +
           ((uint32_t)stream.preprocess.until_frame - 1u + ECGSEG_HOP) * (uint32_t)ECGSEG_FACTOR;
}

static size_t preprocess(const int16_t *samples, size_t count, bool *frame_ready)
{
    board_set_state(BOARD_STATE_PREPROCESS);
    const uint32_t start = board_ticks();
    const size_t taken = ecgseg_preprocess_push(&stream.preprocess, samples, count, frame_ready);
    if (*frame_ready) {
        stream.frame = ecgseg_preprocess_frame(&stream.preprocess, app_input, stream.valid);
    }
    stream.running_ticks += board_ticks() - start;
    board_set_state(BOARD_STATE_RECEIVE);
    return taken;
}

static ecgseg_link_error_t process_frame(void)
{
    app_model_input_is_complete();
    stream.preprocess_ticks = stream.running_ticks;
    stream.running_ticks = 0;
    const ecgseg_link_error_t error = app_model_run(&stream.inference_ticks);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    const uint32_t start = board_ticks();
    ecgseg_class_mask(app_output, stream.valid, ECGSEG_FRAME_LENGTH, ECGSEG_MODEL_CLASS_COUNT, stream.mask);
    stream.segment_count = (uint16_t)ecgseg_segments(stream.mask, ECGSEG_FRAME_LENGTH, stream.segments);
    stream.postprocess_ticks = board_ticks() - start;
    app_model_set_result(APP_RESULT_FRAME);
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t push_block(const int16_t *samples, size_t count, bool *any_frame)
{
    while (count > 0) {
        bool frame_ready = false;
        const size_t taken = preprocess(samples, count, &frame_ready);
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

static ecgseg_link_error_t push_samples(ecgseg_reader_t *request, bool *any_frame)
{
    int16_t block[BLOCK_SAMPLES];
    while (request->left > 0) {
        size_t count = 0;
        while (count < BLOCK_SAMPLES && request->left > 0) {
            block[count++] = (int16_t)ecgseg_get_u16(request);
        }
        const ecgseg_link_error_t error = push_block(block, count, any_frame);
        if (error != ECGSEG_ERROR_OK) {
            return error;
        }
    }
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_stream_push(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint32_t first = ecgseg_get_u32(request);
    if (request->left % 2u != 0) {
        return ECGSEG_ERROR_BAD_LENGTH;
    }
    if (first != stream.preprocess.raw_samples) {
        ecgseg_put_u32(answer, stream.preprocess.raw_samples);
        return ECGSEG_ERROR_WRONG_INDEX;
    }
    if (request->left / 2u >= samples_to_second_frame()) {
        return ECGSEG_ERROR_TOO_MANY_FRAMES;
    }
    bool any_frame = false;
    const ecgseg_link_error_t error = push_samples(request, &any_frame);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    ecgseg_put_u32(answer, stream.preprocess.raw_samples);
    ecgseg_put_u32(answer, stream.preprocess.frames);
    ecgseg_put_u8(answer, any_frame ? (uint8_t)ECGSEG_PUSH_FRAME_READY : 0);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_stream_frame(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    if (app_model_result() != APP_RESULT_FRAME) {
        return ECGSEG_ERROR_NO_FRAME;
    }
    ecgseg_put_u32(answer, stream.frame.index);
    ecgseg_put_u16(answer, (uint16_t)stream.frame.status);
    ecgseg_put_u16(answer, stream.frame.lead_off_samples);
    ecgseg_put_u16(answer, stream.frame.saturated_samples);
    ecgseg_put_u16(answer, stream.segment_count);
    ecgseg_put_u32(answer, stream.preprocess_ticks);
    ecgseg_put_u32(answer, stream.inference_ticks);
    ecgseg_put_u32(answer, stream.postprocess_ticks);
    return ECGSEG_ERROR_OK;
}

/* Byte `position` of the segments as they are sent: class, onset, offset. */
static uint8_t segment_byte(uint32_t position)
{
    const ecgseg_segment_t *segment = &stream.segments[position / ECGSEG_LINK_SEGMENT_BYTES];
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
        kind == ECGSEG_READ_MASK ? ECGSEG_FRAME_LENGTH : stream.segment_count * ECGSEG_LINK_SEGMENT_BYTES;
    if (offset > size || length > size - offset) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    for (uint32_t i = offset; i < offset + length; i++) {
        ecgseg_put_u8(answer, kind == ECGSEG_READ_MASK ? stream.mask[i] : segment_byte(i));
    }
    return ECGSEG_ERROR_OK;
}

/* A wandering sawtooth: what it is does not matter to the time, as long as it is neither flat nor a gap. */
static int16_t test_sample(uint32_t n)
{
    return (int16_t)((int32_t)((n * 37u) & 1023u) - 512);
}

static uint32_t bench_hop(uint32_t *position)
{
    uint32_t ticks = 0;
    uint32_t left = (uint32_t)ECGSEG_HOP * ECGSEG_FACTOR;
    while (left > 0) {
        int16_t block[BLOCK_SAMPLES];
        uint32_t count = BLOCK_SAMPLES;
        if (count > left) {
            count = left;
        }
        for (uint32_t i = 0; i < count; i++) {
            block[i] = test_sample(*position + i);
        }
        const uint32_t start = board_ticks();
        bool frame_ready = false;
        for (size_t taken = 0; taken < count;) {
            taken += ecgseg_preprocess_push(&stream.preprocess, &block[taken], count - taken, &frame_ready);
        }
        ticks += board_ticks() - start;
        *position += count;
        left -= count;
    }
    const uint32_t start = board_ticks();
    stream.frame = ecgseg_preprocess_frame(&stream.preprocess, app_input, stream.valid);
    return ticks + (board_ticks() - start);
}

ecgseg_link_error_t app_stream_bench(uint32_t repetitions, uint64_t *ticks)
{
    app_model_set_result(APP_RESULT_NONE);
    app_stream_init();
    board_set_state(BOARD_STATE_PREPROCESS);
    uint32_t position = 0;
    for (uint32_t i = 0; i < repetitions; i++) {
        *ticks += bench_hop(&position);
        board_feed_watchdog();
    }
    app_model_input_is_complete();
    app_stream_init();
    board_set_state(BOARD_STATE_RECEIVE);
    return ECGSEG_ERROR_OK;
}
