/* Reset, vectors and faults of the mps2-an386 board (Arm AN386, Cortex-M4F).
 *
 * Sources: Armv7-M Architecture Reference Manual (DDI 0403), B1.5 exception model, B3.2 system control block; Arm
 * application note AN386 for the memory map and the interrupt numbers.
 */
#include "startup.h"

#include <stddef.h>

#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08u)
#define SCB_AIRCR (*(volatile uint32_t *)0xE000ED0Cu)
#define SCB_SHCSR (*(volatile uint32_t *)0xE000ED24u)
#define SCB_CFSR (*(volatile uint32_t *)0xE000ED28u)
#define SCB_HFSR (*(volatile uint32_t *)0xE000ED2Cu)
#define SCB_MMFAR (*(volatile uint32_t *)0xE000ED34u)
#define SCB_BFAR (*(volatile uint32_t *)0xE000ED38u)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88u)

#define AIRCR_KEY 0x05FA0000u
#define AIRCR_SYSRESETREQ 4u
#define SHCSR_FAULTS_ENABLED 0x00070000u /* usage, bus and memory management fault */
#define CPACR_FPU 0x00F00000u            /* coprocessors 10 and 11: full access */

#define FAULT_MAGIC 0xFA017ECDu
#define STACK_PAINT 0xC5C5C5C5u

typedef struct {
    uint32_t magic;
    board_fault_t fault;
} fault_record_t;

static fault_record_t fault_record __attribute__((section(".noinit")));

extern uint32_t board_data_load[], board_data_start[], board_data_end[];
extern uint32_t board_bss_start[], board_bss_end[];
extern uint32_t board_stack_limit[], board_stack_top[];

int main(void);
void board_reset(void);
void board_fault_c(const uint32_t *frame, uint32_t exception);

typedef void (*vector_t)(void);

void startup_system_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = AIRCR_KEY | AIRCR_SYSRESETREQ;
    for (;;) {
        __asm volatile("dsb" ::: "memory");
    }
}

/* Keeps what the core knows about a fault over the restart that follows. */
__attribute__((used)) void board_fault_c(const uint32_t *frame, uint32_t exception)
{
    fault_record.fault = (board_fault_t){
        .reset_cause = 0,
        .fault_valid = 1,
        .fault_type = exception,
        .cfsr = SCB_CFSR,
        .hfsr = SCB_HFSR,
        .mmfar = SCB_MMFAR,
        .bfar = SCB_BFAR,
    };
    /* A stack pointer outside of the stack is what made the fault: there is no frame to read. */
    if (frame >= board_stack_limit && frame + 8 <= board_stack_top) {
        for (size_t i = 0; i < 8; i++) {
            fault_record.fault.registers[i] = frame[i];
        }
    }
    fault_record.magic = FAULT_MAGIC;
    startup_system_reset();
}

/* The faulting stack may be used up, so the handler goes on at the top of the stack: nothing returns. */
__attribute__((naked, used)) static void fault_entry(void)
{
    __asm volatile("tst lr, #4\n"
                   "ite eq\n"
                   "mrseq r0, msp\n"
                   "mrsne r0, psp\n"
                   "mrs r1, ipsr\n"
                   "ldr r2, =board_stack_top\n"
                   "msr msp, r2\n"
                   "b board_fault_c\n");
}

board_fault_t startup_take_fault(void)
{
    board_fault_t fault = {0};
    if (fault_record.magic == FAULT_MAGIC) {
        fault = fault_record.fault;
    }
    fault_record.magic = 0;
    return fault;
}

uint32_t startup_stack_high_water(void)
{
    const uint32_t *word = board_stack_limit;
    while (word < board_stack_top && *word == STACK_PAINT) {
        word++;
    }
    return (uint32_t)(board_stack_top - word) * (uint32_t)sizeof *word;
}

static void paint_stack(void)
{
    uint32_t *here;
    __asm volatile("mov %0, sp" : "=r"(here));
    /* A few words below the pointer are left to this function itself. */
    for (uint32_t *word = board_stack_limit; word < here - 16; word++) {
        *(volatile uint32_t *)word = STACK_PAINT;
    }
}

__attribute__((noreturn)) void board_reset(void)
{
    SCB_CPACR |= CPACR_FPU;
    __asm volatile("dsb\nisb" ::: "memory");
    SCB_VTOR = 0;
    SCB_SHCSR |= SHCSR_FAULTS_ENABLED;
    paint_stack();
    const uint32_t *source = board_data_load;
    for (uint32_t *word = board_data_start; word < board_data_end; word++) {
        *word = *source++;
    }
    for (uint32_t *word = board_bss_start; word < board_bss_end; word++) {
        *word = 0;
    }
    (void)main();
    startup_system_reset();
    for (;;) {
    }
}

#define EXTERNAL_INTERRUPTS 32

typedef struct {
    uint32_t *stack_top;
    vector_t exceptions[15];
    vector_t interrupts[EXTERNAL_INTERRUPTS];
} vector_table_t;

/* Exceptions 1 to 15, then the interrupts: UART0 receive is 0, its overflow 12 (AN386, interrupt assignments). */
__attribute__((section(".vectors"), used)) static const vector_table_t vectors = {
    .stack_top = board_stack_top,
    .exceptions = {board_reset, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry,
                   fault_entry, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry,
                   fault_entry},
    .interrupts = {[UART0_RX_IRQ] = board_uart_rx_handler, [1 ... 11] = fault_entry,
                   [UART_OVERFLOW_IRQ] = board_uart_rx_handler, [13 ... EXTERNAL_INTERRUPTS - 1] = fault_entry},
};
