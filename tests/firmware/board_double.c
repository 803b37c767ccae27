/* A board for tests of what the host board cannot do: core clocks, a fault record, an answer that does not go out.
 *
 * The port is standard input and output. Every call of the hardware is told on standard error. Time is counted in
 * questions for it. A baud rate of 444444 is refused by the port although it is below the highest one. A clock of 96 or
 * 192 MHz is there. With BOARD_DOUBLE_MUTE in the environment the first answer is not sent.
 */
#define _POSIX_C_SOURCE 200809L

#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REFUSED_BAUD 444444u

static uint32_t ticks;
static uint32_t tx_timeouts;
static bool mute;

static board_info_t info = {
    .name = "double",
    .core_hz = 96000000u,
    .tick_hz = 1000u,
    .time_base = BOARD_TIME_CYCLES,
    .max_baud = 1000000u,
};

static void tell(const char *what, uint32_t value)
{
    if (fprintf(stderr, "%s %lu\n", what, (unsigned long)value) < 0) {
        abort();
    }
}

bool board_init(uint32_t baud)
{
    (void)baud;
    mute = getenv("BOARD_DOUBLE_MUTE") != NULL;
    return fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) != -1;
}

const board_info_t *board_info(void)
{
    return &info;
}

uint32_t board_ticks(void)
{
    return ticks++;
}

size_t board_port_read(uint8_t *destination, size_t capacity)
{
    const ssize_t count = read(STDIN_FILENO, destination, capacity);
    if (count > 0) {
        return (size_t)count;
    }
    if (count == 0) {
        exit(EXIT_SUCCESS);
    }
    return 0;
}

bool board_port_write(const uint8_t *source, size_t length)
{
    if (mute) {
        mute = false;
        tx_timeouts++;
        return false;
    }
    return write(STDOUT_FILENO, source, length) == (ssize_t)length;
}

bool board_port_set_baud(uint32_t baud)
{
    tell("baud", baud);
    return baud != REFUSED_BAUD;
}

board_port_errors_t board_port_errors(void)
{
    return (board_port_errors_t){
        .rx_overruns = 31, .rx_framing_errors = 32, .rx_breaks = 33, .tx_timeouts = tx_timeouts};
}

void board_idle(void)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, -1) < 0 && errno != EINTR) {
        abort();
    }
}

void board_set_state(board_state_t state)
{
    (void)state;
}

bool board_set_core_hz(uint32_t hz)
{
    tell("clock", hz);
    if (hz != 96000000u && hz != 192000000u) {
        return false;
    }
    info.core_hz = hz;
    return true;
}

board_fault_t board_take_fault(void)
{
    return (board_fault_t){
        .reset_cause = 5,
        .fault_valid = 1,
        .fault_type = 6,
        .registers = {0, 1, 2, 3, 12, 14, 15, 16},
        .cfsr = 0x100,
        .hfsr = 0x200,
        .mmfar = 0x300,
        .bfar = 0x400,
    };
}

uint32_t board_stack_high_water(void)
{
    return 1234;
}

void board_feed_watchdog(void)
{
}

void board_restart(void)
{
    tell("restart", 0);
    exit(EXIT_SUCCESS);
}
