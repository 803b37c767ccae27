/* Faults: what the processor knew is kept over the restart and told to whoever asks after it. */
#include <string.h>

#include "cortex_m.h"

#define RECORD_MAGIC 0x45434746u

extern uint32_t __stack_limit, __stack_top;

static cortex_m_record_t crash __attribute__((section(".noinit")));

void cortex_m_fault_entry(const uint32_t *frame, uint32_t exception);

static uint32_t checksum_of(const cortex_m_record_t *record)
{
    uint32_t words[sizeof(board_fault_t) / sizeof(uint32_t)];
    memcpy(words, &record->fault, sizeof words);
    uint32_t sum = record->magic;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        sum = (sum << 1 | sum >> 31) ^ words[i];
    }
    return sum;
}

void cortex_m_fill_record(cortex_m_record_t *record, const uint32_t *frame, uint32_t type)
{
    memset(record, 0, sizeof *record);
    record->magic = RECORD_MAGIC;
    record->fault.fault_valid = 1u;
    record->fault.fault_type = type;
    record->fault.cfsr = SCB_CFSR;
    record->fault.hfsr = SCB_HFSR;
    record->fault.mmfar = SCB_MMFAR;
    record->fault.bfar = SCB_BFAR;
    /* A stack pointer outside of the stack is what made the fault: there is no frame to read. */
    const uintptr_t address = (uintptr_t)frame;
    if ((address & 3u) == 0u && address >= (uintptr_t)&__stack_limit &&
        address + sizeof record->fault.registers <= (uintptr_t)&__stack_top) {
        memcpy(record->fault.registers, frame, sizeof record->fault.registers);
    }
    record->checksum = checksum_of(record);
}

bool cortex_m_take_record(cortex_m_record_t *record, board_fault_t *fault)
{
    const bool good = record->magic == RECORD_MAGIC && record->checksum == checksum_of(record);
    if (good) {
        *fault = record->fault;
    }
    record->magic = 0u;
    return good;
}

bool cortex_m_take_crash(board_fault_t *fault)
{
    return cortex_m_take_record(&crash, fault);
}

__attribute__((noreturn, used)) void cortex_m_fault_entry(const uint32_t *frame, uint32_t exception)
{
    cortex_m_fill_record(&crash, frame, exception);
    cortex_m_reset();
}

__attribute__((naked, used)) void cortex_m_fault_handler(void)
{
    __asm__ volatile("tst lr, #4\n"
                     "ite eq\n"
                     "mrseq r0, msp\n"
                     "mrsne r0, psp\n"
                     "mrs r1, ipsr\n"
                     "ldr r2, =__fault_stack_top\n"
                     "msr msp, r2\n"
                     "b cortex_m_fault_entry\n");
}

__attribute__((noreturn)) void cortex_m_reset(void)
{
    __asm__ volatile("cpsid i\n dsb" : : : "memory");
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
        __asm__ volatile("dsb" : : : "memory");
    }
}
