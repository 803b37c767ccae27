/* Registers of the Cortex-M4's system control block that every board uses (Armv7-M Architecture Reference Manual,
 * B3.2). What docs/apollo4p-facts.md says of them on the Apollo4 Plus is named behind it: "[n.n]" is a section of that
 * page. */
#ifndef ECGSEG_CORTEX_M_REGISTERS_H
#define ECGSEG_CORTEX_M_REGISTERS_H

#include <stdint.h>

#define CORTEX_M_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SCB_VTOR CORTEX_M_REGISTER(0xE000ED08u)  /* [2.1] */
#define SCB_AIRCR CORTEX_M_REGISTER(0xE000ED0Cu) /* [2.1] */
#define SCB_AIRCR_SYSRESETREQ 0x05FA0004u        /* [2.1] with its key */
#define SCB_SHCSR CORTEX_M_REGISTER(0xE000ED24u)
#define SCB_SHCSR_FAULTS_ENABLE (7u << 16) /* memory, bus and usage faults are exceptions of their own */
#define SCB_CFSR CORTEX_M_REGISTER(0xE000ED28u)
#define SCB_HFSR CORTEX_M_REGISTER(0xE000ED2Cu)
#define SCB_MMFAR CORTEX_M_REGISTER(0xE000ED34u)
#define SCB_BFAR CORTEX_M_REGISTER(0xE000ED38u)
#define SCB_CPACR CORTEX_M_REGISTER(0xE000ED88u) /* [2.1] */
#define SCB_CPACR_FPU 0x00F00000u                /* [2.1] CP10 and CP11 full access */

#endif
