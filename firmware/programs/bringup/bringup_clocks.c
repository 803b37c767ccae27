#include "bringup_clocks.h"

#include "apollo4p.h"
#include "bringup_registers.h"
#include "bringup_text.h"

static uint32_t cycles_in_a_millisecond(void)
{
    const uint32_t before = DWT_CYCCNT;
    a4p_delay_us(1000u);
    return DWT_CYCCNT - before;
}

/* Does the cycle counter count, and does powering the debug domain make it count? */
void cycle_counter(const char *line)
{
    (void)line;
    put_decimal("expected", a4p_core_hz() / 1000u);
    put_decimal("as_found", cycles_in_a_millisecond());
    put_decimal("dbg_powered", a4p_power_peripheral(PWRCTRL_DEVPWR_DBG) ? 1u : 0u);
    DEMCR |= DEMCR_TRCENA;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    put_decimal("with_pwrendbg", cycles_in_a_millisecond());
    PWRCTRL_DEVPWREN &= ~PWRCTRL_DEVPWR_DBG;
}

/* [5.1] another clock domain: the second of three readings when the first two agree, else the third */
static uint32_t stimer_read(void)
{
    const uint32_t first = STIMER_STTMR;
    const uint32_t second = STIMER_STTMR;
    const uint32_t third = STIMER_STTMR;
    return first == second ? second : third;
}

static void stimer_start(void)
{
    STIMER_STCFG = STIMER_STCFG_XTAL_32KHZ | STIMER_STCFG_CLEAR;
    STIMER_STCFG = STIMER_STCFG_XTAL_32KHZ;
}

static uint32_t stimer_edge(uint32_t microseconds)
{
    const uint32_t old = stimer_read();
    const uint32_t start = a4p_timer_ticks();
    uint32_t now = old;
    while (now == old && a4p_timer_ticks() - start < microseconds * (TIMER0_HZ / 1000000u)) {
        now = stimer_read();
    }
    return now;
}

/* TIMER0 against 1/64 s of the crystal: the HFRC's real frequency to about 50 ppm. */
void crystal(const char *line)
{
    (void)line;
    stimer_start();
    const uint32_t first = stimer_edge(10000u);
    const uint32_t ticks_before = a4p_timer_ticks();
    if (first == 0u) {
        put_text("crystal=stands\n");
        return;
    }
    uint32_t passed = 0;
    while (passed < CRYSTAL_HZ / 64u && a4p_timer_ticks() - ticks_before < TIMER0_HZ) {
        passed = stimer_edge(10000u) - first;
        a4p_watchdog_feed();
    }
    put_decimal("timer0_ticks", a4p_timer_ticks() - ticks_before);
    put_decimal("crystal_ticks", passed);
}

void set_clock(const char *line)
{
    put_decimal("accepted", board_set_core_hz(argument(line) * 1000000u) ? 1u : 0u);
    put_decimal("core_hz", a4p_core_hz());
}

/* The crystal's compare as an alarm clock. Interrupts are locked meanwhile: it wakes the core and is never served. */
void alarm_start(void)
{
    stimer_start();
    STIMER_STMINTCLR = STIMER_COMPARE_A;
    STIMER_STMINTEN = STIMER_COMPARE_A;
    NVIC_ISER1 = 1u << (IRQ_STIMER_COMPARE_A - 32u);
}

void alarm_stop(void)
{
    STIMER_STMINTEN = 0u;
    NVIC_ICER1 = 1u << (IRQ_STIMER_COMPARE_A - 32u);
}

void nap(uint32_t crystal_ticks)
{
    STIMER_SCMPR0 = crystal_ticks; /* a distance, not a time */
    STIMER_STCFG = STIMER_STCFG_XTAL_32KHZ | STIMER_STCFG_COMPARE_A;
    a4p_flush_writes();
    while ((STIMER_STMINTSTAT & STIMER_COMPARE_A) == 0u) {
        __asm__ volatile("dsb\n wfi\n isb" : : : "memory");
    }
    STIMER_STMINTCLR = STIMER_COMPARE_A;
    (void)APB_SYNC;
    NVIC_ICPR1 = 1u << (IRQ_STIMER_COMPARE_A - 32u);
    a4p_watchdog_feed();
}
