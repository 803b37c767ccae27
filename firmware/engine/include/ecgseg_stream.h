/* Layers streamed into each other: a few rows of the last one at a time, and of the tensors between them only the rows
 * that are still needed.
 *
 * A row is what lies along the outermost axis: all channels at one time, or one line of an image. To compute rows of a
 * layer is to run its kernel with another geometry along that axis: as many rows as there are, and padding only at the
 * ends of the tensor. So a kernel knows nothing of streaming, and every byte is the one that the whole layer computes.
 *
 * The group of layers is driven from its end. The last layer's next rows say how many rows of its input must exist,
 * these say the same of the layer before, and so on (ecgseg_rows_needed). Before a layer computes, rows of its result
 * that nobody reads again are dropped and the others move to the front (ecgseg_rows_drop). The code generator runs the
 * same steps to find how many rows exist at once, and how far the result may grow into the memory of the group's input.
 */
#ifndef ECGSEG_STREAM_H
#define ECGSEG_STREAM_H

#include "ecgseg_fixed.h"

/* A layer along its rows: row r of the output reads the rows r * stride - pad + tap * dilation of the input. */
typedef struct {
    int32_t in_rows, out_rows;
    int32_t kernel, stride, dilation, pad;
} ecgseg_axis_t;

/* The rows first..end-1 of a tensor. */
typedef struct {
    int8_t *memory; /* of row `first` */
    int32_t row_bytes;
    int32_t first, end;
} ecgseg_rows_t;

/* What a kernel computes in one go: rows_out rows of output from rows_in rows of input, of which the first is `first`
 * and has `pad` rows of padding before it. */
typedef struct {
    int32_t first;
    int32_t rows_in, rows_out;
    int32_t pad;
} ecgseg_slice_t;

/* The part of a layer's result that is to be copied while it passes. */
typedef struct {
    uint32_t layer;
    uint32_t offset, count;
    int8_t *destination;
} ecgseg_trace_t;

#define ECGSEG_NO_LAYER UINT32_MAX

/* Rows of the input that must exist for the output's rows below `end`; all of them for all. */
ECGSEG_INLINE int32_t ecgseg_rows_needed(const ecgseg_axis_t *axis, int32_t end)
{
    if (end >= axis->out_rows) {
        return axis->in_rows;
    }
    const int32_t needed = (end - 1) * axis->stride - axis->pad + (axis->kernel - 1) * axis->dilation + 1;
    if (needed < 0) {
        return 0;
    }
    return needed < axis->in_rows ? needed : axis->in_rows;
}

/* First row of the input that the output's rows from `row` on read. */
ECGSEG_INLINE int32_t ecgseg_rows_from(const ecgseg_axis_t *axis, int32_t row)
{
    const int32_t first = row * axis->stride - axis->pad;
    if (first < 0) {
        return 0;
    }
    return first < axis->in_rows ? first : axis->in_rows;
}

/* Geometry for the output rows first..end-1 when the input exists up to in_end. */
ECGSEG_INLINE ecgseg_slice_t ecgseg_rows_slice(const ecgseg_axis_t *axis, int32_t first, int32_t end, int32_t in_end)
{
    const int32_t from = ecgseg_rows_from(axis, first);
    return (ecgseg_slice_t){from, in_end - from, end - first, from - (first * axis->stride - axis->pad)};
}

/* End of the rows after another `step` of them. */
ECGSEG_INLINE int32_t ecgseg_rows_next(const ecgseg_rows_t *rows, int32_t step, int32_t all)
{
    return rows->end + step < all ? rows->end + step : all;
}

ECGSEG_INLINE int8_t *ecgseg_rows_at(const ecgseg_rows_t *rows, int32_t row)
{
    return rows->memory + (row - rows->first) * rows->row_bytes;
}

/* Drops the rows below `first`. */
ECGSEG_INLINE void ecgseg_rows_drop(ecgseg_rows_t *rows, int32_t first)
{
    const int32_t kept = first < rows->end ? first : rows->end;
    if (kept > rows->first) {
        (void)memmove(rows->memory, ecgseg_rows_at(rows, kept), (size_t)((rows->end - kept) * rows->row_bytes));
        rows->first = kept;
    }
}

/* Counts the rows up to `end` as computed, and copies what is to be traced of them. */
ECGSEG_INLINE void ecgseg_rows_done(ecgseg_rows_t *rows, int32_t end, const ecgseg_trace_t *trace, uint32_t layer)
{
    if (trace->layer == layer) {
        const uint32_t begin = (uint32_t)(rows->end * rows->row_bytes);
        const uint32_t stop = (uint32_t)(end * rows->row_bytes);
        const uint32_t low = begin > trace->offset ? begin : trace->offset;
        const uint32_t high = stop < trace->offset + trace->count ? stop : trace->offset + trace->count;
        if (low < high) {
            (void)memcpy(trace->destination + (low - trace->offset), ecgseg_rows_at(rows, rows->end) + (low - begin),
                         high - low);
        }
    }
    rows->end = end;
}

#endif
