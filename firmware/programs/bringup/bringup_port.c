#include "bringup_port.h"

#include "apollo4p.h"
#include "bringup_registers.h"
#include "bringup_text.h"
#include "ecgseg_protocol.h"

#define BAUD_TRIAL_SECONDS 3u /* without a command at a new rate the old one returns */

static bool baud_on_trial;
static uint32_t last_command; /* TIMER0 */

void note_command(void)
{
    last_command = a4p_timer_ticks();
}

void set_baud(const char *line)
{
    const uint32_t baud = argument(line);
    end_answer(line);
    baud_on_trial = board_port_set_baud(baud) && baud != ECGSEG_LINK_DEFAULT_BAUD;
    note_command();
}

void end_baud_trial(void)
{
    if (baud_on_trial && a4p_timer_ticks() - last_command > BAUD_TRIAL_SECONDS * TIMER0_HZ) {
        baud_on_trial = !board_port_set_baud(ECGSEG_LINK_DEFAULT_BAUD);
    }
}

/* Raw bytes come back as they are, until as many have as the command says. Gives up when it has been silent for a
 * second or more: the watchdog's bark is what wakes the core then. */
void echo(const char *line)
{
    const uint32_t count = argument(line);
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
