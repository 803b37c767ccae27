/* Power, regulator, cache and core clock, in the order of [2.2]. */
#include "apollo4p.h"
#include "apollo4p_registers.h"

#define TRIM_UNKNOWN_PATH \
    3u /* neither the steps for trims below 3 nor those from 6 on: what an independent port runs with */

static uint32_t trim_revision;
static uint32_t simobuck13_trim; /* bits 25:20 as the factory set them */

/* Replaces the bits of `mask` by `value` (already in place) and leaves the others as they are. */
static void set_field(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    *reg = (*reg & ~mask) | value;
}

void a4p_flush_writes(void)
{
    __asm__ volatile("dsb"
                     :
                     :
                     : "memory"); /* [2.4] flush: barrier, FLUSHWRITE, sync read, wait, INVALIDATE, sync read */
    CPU_DAXICTRL = CPU_DAXICTRL_FLUSHWRITE;
    (void)APB_SYNC;
    (void)a4p_wait(&CPU_DAXICTRL, CPU_DAXICTRL_READY, CPU_DAXICTRL_READY, 100u);
    CPU_DAXICTRL = CPU_DAXICTRL_INVALIDATE;
    (void)APB_SYNC;
}

void a4p_low_power_init(void)
{
    PWRCTRL_MEMPWREN =
        PWRCTRL_MEMPWREN_ALL; /* [2.5] step 1, with the shared SRAM off: this image lives in TCM and MRAM */
    PWRCTRL_MEMRETCFG = PWRCTRL_MEMRETCFG_NVM_DOWN;
    (void)a4p_wait(&PWRCTRL_MEMPWRSTATUS, PWRCTRL_MEMPWREN_ALL, PWRCTRL_MEMPWREN_ALL, 5u);
    PWRCTRL_SSRAMPWREN = 0u;
    (void)a4p_wait(&PWRCTRL_SSRAMPWRST, PWRCTRL_SSRAM_GROUPS, 0u, 5u);

    CLKGEN_MISC |= CLKGEN_MISC_CLOCK_GATES; /* step 2 */
    for (uint32_t n = 0; n < PWRCTRL_PWRWEIGHT_COUNT; n++) {
        PWRCTRL_PWRWEIGHT(n) = 0u; /* step 3 */
    }
    a4p_flush_writes();
    CPU_DAXICFG = CPU_DAXICFG_DEFAULT; /* step 4 */
    a4p_delay_us(100u);
    CLKGEN_MISC |= CLKGEN_MISC_PWRONCLKENDISP;          /* step 5 */
    MCUCTRL_PWRSW0 |= MCUCTRL_PWRSW0_RETENTION;         /* step 6 */
    set_field(&MCUCTRL_AUDADCPWRDLY, 0xFF00u, 4u << 8); /* step 7 */
}

/* INFO1 may need an access sequence that is not public [2.6]. The read is made with bus faults ignored, so that a
 * refusal costs the trim revision and not the start. */
static uint32_t read_trim_revision(void)
{
    uint32_t faultmask;
    __asm__ volatile("mrs %0, faultmask\n cpsid f" : "=r"(faultmask) : : "memory");
    SCB_CCR |= SCB_CCR_BFHFNMIGN;
    SCB_CFSR = SCB_CFSR_BUS_FAULTS;
    __asm__ volatile("dsb\n isb" : : : "memory");
    const uint32_t value = INFO1_TRIM_REVISION;
    __asm__ volatile("dsb" : : : "memory");
    const bool failed = (SCB_CFSR & SCB_CFSR_BUS_FAULTS) != 0u;
    SCB_CFSR = SCB_CFSR_BUS_FAULTS;
    SCB_CCR &= ~SCB_CCR_BFHFNMIGN;
    __asm__ volatile("msr faultmask, %0" : : "r"(faultmask) : "memory");
    if (failed) {
        return TRIM_UNKNOWN_PATH;
    }
    return value == 0xFFFFFFFFu ? 0u : value; /* [2.6] */
}

static void simobuck_early_trim(void)
{
    set_field(&MCUCTRL_SIMOBUCK15, 0x1Fu << 24, 0u); /* [2.6] step 1 */
    set_field(&MCUCTRL_SIMOBUCK7, (0x1Fu << 18) | (0x1Fu << 8), 0xFu << 8);
    set_field(&MCUCTRL_SIMOBUCK2, (0x1Fu << 24) | (0xFu << 11), (0xAu << 24) | (0xAu << 11));
    set_field(&MCUCTRL_SIMOBUCK6, 0xFu << 17, 0xFu << 17);
    set_field(&MCUCTRL_SIMOBUCK9, (0x1Fu << 22) | (0xFu << 17), (0xFu << 22) | (0xFu << 17));
}

/* [2.6] step 9: the LDOs run in parallel with the buck. Each override bit comes after the values that it puts in
 * force. */
static void parallel_ldos(void)
{
    static const uint32_t set_bits[] = {17u, 18u, 19u, 16u};
    for (size_t i = 0; i < sizeof set_bits / sizeof set_bits[0]; i++) {
        MCUCTRL_VRCTRL |= 1u << set_bits[i];
    }
    for (uint32_t base = 0u; base <= 5u; base += 5u) { /* core LDO in bits 4:0, memory LDO in bits 9:5 */
        MCUCTRL_VRCTRL &= ~(1u << (base + 4u));
        MCUCTRL_VRCTRL |= 1u << (base + 3u);
        MCUCTRL_VRCTRL |= 1u << (base + 2u);
        MCUCTRL_VRCTRL |= 1u << (base + 1u);
        MCUCTRL_VRCTRL |= 1u << base;
    }
}

bool a4p_simobuck_init(void)
{
    trim_revision = read_trim_revision();
    if (trim_revision < 3u) {
        simobuck_early_trim(); /* [2.6] step 1 */
    }
    set_field(&MCUCTRL_SIMOBUCK3, (0xFu << 26) | (0xFu << 13), (0xAu << 26) | (0xAu << 13)); /* step 2 */
    set_field(&MCUCTRL_SIMOBUCK8, (0xFu << 22) | (0xFu << 9), (0xFu << 22) | (0xFu << 9));
    MCUCTRL_PWRSW1 |= 1u << 31; /* step 3: the value of the short first, then its enable */
    MCUCTRL_PWRSW1 |= 1u << 30;
    simobuck13_trim = MCUCTRL_SIMOBUCK13 & (0x3Fu << 20);
    set_field(&MCUCTRL_SIMOBUCK13, 0x3Fu << 20, 0u);
    MCUCTRL_SIMOBUCK0 = 0x7u; /* step 4 */
    if (trim_revision < 3u) {
        set_field(&MCUCTRL_SIMOBUCK1, (0xFu << 22) | (0x1Fu << 6), 1u << 6); /* step 5 */
    }
    if (trim_revision >= 6u) {
        MCUCTRL_SIMOBUCK0 = 0xFu; /* step 6: the core runs from the low-voltage rail */
        MCUCTRL_D2ASPARE &= ~((1u << 4) | (1u << 3));
    }
    PWRCTRL_VRCTRL |= PWRCTRL_VRCTRL_SIMOBUCKEN; /* step 7 */
    MCUCTRL_SIMOBUCK15 |= 1u << 31;              /* step 8 */
    parallel_ldos();
    return a4p_wait(&PWRCTRL_VRSTATUS, PWRCTRL_VRSTATUS_SIMOBUCK, PWRCTRL_VRSTATUS_SIMOBUCK_ACTIVE,
                    1000u); /* step 10 */
}

/* [5.4] Deep sleep with no peripheral powered wants the regulator without its overrides. */
void a4p_simobuck_before_deep_sleep(void)
{
    set_field(&MCUCTRL_SIMOBUCK13, 0x3Fu << 20, simobuck13_trim);
    MCUCTRL_PWRSW1 &= ~(1u << 31);
    MCUCTRL_PWRSW1 &= ~(1u << 30);
    MCUCTRL_VRCTRL &= ~((1u << 16) | (1u << 5) | (1u << 0));
}

void a4p_simobuck_after_deep_sleep(void)
{
    MCUCTRL_VRCTRL |= (1u << 16) | (1u << 5) | (1u << 0);
    MCUCTRL_PWRSW1 |= 1u << 31;
    MCUCTRL_PWRSW1 |= 1u << 30;
    set_field(&MCUCTRL_SIMOBUCK13, 0x3Fu << 20, 0u);
}

bool a4p_simobuck_active(void)
{
    return (PWRCTRL_VRSTATUS & PWRCTRL_VRSTATUS_SIMOBUCK) == PWRCTRL_VRSTATUS_SIMOBUCK_ACTIVE;
}

uint32_t a4p_trim_revision(void)
{
    return trim_revision;
}

void a4p_cache_enable(void)
{
    if ((CPU_CACHECFG & CPU_CACHECFG_ENABLE) != 0u) { /* [2.4] */
        CPU_CACHECFG &= ~CPU_CACHECFG_SIDES;
    }
    CPU_CACHECFG = CPU_CACHECFG_64KB;
    CPU_CACHECFG |= CPU_CACHECFG_ENABLE;
    CPU_CACHECTRL = CPU_CACHECTRL_INVALIDATE;
    __asm__ volatile("dsb\n isb" : : : "memory");
}

static uint32_t performance_status(void)
{
    return (PWRCTRL_MCUPERFREQ >> 3) & 3u; /* [2.7] */
}

uint32_t a4p_core_hz(void)
{
    return performance_status() == PWRCTRL_MCUPERF_HP ? A4P_CORE_HP_HZ : A4P_CORE_LP_HZ;
}

static bool request_performance(uint32_t mode)
{
    PWRCTRL_MCUPERFREQ = mode; /* [2.7] */
    if (!a4p_wait(&PWRCTRL_MCUPERFREQ, PWRCTRL_MCUPERF_ACK, PWRCTRL_MCUPERF_ACK, 1000u)) {
        return false;
    }
    return performance_status() == mode;
}

bool a4p_set_core_hz(uint32_t hz)
{
    if (hz != A4P_CORE_LP_HZ && hz != A4P_CORE_HP_HZ) {
        return false;
    }
    if (hz == a4p_core_hz()) {
        return true;
    }
    if (hz == A4P_CORE_LP_HZ) {
        return request_performance(PWRCTRL_MCUPERF_LP);
    }
    if ((MCUCTRL_SKU & MCUCTRL_SKU_HIGH_PERFORMANCE) == 0u || !a4p_simobuck_active()) {
        return false; /* [2.7]: 192 MHz on the LDO alone would be under-volted */
    }
    if (request_performance(PWRCTRL_MCUPERF_HP)) {
        return true;
    }
    (void)request_performance(PWRCTRL_MCUPERF_LP);
    return false;
}

bool a4p_power_peripheral(uint32_t mask)
{
    PWRCTRL_DEVPWREN |= mask; /* [3.1] */
    return a4p_wait(&PWRCTRL_DEVPWRSTATUS, mask, mask, 100u);
}
