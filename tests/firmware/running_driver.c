/* Test program: scale and zero point, then pairs of int16 (sample, valid) on standard input; an int8 for each on
 * standard output. A 2 in place of valid resets. */
#include <stdio.h>

#include "ecgseg_running.h"

_Static_assert(sizeof(ecgseg_running_t) <= 600, "the state of running normalisation");

int main(void)
{
    static ecgseg_running_t state;
    float scale = 0.0f;
    int32_t zero_point = 0;
    if (fread(&scale, sizeof scale, 1, stdin) != 1 || fread(&zero_point, sizeof zero_point, 1, stdin) != 1) {
        return 3;
    }
    ecgseg_running_init(&state, scale, zero_point);
    int16_t pair[2];
    while (fread(pair, sizeof pair, 1, stdin) == 1) {
        if (pair[1] == 2) {
            ecgseg_running_reset(&state);
            continue;
        }
        const int8_t answer = ecgseg_running_push(&state, pair[0], pair[1] != 0);
        if (fwrite(&answer, 1, 1, stdout) != 1) {
            return 2;
        }
    }
    return 0;
}
