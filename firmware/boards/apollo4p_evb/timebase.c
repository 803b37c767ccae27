/* Time: TIMER0 always counts at 24 MHz; the cycle counter only while a debugger powers its domain [2.8]. */
#include "apollo4p.h"
#include "apollo4p_registers.h"

#define TICKS_PER_US (TIMER0_HZ / 1000000u)
#define DETECT_TICKS (10u * TICKS_PER_US)
/* A debugger may come or go, so the cycle counter is tried again, but not more often than this. */
#define DETECT_PERIOD_TICKS (100000u * TICKS_PER_US)
#define POLLS_PER_US \
    400u /* more polls than the core can make in a microsecond: bounds a wait even when TIMER0 stands */

static board_time_base_t time_base = BOARD_TIME_TICKS;
static uint32_t detected_at;

void a4p_timebase_init(void)
{
    TIMER0_CTRL = TIMER0_CTRL_FN_UPCOUNT | TIMER0_CTRL_CLK_HFRC_DIV4; /* [5.2] free-running stopwatch */
    TIMER0_CMP0 = 0xFFFFFFFFu;
    TIMER_GLOBEN |= TIMER_GLOBEN_TIMER0;
    TIMER0_CTRL |= TIMER0_CTRL_CLR; /* the toggle is required before enabling */
    TIMER0_CTRL &= ~TIMER0_CTRL_CLR;
    TIMER0_CTRL |= TIMER0_CTRL_EN;

    DEMCR |= DEMCR_TRCENA; /* [2.8] */
    DWT_CYCCNT = 0u;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    a4p_timebase_detect();
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

/* Both counters over 10 microseconds: their ratio must be core clock to timer clock within 5 %. */
void a4p_timebase_detect(void)
{
    const uint32_t primask = a4p_lock();
    const uint32_t cycles_before = DWT_CYCCNT;
    const uint32_t ticks_before = a4p_timer_ticks();
    uint32_t ticks = 0;
    for (uint32_t polls = 0; polls < 10u * POLLS_PER_US && ticks < DETECT_TICKS; polls++) {
        ticks = a4p_timer_ticks() - ticks_before;
    }
    const uint32_t cycles = DWT_CYCCNT - cycles_before;
    detected_at = a4p_timer_ticks();
    a4p_unlock(primask);

    const uint32_t expected = ticks * (a4p_core_hz() / TIMER0_HZ);
    const uint32_t slack = expected / 20u + 64u;
    const bool counts = ticks >= DETECT_TICKS && cycles + slack >= expected && cycles <= expected + slack;
    time_base = counts ? BOARD_TIME_CYCLES : BOARD_TIME_TICKS;
}

board_time_base_t a4p_time_base(void)
{
    if (a4p_timer_ticks() - detected_at >= DETECT_PERIOD_TICKS) {
        a4p_timebase_detect();
    }
    return time_base;
}

uint32_t a4p_ticks(void)
{
    return time_base == BOARD_TIME_CYCLES ? DWT_CYCCNT : a4p_timer_ticks();
}

bool a4p_wait(volatile const uint32_t *reg, uint32_t mask, uint32_t value, uint32_t microseconds)
{
    const uint32_t start = a4p_timer_ticks();
    for (uint32_t polls = 0; polls < microseconds * POLLS_PER_US; polls++) {
        if ((*reg & mask) == value) {
            return true;
        }
        if (a4p_timer_ticks() - start > microseconds * TICKS_PER_US) {
            break;
        }
    }
    return (*reg & mask) == value; /* an interrupt may have used up the time between reading and looking at the clock */
}

void a4p_delay_us(uint32_t microseconds)
{
    const uint32_t start = a4p_timer_ticks();
    for (uint32_t polls = 0; polls < microseconds * POLLS_PER_US; polls++) {
        if (a4p_timer_ticks() - start > microseconds * TICKS_PER_US) {
            return;
        }
    }
}
