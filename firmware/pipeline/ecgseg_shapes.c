#include "ecgseg_shapes.h"

#include <stdbool.h>

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

void ecgseg_shapes_add(ecgseg_shapes_t *shapes, int16_t height, uint8_t sureness)
{
    shapes->heights[shapes->next] = (uint16_t)(height < 0 ? -height : height);
    shapes->sureness[shapes->next] = sureness;
    shapes->next = (uint8_t)((shapes->next + 1u) % ECGSEG_MOST_SHAPES);
    shapes->count = (uint8_t)(shapes->count + (shapes->count < ECGSEG_MOST_SHAPES));
}

static bool are_alike(uint32_t a, uint32_t b)
{
    return a < b ? 2u * b <= 3u * a : 2u * a <= 3u * b;
}

static uint32_t alike_to(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least, uint32_t place)
{
    const uint32_t height = shapes->heights[slot_of(shapes, place)];
    uint32_t found = 0;
    for (uint32_t other = 0; other < count && other < shapes->count; other++) {
        const uint32_t index = slot_of(shapes, other);
        found += shapes->sureness[index] >= least && are_alike(height, shapes->heights[index]) ? 1u : 0u;
    }
    return found;
}

uint32_t ecgseg_shapes_alike(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least)
{
    return alike_to(shapes, count, least, 0);
}

uint32_t ecgseg_shapes_most_alike(const ecgseg_shapes_t *shapes, uint32_t count, uint8_t least)
{
    uint32_t most = 0;
    for (uint32_t place = 0; place < count; place++) {
        const uint32_t found = alike_to(shapes, count, least, place);
        most = found > most ? found : most;
    }
    return most;
}
