/* Faults: what the processor knew is kept over the reset and told to whoever asks after it.
 *
 * The record lies in .noinit at the top of the TCM. Whether the secure boot loader leaves that memory alone is an open
 * point of docs/bring-up.md; a checksum decides whether a record is believed. The handlers run on a stack of their own,
 * because the fault may be that there is none left: the stack lies at the bottom of the TCM, so an overflow leaves the
 * memory and becomes a bus fault.
 */
#include <string.h>

#include "apollo4p.h"
#include "apollo4p_registers.h"

#define RECORD_MAGIC 0x45434746u
#define FAULT_WATCHDOG 0x100u
#define TCM_START 0x10000000u /* [1.2] */
#define TCM_END 0x10060000u   /* [1.2] */
#define FRAME_WORDS 8u

typedef struct {
    uint32_t magic;
    board_fault_t fault;
    uint32_t checksum;
} fault_record_t;

static fault_record_t crash_record __attribute__((section(".noinit")));
static fault_record_t bark_record __attribute__((section(".noinit")));
static board_fault_t last_fault;

void a4p_fault_entry(const uint32_t *frame, uint32_t exception);
void HardFault_Handler(void);
void MemManage_Handler(void);
void BusFault_Handler(void);
void UsageFault_Handler(void);

static uint32_t record_checksum(const fault_record_t *record)
{
    uint32_t words[sizeof(board_fault_t) / sizeof(uint32_t)];
    memcpy(words, &record->fault, sizeof words);
    uint32_t sum = record->magic;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        sum = (sum << 1 | sum >> 31) ^ words[i];
    }
    return sum;
}

static bool record_is_good(const fault_record_t *record)
{
    return record->magic == RECORD_MAGIC && record->checksum == record_checksum(record);
}

static void fill_record(fault_record_t *record, const uint32_t *frame, uint32_t type)
{
    memset(record, 0, sizeof *record);
    record->magic = RECORD_MAGIC;
    record->fault.fault_valid = 1u;
    record->fault.fault_type = type;
    record->fault.cfsr = SCB_CFSR;
    record->fault.hfsr = SCB_HFSR;
    record->fault.mmfar = SCB_MMFAR;
    record->fault.bfar = SCB_BFAR;
    const uintptr_t address = (uintptr_t)frame;
    if ((address & 3u) == 0u && address >= TCM_START && address <= TCM_END - FRAME_WORDS * sizeof(uint32_t)) {
        memcpy(record->fault.registers, frame, sizeof record->fault.registers);
    }
    record->checksum = record_checksum(record);
}

/* Called by the naked handlers below, on the fault stack. */
__attribute__((noreturn, used)) void a4p_fault_entry(const uint32_t *frame, uint32_t exception)
{
    fill_record(&crash_record, frame, exception);
    a4p_reset();
}

#define FAULT_HANDLER(name)                             \
    __attribute__((naked, used)) void name(void)        \
    {                                                   \
        __asm__ volatile("tst lr, #4\n"                 \
                         "ite eq\n"                     \
                         "mrseq r0, msp\n"              \
                         "mrsne r0, psp\n"              \
                         "mrs r1, ipsr\n"               \
                         "ldr r2, =__fault_stack_top\n" \
                         "msr msp, r2\n"                \
                         "b a4p_fault_entry\n");        \
    }

FAULT_HANDLER(HardFault_Handler)
FAULT_HANDLER(MemManage_Handler)
FAULT_HANDLER(BusFault_Handler)
FAULT_HANDLER(UsageFault_Handler)
/* An interrupt that nobody asked for is recorded under its exception number. */
FAULT_HANDLER(a4p_default_handler)

void a4p_note_bark(const uint32_t *frame)
{
    fill_record(&bark_record, frame, FAULT_WATCHDOG);
}

void a4p_faults_init(uint32_t reset_cause)
{
    memset(&last_fault, 0, sizeof last_fault);
    if (record_is_good(&crash_record)) {
        last_fault = crash_record.fault;
    } else if ((reset_cause & RSTGEN_STAT_WATCHDOG) != 0u) {
        /* The bark comes before the bite: its record says where the program was, unless interrupts were masked. */
        if (record_is_good(&bark_record)) {
            last_fault = bark_record.fault;
        }
        last_fault.fault_valid = 1u;
        last_fault.fault_type = FAULT_WATCHDOG;
    }
    last_fault.reset_cause = reset_cause;
    crash_record.magic = 0u;
    bark_record.magic = 0u;
}

board_fault_t a4p_take_fault(void)
{
    const board_fault_t fault = last_fault;
    const uint32_t reset_cause = last_fault.reset_cause;
    memset(&last_fault, 0, sizeof last_fault);
    last_fault.reset_cause = reset_cause;
    return fault;
}

__attribute__((noreturn)) void a4p_reset(void)
{
    __asm__ volatile("cpsid i\n dsb" : : : "memory");
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ; /* [2.1] */
    __asm__ volatile("dsb" : : : "memory");
    for (;;) {
    }
}
