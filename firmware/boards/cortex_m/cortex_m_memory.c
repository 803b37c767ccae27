/* Memory at the start, and how much of the stack has been used since. */
#include "cortex_m.h"

#define STACK_PAINT 0xC5C5C5C5u
/* Below the stack pointer, for the very function that paints. */
#define UNPAINTED_BYTES 64u

/* Symbols of the linker script: their addresses are what counts, they are no objects. */
extern uint32_t __data_load, __data_start, __data_end;
extern uint32_t __bss_start, __bss_end;
extern uint32_t __stack_limit, __stack_top;
#define ADDRESS_OF(symbol) ((uintptr_t)&(symbol))

/* Volatile: a compiler that made a library call of a loop would use what is not there yet. */
static volatile uint32_t *word_at(uintptr_t address)
{
    return (volatile uint32_t *)address;
}

static void paint_stack(void)
{
    uintptr_t here;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (uintptr_t at = ADDRESS_OF(__stack_limit); at < here - UNPAINTED_BYTES; at += sizeof(uint32_t)) {
        *word_at(at) = STACK_PAINT;
    }
}

void cortex_m_init_memory(void)
{
    paint_stack();
    uintptr_t source = ADDRESS_OF(__data_load);
    for (uintptr_t at = ADDRESS_OF(__data_start); at < ADDRESS_OF(__data_end); at += sizeof(uint32_t)) {
        *word_at(at) = *word_at(source);
        source += sizeof(uint32_t);
    }
    for (uintptr_t at = ADDRESS_OF(__bss_start); at < ADDRESS_OF(__bss_end); at += sizeof(uint32_t)) {
        *word_at(at) = 0;
    }
}

uint32_t board_stack_high_water(void)
{
    const uintptr_t top = ADDRESS_OF(__stack_top);
    uintptr_t address = ADDRESS_OF(__stack_limit);
    while (address < top && *word_at(address) == STACK_PAINT) {
        address += sizeof(uint32_t);
    }
    return top - address;
}
