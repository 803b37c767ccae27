/* What board_ticks() counts: the cycle counter while a debugger powers its domain [2.8], else TIMER0. */
#include "apollo4p.h"
#include "apollo4p_registers.h"

#define DETECT_TICKS (10u * A4P_TICKS_PER_US)
/* A debugger may come or go, so the cycle counter is tried again, but not more often than this. */
#define DETECT_PERIOD_TICKS (100000u * A4P_TICKS_PER_US)

static board_time_base_t time_base = BOARD_TIME_TICKS;
static uint32_t detected_at;

void a4p_timebase_init(void)
{
    DEMCR |= DEMCR_TRCENA; /* [2.8] */
    DWT_CYCCNT = 0u;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    a4p_timebase_detect();
}

/* Both counters over 10 microseconds: their ratio must be core clock to timer clock within 5 %. */
void a4p_timebase_detect(void)
{
    const uint32_t primask = a4p_lock();
    const uint32_t cycles_before = DWT_CYCCNT;
    const uint32_t ticks_before = a4p_timer_ticks();
    uint32_t ticks = 0;
    for (uint32_t polls = 0; polls < 10u * A4P_POLLS_PER_US && ticks < DETECT_TICKS; polls++) {
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
