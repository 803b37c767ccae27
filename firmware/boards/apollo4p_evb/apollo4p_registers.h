/* Registers of the Apollo4 Plus (AMAP42KP-KBR) that this board uses, and no others.
 *
 * "[n.n]" behind a definition is the section of docs/apollo4p-facts.md that it is taken from; that page names the
 * public sources and how sure each fact is. "[Arm]" marks what the ARMv7-M Architecture Reference Manual defines.
 */
#ifndef ECGSEG_APOLLO4P_REGISTERS_H
#define ECGSEG_APOLLO4P_REGISTERS_H

#include <stdint.h>

#include "cortex_m_registers.h"

#define A4P_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* ---- Core ---- */
#define SCB_SCR A4P_REGISTER(0xE000ED10u) /* [5.4] */
#define SCB_SCR_SLEEPDEEP (1u << 2)       /* [5.4] */
#define SCB_CCR A4P_REGISTER(0xE000ED14u) /* [Arm] */
#define SCB_CCR_DIV_0_TRP (1u << 4)       /* [Arm] */
#define SCB_CCR_BFHFNMIGN (1u << 8)       /* [Arm] bus faults are ignored while FAULTMASK is set */
#define SCB_CFSR_BUS_FAULTS 0x0000FF00u   /* [Arm] */

#define NVIC_ISER0 A4P_REGISTER(0xE000E100u)                                       /* [Arm] */
#define NVIC_ICER0 A4P_REGISTER(0xE000E180u)                                       /* [Arm] */
#define NVIC_PRIORITY(irq) (*(volatile uint8_t *)(uintptr_t)(0xE000E400u + (irq))) /* [1.1] value in bits 7:5 */
#define NVIC_PRIORITY_VALUE(level) ((uint8_t)((level) << 5))                       /* [1.1] 3 bits */
#define IRQ_WATCHDOG 1u                                                            /* [6] */
#define IRQ_UART0 15u                                                              /* [6] */
#define IRQ_COUNT 84u                                                              /* [1.1] */

#define DEMCR A4P_REGISTER(0xE000EDFCu)      /* [2.8] */
#define DEMCR_TRCENA (1u << 24)              /* [2.8] */
#define DWT_CTRL A4P_REGISTER(0xE0001000u)   /* [2.8] */
#define DWT_CTRL_CYCCNTENA (1u << 0)         /* [2.8] */
#define DWT_CYCCNT A4P_REGISTER(0xE0001004u) /* [2.8] */

/* ---- RSTGEN ---- */
#define RSTGEN_CFG A4P_REGISTER(0x40000000u)  /* [5.5] */
#define RSTGEN_CFG_WDREN (1u << 1)            /* [5.5] */
#define RSTGEN_STAT A4P_REGISTER(0x4000885Cu) /* [2.1] */
#define RSTGEN_STAT_WATCHDOG (1u << 6)        /* [2.1] */
#define RSTGEN_STAT_ALL 0xFFFu                /* [2.1] */

/* ---- CLKGEN ---- */
#define CLKGEN_MISC A4P_REGISTER(0x40004044u) /* [5.3] */
#define CLKGEN_MISC_CLOCK_GATES 0x00FC0000u   /* [2.5] step 2 */
#define CLKGEN_MISC_PWRONCLKENDISP (1u << 6)  /* [2.5] step 5 */

/* ---- TIMER ---- */
#define TIMER_GLOBEN A4P_REGISTER(0x40008010u) /* [5.2] */
#define TIMER_GLOBEN_TIMER0 (1u << 0)          /* [5.2] */
#define TIMER0_CTRL A4P_REGISTER(0x40008200u)  /* [5.2] */
#define TIMER0_CTRL_EN (1u << 0)               /* [5.2] */
#define TIMER0_CTRL_CLR (1u << 1)              /* [5.2] */
#define TIMER0_CTRL_FN_UPCOUNT (2u << 4)       /* [5.2] */
#define TIMER0_CTRL_CLK_HFRC_DIV4 (0u << 8)    /* [5.2] 24 MHz */
#define TIMER0_COUNT A4P_REGISTER(0x40008204u) /* [5.2] */
#define TIMER0_CMP0 A4P_REGISTER(0x40008208u)  /* [5.2] */
#define TIMER0_HZ 24000000u                    /* [5.2] */

/* ---- GPIO ---- */
#define GPIO_PINCFG(pad) A4P_REGISTER(0x40010000u + 4u * (pad)) /* [4.1] */
#define GPIO_PADKEY A4P_REGISTER(0x40010200u)                   /* [4.1] */
#define GPIO_PADKEY_UNLOCK 0x73u                                /* [4.1] */
#define GPIO_PADKEY_LOCK 0u                                     /* [4.1] */
#define GPIO_RD(bank) A4P_REGISTER(0x40010204u + 4u * (bank))   /* [4.1] */
#define GPIO_WT(bank) A4P_REGISTER(0x40010214u + 4u * (bank))   /* [4.1] */
#define GPIO_WTS(bank) A4P_REGISTER(0x40010224u + 4u * (bank))  /* [4.1] */
#define GPIO_WTC(bank) A4P_REGISTER(0x40010234u + 4u * (bank))  /* [4.1] */
#define PAD_UART0_TX 60u                                        /* [4.2] */
#define PAD_UART0_TX_CONFIG 0x404u                              /* [4.2] function 4, drive 0.5x */
#define PAD_UART0_RX 47u                                        /* [4.2] */
#define PAD_UART0_RX_CONFIG 0x014u                              /* [4.2] function 4, input buffer on */
#define PAD_LED0 90u                                            /* [4.2] */
#define PAD_LED1 30u                                            /* [4.2] */
#define PAD_LED2 97u                                            /* [4.2] */
#define PAD_LED_CONFIG 0x203u                                   /* [4.2] GPIO, open drain, low lights it */
#define PAD_STATE_BIT0 22u                                      /* [4.3] */
#define PAD_STATE_BIT1 23u                                      /* [4.3] */
#define PAD_STATE_CONFIG 0x103u                                 /* [4.3] GPIO, push-pull */
#define PAD_GO 24u                                              /* [4.3] */
#define PAD_GO_CONFIG 0x013u                                    /* [4.3] GPIO, input buffer on */

/* ---- UART0 ---- */
#define UART0_DR A4P_REGISTER(0x4001C000u)   /* [3.2] */
#define UART_DR_FE (1u << 8)                 /* [3.2] */
#define UART_DR_PE (1u << 9)                 /* [3.2] */
#define UART_DR_BE (1u << 10)                /* [3.2] */
#define UART_DR_OE (1u << 11)                /* [3.2] */
#define UART0_FR A4P_REGISTER(0x4001C018u)   /* [3.2] */
#define UART_FR_BUSY (1u << 3)               /* [3.2] */
#define UART_FR_RXFE (1u << 4)               /* [3.2] */
#define UART_FR_TXFF (1u << 5)               /* [3.2] */
#define UART_FR_TXFE (1u << 7)               /* [3.2] */
#define UART0_IBRD A4P_REGISTER(0x4001C024u) /* [3.2] */
#define UART0_FBRD A4P_REGISTER(0x4001C028u) /* [3.2] */
#define UART0_LCRH A4P_REGISTER(0x4001C02Cu) /* [3.2] */
#define UART_LCRH_8N1_FIFO 0x70u             /* [3.3] step 4 */
#define UART0_CR A4P_REGISTER(0x4001C030u)   /* [3.2] */
#define UART_CR_UARTEN (1u << 0)             /* [3.2] */
#define UART_CR_CLKEN (1u << 3)              /* [3.2] */
#define UART_CR_CLKSEL_24MHZ (1u << 4)       /* [3.2] */
#define UART_CR_TXE (1u << 8)                /* [3.2] */
#define UART_CR_RXE (1u << 9)                /* [3.2] */
#define UART_CLOCK_HZ 24000000u              /* [3.2] */
#define UART0_IFLS A4P_REGISTER(0x4001C034u) /* [3.2] */
#define UART_IFLS_RX16_TX8 ((2u << 3) | 1u)  /* [3.2] */
#define UART0_IER A4P_REGISTER(0x4001C038u)  /* [3.2] */
#define UART0_MIS A4P_REGISTER(0x4001C040u)  /* [3.2] */
#define UART0_IEC A4P_REGISTER(0x4001C044u)  /* [3.2] */
#define UART_INT_RX (1u << 4)                /* [3.2] */
#define UART_INT_TX (1u << 5)                /* [3.2] */
#define UART_INT_RT (1u << 6)                /* [3.2] */
#define UART_INT_OE (1u << 10)               /* [3.2] */
#define UART_INT_ALL 0x7FFu                  /* [3.2] */

/* ---- MCUCTRL ---- */
#define MCUCTRL_CHIPPN A4P_REGISTER(0x40020000u)       /* [1.1] */
#define MCUCTRL_CHIPPN_FAMILY 0xFFu                    /* [1.1] bits 31:24 */
#define MCUCTRL_CHIPPN_APOLLO4 0x08u                   /* [1.1] */
#define MCUCTRL_VENDORID A4P_REGISTER(0x40020010u)     /* [1.1] */
#define MCUCTRL_VENDORID_AMBIQ 0x414D4251u             /* [1.1] */
#define MCUCTRL_SKU A4P_REGISTER(0x40020014u)          /* [1.1] */
#define MCUCTRL_SKU_HIGH_PERFORMANCE (1u << 6)         /* [1.1] */
#define MCUCTRL_VRCTRL A4P_REGISTER(0x40020060u)       /* [2.6] step 9 */
#define MCUCTRL_D2ASPARE A4P_REGISTER(0x400201B0u)     /* [2.6] step 6 */
#define MCUCTRL_SIMOBUCK0 A4P_REGISTER(0x4002033Cu)    /* [2.6] steps 4, 6 */
#define MCUCTRL_SIMOBUCK1 A4P_REGISTER(0x40020340u)    /* [2.6] step 5 */
#define MCUCTRL_SIMOBUCK2 A4P_REGISTER(0x40020344u)    /* [2.6] step 1 */
#define MCUCTRL_SIMOBUCK3 A4P_REGISTER(0x40020348u)    /* [2.6] step 2 */
#define MCUCTRL_SIMOBUCK6 A4P_REGISTER(0x40020354u)    /* [2.6] step 1 */
#define MCUCTRL_SIMOBUCK7 A4P_REGISTER(0x40020358u)    /* [2.6] step 1 */
#define MCUCTRL_SIMOBUCK8 A4P_REGISTER(0x4002035Cu)    /* [2.6] step 2 */
#define MCUCTRL_SIMOBUCK9 A4P_REGISTER(0x40020360u)    /* [2.6] step 1 */
#define MCUCTRL_SIMOBUCK13 A4P_REGISTER(0x40020370u)   /* [2.6] step 3 */
#define MCUCTRL_SIMOBUCK15 A4P_REGISTER(0x40020378u)   /* [2.6] steps 1, 8 */
#define MCUCTRL_PWRSW0 A4P_REGISTER(0x4002037Cu)       /* [2.5] step 6 */
#define MCUCTRL_PWRSW0_RETENTION 0x05FE8000u           /* [2.5] step 6 */
#define MCUCTRL_PWRSW1 A4P_REGISTER(0x40020380u)       /* [2.6] step 3 */
#define MCUCTRL_AUDADCPWRDLY A4P_REGISTER(0x40020444u) /* [2.5] step 7 */

/* ---- PWRCTRL ---- */
#define PWRCTRL_MCUPERFREQ A4P_REGISTER(0x40021000u)              /* [2.7] */
#define PWRCTRL_MCUPERF_LP 1u                                     /* [2.7] 96 MHz */
#define PWRCTRL_MCUPERF_HP 2u                                     /* [2.7] 192 MHz */
#define PWRCTRL_MCUPERF_ACK (1u << 2)                             /* [2.7] */
#define PWRCTRL_DEVPWREN A4P_REGISTER(0x40021004u)                /* [3.1] */
#define PWRCTRL_DEVPWRSTATUS A4P_REGISTER(0x40021008u)            /* [3.1] */
#define PWRCTRL_DEVPWR_UART0 (1u << 9)                            /* [3.1] */
#define PWRCTRL_DEVPWR_CRYPTO (1u << 20)                          /* [2.1] */
#define PWRCTRL_MEMPWREN A4P_REGISTER(0x40021014u)                /* [1.4] */
#define PWRCTRL_MEMPWREN_ALL 0x3Fu                                /* [1.4] */
#define PWRCTRL_MEMPWRSTATUS A4P_REGISTER(0x40021018u)            /* [1.4] */
#define PWRCTRL_MEMRETCFG A4P_REGISTER(0x4002101Cu)               /* [1.4] */
#define PWRCTRL_MEMRETCFG_NVM_DOWN 0x08u                          /* [1.4] */
#define PWRCTRL_SSRAMPWREN A4P_REGISTER(0x40021024u)              /* [1.4] */
#define PWRCTRL_SSRAMPWRST A4P_REGISTER(0x40021028u)              /* [1.4] */
#define PWRCTRL_SSRAM_GROUPS 3u                                   /* [1.4] */
#define PWRCTRL_VRCTRL A4P_REGISTER(0x40021100u)                  /* [2.6] step 7 */
#define PWRCTRL_VRCTRL_SIMOBUCKEN (1u << 0)                       /* [2.6] step 7 */
#define PWRCTRL_VRSTATUS A4P_REGISTER(0x40021108u)                /* [2.6] step 10 */
#define PWRCTRL_VRSTATUS_SIMOBUCK (3u << 4)                       /* [2.6] step 10 */
#define PWRCTRL_VRSTATUS_SIMOBUCK_ACTIVE (3u << 4)                /* [2.6] step 10 */
#define PWRCTRL_PWRWEIGHT(n) A4P_REGISTER(0x40021140u + 4u * (n)) /* [2.5] step 3 */
#define PWRCTRL_PWRWEIGHT_COUNT 19u                               /* [2.5] step 3 */

/* ---- WDT ---- */
#define WDT_CFG A4P_REGISTER(0x40024000u)     /* [5.5] */
#define WDT_CFG_WDTEN (1u << 0)               /* [5.5] */
#define WDT_CFG_INTEN (1u << 1)               /* [5.5] */
#define WDT_CFG_RESEN (1u << 2)               /* [5.5] */
#define WDT_CFG_RESVAL(ticks) ((ticks) << 8)  /* [5.5] */
#define WDT_CFG_INTVAL(ticks) ((ticks) << 16) /* [5.5] */
#define WDT_CFG_CLKSEL_16HZ (2u << 24)        /* [5.5] */
#define WDT_RSTRT A4P_REGISTER(0x40024004u)   /* [5.5] */
#define WDT_RSTRT_KEY 0xB2u                   /* [5.5] */
#define WDT_IEREN A4P_REGISTER(0x40024200u)   /* [5.5] */
#define WDT_IERCLR A4P_REGISTER(0x40024208u)  /* [5.5] */
#define WDT_IER_WDT (1u << 0)                 /* [5.5] */

/* ---- INFO1 ---- */
#define INFO1_TRIM_REVISION A4P_REGISTER(0x42003310u) /* [2.6] */

/* ---- CPU: cache and DAXI ---- */
#define APB_SYNC A4P_REGISTER(0x47FF0000u)      /* [1.2] reading it waits for posted writes */
#define CPU_CACHECFG A4P_REGISTER(0x48000000u)  /* [2.4] */
#define CPU_CACHECFG_ENABLE (1u << 0)           /* [2.4] */
#define CPU_CACHECFG_SIDES (3u << 8)            /* [2.4] IENABLE, DENABLE */
#define CPU_CACHECFG_64KB 0x001007E0u           /* [2.4] 1-way, 4096 lines, both sides, clock gates */
#define CPU_CACHECTRL A4P_REGISTER(0x48000008u) /* [2.4] */
#define CPU_CACHECTRL_INVALIDATE (1u << 0)      /* [2.4] */
#define CPU_DAXICFG A4P_REGISTER(0x48000050u)   /* [2.4] */
#define CPU_DAXICFG_DEFAULT 0x00020F03u         /* [2.4] 32 buffers, flush with fewer than 3 free, aging 4 */
#define CPU_DAXICTRL A4P_REGISTER(0x48000054u)  /* [2.4] */
#define CPU_DAXICTRL_FLUSHWRITE (1u << 0)       /* [2.4] */
#define CPU_DAXICTRL_INVALIDATE (1u << 1)       /* [2.4] */
#define CPU_DAXICTRL_READY (1u << 2)            /* [2.4] */

#endif
