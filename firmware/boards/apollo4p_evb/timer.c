/* TIMER0 as a stopwatch at 24 MHz that always counts, and what is bounded by it. */
#include "apollo4p.h"
#include "apollo4p_registers.h"

void a4p_timer_init(void)
{
    TIMER0_CTRL = TIMER0_CTRL_FN_UPCOUNT | TIMER0_CTRL_CLK_HFRC_DIV4; /* [5.2] free-running stopwatch */
    TIMER0_CMP0 = 0xFFFFFFFFu;
    TIMER_GLOBEN |= TIMER_GLOBEN_TIMER0;
    TIMER0_CTRL |= TIMER0_CTRL_CLR; /* the toggle is required before enabling */
    TIMER0_CTRL &= ~TIMER0_CTRL_CLR;
    TIMER0_CTRL |= TIMER0_CTRL_EN;
}

/* The rule for reading a running TIMER is not public [5.2]. Two readings in a row that lie close together are believed;
 * a torn reading would be off by a power of two that is far larger. */
uint32_t a4p_timer_ticks(void)
{
    uint32_t first = TIMER0_COUNT;
    for (uint32_t tries = 0; tries < 4u; tries++) {
        const uint32_t second = TIMER0_COUNT;
        if (second - first < 64u) {
            return second;
        }
        first = second;
    }
    return first;
}

bool a4p_wait(volatile const uint32_t *reg, uint32_t mask, uint32_t value, uint32_t microseconds)
{
    if ((*reg & mask) == value) {
        return true; /* most often; the clock takes longer to read */
    }
    const uint32_t start = a4p_timer_ticks();
    for (uint32_t polls = 0; polls < microseconds * A4P_POLLS_PER_US; polls++) {
        if ((*reg & mask) == value) {
            return true;
        }
        if (a4p_timer_ticks() - start > microseconds * A4P_TICKS_PER_US) {
            break;
        }
    }
    return (*reg & mask) == value; /* an interrupt may have used up the time between reading and looking at the clock */
}

void a4p_delay_us(uint32_t microseconds)
{
    const uint32_t start = a4p_timer_ticks();
    for (uint32_t polls = 0; polls < microseconds * A4P_POLLS_PER_US; polls++) {
        if (a4p_timer_ticks() - start > microseconds * A4P_TICKS_PER_US) {
            return;
        }
    }
}
