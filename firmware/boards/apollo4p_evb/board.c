/* board.h for the Apollo4 Plus evaluation board AMAP4PEVB. */
#include "apollo4p.h"
#include "apollo4p_registers.h"
#include "cortex_m.h"

#define LED_RUNNING 0u
#define LED_INFERENCE 1u
#define LED_FAULT 2u

static board_info_t info = {
    .name = "apollo4p_evb",
    .core_hz = A4P_CORE_LP_HZ,
    .tick_hz = TIMER0_HZ,
    .time_base = BOARD_TIME_TICKS,
    .max_baud = A4P_MAX_BAUD,
};

static bool part_is_right(void)
{
    return MCUCTRL_VENDORID == MCUCTRL_VENDORID_AMBIQ &&
           ((MCUCTRL_CHIPPN >> 24) & MCUCTRL_CHIPPN_FAMILY) == MCUCTRL_CHIPPN_APOLLO4; /* [1.1] */
}

bool board_init(uint32_t baud)
{
    const uint32_t reset_cause = RSTGEN_STAT & RSTGEN_STAT_ALL; /* [2.1] once, before any sleep */
    a4p_faults_init(reset_cause);
    if (!part_is_right()) {
        return false;
    }
    a4p_timer_init();
    a4p_timebase_init();
    a4p_low_power_init();
    /* Without the regulator the board still works at 96 MHz; board_set_core_hz refuses 192 MHz then. */
    (void)a4p_simobuck_init();
    a4p_cache_enable();
    PWRCTRL_DEVPWREN &= ~PWRCTRL_DEVPWR_CRYPTO; /* [2.1] the boot chain may leave it on */
    a4p_pads_init();
    if (!a4p_uart_init(baud)) {
        return false;
    }
    SCB_SCR &= ~SCB_SCR_SLEEPDEEP; /* [5.4] the port must hear the first byte: sleep, not deep sleep */
    a4p_watchdog_start();
    a4p_set_led(LED_RUNNING, true);
    return true;
}

const board_info_t *board_info(void)
{
    info.time_base = a4p_time_base();
    info.core_hz = a4p_core_hz();
    info.tick_hz = info.time_base == BOARD_TIME_CYCLES ? info.core_hz : TIMER0_HZ;
    return &info;
}

uint32_t board_ticks(void)
{
    return a4p_ticks();
}

void board_idle(void)
{
    const uint32_t primask = a4p_lock();
    if (!a4p_uart_pending()) {
        a4p_watchdog_sleeping(true);
        a4p_flush_writes();                                 /* [5.4] */
        __asm__ volatile("dsb\n wfi\n isb" : : : "memory"); /* a pending interrupt wakes it although it is masked */
    }
    a4p_unlock(primask);
    __asm__ volatile("isb" : : : "memory"); /* the interrupt that ended the sleep is served here */
    a4p_watchdog_sleeping(false);
}

void board_set_state(board_state_t state)
{
    static board_state_t shown = BOARD_STATE_IDLE;
    a4p_set_state_pads((uint32_t)state);
    if ((state == BOARD_STATE_INFERENCE) != (shown == BOARD_STATE_INFERENCE)) {
        a4p_set_led(LED_INFERENCE, state == BOARD_STATE_INFERENCE);
    }
    shown = state;
}

bool board_set_core_hz(uint32_t hz)
{
    if (!a4p_set_core_hz(hz)) {
        return false;
    }
    a4p_timebase_detect();
    return true;
}

board_fault_t board_take_fault(void)
{
    const board_fault_t fault = a4p_take_fault();
    if (fault.fault_valid != 0u) {
        a4p_set_led(LED_FAULT, true);
    }
    return fault;
}

void board_feed_watchdog(void)
{
    a4p_watchdog_feed();
}

void board_restart(void)
{
    (void)a4p_uart_drain(1000000u);
    cortex_m_reset();
}
