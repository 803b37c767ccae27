/* Operators that move bytes: PAD, CONCATENATION, RESIZE_NEAREST_NEIGHBOR, TRANSPOSE, STRIDED_SLICE, SPLIT. */
#ifndef ECGSEG_MOVE_H
#define ECGSEG_MOVE_H

#include "ecgseg_fixed.h"

typedef struct {
    int32_t shape[4]; /* of the input */
    int32_t before[4], after[4];
    int32_t value;
} ecgseg_pad_t;

ECGSEG_INLINE void ecgseg_pad(const ecgseg_pad_t *layer, const int8_t *input, int8_t *output)
{
    int32_t size[4];
    for (int32_t axis = 0; axis < 4; axis++) {
        size[axis] = layer->before[axis] + layer->shape[axis] + layer->after[axis];
    }
    (void)memset(output, layer->value, (size_t)(size[0] * size[1] * size[2] * size[3]));
    for (int32_t i = 0; i < layer->shape[0]; i++) {
        for (int32_t j = 0; j < layer->shape[1]; j++) {
            for (int32_t k = 0; k < layer->shape[2]; k++) {
                const int32_t row =
                    ((i + layer->before[0]) * size[1] + j + layer->before[1]) * size[2] + k + layer->before[2];
                (void)memcpy(output + row * size[3] + layer->before[3], input, (size_t)layer->shape[3]);
                input += layer->shape[3];
            }
        }
    }
}

/* Copies one operand of a concatenation: `outer` chunks of `chunk` bytes into rows of `row` bytes. */
ECGSEG_INLINE void ecgseg_concatenate(int32_t outer, int32_t chunk, int32_t row, const int8_t *input, int8_t *output)
{
    for (int32_t i = 0; i < outer; i++) {
        (void)memcpy(output, input, (size_t)chunk);
        input += chunk;
        output += row;
    }
}

typedef struct {
    int32_t start;     /* element of the input */
    int32_t shape[4];  /* of the output */
    int32_t stride[4]; /* elements of the input between neighbours along each of its axes, of either sign */
} ecgseg_pick_t;

ECGSEG_INLINE void ecgseg_pick(const ecgseg_pick_t *layer, const int8_t *input, int8_t *output)
{
    for (int32_t i = 0; i < layer->shape[0]; i++) {
        for (int32_t j = 0; j < layer->shape[1]; j++) {
            for (int32_t k = 0; k < layer->shape[2]; k++) {
                const int8_t *source =
                    input + layer->start + i * layer->stride[0] + j * layer->stride[1] + k * layer->stride[2];
                if (layer->stride[3] == 1) {
                    (void)memcpy(output, source, (size_t)layer->shape[3]);
                } else {
                    for (int32_t n = 0; n < layer->shape[3]; n++) {
                        output[n] = source[n * layer->stride[3]];
                    }
                }
                output += layer->shape[3];
            }
        }
    }
}

typedef struct {
    int32_t in_width, channels;
    int32_t out_height, out_width;
    const uint16_t *rows; /* input row of each output row */
    const uint16_t *columns;
} ecgseg_resize_t;

ECGSEG_INLINE void ecgseg_resize(const ecgseg_resize_t *layer, const int8_t *input, int8_t *output)
{
    for (int32_t y = 0; y < layer->out_height; y++) {
        for (int32_t x = 0; x < layer->out_width; x++) {
            const int32_t position = layer->rows[y] * layer->in_width + layer->columns[x];
            (void)memcpy(output, input + position * layer->channels, (size_t)layer->channels);
            output += layer->channels;
        }
    }
}

#endif
