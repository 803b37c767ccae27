"""UART0 on the virtual COM port: FIFOs, interrupts, and bytes that take their time on the wire [3].

`Wire` is the host's end. Bytes from the host follow each other at the host's baud rate; bytes to the host leave at the
rate that the divisors give. When the two rates differ by more than a receiver tolerates, what arrives is not what was
sent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ, Block, Host, Register, Token, mask, read_only
from ecgseg.targets.apollo4p_sim.gpio import Gpio
from ecgseg.targets.apollo4p_sim.pwrctrl import UART_BITS, PwrCtrl

_IRQ = 15
_FIFO = 32
_LEVELS = (4, 8, 16, 24, 28)
_CLOCKS = {1: 24_000_000, 2: 12_000_000, 3: 6_000_000, 4: 3_000_000, 5: 48_000_000}
_TX_PAD, _RX_PAD, _PAD_FUNCTION = 60, 47, 4
_FE, _PE, _BE, _OE = 1 << 8, 1 << 9, 1 << 10, 1 << 11
_INT_TXCMP, _INT_RX, _INT_TX, _INT_RT = 1 << 0, 1 << 4, 1 << 5, 1 << 6
_INT_FE, _INT_PE, _INT_BE, _INT_OE = 1 << 7, 1 << 8, 1 << 9, 1 << 10
_UARTEN, _CLKEN, _TXE, _RXE = 1 << 0, 1 << 3, 1 << 8, 1 << 9
_LCRH_8N1_FIFO = 0x70
_BITS_PER_CHARACTER = 10
_TIMEOUT_BITS = 32
_TOLERANCE = 0.04
"""Of the bit time: half a bit after ten of them, shared between the two ends."""


@dataclass
class Wire:
    """The host's end of the line.

    Attributes:
        incoming: what the host has sent and the UART not yet seen: byte values with the error bits of DR.
        outgoing: what has left the UART.
        baud: of the host; None: whatever the device uses.
        garbled: characters that either side could not read because the rates differ.
        lost: characters that came in while the FIFO was full.
    """

    incoming: deque[int] = field(default_factory=deque)
    outgoing: bytearray = field(default_factory=bytearray)
    baud: int | None = None
    garbled: int = 0
    lost: int = 0


class Uart(Block):
    """One UART with its wire."""

    name = "UART0"
    base = 0x4001C000
    registers: ClassVar[dict[int, Register]] = {
        0x00: Register("DR", "3.2", 0, 0xFF),
        0x04: Register("RSR", "3.2", 0, 0xF),
        0x18: read_only("FR", "3.2"),
        0x24: Register("IBRD", "3.2", 0, 0xFFFF),
        0x28: Register("FBRD", "3.2", 0, 0x3F),
        0x2C: Register("LCRH", "3.2", 0, 0xFF),
        0x30: Register("CR", "3.2", 0x300, 0xFFFF),
        0x34: Register("IFLS", "3.2", 0x12, mask((5, 0))),
        0x38: Register("IER", "3.2", 0, 0x7FF),
        0x3C: read_only("IES", "3.2"),
        0x40: read_only("MIS", "3.2"),
        0x44: Register("IEC", "3.2"),
    }

    def __init__(self, host: Host, pwrctrl: PwrCtrl, gpio: Gpio, wire: Wire) -> None:
        super().__init__(host)
        self._power = pwrctrl
        self._gpio = gpio
        self.wire = wire
        self._rx: deque[int] = deque()
        self._tx: deque[int] = deque()
        self._shifting = False
        self._receiving = False
        self._overrun = False
        self._raw = 0
        self._divisor = 0  # in 1/64, latched by LCRH
        self._timeout: Token | None = None

    def check_access(self, offset: int) -> None:
        """Registers exist only while the domain is powered."""
        if not self._power.powered(UART_BITS["UART0"]):
            raise self.refuse("access while DEVPWRSTATUS bit 9 is 0: not powered, or not yet [3.1]", offset)

    # ---- the wire's speed
    @property
    def baud(self) -> float:
        """Rate on the wire, 0 while there is no clock or divisor."""
        clock = _CLOCKS.get(self["CR"] >> 4 & 7, 0)
        if not clock or not self._divisor or not self["CR"] & _CLKEN:
            return 0.0
        return clock * 64 / (16 * self._divisor)

    def _character_units(self) -> int:
        return round(_BITS_PER_CHARACTER * UNIT_HZ / self.baud)

    def _rates_agree(self) -> bool:
        return self.wire.baud is None or abs(self.baud / self.wire.baud - 1) <= _TOLERANCE

    @property
    def busy(self) -> bool:
        """Something is on the wire or about to be."""
        return self._shifting or bool(self.wire.incoming) or self._timeout is not None

    # ---- registers
    def write_cr(self, value: int) -> None:
        """Control; enabling checks that everything before it has been done."""
        if value & _UARTEN:
            self._check_enable(value)
        self["CR"] = value
        self.feed()

    def _check_enable(self, value: int) -> None:
        if not value & _CLKEN or value >> 4 & 7 not in _CLOCKS:
            raise self.refuse("UARTEN without CLKEN and a clock selected in CLKSEL [3.3, step 3]", 0x30, value)
        if not self._divisor:
            raise self.refuse("UARTEN before the divisors were latched by LCRH [3.3, step 4]", 0x30, value)
        if value & 0x86:
            raise self.refuse("UARTEN together with IrDA or loop-back", 0x30, value)
        if self["LCRH"] != _LCRH_8N1_FIFO:
            raise self.refuse(f"LCRH is 0x{self['LCRH']:02X} and not 8N1 with FIFOs [3.3, step 4]", 0x30, value)

    def _check_stopped(self, name: str, offset: int, value: int) -> None:
        if self["CR"] & _UARTEN:
            raise self.refuse(f"{name} is written while the UART is enabled [3.3]", offset, value)
        if not self["CR"] & _CLKEN or self["CR"] >> 4 & 7 not in _CLOCKS:
            raise self.refuse(f"{name} is written before the clock is on [3.3, step 3]", offset, value)

    def write_ibrd(self, value: int) -> None:
        """Integer divisor."""
        self._check_stopped("IBRD", 0x24, value)
        self["IBRD"] = value

    def write_fbrd(self, value: int) -> None:
        """Fraction."""
        self._check_stopped("FBRD", 0x28, value)
        self["FBRD"] = value

    def write_lcrh(self, value: int) -> None:
        """Format; latches the divisors."""
        self._check_stopped("LCRH", 0x2C, value)
        if not self["IBRD"]:
            raise self.refuse("LCRH latches an integer divisor of 0 [3.3, step 4]", 0x2C, value)
        self["LCRH"] = value
        self._divisor = self["IBRD"] << 6 | self["FBRD"]
        self._rx.clear()
        self._tx.clear()

    def write_ifls(self, value: int) -> None:
        """FIFO levels."""
        if value & 7 > 4 or value >> 3 & 7 > 4:
            raise self.refuse("IFLS selects a level that does not exist [3.2]", 0x34, value)
        self["IFLS"] = value

    def read_dr(self) -> int:
        """Takes a character out of the FIFO."""
        if not self._rx:
            raise self.refuse("DR is read while the receive FIFO is empty", 0)
        value = self._rx.popleft()
        if len(self._rx) < self._rx_level:
            self._raw &= ~_INT_RX
        self._restart_timeout()
        self._update()
        return value

    def write_dr(self, value: int) -> None:
        """Puts a character into the FIFO."""
        if not self["CR"] & _UARTEN or not self["CR"] & _TXE:
            raise self.refuse("DR is written while the transmitter is off [3.3, step 6]", 0, value)
        if not self._gpio.function_is(_TX_PAD, _PAD_FUNCTION):
            raise self.refuse(f"a byte is sent while pad {_TX_PAD} is not UART0TX [4.2]", 0, value)
        if len(self._tx) >= _FIFO:
            raise self.refuse("DR is written while the transmit FIFO is full: the byte is lost [3.3]", 0, value)
        self._tx.append(value & 0xFF)
        if not self._shifting:
            self._shift()

    def read_rsr(self) -> int:
        """Error summary is in DR; this one is always clear here."""
        return 0

    def read_fr(self) -> int:
        """Flags."""
        rx, tx = len(self._rx), len(self._tx)
        busy = self._shifting
        return (
            (0x8 if busy else 0)
            | (0x10 if rx == 0 else 0)
            | (0x20 if tx >= _FIFO else 0)
            | (0x40 if rx >= _FIFO else 0)
            | (0x80 if tx == 0 else 0)
            | (0x100 if busy else 0)
        )

    def read_ies(self) -> int:
        """Raw interrupts."""
        return self._raw

    def read_mis(self) -> int:
        """Masked interrupts."""
        return self._raw & self["IER"]

    def write_ier(self, value: int) -> None:
        """Enables."""
        self["IER"] = value
        self._update()

    def write_iec(self, value: int) -> None:
        """Write 1 to clear."""
        self._raw &= ~value
        self._update()

    def _update(self) -> None:
        self.host.set_line(_IRQ, bool(self._raw & self["IER"]))

    # ---- transmitter
    @property
    def _tx_level(self) -> int:
        return _LEVELS[self["IFLS"] & 7]

    def _shift(self) -> None:
        value = self._tx.popleft()
        # The interrupt tells of falling through the level, not of being below it [3.3].
        if len(self._tx) == self._tx_level:
            self._raw |= _INT_TX
            self._update()
        self._shifting = True
        self.host.schedule(self._character_units(), lambda: self._shifted(value))

    def _shifted(self, value: int) -> None:
        if self._rates_agree():
            self.wire.outgoing.append(value)
        else:
            self.wire.garbled += 1
            self.wire.outgoing.append(value ^ 0xFF)
        if self._tx and self["CR"] & _UARTEN:
            self._shift()
            return
        self._shifting = False
        self._raw |= _INT_TXCMP
        self._update()

    # ---- receiver
    @property
    def _rx_level(self) -> int:
        return _LEVELS[self["IFLS"] >> 3 & 7]

    def feed(self) -> None:
        """Something may have come on the wire."""
        if not self._receiving and self.wire.incoming and self._listening():
            self._receiving = True
            self.host.schedule(self._host_character_units(), self._arrived)

    def _host_character_units(self) -> int:
        return self._character_units() if self.wire.baud is None else round(10 * UNIT_HZ / self.wire.baud)

    def _listening(self) -> bool:
        wanted = _UARTEN | _RXE
        enabled = self["CR"] & wanted == wanted and self.baud > 0
        return enabled and self._gpio.function_is(_RX_PAD, _PAD_FUNCTION)

    def _arrived(self) -> None:
        self._receiving = False
        if not self.wire.incoming:
            return
        value = self.wire.incoming.popleft()
        if self._listening():
            if not self._rates_agree():
                self.wire.garbled += 1
                value = (value & 0xFF ^ 0x5A) | _FE
            self._store(value)
        self.feed()

    def _store(self, value: int) -> None:
        for bit, interrupt in ((_FE, _INT_FE), (_PE, _INT_PE), (_BE, _INT_BE)):
            if value & bit:
                self._raw |= interrupt
        if len(self._rx) >= _FIFO:
            self._overrun = True
            self.wire.lost += 1
            self._raw |= _INT_OE
        else:
            # OE stands with the first character behind those that were lost.
            self._rx.append(value | (_OE if self._overrun else 0))
            self._overrun = False
            if len(self._rx) == self._rx_level:
                self._raw |= _INT_RX
        self._restart_timeout()
        self._update()

    def _restart_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancelled = True
            self._timeout = None
        if self._rx and self.baud:
            units = round(_TIMEOUT_BITS * UNIT_HZ / self.baud)
            self._timeout = self.host.schedule(units, self._timed_out)
        else:
            self._raw &= ~_INT_RT

    def _timed_out(self) -> None:
        self._timeout = None
        self._raw |= _INT_RT
        self._update()
