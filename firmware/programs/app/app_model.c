#include "app_model.h"

#include <stddef.h>
#include <string.h>

#include "app_measure.h"
#include "ecgseg_messages.h"

typedef struct {
    app_engine_t engine;
    app_result_t result;
    uint32_t written; /* bytes of the input that are defined, from 0 */
    uint16_t trace;   /* layer whose result may be read */
} app_model_t;

static app_model_t model;

void app_model_init(app_engine_t engine)
{
    model = (app_model_t){.engine = engine};
}

ecgseg_engine_status_t app_model_status(void)
{
    return model.engine.status;
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
    model.written = ECGSEG_MODEL_INPUT_BYTES;
}

ecgseg_link_error_t app_model_run(uint32_t *ticks)
{
    model.result = APP_RESULT_NONE;
    if (model.engine.status != ECGSEG_ENGINE_OK) {
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
    const uint32_t start = app_begin(BOARD_STATE_INFERENCE);
    const ecgseg_engine_status_t status = ecgseg_model_run(model.engine.input, model.engine.output);
    *ticks = app_end(start);
    return status == ECGSEG_ENGINE_OK ? ECGSEG_ERROR_OK : ECGSEG_ERROR_ENGINE_FAILED;
}

ecgseg_link_error_t app_model_run_to_layer(uint16_t layer, uint32_t offset, int8_t *destination, uint32_t count,
                                           uint32_t *ticks)
{
    model.result = APP_RESULT_NONE;
    if (model.engine.status != ECGSEG_ENGINE_OK) {
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
    const uint32_t start = app_begin(BOARD_STATE_INFERENCE);
    const ecgseg_engine_status_t status =
        ecgseg_model_run_to_layer(model.engine.input, layer, offset, destination, count);
    *ticks = app_end(start);
    return status == ECGSEG_ENGINE_OK ? ECGSEG_ERROR_OK : ECGSEG_ERROR_ENGINE_FAILED;
}

ecgseg_link_error_t app_model_write(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint32_t offset = ecgseg_get_write_request(request).offset;
    const size_t length = request->left;
    if (offset != 0 && offset != model.written) {
        return ECGSEG_ERROR_INPUT_INCOMPLETE;
    }
    if (length > ECGSEG_MODEL_INPUT_BYTES - offset) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    const uint8_t *data = ecgseg_get_bytes(request, length);
    if (data == NULL) {
        return ECGSEG_ERROR_BAD_LENGTH;
    }
    (void)memcpy(&model.engine.input[offset], data, length);
    model.written = offset + (uint32_t)length;
    model.result = APP_RESULT_NONE;
    const ecgseg_write_answer_t values = {.written = model.written};
    ecgseg_put_write_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_model_infer(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    if (model.written != ECGSEG_MODEL_INPUT_BYTES) {
        return ECGSEG_ERROR_INPUT_INCOMPLETE;
    }
    ecgseg_infer_answer_t values = {0};
    const ecgseg_link_error_t error = app_model_run(&values.inference_ticks);
    if (error == ECGSEG_ERROR_OK) {
        model.result = APP_RESULT_INFER;
        ecgseg_put_infer_answer(answer, &values);
    }
    return error;
}

ecgseg_link_error_t app_model_trace(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint16_t layer = ecgseg_get_trace_request(request).layer;
    if (layer >= ecgseg_model_info.layer_count) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    if (model.written != ECGSEG_MODEL_INPUT_BYTES) {
        return ECGSEG_ERROR_INPUT_INCOMPLETE;
    }
    ecgseg_trace_answer_t values = {.bytes = ecgseg_model_info.layers[layer].bytes};
    const ecgseg_link_error_t error = app_model_run_to_layer(layer, 0, NULL, 0, &values.ticks);
    if (error == ECGSEG_ERROR_OK) {
        model.result = APP_RESULT_TRACE;
        model.trace = layer;
        ecgseg_put_trace_answer(answer, &values);
    }
    return error;
}

ecgseg_link_error_t app_model_layer(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint16_t index = ecgseg_get_layer_request(request).layer;
    if (index >= ecgseg_model_info.layer_count) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    const ecgseg_layer_info_t *layer = &ecgseg_model_info.layers[index];
    const ecgseg_layer_answer_t values = {
        .operator_index = layer->operator_index,
        .tensor_index = layer->tensor_index,
        .bytes = layer->bytes,
        .macs = layer->macs,
        .name = layer->name,
    };
    ecgseg_put_layer_answer(answer, &values);
    return ECGSEG_ERROR_OK;
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
    const ecgseg_link_error_t error = app_model_run_to_layer(model.trace, offset, (int8_t *)part, length, &ticks);
    if (error != ECGSEG_ERROR_OK) {
        answer->length = before;
        return error;
    }
    model.result = APP_RESULT_TRACE;
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_model_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer)
{
    const uint8_t *data = (const uint8_t *)model.engine.output;
    uint32_t size = ECGSEG_MODEL_OUTPUT_BYTES;
    if (kind == ECGSEG_READ_TRACE) {
        return read_trace(offset, length, answer);
    }
    if (kind == ECGSEG_READ_INPUT) {
        data = (const uint8_t *)model.engine.input;
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
