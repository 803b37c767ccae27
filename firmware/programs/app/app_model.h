/* The model's buffers and what in them may be read. */
#ifndef APP_MODEL_H
#define APP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "ecgseg_engine.h"
#include "ecgseg_model.h"
#include "ecgseg_bytes.h"
#include "ecgseg_protocol.h"

typedef enum {
    APP_RESULT_NONE = 0,
    APP_RESULT_FRAME = 1, /* scores, mask and segments of a frame of the stream */
    APP_RESULT_INFER = 2, /* output of a written input */
    APP_RESULT_TRACE = 3  /* result of one layer */
} app_result_t;

/* Input of the last or the next run. */
extern int8_t app_input[ECGSEG_MODEL_INPUT_BYTES];
extern int8_t app_output[ECGSEG_MODEL_OUTPUT_BYTES];

/* Starts the engine once; its status stays in HELLO. */
void app_model_init(void);
ecgseg_engine_status_t app_model_status(void);

app_result_t app_model_result(void);
void app_model_set_result(app_result_t result);

/* Runs the model from app_input to app_output; there is no result to read until the caller says which. */
ecgseg_link_error_t app_model_run(uint32_t *ticks);

/* The frame of the stream lies complete in app_input. */
void app_model_input_is_complete(void);

ecgseg_link_error_t app_model_write(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_model_infer(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_model_trace(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_model_layer(ecgseg_reader_t *request, ecgseg_writer_t *answer);

/* Total ticks of `repetitions` runs, of the whole model or of the layers 0..layer. */
ecgseg_link_error_t app_model_bench(uint32_t repetitions, uint64_t *ticks);
ecgseg_link_error_t app_model_bench_layers(uint16_t layer, uint32_t repetitions, uint64_t *ticks);

/* Bytes of the input, the scores or a traced layer; an error when there is none. */
ecgseg_link_error_t app_model_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer);

#endif
