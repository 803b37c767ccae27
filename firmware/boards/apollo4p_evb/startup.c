/* Vector table and the way from reset to main(). */
#include "apollo4p.h"
#include "apollo4p_registers.h"
#include "cortex_m.h"

extern uint32_t __stack_top[];

int main(void);
void Reset_Handler(void);
void a4p_start(void);
void WDT_Handler(void);
void UART0_Handler(void);

typedef union {
    void (*handler)(void);
    uint32_t *stack;
} vector_t;

/* 16 exceptions and 84 interrupts [1.1], [6]; padded to 128 entries so that code starts 512 bytes behind the table. An
 * interrupt that nobody asked for is recorded under its exception number. */
#define VECTOR_COUNT 128u
extern const vector_t a4p_vectors[VECTOR_COUNT];

__attribute__((section(".vectors"), used)) const vector_t a4p_vectors[VECTOR_COUNT] = {
    [0] = {.stack = __stack_top},
    [1] = {.handler = Reset_Handler},
    [2 ... 6] = {.handler = cortex_m_fault_handler},
    [11 ... 12] = {.handler = cortex_m_fault_handler},
    [14 ... 15] = {.handler = cortex_m_fault_handler},
    [16] = {.handler = cortex_m_fault_handler},
    [16 + IRQ_WATCHDOG] = {.handler = WDT_Handler},
    [17 + IRQ_WATCHDOG... 15 + IRQ_UART0] = {.handler = cortex_m_fault_handler},
    [16 + IRQ_UART0] = {.handler = UART0_Handler},
    [17 + IRQ_UART0... 15 + IRQ_COUNT] = {.handler = cortex_m_fault_handler},
};

/* Nothing is taken from the boot loader: it may leave another stack and interrupts in any state [2.1]. */
__attribute__((naked, noreturn, used)) void Reset_Handler(void)
{
    __asm__ volatile("cpsid i\n"
                     "ldr r0, =__stack_top\n"
                     "msr msp, r0\n"
                     "movs r1, #0\n"
                     "msr control, r1\n"
                     "isb\n"
                     "b a4p_start\n");
}

__attribute__((noreturn, used)) void a4p_start(void)
{
    cortex_m_enable_fpu();                       /* the boot loader may leave it in any state too */
    SCB_VTOR = (uint32_t)(uintptr_t)a4p_vectors; /* [2.1]; the linker script aligns it to 512 bytes [1.1] */
    __asm__ volatile("dsb" : : : "memory");
    cortex_m_init_memory();
    SCB_CCR |= SCB_CCR_DIV_0_TRP;
    SCB_SHCSR |= SCB_SHCSR_FAULTS_ENABLE;
    __asm__ volatile("dsb\n isb\n cpsie i" : : : "memory");
    (void)main();
    cortex_m_reset(); /* main never returns; if it does, starting again is the only sensible answer */
}
