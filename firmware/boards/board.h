/* The only door between portable firmware and hardware. One board implements all of it in its own folder. */
#ifndef ECGSEG_BOARD_H
#define ECGSEG_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    BOARD_STATE_IDLE = 0,
    BOARD_STATE_RECEIVE = 1,
    BOARD_STATE_PREPROCESS = 2,
    BOARD_STATE_INFERENCE = 3
} board_state_t; /* the two-bit code on the power-monitor pads */

typedef enum {
    BOARD_TIME_INSTRUCTIONS = 0, /* executed instructions (QEMU -icount): ticks * core_hz / tick_hz instructions */
    BOARD_TIME_CYCLES = 1,       /* core clock cycles: ticks * core_hz / tick_hz cycles */
    BOARD_TIME_TICKS = 2         /* some timer with tick_hz, not tied to the core clock */
} board_time_base_t;

typedef struct {
    const char *name; /* folder name of the board */
    uint32_t core_hz; /* with BOARD_TIME_INSTRUCTIONS: instructions per virtual second */
    uint32_t tick_hz; /* rate of board_ticks() */
    board_time_base_t time_base;
    uint32_t max_baud; /* 0: the port has no baud rate */
} board_info_t;

typedef struct {
    uint32_t rx_overruns; /* bytes lost because nobody fetched them */
    uint32_t rx_framing_errors;
    uint32_t rx_breaks;
    uint32_t tx_timeouts;
} board_port_errors_t;

typedef struct {
    uint32_t reset_cause;  /* board specific bits, 0 when unknown */
    uint32_t fault_valid;  /* 1: the fields below describe the fault before this start */
    uint32_t fault_type;   /* exception number: 3 hard, 4 memory, 5 bus, 6 usage; 0x100 watchdog */
    uint32_t registers[8]; /* r0-r3, r12, lr, pc, xpsr */
    uint32_t cfsr, hfsr, mmfar, bfar;
} board_fault_t;

bool board_init(uint32_t baud); /* rate of the port at first; false: the hardware is not what the image expects */
const board_info_t *board_info(void);
uint32_t board_ticks(void);                                    /* free running, wraps */
size_t board_port_read(uint8_t *destination, size_t capacity); /* never blocks, returns what was there */
bool board_port_write(const uint8_t *source, size_t length);   /* blocks until queued; false on time-out */
bool board_port_set_baud(uint32_t baud); /* after the pending output has left; false: not supported */
board_port_errors_t board_port_errors(void);
/* Sleeps until something may have happened. Returns at once when a byte came in after the last board_port_read(), also
 * when it came just before the sleep. */
void board_idle(void);
void board_set_state(board_state_t state);
bool board_set_core_hz(uint32_t hz);   /* false: refused, unchanged */
board_fault_t board_take_fault(void);  /* the record of the last start; cleared by reading */
uint32_t board_stack_high_water(void); /* bytes, 0 when not measured */
void board_feed_watchdog(void);
void board_restart(void); /* lets pending output leave first; does not return */

#endif
