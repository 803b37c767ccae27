#include "bringup_identity.h"

#include "apollo4p.h"
#include "bringup_registers.h"
#include "bringup_text.h"

#define RETAIN_MAGIC 0x52455441u
#define RETAIN_WORDS 16u

/* What the boot chain left, read before this image changes anything. */
typedef struct {
    uint32_t ssram_enable, ssram_status, device_enable, performance, cache_config, regulator_status;
} entry_t;

static entry_t entry;
static uint32_t retained[RETAIN_WORDS] __attribute__((section(".noinit")));
static uint32_t retained_words; /* of them, that came through the last reset */

void note_entry(void)
{
    entry.ssram_enable = PWRCTRL_SSRAMPWREN;
    entry.ssram_status = PWRCTRL_SSRAMPWRST;
    entry.device_enable = PWRCTRL_DEVPWREN;
    entry.performance = PWRCTRL_MCUPERFREQ;
    entry.cache_config = CPU_CACHECFG;
    entry.regulator_status = PWRCTRL_VRSTATUS;
    retained_words = 0;
    for (uint32_t i = 0; i < RETAIN_WORDS; i++) {
        retained_words += retained[i] == RETAIN_MAGIC + i ? 1u : 0u;
        retained[i] = 0u;
    }
}

void identify(const char *line)
{
    (void)line;
    const board_fault_t fault = board_take_fault();
    put_hex("cpuid", SCB_CPUID);
    put_hex("chippn", MCUCTRL_CHIPPN);
    put_hex("chiprev", MCUCTRL_CHIPREV);
    put_hex("vendorid", MCUCTRL_VENDORID);
    put_hex("sku", MCUCTRL_SKU);
    put_hex("trim_revision", a4p_trim_revision());
    put_hex("reset_cause", fault.reset_cause);
    put_decimal("fault_type", fault.fault_type);
    put_hex("fault_pc", fault.registers[6]);
    put_hex("entry_ssrampwren", entry.ssram_enable);
    put_hex("entry_ssrampwrst", entry.ssram_status);
    put_hex("entry_devpwren", entry.device_enable);
    put_hex("entry_mcuperfreq", entry.performance);
    put_hex("entry_cachecfg", entry.cache_config);
    put_hex("entry_vrstatus", entry.regulator_status);
    put_decimal("simobuck_active", a4p_simobuck_active() ? 1u : 0u);
    put_decimal("core_hz", a4p_core_hz());
    put_decimal("retained_words", retained_words);
}

void main_pointer(const char *line)
{
    (void)line;
    put_hex("mainptr", INFO0_MAINPTR); /* by itself: a bus error here costs nothing but this */
}

void retain_and_reset(const char *line)
{
    for (uint32_t i = 0; i < RETAIN_WORDS; i++) {
        retained[i] = RETAIN_MAGIC + i;
    }
    end_answer(line);
    board_restart();
}
