#include "ecgseg_phases.h"

#include <stdbool.h>
#include <string.h>

#include "ecgseg_fixed.h"
#include "ecgseg_phases_tile.h"

/* Phases one behind the other, as if they were one long one: each with `gap` positions behind its outputs, so that its
 * last inputs and the first ones of the next phase, where both are not padding, do not meet. Their outputs are
 * nobody's.
 *
 * A place in that row: the phase, and the position in the tensor that it means. */
typedef struct {
    int32_t position;
    int32_t phase;
} place_t;

/* What does not change from tile to tile. */
typedef struct {
    const ecgseg_phases_t *layer;
    const int8_t *input;
    int8_t *output;
    const int8_t *padding; /* behind it a row for outputs that are nobody's */
    int32_t *sums;         /* of a layer in parts */
} run_t;

/* Words of the stream of a pair of output channels, in one part. */
static inline uint32_t pair_words(const ecgseg_phases_t *layer)
{
    const uint32_t weights = 2u * (uint32_t)layer->form->pairs * layer->in_channels;
    return ECGSEG_PHASES_PAIR_WORDS + (layer->parts > 1u ? weights / layer->parts : weights);
}

static inline int32_t phases_of(const ecgseg_phases_t *layer)
{
    return layer->dilation < layer->out_length ? layer->dilation : layer->out_length;
}

static inline const int8_t *dump_of(const run_t *run)
{
    return run->padding + run->layer->in_channels;
}

/* The next four rows of input, as addresses. */
static inline void next_inputs(const run_t *run, place_t *place, intptr_t rows[4])
{
    const ecgseg_phases_t *layer = run->layer;
    const int32_t step = layer->dilation;
    const int32_t end = layer->out_length - layer->pad + layer->gap * step;
    const int32_t last = place->position + 3 * step;
    if (place->position >= 0 && last < end && last < layer->in_length) {
        const intptr_t stride = step * layer->in_channels;
        rows[0] = (intptr_t)(run->input + place->position * layer->in_channels);
        rows[1] = rows[0] + stride;
        rows[2] = rows[1] + stride;
        rows[3] = rows[2] + stride;
        place->position = last + step;
        return;
    }
    for (uint32_t i = 0; i < 4; i++) {
        if (place->position >= end && place->phase + 1 < phases_of(layer)) {
            place->phase++;
            place->position = place->phase - layer->pad;
        }
        const bool inside = place->position >= 0 && place->position < layer->in_length;
        rows[i] = (intptr_t)(inside ? run->input + place->position * layer->in_channels : run->padding);
        place->position += step;
    }
}

/* The next four rows of output: the address of the first, and how far the others lie behind it. */
static inline void next_outputs(const run_t *run, place_t *place, intptr_t rows[4])
{
    const ecgseg_phases_t *layer = run->layer;
    const int32_t step = layer->dilation;
    if (place->position >= 0 && place->position + 3 * step < layer->out_length) {
        const intptr_t stride = step * layer->out_channels;
        rows[0] = (intptr_t)(run->output + place->position * layer->out_channels);
        rows[1] = stride;
        rows[2] = 2 * stride;
        rows[3] = 3 * stride;
        place->position += 4 * step;
        return;
    }
    for (uint32_t i = 0; i < 4; i++) {
        if (place->position >= layer->out_length + layer->gap * step && place->phase + 1 < phases_of(layer)) {
            place->phase++;
            place->position = place->phase;
        }
        const bool inside = place->position >= 0 && place->position < layer->out_length;
        const int8_t *row = inside ? run->output + place->position * layer->out_channels : dump_of(run);
        rows[i] = (intptr_t)row - (i > 0 ? rows[0] : 0);
        place->position += step;
    }
}

/* The four rows of a tile from the sums of all parts. */
static void finish_parts(const ecgseg_phases_t *layer, const int32_t *sums, const intptr_t rows[4])
{
    int8_t *row = (int8_t *)rows[0];
    for (uint32_t c = 0; c < layer->out_channels; c++) {
        const ecgseg_phases_end_t *end = &layer->ends[c];
        for (uint32_t i = 0; i < 4; i++) {
            const int32_t scaled = (int32_t)((uint32_t)*sums++ << end->shift);
            const int32_t value = ecgseg_smmla(end->rounding, scaled, end->multiplier) >> ECGSEG_PHASES_SHIFT;
            row[i == 0 ? 0 : rows[i]] = (int8_t)ecgseg_clamp(value, INT8_MIN, INT8_MAX);
        }
        row++;
    }
}

void ecgseg_phases_in_parts(const ecgseg_phases_t *layer, const ecgseg_phases_tile_t *whole, int32_t *sums)
{
    const uint32_t part_channels = (uint32_t)layer->in_channels / layer->parts;
    const uint32_t part_words = ((uint32_t)layer->form->pairs + 1u) * part_channels;
    ecgseg_phases_tile_t part = *whole;
    (void)memset(sums, 0, 4u * sizeof *sums * layer->out_channels);
    for (uint32_t i = 0; i < layer->parts; i++) {
        part.packed_end = part.packed + part_words;
        part.rows[0] = (intptr_t)sums;
        part.stream_end = part.stream + layer->out_channels / 2u * pair_words(layer);
        layer->form->tile(&part);
        part.packed += part_words;
        part.carry += layer->out_channels;
        part.stream = part.stream_end;
    }
    finish_parts(layer, sums, whole->rows);
}

static inline void run_tiles(const run_t *run, ecgseg_phases_tile_t *t)
{
    const ecgseg_phases_t *layer = run->layer;
    const ecgseg_phases_form_t *form = layer->form;
    /* The first rounds only fill the packed inputs: B[0] is in place when the tiles begin. */
    const int32_t fill = form->pairs / 2;
    const int32_t outputs = layer->out_length + (phases_of(layer) - 1) * layer->gap + 1;
    place_t in = {.position = 2 * (form->pairs - 1 - 2 * fill) * layer->dilation - layer->pad};
    place_t out = {.position = -layer->dilation};
    for (int32_t done = -4 * fill; done < outputs; done += 4) {
        next_inputs(run, &in, t->rows);
        form->pack(t->rows, t->packed, layer->in_channels);
        if (done >= 0) {
            next_outputs(run, &out, t->rows);
            if (form->in_parts != NULL) {
                form->in_parts(layer, t, run->sums);
            } else {
                form->tile(t);
            }
        }
    }
}

void ecgseg_phases_run(const int8_t *input, int8_t *output, void *scratch, const ecgseg_phases_t *layer)
{
    const uint32_t words = ((uint32_t)layer->form->pairs + 1u) * layer->in_channels;
    const uint32_t pairs = (layer->out_channels + 1u) / 2u * layer->parts;
    const uint32_t stride = pair_words(layer);
    int32_t *const sums = scratch;
    int32_t *const packed = layer->parts > 1u ? sums + 4u * layer->out_channels : sums;
    uint32_t *const carry = (uint32_t *)(packed + words);
    ecgseg_phases_tile_t t = {.packed = packed,
                              .packed_end = packed + words,
                              .carry = carry,
                              .stream_end = layer->stream + pairs * stride,
                              .stream = layer->stream};
    int8_t *const padding = (int8_t *)(carry + 2u * pairs);
    const run_t run = {layer, input, output, padding, sums};
    (void)memset(packed, 0, sizeof *packed * words);
    (void)memset(padding, layer->input_zero_point, layer->in_channels);
    for (uint32_t i = 0; i < pairs; i++) {
        /* Nothing was before: like P[j+1]. */
        carry[2 * i] = layer->stream[i * stride + 1];
        carry[2 * i + 1] = layer->stream[i * stride + 4];
    }
    run_tiles(&run, &t);
}
