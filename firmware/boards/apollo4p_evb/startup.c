/* Vector table and the way from reset to main(). */
#include "apollo4p.h"
#include "apollo4p_registers.h"

#define STACK_PAINT 0xC5C5C5C5u

extern uint32_t __stack_limit[], __stack_top[];
extern uint32_t __data_load[], __data_start[], __data_end[];
extern uint32_t __bss_start[], __bss_end[];

int main(void);
void Reset_Handler(void);
void a4p_start(void);
void HardFault_Handler(void);
void MemManage_Handler(void);
void BusFault_Handler(void);
void UsageFault_Handler(void);
void WDT_Handler(void);
void UART0_Handler(void);

typedef union {
    void (*handler)(void);
    uint32_t *stack;
} vector_t;

/* 16 exceptions and 84 interrupts [1.1], [6]; padded to 128 entries so that code starts 512 bytes behind the table. */
#define VECTOR_COUNT 128u
extern const vector_t a4p_vectors[VECTOR_COUNT];

__attribute__((section(".vectors"), used)) const vector_t a4p_vectors[VECTOR_COUNT] = {
    [0] = {.stack = __stack_top},
    [1] = {.handler = Reset_Handler},
    [2] = {.handler = a4p_default_handler},
    [3] = {.handler = HardFault_Handler},
    [4] = {.handler = MemManage_Handler},
    [5] = {.handler = BusFault_Handler},
    [6] = {.handler = UsageFault_Handler},
    [11 ... 12] = {.handler = a4p_default_handler},
    [14 ... 15] = {.handler = a4p_default_handler},
    [16] = {.handler = a4p_default_handler},
    [16 + IRQ_WATCHDOG] = {.handler = WDT_Handler},
    [17 + IRQ_WATCHDOG... 15 + IRQ_UART0] = {.handler = a4p_default_handler},
    [16 + IRQ_UART0] = {.handler = UART0_Handler},
    [17 + IRQ_UART0... 15 + IRQ_COUNT] = {.handler = a4p_default_handler},
};

/* Nothing is taken from the boot loader: it may leave another stack, interrupts and the FPU in any state [2.1]. The FPU
 * comes first because a compiler may copy .data through FPU registers. */
#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)
__attribute__((naked, noreturn, used)) void Reset_Handler(void)
{
    __asm__ volatile("cpsid i\n"
                     "ldr r0, =__stack_top\n"
                     "msr msp, r0\n"
                     "movs r1, #0\n"
                     "msr control, r1\n"
                     "isb\n"
                     "ldr r0, =" STRING(SCB_CPACR_ADDRESS) "\n"
                                                           "ldr r1, [r0]\n"
                                                           "ldr r2, =" STRING(SCB_CPACR_FPU) "\n"
                                                                                             "orrs r1, r2\n"
                                                                                             "str r1, [r0]\n"
                                                                                             "dsb\n"
                                                                                             "isb\n"
                                                                                             "b a4p_start\n");
}

__attribute__((noreturn, used)) void a4p_start(void)
{
    SCB_VTOR = (uint32_t)(uintptr_t)a4p_vectors; /* [2.1]; the linker script aligns it to 512 bytes [1.1] */
    __asm__ volatile("dsb" : : : "memory");

    const uint32_t *source = __data_load;
    for (uint32_t *word = __data_start; word < __data_end; word++) {
        *word = *source++;
    }
    for (uint32_t *word = __bss_start; word < __bss_end; word++) {
        *word = 0u;
    }
    uint32_t *here = __builtin_frame_address(0);
    for (uint32_t *word = __stack_limit; word < here - 32; word++) {
        *word = STACK_PAINT;
    }

    SCB_CCR |= SCB_CCR_DIV_0_TRP;
    SCB_SHCSR |= SCB_SHCSR_FAULTS_ENABLE;
    __asm__ volatile("dsb\n isb\n cpsie i" : : : "memory");
    (void)main();
    a4p_reset(); /* main never returns; if it does, starting again is the only sensible answer */
}

uint32_t board_stack_high_water(void)
{
    const uint32_t *word = __stack_limit;
    while (word < __stack_top && *word == STACK_PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)word);
}
