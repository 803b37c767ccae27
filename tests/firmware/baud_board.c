/* A board whose port has a baud rate: bytes sent at another rate than the receiver's arrive as noise.
 *
 * Standard input and output carry records of rate (u32), length (u32) and bytes, little-endian, as the test's port
 * reads and writes them. Time runs ten times as fast as it does, so that a trial of 2 s ends after 0.2 s. The board
 * says yes to all rates up to a million but stays deaf at 250000, as a board whose wiring cannot do that rate.
 */
#define _POSIX_C_SOURCE 200809L

#include "board.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_HZ 100000u /* told; the counter runs at ten times this rate */
#define TICK_NS 1000u
#define HIGHEST 1000000u
#define DEAF 250000u

static uint32_t baud;
static uint32_t sender_baud;
static uint32_t left; /* bytes of the record that are still to come */

static void fetch(void *destination, size_t length)
{
    uint8_t *next = destination;
    while (length > 0) {
        const ssize_t count = read(STDIN_FILENO, next, length);
        if (count <= 0) {
            exit(EXIT_SUCCESS);
        }
        next += count;
        length -= (size_t)count;
    }
}

static bool waiting(int milliseconds)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    return poll(&wait, 1, milliseconds) > 0;
}

bool board_init(uint32_t first)
{
    baud = first;
    return true;
}

const board_info_t *board_info(void)
{
    static const board_info_t info = {
        .name = "baud", .core_hz = 0, .tick_hz = TICK_HZ, .time_base = BOARD_TIME_TICKS, .max_baud = HIGHEST};
    return &info;
}

uint32_t board_ticks(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        exit(EXIT_FAILURE);
    }
    return (uint32_t)((uint64_t)now.tv_sec * 10u * TICK_HZ + (uint64_t)now.tv_nsec / TICK_NS);
}

size_t board_port_read(uint8_t *destination, size_t capacity)
{
    if (left == 0 && waiting(0)) {
        fetch(&sender_baud, sizeof sender_baud);
        fetch(&left, sizeof left);
    }
    const size_t count = left < capacity ? left : capacity;
    if (count == 0) {
        return 0;
    }
    fetch(destination, count);
    left -= (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        destination[i] = sender_baud == baud && baud != DEAF ? destination[i] : (uint8_t)(destination[i] ^ 0x5Au);
    }
    return count;
}

static bool put(const void *source, size_t length)
{
    return write(STDOUT_FILENO, source, length) == (ssize_t)length;
}

bool board_port_write(const uint8_t *source, size_t length)
{
    const uint32_t count = (uint32_t)length;
    return put(&baud, sizeof baud) && put(&count, sizeof count) && put(source, length);
}

bool board_port_set_baud(uint32_t wanted)
{
    baud = wanted;
    return true;
}

board_port_errors_t board_port_errors(void)
{
    return (board_port_errors_t){0};
}

void board_idle(void)
{
    if (left == 0) {
        (void)waiting(-1);
    }
}

void board_set_state(board_state_t state)
{
    (void)state;
}

bool board_set_core_hz(uint32_t hz)
{
    (void)hz;
    return false;
}

board_fault_t board_take_fault(void)
{
    return (board_fault_t){0};
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
    static char name[] = "/proc/self/exe";
    char *arguments[] = {name, NULL};
    (void)execv(name, arguments);
    exit(EXIT_FAILURE);
}
