/* What is done with the model alone, and what in its buffers may be read. */
#ifndef APP_MODEL_H
#define APP_MODEL_H

#include <stdint.h>

#include "app_stream.h"
#include "ecgseg_bytes.h"
#include "ecgseg_engine.h"
#include "ecgseg_model.h"
#include "ecgseg_protocol.h"

typedef enum {
    APP_RESULT_NONE = 0,
    APP_RESULT_FRAME = 1, /* scores, mask and segments of a frame of the stream */
    APP_RESULT_INFER = 2, /* output of a written input */
    APP_RESULT_TRACE = 3  /* result of one layer */
} app_result_t;

/* The model has been started; its status stays in HELLO. */
void app_model_init(app_engine_t engine);
ecgseg_engine_status_t app_model_status(void);

app_result_t app_model_result(void);
void app_model_set_result(app_result_t result);

/* Runs the model from its input to its output; there is no result to read until the caller says which. */
ecgseg_link_error_t app_model_run(uint32_t *ticks);

/* The same for the layers 0..layer, of whose result `count` bytes from `offset` on are copied. */
ecgseg_link_error_t app_model_run_to_layer(uint16_t layer, uint32_t offset, int8_t *destination, uint32_t count,
                                           uint32_t *ticks);

/* The model's whole input is defined: a frame of the stream lies there. */
void app_model_input_is_complete(void);

ecgseg_link_error_t app_model_write(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_model_infer(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_model_trace(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_model_layer(ecgseg_reader_t *request, ecgseg_writer_t *answer);

/* Bytes of the input, the scores or a traced layer; an error when there is none. */
ecgseg_link_error_t app_model_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer);

#endif
