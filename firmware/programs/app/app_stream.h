/* The stream of raw samples. An image whose model is no segmenter links app_no_stream.c in place of app_stream.c. */
#ifndef APP_STREAM_H
#define APP_STREAM_H

#include <stdint.h>

#include "ecgseg_bytes.h"
#include "ecgseg_protocol.h"

typedef struct {
    uint16_t input_rate; /* Hz, 0 without a stream */
    uint16_t factor;
    uint16_t hop;
    uint16_t delay;
    uint16_t flat_uv;
} app_stream_info_t;

app_stream_info_t app_stream_info(void);
void app_stream_init(void);

ecgseg_link_error_t app_stream_reset(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_stream_push(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_stream_frame(ecgseg_reader_t *request, ecgseg_writer_t *answer);

/* READ of the mask or the segments of the newest frame. */
ecgseg_link_error_t app_stream_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer);

/* Total ticks of `repetitions` hops of a test signal. Resets the stream before and after. */
ecgseg_link_error_t app_stream_bench(uint32_t repetitions, uint64_t *ticks);

#endif
