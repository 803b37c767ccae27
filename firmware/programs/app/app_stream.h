/* The stream of raw samples. An image whose model is no segmenter links app_no_stream.c in place of app_stream.c. */
#ifndef APP_STREAM_H
#define APP_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "ecgseg_bytes.h"
#include "ecgseg_engine.h"
#include "ecgseg_protocol.h"

typedef struct {
    uint16_t input_rate; /* Hz, 0 without a stream */
    uint16_t factor;
    uint16_t hop;         /* samples at 100 Hz */
    uint32_t hop_samples; /* the same in raw samples, at the least */
    uint16_t delay;
    uint16_t flat_uv;
} app_stream_info_t;

/* The started model: what its start said, and where its input and output lie. */
typedef struct {
    ecgseg_engine_status_t status;
    int8_t *input;  /* [ECGSEG_MODEL_INPUT_BYTES] */
    int8_t *output; /* [ECGSEG_MODEL_OUTPUT_BYTES] */
} app_engine_t;

app_stream_info_t app_stream_info(void);

/* Starts the model, with a segmenter around it when it is one: its buffers are the segmenter's then. */
app_engine_t app_stream_start(void);

/* Forgets samples and frame; NO_STREAM without a stream, as everything below. */
ecgseg_link_error_t app_stream_restart(void);

/* Raw samples still to come until the next frame is complete; 0 without a stream. */
uint32_t app_stream_until_frame(void);

/* Takes samples without running the model. *ticks: what that took. */
ecgseg_link_error_t app_stream_preprocess(const int16_t *samples, size_t count, uint32_t *ticks);

ecgseg_link_error_t app_stream_reset(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_stream_push(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_stream_frame(ecgseg_reader_t *request, ecgseg_writer_t *answer);

/* READ of the mask or the segments of the newest frame. */
ecgseg_link_error_t app_stream_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer);

#endif
