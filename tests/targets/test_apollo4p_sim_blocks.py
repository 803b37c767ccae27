"""Single peripherals of the simulated part against docs/apollo4p-facts.md, without a program."""

import heapq

import pytest

from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ, Token, ViolationError, microseconds
from ecgseg.targets.apollo4p_sim.cache import Cache
from ecgseg.targets.apollo4p_sim.clkgen import ClkGen
from ecgseg.targets.apollo4p_sim.gpio import Gpio
from ecgseg.targets.apollo4p_sim.mcuctrl import McuCtrl
from ecgseg.targets.apollo4p_sim.nvic import FIRST_IRQ, Core
from ecgseg.targets.apollo4p_sim.pwrctrl import PwrCtrl
from ecgseg.targets.apollo4p_sim.rstgen import RstGen
from ecgseg.targets.apollo4p_sim.stimer import STimer
from ecgseg.targets.apollo4p_sim.timer import Timer
from ecgseg.targets.apollo4p_sim.uart import Uart, Wire
from ecgseg.targets.apollo4p_sim.wdt import Wdt


class Clockwork:
    """A host whose time the test moves."""

    def __init__(self):
        self.time = 0
        self.lines = {}
        self.causes = []
        self._events = []
        self._number = 0

    def now(self):
        return self.time

    def schedule(self, delay, action):
        token = Token()
        self._number += 1
        heapq.heappush(self._events, (self.time + delay, self._number, token, action))
        return token

    def set_line(self, irq, level):
        self.lines[irq] = level

    def reset(self, cause):
        self.causes.append(cause)

    def go(self, seconds):
        end = self.time + round(seconds * UNIT_HZ)
        while self._events and self._events[0][0] <= end:
            self.time, _, token, action = heapq.heappop(self._events)
            if not token.cancelled:
                action()
        self.time = end


@pytest.fixture
def host():
    return Clockwork()


@pytest.fixture
def uart(host):
    """UART0 as the sheet brings it up (3.3), at 115200 baud."""
    power = PwrCtrl(host, McuCtrl(host, 6))
    gpio = Gpio(host)
    power.write(0x004, 0x200)
    host.go(1e-5)
    gpio.write(0x200, 0x73)
    gpio.write(0x0F0, 0x404)
    gpio.write(0x0BC, 0x014)
    found = Uart(host, power, gpio, Wire())
    for offset, value in ((0x30, 0), (0x30, 0x18), (0x24, 13), (0x28, 1), (0x2C, 0x70), (0x44, 0x7FF), (0x30, 0x319)):
        found.write(offset, value)
    return found


# ---- UART


def test_uart_sends_at_the_rate_of_the_sheets_table(host, uart):
    assert uart.baud == pytest.approx(115_246, abs=1)
    for byte in b"0123456789":
        uart.write(0x00, byte)
    host.go(9.5 * 10 / 115_246)
    assert bytes(uart.wire.outgoing) == b"012345678"
    host.go(1e-4)
    assert bytes(uart.wire.outgoing) == b"0123456789"
    assert uart.read(0x18) & 0x1A8 == 0x80  # empty, idle


def test_uart_transmit_interrupt_tells_only_of_falling_through_the_level(host, uart):
    uart.write(0x38, 1 << 5)
    for byte in range(8):  # below the level of 16: nothing falls through it
        uart.write(0x00, byte)
    host.go(2e-3)
    assert not host.lines.get(15)
    for byte in range(20):
        uart.write(0x00, byte)
    host.go(2e-3)
    assert host.lines[15]


def test_uart_receive_level_and_time_out(host, uart):
    uart.write(0x38, 1 << 4 | 1 << 6)
    uart.wire.incoming.extend(range(15))
    uart.feed()
    host.go(15.5 * 10 / 115_246)
    assert not host.lines.get(15)
    host.go(40 / 115_246)
    assert uart.read(0x40) == 1 << 6
    assert [uart.read(0x00) for _ in range(15)] == list(range(15))
    with pytest.raises(ViolationError, match="empty"):
        uart.read(0x00)


def test_uart_overrun_stands_with_the_first_byte_behind_the_gap(host, uart):
    uart.wire.incoming.extend([1] * 40)
    uart.feed()
    host.go(41 * 10 / 115_246)
    words = [uart.read(0x00) for _ in range(32)]
    assert words == [1] * 32
    uart.wire.incoming.append(2)
    uart.feed()
    host.go(2e-4)
    assert uart.read(0x00) == 2 | 1 << 11
    assert uart.wire.lost == 8


def test_uart_refuses_a_byte_too_many(uart):
    for byte in range(33):  # one is on the wire, 32 wait
        uart.write(0x00, byte)
    assert uart.read(0x18) & 0x20
    with pytest.raises(ViolationError, match="full"):
        uart.write(0x00, 33)


def test_uart_does_not_exist_without_power(host, uart):
    power = PwrCtrl(host, McuCtrl(host, 6))
    with pytest.raises(ViolationError, match="not powered"):
        Uart(host, power, Gpio(host), Wire()).read(0x18)


# ---- power and clock


def test_power_status_follows_the_request(host):
    power = PwrCtrl(host, McuCtrl(host, 6))
    power.write(0x004, 0x200)
    assert not power.read(0x008) & 0x200
    host.go(1e-5)
    assert power.read(0x008) == 0x200  # CRYPTO, bit 20, went with the same write


def test_192_mhz_needs_the_regulator(host):
    power = PwrCtrl(host, McuCtrl(host, 6))
    with pytest.raises(ViolationError, match="under-volted"):
        power.write(0x000, 2)


def test_a_reserved_performance_mode_is_refused(host):
    with pytest.raises(ViolationError, match="neither 96 nor 192"):
        PwrCtrl(host, McuCtrl(host, 6)).write(0x000, 0)


def test_hfrc_root_must_not_be_stopped(host):
    with pytest.raises(ViolationError, match="stops the HFRC"):
        ClkGen(host).write(0x044, 1 << 24)


# ---- timers


def test_timer_counts_24_mhz_and_stops(host):
    timer = Timer(host)
    timer.write(0x208, 0xFFFFFFFF)
    for value in (0x20, 0x22, 0x20, 0x21):
        timer.write(0x200, value)
    host.go(1.0)
    assert timer.read(0x204) == 24_000_000
    timer.write(0x200, 0x20)
    host.go(1.0)
    assert timer.read(0x204) == 24_000_000


def test_stimer_is_frozen_at_reset_and_counts_6_mhz_then(host):
    timer = STimer(host)
    host.go(1.0)
    assert timer.read(0x04) == 0
    timer.write(0x00, 0x40000001)
    timer.write(0x00, 0x00000001)
    host.go(0.5)
    assert timer.read(0x04) == 3_000_000


def test_stimer_compare_takes_a_delta(host):
    timer = STimer(host)
    timer.write(0x00, 0x40000103)
    timer.write(0x00, 0x00000103)
    timer.write(0x100, 1)
    host.go(1.0)
    timer.write(0x20, 32768)
    assert timer.read(0x20) == 2 * 32768
    host.go(0.99)
    assert not host.lines.get(32)
    host.go(0.02)
    assert host.lines[32]
    timer.write(0x108, 1)
    assert not host.lines[32]


def test_watchdog_barks_then_bites(host):
    rstgen = RstGen(host, 0)
    watchdog = Wdt(host, rstgen)
    rstgen.write(0, 2)
    watchdog.write(0x200, 1)
    watchdog.write(0x000, 2 << 24 | 16 << 16 | 32 << 8 | 7)  # 16 Hz: bark after 1 s, bite after 2 s
    host.go(0.9)
    watchdog.write(0x004, 0xB2)
    host.go(0.9)
    assert not host.lines.get(1)
    host.go(0.2)
    assert host.lines[1]
    assert host.causes == []
    host.go(1.0)
    assert host.causes == [1 << 6]


def test_a_locked_watchdog_cannot_be_changed(host):
    watchdog = Wdt(host, RstGen(host, 0))
    watchdog.write(0x008, 0x3A)
    with pytest.raises(ViolationError, match="locked"):
        watchdog.write(0x000, 0)


@pytest.mark.parametrize(("offset", "key", "cause"), [(4, 0x1B, 1 << 4), (8, 0xD4, 1 << 3)])
def test_software_resets_need_their_keys(host, offset, key, cause):
    rstgen = RstGen(host, 0)
    rstgen.write(offset, key)
    assert host.causes == [cause]
    with pytest.raises(ViolationError, match="wrong key"):
        rstgen.write(offset, key ^ 1)


# ---- pads, cache, core


def test_input_is_seen_only_through_an_enabled_buffer(host):
    gpio = Gpio(host)
    assert gpio.read(0x204) == 0
    gpio.write(0x200, 0x73)
    gpio.write(4 * 24, 0x013)
    assert gpio.read(0x204) == 1 << 24
    gpio.inputs[0] = 0
    assert gpio.read(0x204) == 0


def test_outputs_are_set_and_cleared(host):
    gpio = Gpio(host)
    gpio.write(0x224, 3 << 22)
    gpio.write(0x234, 1 << 22)
    assert gpio.read(0x214) == 1 << 23
    assert (gpio.level(22), gpio.level(23)) == (False, True)


def test_a_cache_that_is_not_invalidated_is_noticed(host):
    cache = Cache(host)
    cache.write(0x00, 0x001007E0)
    cache.write(0x00, 0x001007E1)
    with pytest.raises(ViolationError, match="not invalidated"):
        host.go(microseconds(20) / UNIT_HZ)


def test_interrupts_are_chosen_by_priority_then_number(host):
    core = Core(host, counts=False)
    core.write(0xE100, 1 << 15 | 1 << 1 | 1 << 2)
    core.write(0xE400, 0x00000000 | 0x20 << 8 | 0x20 << 16)
    for irq in (15, 2, 1):
        core.set_line(irq, True)
    core.write(0xE40C, 0x40 << 24)
    assert core.candidate() == FIRST_IRQ + 1
    core.enter(FIRST_IRQ + 1)
    assert core.candidate() == FIRST_IRQ + 2
    core.leave()  # its line is still up: it pends again
    assert core.candidate() == FIRST_IRQ + 1


def test_priorities_have_three_bits(host):
    with pytest.raises(ViolationError, match="describes no bits"):
        Core(host, counts=False).write(0xE400, 0x10)


def test_an_address_outside_of_the_sheet_is_refused(host):
    with pytest.raises(ViolationError, match="knows no register"):
        Timer(host).read(0x0FC)
