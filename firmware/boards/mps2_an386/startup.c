/* Reset and vectors of the mps2-an386 board (Arm AN386, Cortex-M4F): memory map and interrupt numbers are that
 * application note's. */
#include "startup.h"

#include <stdint.h>

#include "cortex_m.h"

extern uint32_t __stack_top;

int main(void);
void board_reset(void);

typedef void (*vector_t)(void);

__attribute__((noreturn)) void board_reset(void)
{
    cortex_m_enable_fpu();
    SCB_VTOR = 0;
    SCB_SHCSR |= SCB_SHCSR_FAULTS_ENABLE;
    cortex_m_init_memory();
    (void)main();
    cortex_m_reset();
}

#define EXTERNAL_INTERRUPTS 32

/* Read by the core alone. */
typedef struct {
    // cppcheck-suppress unusedStructMember
    uint32_t *stack_top;
    // cppcheck-suppress unusedStructMember
    vector_t exceptions[15];
    // cppcheck-suppress unusedStructMember
    vector_t interrupts[EXTERNAL_INTERRUPTS];
} vector_table_t;

/* Exceptions 1 to 15, then the interrupts: UART0 receive is 0, its overflow 12 (AN386, interrupt assignments). */
__attribute__((section(".vectors"), used)) static const vector_table_t vectors = {
    .stack_top = &__stack_top,
    .exceptions = {board_reset, [1 ... 14] = cortex_m_fault_handler},
    .interrupts = {[UART0_RX_IRQ] = board_uart_rx_handler,
                   [1 ... 11] = cortex_m_fault_handler,
                   [UART_OVERFLOW_IRQ] = board_uart_rx_handler,
                   [13 ... EXTERNAL_INTERRUPTS - 1] = cortex_m_fault_handler},
};
