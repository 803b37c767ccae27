/* For models that are no segmenters: every request of the stream is refused. */
#include "app_stream.h"

#include "ecgseg_model.h"

app_stream_info_t app_stream_info(void)
{
    return (app_stream_info_t){0};
}

app_engine_t app_stream_start(void)
{
    /* Aligned so that kernels may load several values at once. */
    static _Alignas(8) int8_t input[ECGSEG_MODEL_INPUT_BYTES];
    static _Alignas(8) int8_t output[ECGSEG_MODEL_OUTPUT_BYTES];
    return (app_engine_t){.status = ecgseg_model_init(), .input = input, .output = output};
}

ecgseg_link_error_t app_stream_restart(void)
{
    return ECGSEG_ERROR_NO_STREAM;
}

ecgseg_link_error_t app_stream_preprocess(const int16_t *samples, size_t count, uint32_t *ticks)
{
    (void)samples;
    (void)count;
    (void)ticks;
    return ECGSEG_ERROR_NO_STREAM;
}

uint32_t app_stream_until_frame(void)
{
    return 0;
}

ecgseg_link_error_t app_stream_reset(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    (void)answer;
    return ECGSEG_ERROR_NO_STREAM;
}

ecgseg_link_error_t app_stream_push(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    (void)answer;
    return ECGSEG_ERROR_NO_STREAM;
}

ecgseg_link_error_t app_stream_frame(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    (void)answer;
    return ECGSEG_ERROR_NO_STREAM;
}

ecgseg_link_error_t app_stream_read(ecgseg_read_kind_t kind, uint32_t offset, uint16_t length, ecgseg_writer_t *answer)
{
    (void)kind;
    (void)offset;
    (void)length;
    (void)answer;
    return ECGSEG_ERROR_NO_STREAM;
}
