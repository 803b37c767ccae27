#include "bringup_power.h"

#include "apollo4p.h"
#include "bringup_clocks.h"
#include "bringup_registers.h"
#include "bringup_text.h"
#include "ecgseg_protocol.h"

/* The power-monitor code and the LEDs walk through their states; the go input is told. */
void walk_pads(const char *line)
{
    (void)line;
    const uint32_t primask = a4p_lock();
    alarm_start();
    for (uint32_t code = 1; code <= 4u; code++) {
        a4p_set_state_pads(code & 3u);
        for (uint32_t led = 0; led < 3u; led++) {
            a4p_set_led(led, led + 1u == code);
        }
        nap(CRYSTAL_HZ / 4u);
    }
    alarm_stop();
    a4p_unlock(primask);
    a4p_set_led(0u, true);
    put_decimal("go_input", a4p_go_input() ? 1u : 0u);
}

/* Something to measure a current on: state code 3 while it lasts. */
void busy(const char *line)
{
    const uint32_t seconds = limited_seconds(line);
    a4p_set_state_pads(3u);
    volatile uint32_t sink = 1u;
    for (uint32_t tenth = 0; tenth < 10u * seconds; tenth++) {
        const uint32_t start = a4p_timer_ticks();
        while (a4p_timer_ticks() - start < TIMER0_HZ / 10u) {
            for (uint32_t i = 0; i < 1000u; i++) {
                sink = sink * 1664525u + 1013904223u;
            }
        }
        a4p_watchdog_feed();
    }
    a4p_set_state_pads(0u);
}

/* [5.4] The core sleeps, in deep sleep with the port off; state code 1 while it lasts. */
static void sleep_for(uint32_t seconds, bool deep)
{
    const bool regulated = a4p_simobuck_active();
    (void)a4p_uart_drain(1000000u);
    const uint32_t primask = a4p_lock();
    alarm_start();
    NVIC_ICER0 = 1u << IRQ_UART0; /* what waits there would end each sleep at once */
    NVIC_ICPR0 = 1u << IRQ_UART0;
    a4p_set_state_pads(1u);
    if (deep) {
        UART0_CR = 0u;
        PWRCTRL_DEVPWREN &= ~PWRCTRL_DEVPWR_UART0;
        SCB_SCR |= SCB_SCR_SLEEPDEEP;
        if (regulated) {
            a4p_simobuck_before_deep_sleep();
        }
    }
    for (uint32_t second = 0; second < seconds; second++) {
        nap(CRYSTAL_HZ);
    }
    if (deep && regulated) {
        a4p_simobuck_after_deep_sleep();
    }
    SCB_SCR &= ~SCB_SCR_SLEEPDEEP;
    a4p_set_state_pads(0u);
    alarm_stop();
    NVIC_ISER0 = 1u << IRQ_UART0;
    a4p_unlock(primask);
    if (deep) {
        (void)a4p_uart_init(ECGSEG_LINK_DEFAULT_BAUD);
    }
    put_decimal("slept_seconds", seconds);
}

void sleep_lightly(const char *line)
{
    sleep_for(limited_seconds(line), false);
}

void sleep_deeply(const char *line)
{
    sleep_for(limited_seconds(line), true);
}
