/* Rates and corrected intervals in whole numbers; the reference is host/ecgseg/pipeline/intervals.py. */
#ifndef ECGSEG_INTERVALS_H
#define ECGSEG_INTERVALS_H

#include <stdint.h>

/* Positions of R are in 1/32 of a sample at 100 Hz. */
#define ECGSEG_PARTS 32

/* Quotient, halves away from zero. |dividend| < 2^30, divisor 1..2^30. */
int32_t ecgseg_rounded(int32_t dividend, int32_t divisor);

/* Milliseconds of an RR interval in parts, which is below 2^16. */
uint16_t ecgseg_rr_ms(uint32_t parts);

/* Beats a minute, in tenths, over `count` (1..8) RR intervals that are `parts` long together, not 0; saturates. */
uint16_t ecgseg_rate_tenths(uint32_t parts, uint32_t count);

/* QT / (RR / 1 s)^(1/3) and QT / (RR / 1 s)^(1/2), all in ms. */
uint16_t ecgseg_fridericia(uint16_t qt, uint16_t rr);
uint16_t ecgseg_bazett(uint16_t qt, uint16_t rr);

#endif
