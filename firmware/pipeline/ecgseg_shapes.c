#include "ecgseg_shapes.h"

#include "ecgseg_preprocess_params.h"
#include "ecgseg_waves.h"

/* The complex so many ago, 0 for the newest. */
static uint32_t slot_of(const ecgseg_shapes_t *shapes, uint32_t place)
{
    return (shapes->next + 2u * ECGSEG_MOST_SHAPES - 1u - place) % ECGSEG_MOST_SHAPES;
}

void ecgseg_shapes_forget(ecgseg_shapes_t *shapes)
{
    shapes->count = 0;
    shapes->next = 0;
}

void ecgseg_shapes_add(ecgseg_shapes_t *shapes, int16_t height, uint8_t width, uint8_t sureness)
{
    shapes->heights[shapes->next] = height;
    shapes->widths[shapes->next] = width;
    shapes->sureness[shapes->next] = sureness;
    shapes->next = (uint8_t)((shapes->next + 1u) % ECGSEG_MOST_SHAPES);
    shapes->count = (uint8_t)(shapes->count + (shapes->count < ECGSEG_MOST_SHAPES));
}

bool ecgseg_are_as_high(int32_t a, int32_t b)
{
    return 2 * ecgseg_distance(a, b) <= (a < b ? a : b);
}

static bool slots_stand_alike(const ecgseg_shapes_t *shapes, uint32_t one, uint32_t other)
{
    const int32_t a = shapes->heights[one];
    const int32_t b = shapes->heights[other];
    const bool same_side = (a < 0) == (b < 0);
    return same_side && ecgseg_are_as_high(ecgseg_distance(a, 0), ecgseg_distance(b, 0));
}

static bool are_alike(const ecgseg_shapes_t *shapes, uint32_t one, uint32_t other)
{
    const bool as_long = ecgseg_distance(shapes->widths[one], shapes->widths[other]) <= ECGSEG_BEAT_WIDTH_ALIKE;
    return as_long && slots_stand_alike(shapes, one, other);
}

bool ecgseg_shapes_stand_alike(const ecgseg_shapes_t *shapes, uint32_t place, uint32_t other)
{
    return slots_stand_alike(shapes, slot_of(shapes, place), slot_of(shapes, other));
}

bool ecgseg_shapes_are_as_high(const ecgseg_shapes_t *shapes, uint32_t count)
{
    bool found = false;
    for (uint32_t one = 0; one < count && !found; one++) {
        found = true;
        for (uint32_t other = 0; other < count; other++) {
            found = found && ecgseg_shapes_stand_alike(shapes, one, other);
        }
    }
    return found;
}

uint32_t ecgseg_shapes_as_sure(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least)
{
    uint32_t found = 0;
    for (uint32_t place = 0; place < count && place < shapes->count; place++) {
        found += shapes->sureness[slot_of(shapes, place)] >= least ? 1u : 0u;
    }
    return found;
}

uint32_t ecgseg_shapes_most_alike(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least)
{
    uint32_t most = 0;
    for (uint32_t one = 0; one < count; one++) {
        uint32_t found = 0;
        for (uint32_t place = 0; place < count; place++) {
            const uint32_t other = slot_of(shapes, place);
            found += shapes->sureness[other] >= least && are_alike(shapes, slot_of(shapes, one), other) ? 1u : 0u;
        }
        most = found > most ? found : most;
    }
    return most;
}

bool ecgseg_shapes_are_as_long(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least)
{
    uint8_t longest = 0;
    uint8_t shortest = UINT8_MAX;
    for (uint32_t place = 0; place < count && place < shapes->count; place++) {
        const uint8_t width = shapes->widths[slot_of(shapes, place)];
        longest = width > longest ? width : longest;
        shortest = width < shortest ? width : shortest;
    }
    return ecgseg_shapes_as_sure(shapes, count, least) == count && longest - shortest <= ECGSEG_BEAT_WIDTH_ALIKE;
}
