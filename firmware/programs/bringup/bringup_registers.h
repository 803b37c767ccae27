/* Registers that only the bring-up image uses; "[n.n]" is the section of docs/apollo4p-facts.md, "[Arm]" the ARMv7-M
 * Architecture Reference Manual. */
#ifndef BRINGUP_REGISTERS_H
#define BRINGUP_REGISTERS_H

#include "apollo4p_registers.h"

#define SCB_CPUID A4P_REGISTER(0xE000ED00u)         /* [1.1] */
#define NVIC_ICPR0 A4P_REGISTER(0xE000E280u)        /* [Arm] */
#define NVIC_ISER1 A4P_REGISTER(0xE000E104u)        /* [Arm] */
#define NVIC_ICER1 A4P_REGISTER(0xE000E184u)        /* [Arm] */
#define NVIC_ICPR1 A4P_REGISTER(0xE000E284u)        /* [Arm] */
#define IRQ_STIMER_COMPARE_A 32u                    /* [6] */
#define MCUCTRL_CHIPREV A4P_REGISTER(0x4002000Cu)   /* [1.1] */
#define INFO0_MAINPTR A4P_REGISTER(0x42000060u)     /* [2.1] */
#define PWRCTRL_DEVPWR_DBG (1u << 24)               /* [2.8] */
#define STIMER_STCFG A4P_REGISTER(0x40008800u)      /* [5.1] */
#define STIMER_STCFG_XTAL_32KHZ 3u                  /* [5.1] */
#define STIMER_STCFG_COMPARE_A (1u << 8)            /* [5.1] */
#define STIMER_STCFG_CLEAR (1u << 30)               /* [5.1] */
#define STIMER_STTMR A4P_REGISTER(0x40008804u)      /* [5.1] */
#define STIMER_SCMPR0 A4P_REGISTER(0x40008820u)     /* [5.1] */
#define STIMER_STMINTEN A4P_REGISTER(0x40008900u)   /* [5.1] */
#define STIMER_STMINTSTAT A4P_REGISTER(0x40008904u) /* [5.1] */
#define STIMER_STMINTCLR A4P_REGISTER(0x40008908u)  /* [5.1] */
#define STIMER_COMPARE_A (1u << 0)                  /* [5.1] */

#endif
