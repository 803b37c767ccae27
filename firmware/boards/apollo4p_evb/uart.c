/* The port: UART0 on the J-Link's virtual COM port. Reception and transmission run by interrupt through ring buffers.
 *
 * The receive ring holds more than a request and all that a sender can push in while a frame is computed, so bytes are
 * lost only when a sender ignores the protocol; they are counted then.
 */
#include <string.h>

#include "apollo4p.h"
#include "apollo4p_registers.h"

#define RX_SIZE 16384u /* powers of two */
#define TX_SIZE 4096u
#define RX_ERROR_BITS (UART_DR_FE | UART_DR_PE | UART_DR_BE)
#define LONGEST_STALL_US 100000u /* at 9600 baud the ring moves every 10 ms; a port that stands longer is broken */
#define US_PER_CHARACTER 2000u   /* 10 bits at 9600 baud and some */

static uint8_t rx_ring[RX_SIZE];
static volatile uint32_t rx_head, rx_tail; /* free running: head - tail bytes are stored */
static uint8_t tx_ring[TX_SIZE];
static volatile uint32_t tx_head, tx_tail;
static volatile board_port_errors_t errors;

void UART0_Handler(void);

static void set_divisors(uint32_t baud)
{
    /* [3.4] in 1/64 steps, rounded: f * 64 / (16 * baud) */
    const uint32_t steps = (UART_CLOCK_HZ * 4u + baud / 2u) / baud;
    UART0_IBRD = steps >> 6;
    UART0_FBRD = steps & 63u;
    UART0_LCRH = UART_LCRH_8N1_FIFO; /* [3.3] after the divisors: it latches them */
}

static bool baud_is_supported(uint32_t baud)
{
    return baud >= A4P_MIN_BAUD && baud <= A4P_MAX_BAUD;
}

static void start(uint32_t baud)
{
    UART0_CR = 0u; /* [3.3] step 3 */
    UART0_CR = UART_CR_CLKEN | UART_CR_CLKSEL_24MHZ;
    set_divisors(baud);
    UART0_IFLS = UART_IFLS_RX16_TX8; /* step 5 */
    UART0_IEC = UART_INT_ALL;
    UART0_IER = UART_INT_RX | UART_INT_RT | UART_INT_OE;
    UART0_CR |= UART_CR_UARTEN | UART_CR_TXE | UART_CR_RXE; /* step 6 */
}

bool a4p_uart_init(uint32_t baud)
{
    if (!baud_is_supported(baud) || !a4p_power_peripheral(PWRCTRL_DEVPWR_UART0)) {
        return false;
    }
    start(baud);
    NVIC_PRIORITY(IRQ_UART0) = NVIC_PRIORITY_VALUE(1u);
    NVIC_ISER0 = 1u << IRQ_UART0;
    return true;
}

static void note_errors(uint32_t word)
{
    if ((word & UART_DR_OE) != 0u) {
        errors.rx_overruns++;
    }
    if ((word & UART_DR_BE) != 0u) {
        errors.rx_breaks++;
    } else if ((word & (UART_DR_FE | UART_DR_PE)) != 0u) {
        errors.rx_framing_errors++;
    }
}

static void receive(void)
{
    uint32_t head = rx_head;
    const uint32_t full = rx_tail + RX_SIZE; /* nobody takes anything out while this runs */
    while ((UART0_FR & UART_FR_RXFE) == 0u) {
        const uint32_t word = UART0_DR;
        if ((word & (RX_ERROR_BITS | UART_DR_OE)) != 0u) {
            note_errors(word);
            if ((word & RX_ERROR_BITS) != 0u) {
                continue; /* not a byte that anybody sent */
            }
        }
        if (head == full) {
            errors.rx_overruns++;
            continue;
        }
        rx_ring[head & (RX_SIZE - 1u)] = (uint8_t)word;
        head++;
    }
    rx_head = head;
}

/* With the interrupt locked out or from its handler. The transmit interrupt tells only of falling below the level, so
 * the FIFO is always filled to the brim before it is relied on [3.3]. */
static void transmit(void)
{
    uint32_t tail = tx_tail;
    const uint32_t head = tx_head;
    while (tail != head && (UART0_FR & UART_FR_TXFF) == 0u) {
        UART0_DR = tx_ring[tail & (TX_SIZE - 1u)];
        tail++;
    }
    tx_tail = tail;
    const uint32_t wanted = UART_INT_RX | UART_INT_RT | UART_INT_OE;
    UART0_IER = tail != head ? (wanted | UART_INT_TX) : wanted;
}

void UART0_Handler(void)
{
    UART0_IEC = UART0_MIS; /* before the FIFOs are served: what comes meanwhile raises the line again */
    receive();
    transmit();
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t board_port_read(uint8_t *destination, size_t capacity)
{
    const uint32_t tail = rx_tail;
    const size_t count = smaller(rx_head - tail, capacity);
    if (count == 0u) {
        return 0;
    }
    const uint32_t at = tail & (RX_SIZE - 1u);
    const size_t to_end = smaller(count, RX_SIZE - at);
    (void)memcpy(destination, &rx_ring[at], to_end);
    if (to_end < count) {
        (void)memcpy(&destination[to_end], rx_ring, count - to_end);
    }
    rx_tail = tail + count;
    return count;
}

bool a4p_uart_pending(void)
{
    return rx_head != rx_tail;
}

/* Waits until there is room in the transmit ring. False when nothing has moved for LONGEST_STALL_US. */
static bool wait_for_room(void)
{
    uint32_t tail = tx_tail;
    uint32_t since = a4p_timer_ticks();
    while (tx_head - tx_tail >= TX_SIZE) {
        if (tx_tail != tail) {
            tail = tx_tail;
            since = a4p_timer_ticks();
        } else if (a4p_timer_ticks() - since > LONGEST_STALL_US * (TIMER0_HZ / 1000000u)) {
            return false;
        }
    }
    return true;
}

bool board_port_write(const uint8_t *source, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        if (!wait_for_room()) {
            errors.tx_timeouts++;
            return false;
        }
        const uint32_t head = tx_head;
        const uint32_t at = head & (TX_SIZE - 1u);
        const size_t fits = smaller(TX_SIZE - (head - tx_tail), TX_SIZE - at);
        const size_t part = smaller(length - sent, fits);
        (void)memcpy(&tx_ring[at], &source[sent], part);
        sent += part;
        const uint32_t primask = a4p_lock();
        tx_head = head + part;
        transmit();
        a4p_unlock(primask);
    }
    return true;
}

bool a4p_uart_drain(uint32_t microseconds)
{
    const uint32_t start_ticks = a4p_timer_ticks();
    while (tx_head != tx_tail) {
        if (a4p_timer_ticks() - start_ticks > microseconds * (TIMER0_HZ / 1000000u)) {
            return false;
        }
    }
    return a4p_wait(&UART0_FR, UART_FR_TXFE | UART_FR_BUSY, UART_FR_TXFE, 40u * US_PER_CHARACTER);
}

bool board_port_set_baud(uint32_t baud)
{
    if (!baud_is_supported(baud)) {
        return false;
    }
    if (!a4p_uart_drain((TX_SIZE + 64u) * US_PER_CHARACTER)) {
        return false;
    }
    const uint32_t primask = a4p_lock();
    start(baud);
    rx_tail = rx_head;
    a4p_unlock(primask);
    return true;
}

board_port_errors_t board_port_errors(void)
{
    const uint32_t primask = a4p_lock();
    const board_port_errors_t copy = errors;
    a4p_unlock(primask);
    return copy;
}
