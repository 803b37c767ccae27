/* What ended the run before this one. The record of a fault is the processor's (boards/cortex_m); the watchdog's comes
 * from its bark. Both lie in .noinit at the top of the TCM. Whether the secure boot loader leaves that memory alone is
 * an open point of docs/bring-up.md. The stack lies at the bottom of the TCM, so an overflow leaves the memory and
 * becomes a bus fault.
 */
#include <string.h>

#include "apollo4p.h"
#include "apollo4p_registers.h"
#include "cortex_m.h"

#define FAULT_WATCHDOG 0x100u

static cortex_m_record_t bark_record __attribute__((section(".noinit")));
static board_fault_t last_fault;

void a4p_note_bark(const uint32_t *frame)
{
    cortex_m_fill_record(&bark_record, frame, FAULT_WATCHDOG);
}

void a4p_faults_init(uint32_t reset_cause)
{
    board_fault_t bark;
    memset(&last_fault, 0, sizeof last_fault);
    /* Taken in any case: no later start may believe it. */
    const bool barked = cortex_m_take_record(&bark_record, &bark);
    if (!cortex_m_take_crash(&last_fault) && (reset_cause & RSTGEN_STAT_WATCHDOG) != 0u) {
        /* The bark comes before the bite: its record says where the program was, unless interrupts were masked. */
        if (barked) {
            last_fault = bark;
        }
        last_fault.fault_valid = 1u;
        last_fault.fault_type = FAULT_WATCHDOG;
    }
    last_fault.reset_cause = reset_cause;
}

board_fault_t a4p_take_fault(void)
{
    const board_fault_t fault = last_fault;
    const uint32_t reset_cause = last_fault.reset_cause;
    memset(&last_fault, 0, sizeof last_fault);
    last_fault.reset_cause = reset_cause;
    return fault;
}
