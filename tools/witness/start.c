/* From reset to witness_run(): FPU, cache, cycle counter, memory. */
#include "witness.h"

#include <stddef.h>
#include <string.h>

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000u)
/* docs/apollo4p-facts.md, 2.4: configured, then enabled, then invalidated. */
#define CACHECFG (*(volatile uint32_t *)0x48000000u)
#define CACHECTRL (*(volatile uint32_t *)0x48000008u)
#define CACHE_CONFIGURED 0x001007E0u

enum { RUNNING, GOOD, WRONG };

extern uint32_t __stack_top[], __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];

volatile uint32_t witness_state;
volatile uint32_t witness_parts;
volatile uint32_t witness_cycles[WITNESS_MOST_PARTS];

void Reset_Handler(void);
void Fault_Handler(void);

void witness_tell(uint32_t cycles)
{
    if (witness_parts < WITNESS_MOST_PARTS) {
        witness_cycles[witness_parts] = cycles;
        witness_parts = witness_parts + 1u;
    }
}

void Fault_Handler(void)
{
    witness_state = WRONG;
    for (;;) {
    }
}

void Reset_Handler(void)
{
    CPACR |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    (void)memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start) * sizeof *__data_start);
    (void)memset(__bss_start, 0, (size_t)(__bss_end - __bss_start) * sizeof *__bss_start);
    CACHECFG = CACHE_CONFIGURED;
    CACHECFG = CACHE_CONFIGURED | 1u;
    CACHECTRL = 1u;
    DEMCR |= 1u << 24;
    DWT_CTRL |= 1u;
    bool good = witness_run();
    witness_parts = 0;
    good = witness_run() && good;
    witness_state = good ? GOOD : WRONG;
    for (;;) {
    }
}

typedef void (*vector_t)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector_t handlers[15];
} vectors = {__stack_top,
             {Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, 0, 0, 0, 0,
              Fault_Handler, Fault_Handler, 0, Fault_Handler, Fault_Handler}};
