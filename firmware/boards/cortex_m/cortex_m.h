/* What every board with a Cortex-M4F has in common: the way from reset to main(), the stack's high-water mark, and the
 * record that a fault leaves over the restart. Boards include it, nobody else.
 *
 * A board's linker script defines what this reads: __stack_limit, __stack_top, __fault_stack_top, __data_load,
 * __data_start, __data_end, __bss_start, __bss_end, all at multiples of four, and keeps .noinit out of both.
 *
 * Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5 exception model, B3.2 system control block.
 */
#ifndef ECGSEG_CORTEX_M_H
#define ECGSEG_CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "cortex_m_registers.h"

/* Lies in .noinit. Whether that memory comes through a restart is the board's matter; a checksum decides whether a
 * record is believed. */
typedef struct {
    uint32_t magic;
    board_fault_t fault;
    uint32_t checksum;
} cortex_m_record_t;

/* Before any floating point, a copy through FPU registers included. */
static inline void cortex_m_enable_fpu(void)
{
    SCB_CPACR |= SCB_CPACR_FPU;
    __asm__ volatile("dsb\n isb" : : : "memory");
}

/* Paints the stack below the caller, copies .data and clears .bss. Once, before anything else uses them. */
void cortex_m_init_memory(void);

/* In every vector that nobody else serves: records the exception's number and the program's registers, then restarts.
 * It runs on the fault stack, for the fault may be that there is no stack left. */
void cortex_m_fault_handler(void);

/* What cortex_m_fault_handler recorded before this start; false when it did not. The record is forgotten. */
bool cortex_m_take_crash(board_fault_t *fault);

/* The same for a record of the board's own: filled from an exception frame, which is only read when it lies on the
 * stack. */
void cortex_m_fill_record(cortex_m_record_t *record, const uint32_t *frame, uint32_t type);
bool cortex_m_take_record(cortex_m_record_t *record, board_fault_t *fault);

/* Restarts the whole system. */
void cortex_m_reset(void) __attribute__((noreturn));

#endif
