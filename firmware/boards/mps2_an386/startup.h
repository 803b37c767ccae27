/* Between the two files of the mps2_an386 board. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

#include "board.h"

#define UART0_RX_IRQ 0
#define UART_OVERFLOW_IRQ 12

void board_uart_rx_handler(void);

/* Resets the whole system; does not return. */
void startup_system_reset(void);

/* Fault record of the last start, cleared by reading. */
board_fault_t startup_take_fault(void);

/* Bytes of the stack that have been written since reset. */
uint32_t startup_stack_high_water(void);

#endif
