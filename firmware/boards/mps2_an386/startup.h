/* Between the two files of the mps2_an386 board. */
#ifndef STARTUP_H
#define STARTUP_H

#define UART0_RX_IRQ 0
#define UART_OVERFLOW_IRQ 12

void board_uart_rx_handler(void);

#endif
