/* Test program: chunks of raw samples on standard input, each behind its length; every sample at 100 Hz on standard
 * output, with its flags. How many a chunk makes must be what ecgseg_preprocess_until says before it. */
#include <stdio.h>
#include <stdlib.h>

#include "ecgseg_preprocess.h"

static ecgseg_preprocess_t state;

/* Samples made by one call; *taken: raw samples that it took. */
static uint32_t push(const int16_t *samples, size_t count, size_t *taken, bool *ready)
{
    uint32_t made = 0;
    uint32_t at = state.ring_next;
    *taken = ecgseg_preprocess_push(&state, samples, count, ready);
    for (; at != state.ring_next; at = at + 1 == ECGSEG_FRAME_LENGTH ? 0 : at + 1) {
        (void)fwrite(&state.ring[at], sizeof state.ring[at], 1, stdout);
        (void)fputc(state.flags[at], stdout);
        made++;
    }
    return made;
}

int main(void)
{
    ecgseg_preprocess_init(&state, 0.03125f, 0);
    uint32_t count = 0;
    while (fread(&count, sizeof count, 1, stdin) == 1) {
        /* A buffer of its own, so that AddressSanitizer sees what is read behind it. */
        int16_t *samples = malloc(count * sizeof *samples + 1);
        if (samples == NULL || fread(samples, sizeof *samples, count, stdin) != count) {
            return 2;
        }
        uint32_t expected = 0;
        while (ecgseg_preprocess_until(&state, expected + 1) <= count) {
            expected++;
        }
        uint32_t made = 0;
        size_t done = 0;
        bool ready = true;
        while (ready || done < count) {
            size_t taken = 0;
            made += push(samples + done, count - done, &taken, &ready);
            done += taken;
        }
        free(samples);
        if (made != expected) {
            return 3;
        }
    }
    return 0;
}
