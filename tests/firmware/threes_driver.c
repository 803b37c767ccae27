/* Test program: runs the cases that threes_cases.h holds, from rows behind each other and from a ring that begins
 * anywhere, out of place and, where allowed, over the rows of the last tap. Exit code: number of cases that differ. */
#include <stdlib.h>
#include <string.h>

#include "ecgseg_threes.h"

typedef struct {
    ecgseg_threes_t layer;
    const int8_t *input;
    const int8_t *expected;
} case_t;

#include "threes_cases.h"

static void *copy_of(const void *content, size_t bytes)
{
    void *memory = malloc(bytes + (bytes == 0));
    if (memory == NULL) {
        exit(100);
    }
    if (content != NULL) {
        memcpy(memory, content, bytes);
    }
    return memory;
}

/* `first` rows into the ring, or without one where it is negative. */
static int differs(const case_t *c, int32_t first, int in_place)
{
    const ecgseg_threes_t *layer = &c->layer;
    const size_t row = layer->in_channels;
    const size_t kept = (layer->taps - 1u) * (size_t)layer->dilation;
    const size_t output_bytes = (size_t)layer->positions * layer->out_channels;
    const int8_t *fresh = c->input + kept * row;
    int8_t *input =
        first < 0 ? copy_of(c->input, (kept + layer->positions) * row) : copy_of(fresh, layer->positions * row);
    int8_t *output = in_place ? input + (first < 0 ? kept * row : 0) : copy_of(NULL, output_bytes);
    int8_t *ring = copy_of(NULL, kept * row);
    int32_t *scratch = copy_of(NULL, 8u * layer->taps * row);
    for (size_t i = 0; i < kept; i++) {
        memcpy(ring + (i + (size_t)(first < 0 ? 0 : first)) % kept * row, c->input + i * row, row);
    }
    ecgseg_threes(layer, input, output, scratch, first < 0 ? NULL : ring, first < 0 ? 0u : (uint32_t)first);
    int wrong = memcmp(output, c->expected, output_bytes) != 0;
    for (size_t i = 0; i < kept && first >= 0; i++) {
        const int8_t *now = i < layer->positions ? fresh + i * row : c->input + i * row;
        wrong |= memcmp(ring + (i + (size_t)first) % kept * row, now, row) != 0;
    }
    if (!in_place) {
        free(output);
    }
    free(input);
    free(ring);
    free(scratch);
    return wrong;
}

int main(void)
{
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const case_t *c = &cases[i];
        const int32_t kept = (c->layer.taps - 1) * c->layer.dilation;
        const int same = c->layer.in_channels == c->layer.out_channels;
        int differ = 0;
        for (int in_place = 0; in_place <= same; in_place++) {
            differ |= differs(c, -1, in_place);
            for (int32_t first = 0; first < kept && c->layer.positions <= c->layer.dilation; first++) {
                differ |= differs(c, first, in_place);
            }
        }
        wrong += differ;
    }
    return wrong;
}
