/* A network that runs as a stream over a record of any length, a block of rows at a time.
 *
 * In every block each layer computes the same number of rows, of rows that were kept and of new ones, without padding.
 * Where it looks ahead its result lags behind the input by a fixed number of rows. Rows before the record's first and
 * behind its last one are computed like all others and then overwritten by what the padding is, so that the rows that
 * are kept are padding already when a layer comes to them. Both ends are counted from the current block on, so a record
 * may be of any length.
 *
 * What is rendered (<prefix>_stream_model.h) keeps an ecgseg_record_t in front of the rows in a state that the caller
 * owns; nothing is static but constants, so many streams run side by side, and those that run one after the other may
 * share one arena.
 */
#ifndef ECGSEG_RECORD_H
#define ECGSEG_RECORD_H

#include "ecgseg_fixed.h"

typedef enum {
    ECGSEG_STREAM_OK = 0,
    ECGSEG_STREAM_BAD_ARGUMENT = 1, /* null pointer */
    ECGSEG_STREAM_NOT_OPEN = 2,     /* no record was begun, or it has ended */
    ECGSEG_STREAM_NO_ROOM = 3,      /* more answers than there is room for: nothing was done, *count says how many */
    ECGSEG_STREAM_TOO_SHORT = 4,    /* at the end: the network does not exist for so short a record */
    ECGSEG_STREAM_NOT_WHOLE = 5     /* at the end: nor for a record of which a stride leaves a rest */
} ecgseg_stream_status_t;

/* Where a stream stands in its record. */
typedef struct {
    uint32_t open;    /* ECGSEG_RECORD_OPEN from init to end */
    uint32_t waiting; /* input rows that are no whole block yet */
    uint32_t blocks;  /* that have run, as far as it matters: until nothing is before the record any more */
    uint32_t missing; /* input rows until the record is long enough for the network */
    uint32_t turn;    /* blocks that have run, begun again where all rings of rows stand as at first */
} ecgseg_record_t;

#define ECGSEG_RECORD_OPEN 0x45434753u
/* Rows that exist, while the record goes on. */
#define ECGSEG_RECORD_GOES_ON INT32_MAX

/* A rendered stream as a constant, so that one program can run several: its numbers, as in <prefix>_stream_model.h, and
 * its functions, whose stream and arena are a <prefix>_stream_t and a <prefix>_stream_arena_t. */
typedef struct {
    uint32_t engine_version;
    uint32_t state_bytes, arena_bytes;
    uint32_t input_row_bytes, output_row_bytes;
    uint32_t block, block_answers, lag, least, granule, end_answers;
    float input_scale;
    int32_t input_zero_point;
    int32_t faint_margin; /* of a score of P below that of NONE, at most, for a faint P wave; 0: none is faint */
    ecgseg_stream_status_t (*init)(void *stream);
    ecgseg_stream_status_t (*push)(void *stream, void *arena, const int8_t *input, uint32_t rows, int8_t *output,
                                   uint32_t capacity, uint32_t *count);
    ecgseg_stream_status_t (*end)(void *stream, void *arena, int8_t *output, uint32_t capacity, uint32_t *count);
} ecgseg_stream_model_t;

/* The new rows of a tensor in a block. */
typedef struct {
    int32_t rows, row_bytes;
    int32_t lag;  /* rows by which it lies behind the input */
    int32_t fill; /* what rows outside of the record are */
} ecgseg_new_rows_t;

/* How many rows of a tensor exist, from the current block's first new one on, follows from another's:
 * times * floor((left * factor + add) / down) + plus. */
typedef struct {
    int32_t factor, add, down, times, plus;
} ecgseg_left_t;

ECGSEG_INLINE int32_t ecgseg_left(int32_t left, ecgseg_left_t rule)
{
    const int32_t sum = left * rule.factor + rule.add;
    const int32_t rest = sum % rule.down;
    return rule.times * ((sum - (rest < 0 ? rest + rule.down : rest)) / rule.down) + rule.plus;
}

/* Rows of a tensor that lie before the record in this block. */
ECGSEG_INLINE int32_t ecgseg_record_late(const ecgseg_record_t *record, int32_t lag, int32_t rows)
{
    const int32_t late = lag - (int32_t)record->blocks * rows;
    return late > 0 ? late : 0;
}

/* Turns the new rows that lie outside of the record into padding; `left` of them exist. */
ECGSEG_INLINE void ecgseg_record_pad(const ecgseg_record_t *record, ecgseg_new_rows_t tensor, int32_t left,
                                     int8_t *rows)
{
    const int32_t late = ecgseg_record_late(record, tensor.lag, tensor.rows);
    const int32_t before = late < tensor.rows ? late : tensor.rows;
    if (before > 0) {
        (void)memset(rows, tensor.fill, (size_t)(before * tensor.row_bytes));
    }
    const int32_t first = left > 0 ? left : 0;
    if (first < tensor.rows) {
        (void)memset(rows + first * tensor.row_bytes, tensor.fill, (size_t)((tensor.rows - first) * tensor.row_bytes));
    }
}

/* Keeps the last `kept` bytes of kept and new rows for the next block. */
ECGSEG_INLINE void ecgseg_record_keep(int8_t *rows, uint32_t kept, uint32_t fresh)
{
    (void)memmove(rows, rows + fresh, kept);
}

/* Puts the `kept` bytes of rows from before in front of the `fresh` bytes of new ones, and keeps the last of all these
 * for the next block. */
ECGSEG_INLINE void ecgseg_record_carry(int8_t *rows, int8_t *carried, uint32_t kept, uint32_t fresh)
{
    (void)memcpy(rows - kept, carried, kept);
    (void)memcpy(carried, rows + fresh - kept, kept);
}

/* Counts a block, of which `most` matter, or ends of one; rings begin again after `turns`, 0 when there are none. */
ECGSEG_INLINE void ecgseg_record_next(ecgseg_record_t *record, uint32_t most, uint32_t turns)
{
    record->waiting = 0;
    record->turn = record->turn + 1u < turns ? record->turn + 1u : 0u;
    if (record->blocks < most) {
        record->blocks++;
    }
}

/* Copies the rows of a block's answer that are in the record and below `left`; returns how many. */
ECGSEG_INLINE uint32_t ecgseg_record_answer(int8_t *output, const int8_t *answer, int32_t row_bytes, int32_t late,
                                            int32_t left)
{
    if (left <= late) {
        return 0;
    }
    (void)memcpy(output, answer + late * row_bytes, (size_t)((left - late) * row_bytes));
    return (uint32_t)(left - late);
}

/* Whole blocks that so many more input rows make. */
ECGSEG_INLINE uint32_t ecgseg_record_blocks(const ecgseg_record_t *record, uint32_t rows, uint32_t block)
{
    return rows / block + (rows % block + record->waiting) / block;
}

#endif
