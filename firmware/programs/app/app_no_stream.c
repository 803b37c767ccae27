/* For models that are no segmenters: every request of the stream is refused. */
#include "app_stream.h"

app_stream_info_t app_stream_info(void)
{
    return (app_stream_info_t){0};
}

void app_stream_init(void)
{
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

ecgseg_link_error_t app_stream_bench(uint32_t repetitions, uint64_t *ticks)
{
    (void)repetitions;
    (void)ticks;
    return ECGSEG_ERROR_NO_STREAM;
}
