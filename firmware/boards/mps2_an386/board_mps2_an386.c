/* QEMU mps2-an386: CMSDK UART0 as the port, CMSDK TIMER0 as the clock.
 *
 * Sources: Arm Cortex-M System Design Kit Technical Reference Manual (DDI 0479), APB UART and APB timer; Arm AN386 for
 * the addresses. Under `-icount shift=0` QEMU lets every instruction take one virtual nanosecond; the timer counts at
 * 25 MHz of that time, so a tick is 40 instructions. Ticks count what the core executed, not what a Cortex-M4 would
 * take.
 */
#include "board.h"
#include "cortex_m.h"
#include "startup.h"

#define UART0_DATA (*(volatile uint32_t *)0x40004000u)
#define UART0_STATE (*(volatile uint32_t *)0x40004004u)
#define UART0_CTRL (*(volatile uint32_t *)0x40004008u)
#define UART0_INTCLEAR (*(volatile uint32_t *)0x4000400Cu)
#define UART0_BAUDDIV (*(volatile uint32_t *)0x40004010u)

#define STATE_TX_FULL 1u
#define STATE_RX_FULL 2u
#define STATE_RX_OVERRUN 8u
#define CTRL_TX_ENABLE 1u
#define CTRL_RX_ENABLE 2u
#define CTRL_RX_INTERRUPT 8u
#define CTRL_RX_OVERRUN_INTERRUPT 32u
#define INT_RX 2u
#define INT_RX_OVERRUN 8u

#define TIMER0_CTRL (*(volatile uint32_t *)0x40000000u)
#define TIMER0_VALUE (*(volatile uint32_t *)0x40000004u)
#define TIMER0_RELOAD (*(volatile uint32_t *)0x40000008u)
#define TIMER_ENABLE 1u

#define NVIC_ISER0 (*(volatile uint32_t *)0xE000E100u)

#define TICK_HZ 25000000u
#define INSTRUCTIONS_PER_SECOND 1000000000u
#define SMALLEST_DIVISOR 16u
/* Twice the longest request, so that a repetition fits while one is being worked on. */
#define RING_SIZE 4096u

static volatile struct {
    uint8_t bytes[RING_SIZE];
    uint32_t written; /* by the interrupt */
    uint32_t taken;   /* by the main loop */
    uint32_t overruns;
} ring;

static uint32_t tx_timeouts;

void board_uart_rx_handler(void)
{
    UART0_INTCLEAR = INT_RX | INT_RX_OVERRUN;
    if ((UART0_STATE & STATE_RX_OVERRUN) != 0) {
        UART0_STATE = STATE_RX_OVERRUN;
        ring.overruns++;
    }
    while ((UART0_STATE & STATE_RX_FULL) != 0) {
        const uint8_t byte = (uint8_t)UART0_DATA;
        if (ring.written - ring.taken < RING_SIZE) {
            ring.bytes[ring.written % RING_SIZE] = byte;
            ring.written++;
        } else {
            ring.overruns++;
        }
    }
}

bool board_init(uint32_t baud)
{
    (void)baud;
    TIMER0_CTRL = 0;
    TIMER0_RELOAD = 0xFFFFFFFFu;
    TIMER0_VALUE = 0xFFFFFFFFu;
    TIMER0_CTRL = TIMER_ENABLE;

    UART0_BAUDDIV = SMALLEST_DIVISOR;
    UART0_CTRL = CTRL_TX_ENABLE | CTRL_RX_ENABLE | CTRL_RX_INTERRUPT | CTRL_RX_OVERRUN_INTERRUPT;
    NVIC_ISER0 = 1u << UART0_RX_IRQ | 1u << UART_OVERFLOW_IRQ;
    return true;
}

const board_info_t *board_info(void)
{
    static const board_info_t info = {
        .name = "mps2_an386",
        .core_hz = INSTRUCTIONS_PER_SECOND,
        .tick_hz = TICK_HZ,
        .time_base = BOARD_TIME_INSTRUCTIONS,
        .max_baud = 0, /* the emulated UART takes bytes at any rate */
    };
    return &info;
}

uint32_t board_ticks(void)
{
    return ~TIMER0_VALUE; /* the timer counts down */
}

size_t board_port_read(uint8_t *destination, size_t capacity)
{
    size_t count = 0;
    while (count < capacity && ring.taken != ring.written) {
        destination[count++] = ring.bytes[ring.taken % RING_SIZE];
        ring.taken++;
    }
    return count;
}

bool board_port_write(const uint8_t *source, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const uint32_t start = board_ticks();
        while ((UART0_STATE & STATE_TX_FULL) != 0) {
            if (board_ticks() - start > 5u * TICK_HZ) {
                tx_timeouts++;
                return false;
            }
        }
        UART0_DATA = source[i];
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
    return (board_port_errors_t){.rx_overruns = ring.overruns, .tx_timeouts = tx_timeouts};
}

void board_idle(void)
{
    /* With interrupts masked a byte cannot come between the check and WFI; a pending interrupt ends WFI all the
     * same. */
    __asm volatile("cpsid i" ::: "memory");
    if (ring.taken == ring.written) {
        __asm volatile("dsb\nwfi" ::: "memory");
    }
    __asm volatile("cpsie i" ::: "memory");
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
    board_fault_t fault = {0};
    (void)cortex_m_take_crash(&fault);
    return fault;
}

void board_feed_watchdog(void)
{
}

void board_restart(void)
{
    while ((UART0_STATE & STATE_TX_FULL) != 0) {
    }
    cortex_m_reset();
}
