#include "ecgseg_intervals.h"

#define PARTS_A_MINUTE (60u * 100u * ECGSEG_PARTS)

/* Largest whole number whose square is not above a value below 2^48. */
static uint32_t square_root(uint64_t value)
{
    uint32_t found = 0;
    for (uint32_t bit = 1u << 23; bit != 0u; bit >>= 1) {
        const uint64_t tried = (uint64_t)found | bit;
        if (tried * tried <= value) {
            found |= bit;
        }
    }
    return found;
}

/* The same for its cube. */
static uint32_t cube_root(uint64_t value)
{
    uint32_t found = 0;
    for (uint32_t bit = 1u << 15; bit != 0u; bit >>= 1) {
        const uint64_t tried = (uint64_t)found | bit;
        if (tried * tried * tried <= value) {
            found |= bit;
        }
    }
    return found;
}

int32_t ecgseg_rounded(int32_t dividend, int32_t divisor)
{
    const uint32_t size = dividend < 0 ? 0u - (uint32_t)dividend : (uint32_t)dividend;
    const uint32_t quotient = (2u * size + (uint32_t)divisor) / (2u * (uint32_t)divisor);
    return dividend < 0 ? -(int32_t)quotient : (int32_t)quotient;
}

static uint16_t saturated(uint32_t value)
{
    return (uint16_t)(value > UINT16_MAX ? UINT16_MAX : value);
}

/* Divides by a root, which is 0 only for an RR of 0. */
static uint16_t divided(uint32_t dividend, uint32_t divisor)
{
    const uint32_t by = divisor == 0u ? 1u : divisor;
    return saturated((dividend + by / 2u) / by);
}

uint16_t ecgseg_rr_ms(uint32_t parts)
{
    return saturated((parts * 10u + ECGSEG_PARTS / 2u) / ECGSEG_PARTS);
}

uint16_t ecgseg_rate_tenths(uint32_t parts, uint32_t count)
{
    return divided(10u * PARTS_A_MINUTE * count, parts);
}

uint16_t ecgseg_fridericia(uint16_t qt, uint16_t rr)
{
    /* 256 times the cube root of RR in ms; that of 1000 ms is 10. */
    return divided(qt * 2560u, cube_root((uint64_t)rr << 24));
}

uint16_t ecgseg_bazett(uint16_t qt, uint16_t rr)
{
    /* 16 times the square root of 1000 RR; that of 1000 * 1000 ms is 1000. */
    return divided(qt * 16000u, square_root((uint64_t)rr * 1000u << 8));
}
