/* Test program: what a stream answers to a caller who errs, and that nothing in it counts how long a record is. The
 * model needs four rows and more, an even number of them. Ends with the number of the first line that does not hold. */
#include <string.h>

#include "ecgseg_stream_model.h"

#define CHECK(condition)     \
    do {                     \
        if (!(condition)) {  \
            return __LINE__; \
        }                    \
    } while (0)

enum { ROWS = 64 * ECGSEG_STREAM_BLOCK, ROOM = 65 * ECGSEG_STREAM_BLOCK_ANSWERS + ECGSEG_STREAM_END_ANSWERS };

static ecgseg_stream_t stream;
static ecgseg_stream_t before;
static ecgseg_stream_arena_t arena;
static int8_t input[ROWS * ECGSEG_STREAM_INPUT_ROW_BYTES];
static int8_t output[ROOM * ECGSEG_STREAM_OUTPUT_ROW_BYTES];
static uint32_t count;

static int arguments(void)
{
    CHECK(ecgseg_stream_init(NULL) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_push(&stream, &arena, input, 1, output, ROOM, &count) == ECGSEG_STREAM_NOT_OPEN);
    CHECK(ecgseg_stream_end(&stream, &arena, output, ROOM, &count) == ECGSEG_STREAM_NOT_OPEN);
    CHECK(ecgseg_stream_init(&stream) == ECGSEG_STREAM_OK);
    before = stream;
    CHECK(ecgseg_stream_push(NULL, &arena, input, 1, output, ROOM, &count) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_push(&stream, NULL, input, 1, output, ROOM, &count) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_push(&stream, &arena, NULL, 1, output, ROOM, &count) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_push(&stream, &arena, input, 1, NULL, ROOM, &count) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_push(&stream, &arena, input, 1, output, ROOM, NULL) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_end(NULL, &arena, output, ROOM, &count) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_end(&stream, NULL, output, ROOM, &count) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_end(&stream, &arena, NULL, ROOM, &count) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_end(&stream, &arena, output, ROOM, NULL) == ECGSEG_STREAM_BAD_ARGUMENT);
    CHECK(ecgseg_stream_push(&stream, &arena, NULL, 0, NULL, 0, &count) == ECGSEG_STREAM_OK && count == 0);
    CHECK(memcmp(&before, &stream, sizeof stream) == 0);
    return 0;
}

static int room(void)
{
    CHECK(ecgseg_stream_init(&stream) == ECGSEG_STREAM_OK);
    before = stream;
    /* More answers than a number of 32 bits holds: the least that is too little is told. */
    CHECK(ecgseg_stream_push(&stream, &arena, input, UINT32_MAX, output, ROOM, &count) == ECGSEG_STREAM_NO_ROOM);
    CHECK(count > UINT32_MAX / 2u);
    CHECK(ecgseg_stream_push(&stream, &arena, input, ROWS, output, 1, &count) == ECGSEG_STREAM_NO_ROOM);
    CHECK(count > 1 && count <= ROOM);
    CHECK(memcmp(&before, &stream, sizeof stream) == 0);
    const uint32_t wanted = count;
    CHECK(ecgseg_stream_push(&stream, &arena, input, ROWS, output, wanted, &count) == ECGSEG_STREAM_OK);
    CHECK(count == wanted);
    before = stream;
    CHECK(ecgseg_stream_end(&stream, &arena, output, 0, &count) == ECGSEG_STREAM_NO_ROOM);
    CHECK(count > 0 && count <= ECGSEG_STREAM_END_ANSWERS);
    CHECK(memcmp(&before, &stream, sizeof stream) == 0);
    CHECK(ecgseg_stream_end(&stream, &arena, output, count, &count) == ECGSEG_STREAM_OK && count > 0);
    CHECK(ecgseg_stream_push(&stream, &arena, input, 1, output, ROOM, &count) == ECGSEG_STREAM_NOT_OPEN);
    return 0;
}

static int lengths(void)
{
    CHECK(ECGSEG_STREAM_GRANULE == 2 && ECGSEG_STREAM_LEAST == 4);
    CHECK(ecgseg_stream_init(&stream) == ECGSEG_STREAM_OK);
    CHECK(ecgseg_stream_end(&stream, &arena, output, ROOM, &count) == ECGSEG_STREAM_TOO_SHORT && count == 0);
    for (uint32_t row = 1; row <= 3; row++) {
        CHECK(ecgseg_stream_push(&stream, &arena, input, 1, output, ROOM, &count) == ECGSEG_STREAM_OK);
        CHECK(ecgseg_stream_end(&stream, &arena, output, ROOM, &count) == ECGSEG_STREAM_TOO_SHORT);
    }
    CHECK(ecgseg_stream_push(&stream, &arena, input, 2, output, ROOM, &count) == ECGSEG_STREAM_OK);
    CHECK(ecgseg_stream_end(&stream, &arena, output, ROOM, &count) == ECGSEG_STREAM_NOT_WHOLE && count == 0);
    /* A record that cannot end yet goes on. */
    CHECK(ecgseg_stream_push(&stream, &arena, input, 1, output, ROOM, &count) == ECGSEG_STREAM_OK);
    CHECK(ecgseg_stream_end(&stream, &arena, output, ROOM, &count) == ECGSEG_STREAM_OK && count > 0);
    return 0;
}

/* After the first blocks a block changes nothing but rows: of constant input not even these. */
static int any_length(void)
{
    CHECK(ecgseg_stream_init(&stream) == ECGSEG_STREAM_OK);
    CHECK(ecgseg_stream_push(&stream, &arena, input, ROWS, output, ROOM, &count) == ECGSEG_STREAM_OK);
    before = stream;
    for (uint32_t i = 0; i < 100; i++) {
        CHECK(ecgseg_stream_push(&stream, &arena, input, ROWS, output, ROOM, &count) == ECGSEG_STREAM_OK);
        CHECK(memcmp(&before, &stream, sizeof stream) == 0);
    }
    return 0;
}

int main(void)
{
    int (*const parts[])(void) = {arguments, room, lengths, any_length};
    for (uint32_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const int line = parts[i]();
        if (line != 0) {
            return line;
        }
    }
    return 0;
}
