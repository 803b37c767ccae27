/* What the files of this board offer each other. Nothing outside of this folder and its test images includes it. */
#ifndef ECGSEG_APOLLO4P_H
#define ECGSEG_APOLLO4P_H

#include <stdbool.h>
#include <stdint.h>

#include "apollo4p_registers.h"
#include "board.h"

#define A4P_CORE_LP_HZ 96000000u
#define A4P_CORE_HP_HZ 192000000u
#define A4P_MIN_BAUD 9600u
#define A4P_MAX_BAUD 1500000u

#define A4P_TICKS_PER_US (TIMER0_HZ / 1000000u)
/* More polls than the core can make in a microsecond: bounds a wait even when TIMER0 stands. */
#define A4P_POLLS_PER_US 400u

/* The files in the order in which they stand on each other. */

/* timer.c */
void a4p_timer_init(void);
uint32_t a4p_timer_ticks(void); /* TIMER0, 24 MHz */
bool a4p_wait(volatile const uint32_t *reg, uint32_t mask, uint32_t value, uint32_t microseconds);
void a4p_delay_us(uint32_t microseconds);

/* power.c */
void a4p_low_power_init(void);
bool a4p_simobuck_init(void); /* false: the regulator did not become active; 192 MHz will be refused */
bool a4p_simobuck_active(void);
void a4p_simobuck_before_deep_sleep(void); /* with interrupts locked, around a WFI with SLEEPDEEP */
void a4p_simobuck_after_deep_sleep(void);
void a4p_cache_enable(void);
bool a4p_set_core_hz(uint32_t hz); /* 96 or 192 MHz; false: refused, the core runs as before */
uint32_t a4p_core_hz(void);        /* read back from the hardware */
bool a4p_power_peripheral(uint32_t mask);
void a4p_flush_writes(void); /* before sleep and before DAXI changes */
uint32_t a4p_trim_revision(void);

/* timebase.c */
void a4p_timebase_init(void);
void a4p_timebase_detect(void); /* decides between DWT and TIMER0 by trying */
board_time_base_t a4p_time_base(void);
uint32_t a4p_ticks(void); /* of the detected base */

/* uart.c */
bool a4p_uart_init(uint32_t baud);
bool a4p_uart_pending(void); /* received bytes wait */
bool a4p_uart_drain(uint32_t microseconds);

/* pads.c */
void a4p_pads_init(void);
void a4p_set_state_pads(uint32_t code); /* 0..3 on pads 23:22, both at the same instant */
bool a4p_go_input(void);                /* pad 24: the power monitor says go */
void a4p_set_led(uint32_t led, bool on);

/* watchdog.c */
void a4p_watchdog_start(void);
void a4p_watchdog_feed(void);
void a4p_watchdog_sleeping(bool sleeping); /* a bark during sleep is only the alarm clock */

/* faults.c */
void a4p_faults_init(uint32_t reset_cause);
board_fault_t a4p_take_fault(void);
void a4p_note_bark(const uint32_t *frame); /* keeps where the program was when the watchdog barked */

static inline uint32_t a4p_lock(void)
{
    uint32_t primask;
    __asm__ volatile("mrs %0, primask\n cpsid i" : "=r"(primask) : : "memory");
    return primask;
}

static inline void a4p_unlock(uint32_t primask)
{
    __asm__ volatile("msr primask, %0" : : "r"(primask) : "memory");
}

#endif
