/* The firmware as a native process: the port is standard input and output (a pty's master side, or a pipe), time is the
 * monotonic clock. The process ends when its input ends. */
#define _POSIX_C_SOURCE 200809L

#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TICK_HZ 10000000u
#define TICK_NS (1000000000u / TICK_HZ)
#define WRITE_TIMEOUT_MS 5000

static board_port_errors_t port_errors;

static bool make_non_blocking(int file)
{
    const int flags = fcntl(file, F_GETFL);
    return flags != -1 && fcntl(file, F_SETFL, flags | O_NONBLOCK) != -1;
}

bool board_init(uint32_t baud)
{
    (void)baud;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || !make_non_blocking(STDIN_FILENO) || !make_non_blocking(STDOUT_FILENO)) {
        perror("host board");
        exit(EXIT_FAILURE);
    }
    return true;
}

const board_info_t *board_info(void)
{
    static const board_info_t info = {
        .name = "host",
        .core_hz = 0,
        .tick_hz = TICK_HZ,
        .time_base = BOARD_TIME_TICKS,
        .max_baud = 0,
    };
    return &info;
}

uint32_t board_ticks(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        perror("host board: clock");
        exit(EXIT_FAILURE);
    }
    return (uint32_t)((uint64_t)now.tv_sec * TICK_HZ + (uint64_t)now.tv_nsec / TICK_NS);
}

size_t board_port_read(uint8_t *destination, size_t capacity)
{
    const ssize_t count = read(STDIN_FILENO, destination, capacity);
    if (count > 0) {
        return (size_t)count;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    /* End of a pipe, or EIO from a pty whose other side was closed: whoever started this process is done with it. */
    exit(EXIT_SUCCESS);
}

bool board_port_write(const uint8_t *source, size_t length)
{
    while (length > 0) {
        const ssize_t count = write(STDOUT_FILENO, source, length);
        if (count > 0) {
            source += count;
            length -= (size_t)count;
        } else if (count < 0 && errno != EAGAIN && errno != EINTR) {
            port_errors.tx_timeouts++;
            return false;
        } else {
            struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
            if (poll(&wait, 1, WRITE_TIMEOUT_MS) == 0) {
                port_errors.tx_timeouts++;
                return false;
            }
        }
    }
    return true;
}

bool board_port_set_baud(uint32_t baud)
{
    (void)baud;
    return false;
}

board_port_errors_t board_port_errors(void)
{
    return port_errors;
}

void board_idle(void)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, -1) < 0 && errno != EINTR) {
        perror("host board: poll");
        exit(EXIT_FAILURE);
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
    /* The same program again in the same process: port and parent stay, all memory starts anew. */
    static char name[] = "/proc/self/exe";
    char *arguments[] = {name, NULL};
    (void)execv(name, arguments);
    perror("host board: restart");
    exit(EXIT_FAILURE);
}
