/* The stream in QEMU: records and the sizes of their chunks are linked in. */
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_stream_model.h"
#include "semihosting.h"

typedef struct {
    const int8_t *rows;
    const uint32_t *chunks;
    uint32_t chunk_count;
} test_record_t;

#include "test_records.h"

void board_uart_rx_handler(void);
int main(void);

void board_uart_rx_handler(void)
{
}

static ecgseg_stream_t stream;
static ecgseg_stream_arena_t arena;
static int8_t answers[TEST_ROOM * ECGSEG_STREAM_OUTPUT_ROW_BYTES];

/* Number of answers. */
static uint32_t run(const test_record_t *record)
{
    const int8_t *input = record->rows;
    uint32_t count = 0;
    uint32_t written = 0;
    if (ecgseg_stream_init(&stream) != ECGSEG_STREAM_OK) {
        leave(SEMIHOSTING_BAD);
    }
    for (uint32_t i = 0; i < record->chunk_count; i++) {
        if (ecgseg_stream_push(&stream, &arena, input, record->chunks[i],
                               answers + count * ECGSEG_STREAM_OUTPUT_ROW_BYTES, TEST_ROOM - count,
                               &written) != ECGSEG_STREAM_OK) {
            leave(SEMIHOSTING_BAD);
        }
        input += record->chunks[i] * ECGSEG_STREAM_INPUT_ROW_BYTES;
        count += written;
    }
    if (ecgseg_stream_end(&stream, &arena, answers + count * ECGSEG_STREAM_OUTPUT_ROW_BYTES, TEST_ROOM - count,
                          &written) != ECGSEG_STREAM_OK) {
        leave(SEMIHOSTING_BAD);
    }
    return count + written;
}

int main(void)
{
    const uint32_t handle = open_output();
    for (uint32_t i = 0; i < sizeof test_records / sizeof test_records[0]; i++) {
        const uint32_t count = run(&test_records[i]);
        put(handle, &count, sizeof count);
        put(handle, answers, count * ECGSEG_STREAM_OUTPUT_ROW_BYTES);
    }
    leave(SEMIHOSTING_GOOD);
    return 0;
}
