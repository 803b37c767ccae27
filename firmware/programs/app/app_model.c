#include "app_model.h"

#include <stddef.h>
#include <string.h>

#include "board.h"

/* Word aligned, so that kernels may load four values at once. */
_Alignas(8) int8_t app_input[ECGSEG_MODEL_INPUT_BYTES];
_Alignas(8) int8_t app_output[ECGSEG_MODEL_OUTPUT_BYTES];

static struct {
    ecgseg_engine_status_t status;
    app_result_t result;
    uint32_t written; /* bytes of app_input that are defined, from 0 */
    uint16_t trace;   /* layer whose result may be read */
} model;

void app_model_init(void)
{
    model.status = ecgseg_model_init();
}

ecgseg_engine_status_t app_model_status(void)
{
    return model.status;
}

app_result_t app_model_result(void)
{
    return model.result;
}

void app_model_set_result(app_result_t result)
{
    model.result = result;
}

void app_model_input_is_complete(void)
{
    model.written = sizeof app_input;
}

ecgseg_link_error_t app_model_run(uint32_t *ticks)
{
    model.result = APP_RESULT_NONE;
    if (model.status != ECGSEG_ENGINE_OK) {
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
    board_set_state(BOARD_STATE_INFERENCE);
    const uint32_t start = board_ticks();
    const ecgseg_engine_status_t status = ecgseg_model_run(app_input, app_output);
    *ticks = board_ticks() - start;
    board_set_state(BOARD_STATE_RECEIVE);
    return status == ECGSEG_ENGINE_OK ? ECGSEG_ERROR_OK : ECGSEG_ERROR_ENGINE_FAILED;
}

static ecgseg_link_error_t run_to_layer(uint16_t layer, uint32_t offset, int8_t *destination, uint32_t count,
                                        uint32_t *ticks)
{
    model.result = APP_RESULT_NONE;
    if (model.status != ECGSEG_ENGINE_OK) {
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
    board_set_state(BOARD_STATE_INFERENCE);
    const uint32_t start = board_ticks();
    const ecgseg_engine_status_t status = ecgseg_model_run_to_layer(app_input, layer, offset, destination, count);
    *ticks = board_ticks() - start;
    board_set_state(BOARD_STATE_RECEIVE);
    return status == ECGSEG_ENGINE_OK ? ECGSEG_ERROR_OK : ECGSEG_ERROR_ENGINE_FAILED;
}

ecgseg_link_error_t app_model_write(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint32_t offset = ecgseg_get_u32(request);
    const size_t length = request->left;
    if (offset != 0 && offset != model.written) {
        return ECGSEG_ERROR_INPUT_INCOMPLETE;
    }
    if (length > sizeof app_input - offset) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    const uint8_t *data = ecgseg_get_bytes(request, length);
    if (data == NULL) {
        return ECGSEG_ERROR_BAD_LENGTH;
    }
    (void)memcpy(&app_input[offset], data, length);
    model.written = offset + (uint32_t)length;
    model.result = APP_RESULT_NONE;
    ecgseg_put_u32(answer, model.written);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_model_infer(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    if (model.written != sizeof app_input) {
        return ECGSEG_ERROR_INPUT_INCOMPLETE;
    }
    uint32_t ticks = 0;
    const ecgseg_link_error_t error = app_model_run(&ticks);
    if (error == ECGSEG_ERROR_OK) {
        model.result = APP_RESULT_INFER;
        ecgseg_put_u32(answer, ticks);
    }
    return error;
}

ecgseg_link_error_t app_model_trace(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint16_t layer = ecgseg_get_u16(request);
    if (layer >= ecgseg_model_info.layer_count) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    if (model.written != sizeof app_input) {
        return ECGSEG_ERROR_INPUT_INCOMPLETE;
    }
    uint32_t ticks = 0;
    const ecgseg_link_error_t error = run_to_layer(layer, 0, NULL, 0, &ticks);
    if (error == ECGSEG_ERROR_OK) {
        model.result = APP_RESULT_TRACE;
        model.trace = layer;
        ecgseg_put_u32(answer, ecgseg_model_info.layers[layer].bytes);
        ecgseg_put_u32(answer, ticks);
    }
    return error;
}

ecgseg_link_error_t app_model_layer(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint16_t index = ecgseg_get_u16(request);
    if (index >= ecgseg_model_info.layer_count) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    const ecgseg_layer_info_t *layer = &ecgseg_model_info.layers[index];
    ecgseg_put_u16(answer, layer->operator_index);
    ecgseg_put_u16(answer, layer->tensor_index);
    ecgseg_put_u32(answer, layer->bytes);
    ecgseg_put_u32(answer, layer->macs);
    ecgseg_put_text(answer, layer->name);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_model_bench(uint32_t repetitions, uint64_t *ticks)
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

ecgseg_link_error_t app_model_bench_layers(uint16_t layer, uint32_t repetitions, uint64_t *ticks)
{
    if (layer >= ecgseg_model_info.layer_count) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    ecgseg_link_error_t error = ECGSEG_ERROR_OK;
    for (uint32_t i = 0; i < repetitions && error == ECGSEG_ERROR_OK; i++) {
        uint32_t once = 0;
        error = run_to_layer(layer, 0, NULL, 0, &once);
        *ticks += once;
        board_feed_watchdog();
    }
    return error;
}

/* Part of a traced layer's result. The layers run again for it: a streamed one is never in memory as a whole. */
static ecgseg_link_error_t read_trace(uint32_t offset, uint16_t length, ecgseg_writer_t *answer)
{
    if (model.result != APP_RESULT_TRACE) {
        return ECGSEG_ERROR_NO_RESULT;
    }
    const uint32_t size = ecgseg_model_info.layers[model.trace].bytes;
    if (offset > size || length > size - offset) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    const size_t before = answer->length;
    uint8_t *const part = ecgseg_put_space(answer, length);
    if (part == NULL) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    uint32_t ticks = 0;
    const ecgseg_link_error_t error = run_to_layer(model.trace, offset, (int8_t *)part, length, &ticks);
    if (error != ECGSEG_ERROR_OK) {
        answer->length = before;
        return error;
    }
    model.result = APP_RESULT_TRACE;
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_model_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer)
{
    const uint8_t *data = (const uint8_t *)app_output;
    uint32_t size = sizeof app_output;
    if (kind == ECGSEG_READ_TRACE) {
        return read_trace(offset, length, answer);
    }
    if (kind == ECGSEG_READ_INPUT) {
        data = (const uint8_t *)app_input;
        size = model.written;
    } else if (kind != ECGSEG_READ_SCORES || (model.result != APP_RESULT_FRAME && model.result != APP_RESULT_INFER)) {
        return ECGSEG_ERROR_NO_RESULT;
    }
    if (offset > size || length > size - offset) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    ecgseg_put_bytes(answer, &data[offset], length);
    return ECGSEG_ERROR_OK;
}
