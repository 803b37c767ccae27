/* Bring-up image: settles on a real board what docs/apollo4p-facts.md leaves open (its section 10).
 *
 * Lines of text at 115200 baud. A command is one line, with #NUMBER at its end if the caller likes; its answer is lines
 * of name=value, then a line with a dot and that number.
 * `invoke bringup` speaks it; so can any serial terminal.
 */
#include <string.h>

#include "apollo4p.h"
#include "apollo4p_registers.h"
#include "ecgseg_protocol.h"

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
#define STIMER_XTAL_HZ 32768u                       /* [5.1] */

#define RETAIN_MAGIC 0x52455441u
#define LINE_BYTES 40u
#define RETAIN_WORDS 16u
#define LONGEST_SECONDS 60u
#define BAUD_TRIAL_SECONDS 3u /* without a command at a new rate the old one returns */

/* What the boot chain left, read before this image changes anything. */
typedef struct {
    uint32_t ssram_enable, ssram_status, device_enable, performance, cache_config, regulator_status;
} entry_t;

static entry_t entry;
static uint32_t retained[RETAIN_WORDS] __attribute__((section(".noinit")));
static uint32_t retained_words; /* of them, that came through the last reset */
static bool baud_on_trial;
static uint32_t last_command; /* TIMER0 */

int main(void);

/* ---- Text ---- */

static void put_text(const char *text)
{
    (void)board_port_write((const uint8_t *)text, strlen(text));
}

static void put_hex(const char *name, uint32_t value)
{
    static const char digits[] = "0123456789abcdef";
    char text[12] = "0x";
    for (uint32_t i = 0; i < 8u; i++) {
        text[2u + i] = digits[(value >> (28u - 4u * i)) & 15u];
    }
    text[10] = '\n';
    text[11] = '\0';
    put_text(name);
    put_text("=");
    put_text(text);
}

static void put_decimal(const char *name, uint32_t value)
{
    char text[12];
    uint32_t at = sizeof text - 1u;
    text[at] = '\0';
    text[--at] = '\n';
    do {
        text[--at] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    put_text(name);
    put_text("=");
    put_text(&text[at]);
}

/* The number behind the first `mark` of a command, 0 without one. */
static uint32_t number_behind(const char *line, char mark)
{
    uint32_t value = 0;
    while (*line != '\0' && *line != mark) {
        line++;
    }
    while (*line != '\0' && *++line >= '0' && *line <= '9') {
        value = value * 10u + (uint32_t)(*line - '0');
    }
    return value;
}

static uint32_t argument(const char *line)
{
    return number_behind(line, ' ');
}

static void end_answer(const char *line)
{
    put_decimal(".", number_behind(line, '#'));
}

static uint32_t limited_seconds(const char *line)
{
    const uint32_t seconds = argument(line);
    return seconds > LONGEST_SECONDS ? LONGEST_SECONDS : seconds;
}

/* ---- Commands ---- */

static void identify(void)
{
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

static uint32_t cycles_in_a_millisecond(void)
{
    const uint32_t before = DWT_CYCCNT;
    a4p_delay_us(1000u);
    return DWT_CYCCNT - before;
}

/* Does the cycle counter count, and does powering the debug domain make it count? */
static void cycle_counter(void)
{
    put_decimal("expected", a4p_core_hz() / 1000u);
    put_decimal("as_found", cycles_in_a_millisecond());
    put_decimal("dbg_powered", a4p_power_peripheral(PWRCTRL_DEVPWR_DBG) ? 1u : 0u);
    DEMCR |= DEMCR_TRCENA;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    put_decimal("with_pwrendbg", cycles_in_a_millisecond());
    PWRCTRL_DEVPWREN &= ~PWRCTRL_DEVPWR_DBG;
}

/* [5.1] another clock domain: the second of three readings when the first two agree, else the third */
static uint32_t stimer_read(void)
{
    const uint32_t first = STIMER_STTMR;
    const uint32_t second = STIMER_STTMR;
    const uint32_t third = STIMER_STTMR;
    return first == second ? second : third;
}

static void stimer_start(void)
{
    STIMER_STCFG = STIMER_STCFG_XTAL_32KHZ | STIMER_STCFG_CLEAR;
    STIMER_STCFG = STIMER_STCFG_XTAL_32KHZ;
}

static uint32_t stimer_edge(uint32_t microseconds)
{
    const uint32_t old = stimer_read();
    const uint32_t start = a4p_timer_ticks();
    uint32_t now = old;
    while (now == old && a4p_timer_ticks() - start < microseconds * (TIMER0_HZ / 1000000u)) {
        now = stimer_read();
    }
    return now;
}

/* TIMER0 against 1/64 s of the crystal: the HFRC's real frequency to about 50 ppm. */
static void crystal(void)
{
    stimer_start();
    const uint32_t first = stimer_edge(10000u);
    const uint32_t ticks_before = a4p_timer_ticks();
    if (first == 0u) {
        put_text("crystal=stands\n");
        return;
    }
    uint32_t passed = 0;
    while (passed < STIMER_XTAL_HZ / 64u && a4p_timer_ticks() - ticks_before < TIMER0_HZ) {
        passed = stimer_edge(10000u) - first;
        a4p_watchdog_feed();
    }
    put_decimal("timer0_ticks", a4p_timer_ticks() - ticks_before);
    put_decimal("crystal_ticks", passed);
}

static void set_clock(uint32_t megahertz)
{
    put_decimal("accepted", board_set_core_hz(megahertz * 1000000u) ? 1u : 0u);
    put_decimal("core_hz", a4p_core_hz());
}

/* The crystal's compare as an alarm clock. Interrupts are locked meanwhile: it wakes the core and is never served. */
static void alarm_start(void)
{
    stimer_start();
    STIMER_STMINTCLR = STIMER_COMPARE_A;
    STIMER_STMINTEN = STIMER_COMPARE_A;
    NVIC_ISER1 = 1u << (IRQ_STIMER_COMPARE_A - 32u);
}

static void alarm_stop(void)
{
    STIMER_STMINTEN = 0u;
    NVIC_ICER1 = 1u << (IRQ_STIMER_COMPARE_A - 32u);
}

static void nap(uint32_t crystal_ticks)
{
    STIMER_SCMPR0 = crystal_ticks; /* a distance, not a time */
    STIMER_STCFG = STIMER_STCFG_XTAL_32KHZ | STIMER_STCFG_COMPARE_A;
    a4p_flush_writes();
    while ((STIMER_STMINTSTAT & STIMER_COMPARE_A) == 0u) {
        __asm__ volatile("dsb\n wfi\n isb" : : : "memory");
    }
    STIMER_STMINTCLR = STIMER_COMPARE_A;
    (void)APB_SYNC;
    NVIC_ICPR1 = 1u << (IRQ_STIMER_COMPARE_A - 32u);
    a4p_watchdog_feed();
}

/* The power-monitor code and the LEDs walk through their states; the go input is told. */
static void walk_pads(void)
{
    const uint32_t primask = a4p_lock();
    alarm_start();
    for (uint32_t code = 1; code <= 4u; code++) {
        a4p_set_state_pads(code & 3u);
        for (uint32_t led = 0; led < 3u; led++) {
            a4p_set_led(led, led + 1u == code);
        }
        nap(STIMER_XTAL_HZ / 4u);
    }
    alarm_stop();
    a4p_unlock(primask);
    a4p_set_led(0u, true);
    put_decimal("go_input", a4p_go_input() ? 1u : 0u);
}

/* Something to measure a current on: state code 3 while it lasts. */
static void busy(uint32_t seconds)
{
    a4p_set_state_pads(3u);
    volatile uint32_t sink = 1u;
    for (uint32_t tenth = 0; tenth < 10u * seconds; tenth++) {
        const uint32_t start = a4p_timer_ticks();
        while (a4p_timer_ticks() - start < TIMER0_HZ / 10u) {
            for (uint32_t i = 0; i < 1000u; i++) {
                sink = sink * 1664525u + 1013904223u;
            }
        }
        a4p_watchdog_feed();
    }
    a4p_set_state_pads(0u);
}

/* [5.4] The core sleeps, in deep sleep with the port off; state code 1 while it lasts. */
static void sleep_for(uint32_t seconds, bool deep)
{
    const bool regulated = a4p_simobuck_active();
    (void)a4p_uart_drain(1000000u);
    const uint32_t primask = a4p_lock();
    alarm_start();
    NVIC_ICER0 = 1u << IRQ_UART0; /* what waits there would end each sleep at once */
    NVIC_ICPR0 = 1u << IRQ_UART0;
    a4p_set_state_pads(1u);
    if (deep) {
        UART0_CR = 0u;
        PWRCTRL_DEVPWREN &= ~PWRCTRL_DEVPWR_UART0;
        SCB_SCR |= SCB_SCR_SLEEPDEEP;
        if (regulated) {
            a4p_simobuck_before_deep_sleep();
        }
    }
    for (uint32_t second = 0; second < seconds; second++) {
        nap(STIMER_XTAL_HZ);
    }
    if (deep && regulated) {
        a4p_simobuck_after_deep_sleep();
    }
    SCB_SCR &= ~SCB_SCR_SLEEPDEEP;
    a4p_set_state_pads(0u);
    alarm_stop();
    NVIC_ISER0 = 1u << IRQ_UART0;
    a4p_unlock(primask);
    if (deep) {
        (void)a4p_uart_init(ECGSEG_LINK_DEFAULT_BAUD);
    }
    put_decimal("slept_seconds", seconds);
}

static void retain_and_reset(const char *line)
{
    for (uint32_t i = 0; i < RETAIN_WORDS; i++) {
        retained[i] = RETAIN_MAGIC + i;
    }
    end_answer(line);
    board_restart();
}

/* Raw bytes come back as they are, until `count` of them have. Gives up when it has been silent for a second or
 * more: the watchdog's bark is what wakes the core then. */
static void echo(uint32_t count)
{
    uint8_t chunk[64];
    uint32_t last = a4p_timer_ticks();
    uint32_t sum = 0;
    put_text("ready\n");
    for (uint32_t seen = 0; seen < count && a4p_timer_ticks() - last < TIMER0_HZ;) {
        const size_t got = board_port_read(chunk, sizeof chunk);
        if (got == 0u) {
            board_idle();
            continue;
        }
        for (size_t i = 0; i < got; i++) {
            sum = sum * 31u + chunk[i];
        }
        (void)board_port_write(chunk, got);
        seen += (uint32_t)got;
        last = a4p_timer_ticks();
        a4p_watchdog_feed();
    }
    const board_port_errors_t errors = board_port_errors();
    put_text("\n");
    put_hex("checksum", sum);
    put_decimal("overruns", errors.rx_overruns);
    put_decimal("framing_errors", errors.rx_framing_errors);
}

static void set_baud(const char *line)
{
    const uint32_t baud = argument(line);
    end_answer(line);
    baud_on_trial = board_port_set_baud(baud) && baud != ECGSEG_LINK_DEFAULT_BAUD;
    last_command = a4p_timer_ticks();
}

static void end_baud_trial(void)
{
    if (baud_on_trial && a4p_timer_ticks() - last_command > BAUD_TRIAL_SECONDS * TIMER0_HZ) {
        baud_on_trial = !board_port_set_baud(ECGSEG_LINK_DEFAULT_BAUD);
    }
}

static bool starts_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* Nothing feeds the watchdog any more and nothing wakes the core: the bite alone ends this. */
static void hang(const char *line)
{
    end_answer(line);
    (void)a4p_uart_drain(1000000u);
    (void)a4p_lock();
    NVIC_ICER0 = (1u << IRQ_WATCHDOG) | (1u << IRQ_UART0);
    a4p_watchdog_feed();
    for (;;) {
        a4p_flush_writes();
        __asm__ volatile("dsb\n wfi" : : : "memory");
    }
}

/* Commands that answer in more than one way or not at all: true when it was one of them. */
static bool obey_special(const char *line)
{
    if (starts_with(line, "retain")) {
        retain_and_reset(line);
        return true;
    }
    if (starts_with(line, "baud")) {
        set_baud(line);
        return true;
    }
    if (starts_with(line, "hang")) {
        hang(line);
    }
    if (starts_with(line, "fault")) {
        __asm__ volatile("udf #0"); /* comes back in the identification after the reset */
        return true;
    }
    return false;
}

static void obey(const char *line)
{
    if (obey_special(line)) {
        return;
    }
    if (starts_with(line, "identify")) {
        identify();
    } else if (starts_with(line, "mainptr")) {
        put_hex("mainptr", INFO0_MAINPTR); /* by itself: a bus error here costs nothing but this */
    } else if (starts_with(line, "cycles")) {
        cycle_counter();
    } else if (starts_with(line, "crystal")) {
        crystal();
    } else if (starts_with(line, "clock")) {
        set_clock(argument(line));
    } else if (starts_with(line, "pads")) {
        walk_pads();
    } else if (starts_with(line, "busy")) {
        busy(limited_seconds(line));
    } else if (starts_with(line, "sleep")) {
        sleep_for(limited_seconds(line), false);
    } else if (starts_with(line, "deep")) {
        sleep_for(limited_seconds(line), true);
    } else if (starts_with(line, "echo")) {
        echo(argument(line));
    } else if (line[0] != '\0' && line[0] != '#') {
        put_text("commands: identify mainptr cycles crystal clock pads busy sleep deep retain baud echo fault hang\n");
    }
    end_answer(line);
}

static void note_entry(void)
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

int main(void)
{
    static char line[LINE_BYTES];
    size_t length = 0;
    note_entry();
    while (!board_init(ECGSEG_LINK_DEFAULT_BAUD)) {
        a4p_set_led(0u, true);
    }
    put_text("\nApollo4 Plus bring-up\n");
    for (;;) {
        uint8_t byte;
        board_feed_watchdog();
        if (board_port_read(&byte, 1u) == 0u) {
            end_baud_trial();
            board_idle();
            continue;
        }
        if (byte != '\n' && byte != '\r') {
            if (length < LINE_BYTES - 1u) {
                line[length++] = (char)byte;
            }
            continue;
        }
        line[length] = '\0';
        length = 0;
        obey(line);
        last_command = a4p_timer_ticks();
    }
}
