/* A main program for tests of the board's own code: one letter from the port, one line back. */
#include <string.h>

#include "board.h"

static void put(const char *text)
{
    (void)board_port_write((const uint8_t *)text, strlen(text));
}

static void put_hex(const char *name, uint32_t value)
{
    char digits[10];
    for (uint32_t i = 0; i < 8u; i++) {
        digits[i] = "0123456789abcdef"[(value >> (28u - 4u * i)) & 15u];
    }
    digits[8] = ' ';
    digits[9] = '\0';
    put(name);
    put("=");
    put(digits);
}

static uint8_t next_byte(void)
{
    uint8_t byte;
    while (board_port_read(&byte, 1) == 0) {
        board_feed_watchdog();
        board_idle();
    }
    return byte;
}

static uint32_t next_word(void)
{
    uint32_t value = 0;
    for (uint32_t shift = 0; shift < 32u; shift += 8u) {
        value |= (uint32_t)next_byte() << shift;
    }
    return value;
}

static void tell(const board_fault_t *fault)
{
    put_hex("hz", board_info()->core_hz);
    put_hex("base", (uint32_t)board_info()->time_base);
    put_hex("cause", fault->reset_cause);
    put_hex("valid", fault->fault_valid);
    put_hex("type", fault->fault_type);
    put_hex("r0", fault->registers[0]);
    put_hex("pc", fault->registers[6]);
    put_hex("cfsr", fault->cfsr);
    put_hex("bfar", fault->bfar);
    put("\n");
}

static void tell_errors(void)
{
    const board_port_errors_t errors = board_port_errors();
    put_hex("overruns", errors.rx_overruns);
    put_hex("framing", errors.rx_framing_errors);
    put_hex("breaks", errors.rx_breaks);
    put_hex("stack", board_stack_high_water());
    put("\n");
}

#define WORK(value) value = value * 1664525u + 1013904223u
#define WORK_FOUR_TIMES(value) WORK(value), WORK(value), WORK(value), WORK(value)
/* Straight code, which the simulator is fastest with. */
#define WORK_A_HUNDRED_CYCLES(value) \
    WORK_FOUR_TIMES(value), WORK_FOUR_TIMES(value), WORK_FOUR_TIMES(value), WORK_FOUR_TIMES(value)

/* Works for so many milliseconds without looking at the port, as an inference does. */
static void be_busy(uint32_t milliseconds)
{
    const uint32_t start = board_ticks();
    const uint32_t ticks = milliseconds * (board_info()->tick_hz / 1000u);
    volatile uint32_t work = 0;
    volatile float level = 1.0f; /* the FPU is in use while the port interrupts */
    board_set_state(BOARD_STATE_INFERENCE);
    while (board_ticks() - start < ticks) {
        level = level * 0.5f + 1.0f;
        WORK_A_HUNDRED_CYCLES(work);
    }
    board_set_state(BOARD_STATE_IDLE);
}

/* Is busy while `count` bytes come in, then tells how many there are and their CRC-like sum. */
static void receive_while_busy(uint32_t count, uint32_t milliseconds)
{
    put("go\n");
    be_busy(milliseconds);
    uint32_t got = 0;
    uint32_t sum = 0;
    uint8_t chunk[64];
    size_t length = board_port_read(chunk, sizeof chunk);
    while (length != 0) {
        for (size_t i = 0; i < length; i++) {
            sum = sum * 31u + chunk[i];
            got++;
        }
        length = got < count ? board_port_read(chunk, sizeof chunk) : 0;
    }
    put_hex("got", got);
    put_hex("sum", sum);
    put("\n");
}

static uint32_t overflow(uint32_t depth)
{
    volatile uint32_t space[64];
    for (uint32_t i = 0; i < 64u; i++) {
        space[i] = depth;
    }
    return (depth == 0xFFFFFFFFu ? 0u : overflow(depth + 1u)) + space[depth & 63u];
}

static void hang(void)
{
    for (;;) {
        __asm__ volatile("nop");
    }
}

static void set_clock(void)
{
    put(board_set_core_hz(next_word()) ? "ok\n" : "refused\n");
}

static void set_baud(void)
{
    const uint32_t baud = next_word();
    put("ok\n");
    (void)board_port_set_baud(baud);
}

static void receive(void)
{
    const uint32_t count = next_word();
    receive_while_busy(count, next_word());
}

static void be_busy_a_moment(void)
{
    be_busy(1u);
    put("ok\n");
}

static void usage_fault(void)
{
    __asm__ volatile("movw r0, #0x1234\n udf #0\n");
}

static void bus_fault(void)
{
    (void)*(volatile uint32_t *)(uintptr_t)0x30000000u;
}

static void load_unaligned(void)
{
    static const uint32_t words[4] = {1u, 2u, 3u, 4u};
    const uint32_t offset = next_word();
    __asm__ volatile("ldrd r2, r3, [%0]" : : "r"((uintptr_t)words + offset) : "r2", "r3");
    put("ok\n");
}

static void overflow_stack(void)
{
    put_hex("never", overflow(0));
}

static void answer(uint8_t command, const board_fault_t *fault)
{
    static const struct {
        uint8_t command;
        void (*obey)(void);
    } commands[] = {
        {'x', tell_errors},      {'c', set_clock},      {'b', set_baud},    {'w', receive},
        {'s', be_busy_a_moment}, {'r', board_restart},  {'u', usage_fault}, {'m', bus_fault},
        {'a', load_unaligned},   {'o', overflow_stack}, {'d', hang},
    };
    if (command == 'h') {
        tell(fault);
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].command == command) {
            commands[i].obey();
            return;
        }
    }
    put("?\n");
}

int main(void)
{
    while (!board_init(115200u)) {
        board_idle();
    }
    const board_fault_t fault = board_take_fault();
    put("ready\n");
    for (;;) {
        answer(next_byte(), &fault);
    }
}
