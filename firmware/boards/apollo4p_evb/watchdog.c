/* Watchdog: barks (interrupt) after 4 s, bites (reset) after 8 s without being fed [5.5].
 *
 * The main program feeds it whenever it goes round. Asleep it cannot, so there the bark is the alarm clock that gets it
 * up; a bark at any other time means that the program is stuck, and where is kept for the start after the bite.
 */
#include "apollo4p.h"
#include "apollo4p_registers.h"

#define WATCHDOG_HZ 16u
#define BARK_SECONDS 4u
#define BITE_SECONDS 8u

static volatile bool asleep;

void a4p_bark(const uint32_t *frame);
void WDT_Handler(void);

void a4p_watchdog_start(void)
{
    WDT_CFG =
        WDT_CFG_CLKSEL_16HZ | WDT_CFG_INTVAL(BARK_SECONDS * WATCHDOG_HZ) | WDT_CFG_RESVAL(BITE_SECONDS * WATCHDOG_HZ);
    WDT_RSTRT = WDT_RSTRT_KEY;
    WDT_IERCLR = WDT_IER_WDT;
    WDT_IEREN = WDT_IER_WDT;
    RSTGEN_CFG |= RSTGEN_CFG_WDREN;
    NVIC_PRIORITY(IRQ_WATCHDOG) = NVIC_PRIORITY_VALUE(0u); /* above the port: a stuck port handler is seen too */
    NVIC_ISER0 = 1u << IRQ_WATCHDOG;
    WDT_CFG |= WDT_CFG_RESEN | WDT_CFG_INTEN | WDT_CFG_WDTEN;
}

void a4p_watchdog_feed(void)
{
    WDT_RSTRT = WDT_RSTRT_KEY;
}

void a4p_watchdog_sleeping(bool sleeping)
{
    asleep = sleeping;
}

__attribute__((used)) void a4p_bark(const uint32_t *frame)
{
    WDT_IERCLR = WDT_IER_WDT;
    (void)APB_SYNC; /* the line must be down before the handler returns */
    if (!asleep) {
        a4p_note_bark(frame);
    }
}

/* The interrupted program's registers lie on the main stack: nothing here uses the process stack. */
__attribute__((naked, used)) void WDT_Handler(void)
{
    __asm__ volatile("mrs r0, msp\n"
                     "b a4p_bark\n");
}
