/* Bring-up image: settles on a real board what docs/apollo4p-facts.md leaves open (its section 10).
 *
 * Lines of text at the rate that the link starts with. A command is one line, with #NUMBER at its end if the caller
 * likes; its answer is lines of name=value, then a line with a dot and that number.
 * `invoke bringup` speaks it; so can any serial terminal.
 */
#include <string.h>

#include "apollo4p.h"
#include "bringup_clocks.h"
#include "bringup_identity.h"
#include "bringup_port.h"
#include "bringup_power.h"
#include "bringup_registers.h"
#include "bringup_text.h"
#include "ecgseg_protocol.h"

#define LINE_BYTES 40u

int main(void);

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

static void fault(const char *line)
{
    (void)line;
    __asm__ volatile("udf #0"); /* comes back in the identification after the reset */
}

typedef struct {
    const char *word;
    void (*obey)(const char *line);
    bool ends_answer; /* itself, or it does not come back */
} command_t;

static const command_t commands[] = {
    {"identify", identify, false},
    {"mainptr", main_pointer, false},
    {"cycles", cycle_counter, false},
    {"crystal", crystal, false},
    {"clock", set_clock, false},
    {"pads", walk_pads, false},
    {"busy", busy, false},
    {"sleep", sleep_lightly, false},
    {"deep", sleep_deeply, false},
    {"retain", retain_and_reset, true},
    {"baud", set_baud, true},
    {"echo", echo, false},
    {"fault", fault, true},
    {"hang", hang, true},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static bool starts_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static void help(void)
{
    put_text("commands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        put_text(" ");
        put_text(commands[i].word);
    }
    put_text("\n");
}

static void obey(const char *line)
{
    size_t chosen = 0;
    while (chosen < COMMAND_COUNT && !starts_with(line, commands[chosen].word)) {
        chosen++;
    }
    if (chosen < COMMAND_COUNT) {
        commands[chosen].obey(line);
        if (commands[chosen].ends_answer) {
            return;
        }
    } else if (line[0] != '\0' && line[0] != '#') {
        help();
    }
    end_answer(line);
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
        note_command();
    }
}
