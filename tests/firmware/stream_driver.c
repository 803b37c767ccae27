/* Test program: records on standard input, each as its number of rows, the number of chunks, the sizes of the chunks
 * (uint32) and the rows; for each, on standard output, the answers of the stream: their number, then their bytes.
 *
 * Every record goes through two streams side by side that share one arena: one takes the chunks, the other one row
 * after the other; their answers must be the same. With a file's name as argument, the first stream's layers write
 * their new rows into it: layer and bytes (uint32), then the rows. State, arena and buffers have exactly the size that
 * they need, for the sanitizers. */
#include <stdio.h>
#include <stdlib.h>

static FILE *layers_file;
static int traced;

#define ECGSEG_STREAM_ROWS(layer, rows, bytes)                  \
    do {                                                        \
        if (traced && layers_file != NULL) {                    \
            const uint32_t head[2] = {(layer), (bytes)};        \
            (void)fwrite(head, sizeof head[0], 2, layers_file); \
            (void)fwrite((rows), 1, (bytes), layers_file);      \
        }                                                       \
    } while (0)

#include "ecgseg_stream_model.c"

typedef struct {
    ecgseg_stream_t *stream;
    int8_t *answers;
    uint32_t count;
} side_t;

static ecgseg_stream_arena_t *arena;

/* Takes rows, first with too little room, and adds their answers. */
static int push(side_t *side, const int8_t *input, uint32_t rows)
{
    uint32_t needed = 0;
    uint32_t written = 0;
    const ecgseg_stream_status_t asked = ecgseg_stream_push(side->stream, arena, input, rows, NULL, 0, &needed);
    if (asked == ECGSEG_STREAM_OK) {
        return needed == 0;
    }
    int8_t *output = malloc((size_t)needed * ECGSEG_STREAM_OUTPUT_ROW_BYTES);
    const int good =
        asked == ECGSEG_STREAM_NO_ROOM && needed > 0 && output != NULL &&
        (uint64_t)needed * ECGSEG_STREAM_BLOCK <=
            ((uint64_t)rows + ECGSEG_STREAM_BLOCK) * ECGSEG_STREAM_BLOCK_ANSWERS &&
        ecgseg_stream_push(side->stream, arena, input, rows, output, needed - 1, &written) == ECGSEG_STREAM_NO_ROOM &&
        written == needed &&
        ecgseg_stream_push(side->stream, arena, input, rows, output, needed, &written) == ECGSEG_STREAM_OK &&
        written == needed;
    if (good) {
        memcpy(side->answers + (size_t)side->count * ECGSEG_STREAM_OUTPUT_ROW_BYTES, output,
               (size_t)needed * ECGSEG_STREAM_OUTPUT_ROW_BYTES);
        side->count += needed;
    }
    free(output);
    return good;
}

static int end(side_t *side)
{
    int8_t *output = malloc(ECGSEG_STREAM_END_ANSWERS * ECGSEG_STREAM_OUTPUT_ROW_BYTES + 1);
    uint32_t written = 0;
    const int good =
        output != NULL &&
        ecgseg_stream_end(side->stream, arena, output, ECGSEG_STREAM_END_ANSWERS, &written) == ECGSEG_STREAM_OK &&
        ecgseg_stream_end(side->stream, arena, output, 0, &side->count) == ECGSEG_STREAM_NOT_OPEN;
    if (good) {
        side->count = 0;
    }
    if (good && written > 0) {
        memcpy(side->answers, output, (size_t)written * ECGSEG_STREAM_OUTPUT_ROW_BYTES);
        side->count = written;
    }
    free(output);
    return good;
}

/* One record through both streams; the answers lie behind each other in each side's buffer. */
static int run(side_t *chunks, side_t *single, const int8_t *input, uint32_t rows, const uint32_t *sizes,
               uint32_t size_count)
{
    if (ecgseg_stream_init(chunks->stream) != ECGSEG_STREAM_OK ||
        ecgseg_stream_init(single->stream) != ECGSEG_STREAM_OK) {
        return 0;
    }
    uint32_t done = 0;
    for (uint32_t i = 0; i < size_count; i++) {
        const int8_t *next = input + (size_t)done * ECGSEG_STREAM_INPUT_ROW_BYTES;
        traced = 1;
        if (!push(chunks, next, sizes[i])) {
            return 0;
        }
        traced = 0;
        for (uint32_t row = 0; row < sizes[i]; row++) {
            if (!push(single, next + (size_t)row * ECGSEG_STREAM_INPUT_ROW_BYTES, 1)) {
                return 0;
            }
        }
        done += sizes[i];
    }
    side_t rest[2] = {*chunks, *single};
    side_t *const sides[2] = {chunks, single};
    for (int i = 0; i < 2; i++) {
        rest[i].answers += (size_t)rest[i].count * ECGSEG_STREAM_OUTPUT_ROW_BYTES;
        traced = i == 0;
        if (!end(&rest[i])) {
            return 0;
        }
        sides[i]->count += rest[i].count;
    }
    traced = 0;
    return done == rows && chunks->count == single->count &&
           (chunks->count == 0 ||
            memcmp(chunks->answers, single->answers, (size_t)chunks->count * ECGSEG_STREAM_OUTPUT_ROW_BYTES) == 0);
}

static int record(side_t *chunks, side_t *single, const uint32_t head[2])
{
    const size_t most = (size_t)head[0] / ECGSEG_STREAM_BLOCK * ECGSEG_STREAM_BLOCK_ANSWERS +
                        ECGSEG_STREAM_BLOCK_ANSWERS + ECGSEG_STREAM_END_ANSWERS;
    const size_t bytes = (size_t)head[0] * ECGSEG_STREAM_INPUT_ROW_BYTES;
    int8_t *input = malloc(bytes + 1);
    uint32_t *sizes = malloc(sizeof *sizes * (head[1] + 1u));
    chunks->answers = malloc(most * ECGSEG_STREAM_OUTPUT_ROW_BYTES);
    single->answers = malloc(most * ECGSEG_STREAM_OUTPUT_ROW_BYTES);
    chunks->count = single->count = 0;
    const int good = input != NULL && sizes != NULL && chunks->answers != NULL && single->answers != NULL &&
                     fread(sizes, sizeof *sizes, head[1], stdin) == head[1] && fread(input, 1, bytes, stdin) == bytes &&
                     run(chunks, single, input, head[0], sizes, head[1]) &&
                     fwrite(&chunks->count, sizeof chunks->count, 1, stdout) == 1 &&
                     fwrite(chunks->answers, ECGSEG_STREAM_OUTPUT_ROW_BYTES, chunks->count, stdout) == chunks->count;
    free(input);
    free(sizes);
    free(chunks->answers);
    free(single->answers);
    return good;
}

int main(int count, char **arguments)
{
    uint32_t head[2];
    side_t sides[2] = {{malloc(sizeof(ecgseg_stream_t)), NULL, 0}, {malloc(sizeof(ecgseg_stream_t)), NULL, 0}};
    arena = malloc(sizeof *arena);
    if (sides[0].stream == NULL || sides[1].stream == NULL || arena == NULL) {
        return 2;
    }
    if (count > 1 && (layers_file = fopen(arguments[1], "wb")) == NULL) {
        return 3;
    }
    /* What was there before must not matter. */
    memset(sides[0].stream, 0x5a, sizeof(ecgseg_stream_t));
    memset(sides[1].stream, 0xa5, sizeof(ecgseg_stream_t));
    memset(arena, 0x77, sizeof *arena);
    while (fread(head, sizeof head[0], 2, stdin) == 2) {
        if (!record(&sides[0], &sides[1], head)) {
            return 4;
        }
    }
    free(sides[0].stream);
    free(sides[1].stream);
    free(arena);
    return layers_file != NULL && fclose(layers_file) != 0 ? 5 : 0;
}
