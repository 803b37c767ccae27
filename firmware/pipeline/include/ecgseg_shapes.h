/* How high and wide the last QRS complexes are, and how sure. Not for callers of events.
 *
 * Equal to host/ecgseg/pipeline/shapes.py.
 */
#ifndef ECGSEG_SHAPES_H
#define ECGSEG_SHAPES_H

#include <stdbool.h>
#include <stdint.h>

#define ECGSEG_MOST_SHAPES 6u

/* How a complex stands out of what is around it. */
#define ECGSEG_SHAPE_FAINT 0u
#define ECGSEG_SHAPE_PLAIN 1u
#define ECGSEG_SHAPE_CERTAIN 2u

typedef struct {
    int16_t heights[ECGSEG_MOST_SHAPES]; /* microvolts */
    uint8_t widths[ECGSEG_MOST_SHAPES];  /* samples */
    uint8_t sureness[ECGSEG_MOST_SHAPES];
    uint8_t count, next;
} ecgseg_shapes_t;

/* Two heights of no sign are the same to within a half. */
bool ecgseg_are_as_high(int32_t a, int32_t b);

/* Nothing is known of the complexes before. */
void ecgseg_shapes_forget(ecgseg_shapes_t *shapes);

/* The next complex: R in microvolts, length in samples. */
void ecgseg_shapes_add(ecgseg_shapes_t *shapes, int16_t height, uint8_t width, uint8_t sureness);

/* How many of the last `count` are as sure as `least`. */
uint32_t ecgseg_shapes_as_sure(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least);

/* The complexes that came so many before the newest are as high to within a half, to the same side. */
bool ecgseg_shapes_stand_alike(const ecgseg_shapes_t *shapes, uint32_t place, uint32_t other);

/* One of the last `count`, which there are, is as high to within a half, to the same side, as each of them. */
bool ecgseg_shapes_are_as_high(const ecgseg_shapes_t *shapes, uint32_t count);

/* How many of the last `count`, which there are, are as sure as `least` and look like that to which most do: as high,
 * to the same side, and as long to within ECGSEG_BEAT_WIDTH_ALIKE. */
uint32_t ecgseg_shapes_most_alike(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least);

/* The last `count` are there, as sure as `least`, and no two differ in length by more than ECGSEG_BEAT_WIDTH_ALIKE. */
bool ecgseg_shapes_are_as_long(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least);

#endif
