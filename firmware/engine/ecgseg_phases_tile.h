/* What ecgseg_phases hands to the code of a form: the work of one tile. */
#ifndef ECGSEG_PHASES_TILE_H
#define ECGSEG_PHASES_TILE_H

#include "ecgseg_phases.h"

/* Four outputs of every channel, y[2j-1] to y[2j+2], for the packed inputs B[j] to B[j+pairs] of every input channel.
 * The assembly knows this layout. */
struct ecgseg_phases_tile {
    int32_t *packed;
    const int32_t *packed_end;
    uint32_t *carry;  /* the first word of the next P[j], per channel in the order of the stream */
    intptr_t rows[4]; /* where the first output lies, and how far behind it the others; of a part, where the sums lie */
    const uint32_t *stream_end;
    const uint32_t *stream;
};

/* A tile of a layer in parts; sums has four words per output channel. Only forms for such layers refer to it. */
void ecgseg_phases_in_parts(const ecgseg_phases_t *layer, const ecgseg_phases_tile_t *whole, int32_t *sums);

#endif
