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
#define UNPAINTED_BYTES 64u

typedef struct {
    uint32_t magic;
    board_fault_t fault;
} fault_record_t;

static fault_record_t fault_record __attribute__((section(".noinit")));

/* Symbols of the linker script: their addresses are what counts, they are no objects. */
extern uint32_t board_data_load, board_data_start, board_data_end;
extern uint32_t board_bss_start, board_bss_end;
extern uint32_t board_stack_limit, board_stack_top;
#define ADDRESS_OF(symbol) ((uintptr_t)&(symbol))

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
    const uintptr_t address = (uintptr_t)frame;
    if (address >= ADDRESS_OF(board_stack_limit) &&
        address + sizeof fault_record.fault.registers <= ADDRESS_OF(board_stack_top)) {
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

static volatile uint32_t *word_at(uintptr_t address)
{
    return (volatile uint32_t *)address;
}

uint32_t startup_stack_high_water(void)
{
    const uintptr_t top = ADDRESS_OF(board_stack_top);
    uintptr_t address = ADDRESS_OF(board_stack_limit);
    while (address < top && *word_at(address) == STACK_PAINT) {
        address += sizeof(uint32_t);
    }
    return top - address;
}

static void paint_stack(void)
{
    uintptr_t here;
    __asm volatile("mov %0, sp" : "=r"(here));
    /* A few words below the pointer are left to this function itself. */
    for (uintptr_t at = ADDRESS_OF(board_stack_limit); at < here - UNPAINTED_BYTES; at += sizeof(uint32_t)) {
        *word_at(at) = STACK_PAINT;
    }
}

__attribute__((noreturn)) void board_reset(void)
{
    SCB_CPACR |= CPACR_FPU;
    __asm volatile("dsb\nisb" ::: "memory");
    SCB_VTOR = 0;
    SCB_SHCSR |= SHCSR_FAULTS_ENABLED;
    paint_stack();
    uintptr_t source = ADDRESS_OF(board_data_load);
    for (uintptr_t at = ADDRESS_OF(board_data_start); at < ADDRESS_OF(board_data_end); at += sizeof(uint32_t)) {
        *word_at(at) = *word_at(source);
        source += sizeof(uint32_t);
    }
    for (uintptr_t at = ADDRESS_OF(board_bss_start); at < ADDRESS_OF(board_bss_end); at += sizeof(uint32_t)) {
        *word_at(at) = 0;
    }
    (void)main();
    startup_system_reset();
    for (;;) {
    }
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
    .stack_top = &board_stack_top,
    .exceptions = {board_reset, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry,
                   fault_entry, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry,
                   fault_entry},
    .interrupts = {[UART0_RX_IRQ] = board_uart_rx_handler,
                   [1 ... 11] = fault_entry,
                   [UART_OVERFLOW_IRQ] = board_uart_rx_handler,
                   [13 ... EXTERNAL_INTERRUPTS - 1] = fault_entry},
};
