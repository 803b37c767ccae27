/* Test program: runs the cases that phases_cases.h holds, out of place and, where allowed, in place. Exit code: number
 * of cases whose output differs. */
#include <stdlib.h>
#include <string.h>

#include "ecgseg_phases.h"

typedef struct {
    ecgseg_phases_t layer;
    const int8_t *input;
    const int8_t *expected;
    size_t input_bytes, output_bytes, scratch_bytes;
    int in_place;
} case_t;

#include "phases_cases.h"

static int differs(const case_t *c)
{
    int8_t *input = malloc(c->input_bytes);
    int8_t *output = malloc(c->output_bytes);
    void *scratch = malloc(c->scratch_bytes);
    if (input == NULL || output == NULL || scratch == NULL) {
        exit(100);
    }
    memcpy(input, c->input, c->input_bytes);
    ecgseg_phases(&c->layer, input, output, scratch);
    int wrong = memcmp(output, c->expected, c->output_bytes) != 0;
    if (c->in_place) {
        ecgseg_phases(&c->layer, input, input, scratch);
        wrong |= memcmp(input, c->expected, c->output_bytes) != 0;
    }
    free(input);
    free(output);
    free(scratch);
    return wrong;
}

int main(void)
{
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wrong += differs(&cases[i]);
    }
    return wrong;
}
