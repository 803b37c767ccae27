/* A board whose port is the fuzzer's bytes, whose time passes by being asked for, and whose restart begins anew. */
#include "fuzz_board.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "ecgseg_bytes.h"
#include "ecgseg_link.h"
#include "fuzz.h"

#define TICK_HZ 1000000u
/* So much that BENCH of whatever repetitions ends after a few, and that a new baud rate is given up. */
#define TICKS_BETWEEN_TWO_QUESTIONS 100000u
#define SAMPLES_SEEN_AT ECGSEG_LINK_ANSWER_HEADER_BYTES

jmp_buf fuzz_restart;

static board_info_t info = {
    .name = "fuzz",
    .core_hz = 96000000u,
    .tick_hz = TICK_HZ,
    .time_base = BOARD_TIME_TICKS,
    .max_baud = 3000000u,
};
static uint32_t now;
static uint32_t samples_seen;
static struct {
    const uint8_t *next;
    size_t left;
} port;

void fuzz_port_fill(const uint8_t *bytes, size_t length)
{
    port.next = bytes;
    port.left = length;
}

bool fuzz_port_is_empty(void)
{
    return port.left == 0;
}

uint32_t fuzz_samples_seen(void)
{
    return samples_seen;
}

bool board_init(uint32_t baud)
{
    (void)baud;
    now = 0;
    samples_seen = 0;
    info.core_hz = 96000000u;
    return true;
}

const board_info_t *board_info(void)
{
    return &info;
}

uint32_t board_ticks(void)
{
    now += TICKS_BETWEEN_TWO_QUESTIONS;
    return now;
}

size_t board_port_read(uint8_t *destination, size_t capacity)
{
    const size_t count = port.left < capacity ? port.left : capacity;
    if (count > 0) {
        memcpy(destination, port.next, count);
        port.next += count;
        port.left -= count;
    }
    return count;
}

/* Whatever came in: what goes out is one good frame of this protocol. */
bool board_port_write(const uint8_t *source, size_t length)
{
    static ecgseg_link_decoder_t decoder;
    ecgseg_link_decoder_reset(&decoder);
    unsigned frames = 0;
    for (size_t at = 0; at < length;) {
        size_t taken = 0;
        const ecgseg_link_event_t event = ecgseg_link_decode(&decoder, &source[at], length - at, &taken);
        at += taken;
        if (event == ECGSEG_LINK_FRAME) {
            frames++;
        } else if (event != ECGSEG_LINK_NOTHING) {
            abort();
        }
    }
    if (frames != 1u || decoder.length < ECGSEG_LINK_ANSWER_HEADER_BYTES) {
        abort();
    }
    const uint8_t *const body = decoder.body;
    if ((body[1] & ECGSEG_LINK_ANSWER_BIT) == 0) {
        abort();
    }
    if (body[1] == (ECGSEG_COMMAND_PUSH | ECGSEG_LINK_ANSWER_BIT) && body[4] == 0 && body[5] == 0) {
        ecgseg_reader_t reader = ecgseg_reader(&body[SAMPLES_SEEN_AT], decoder.length - SAMPLES_SEEN_AT);
        samples_seen = ecgseg_get_u32(&reader);
    } else if (body[1] == (ECGSEG_COMMAND_RESET_STREAM | ECGSEG_LINK_ANSWER_BIT)) {
        samples_seen = 0;
    }
    return true;
}

bool board_port_set_baud(uint32_t baud)
{
    return baud % 2u == 0;
}

board_port_errors_t board_port_errors(void)
{
    return (board_port_errors_t){0};
}

void board_idle(void)
{
}

void board_set_state(board_state_t state)
{
    (void)state;
}

bool board_set_core_hz(uint32_t hz)
{
    if (hz < 1000000u) {
        return false;
    }
    info.core_hz = hz;
    return true;
}

board_fault_t board_take_fault(void)
{
    return (board_fault_t){.reset_cause = 1u};
}

uint32_t board_stack_high_water(void)
{
    return 0;
}

void board_feed_watchdog(void)
{
}

void board_restart(void)
{
    samples_seen = 0;
    longjmp(fuzz_restart, 1);
}
