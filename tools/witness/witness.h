/* What a witness of the timing model is run with: programs whose cycles others measured on a board are called from
 * here, on the simulated part, and tell how many cycles each of their parts took. tools/calibrate_timing.py builds and
 * reads it.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WITNESS_MOST_PARTS 128u

/* Reads the cycle counter. The simulator pays for a straight run of instructions when the run begins; the branch ends
 * the run behind the read, so what follows is not counted before it is executed. */
static inline uint32_t witness_now(void)
{
    uint32_t now;
    __asm__ volatile("ldr %0, [%1]\n\tb 1f\n1:" : "=r"(now) : "r"(0xE0001004u) : "memory");
    return now;
}

/* Keeps the cycles of the next part. */
void witness_tell(uint32_t cycles);

/* Runs every part once and tells its cycles; false when what it computed is wrong. Called twice: the second time all
 * of it is in the cache, and that is what counts. */
bool witness_run(void);

#ifdef __cplusplus
}
#endif

#endif
