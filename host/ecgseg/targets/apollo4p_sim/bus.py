"""What all peripherals share: registers as the sheet describes them, and a stop for everything else.

Section numbers are those of docs/apollo4p-facts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

UNIT_HZ = 192_000_000
"""Simulated time is counted in units of 1/192 MHz: a core cycle is one or two of them, a 24 MHz tick eight."""

ALL_BITS = 0xFFFFFFFF


def microseconds(value: float) -> int:
    """Microseconds in units."""
    return int(value * (UNIT_HZ // 1_000_000))


class ViolationError(Exception):
    """The program did something that the sheet does not allow; the simulation stops.

    Args:
        what: one sentence.
        address: of the access, None when it was none.
        value: that was written, None when it was no write.
    """

    def __init__(self, what: str, address: int | None = None, value: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.address = address
        self.value = value


class Token:
    """A planned event that can still be called off."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False


class Host(Protocol):
    """What a peripheral needs of the machine around it."""

    def now(self) -> int:
        """Simulated time in units."""
        ...

    def schedule(self, delay: int, action: Callable[[], None]) -> Token:
        """Calls `action` after `delay` units."""
        ...

    def set_line(self, irq: int, level: bool) -> None:
        """Level of an interrupt line."""
        ...

    def reset(self, cause: int) -> None:
        """Asks for a reset with a bit of RSTGEN.STAT as its cause."""
        ...


@dataclass(frozen=True)
class Register:
    """A register as the sheet knows it.

    Attributes:
        name: as in the sheet.
        section: of the sheet.
        reset: value after reset.
        bits: that a program may change; another value in any other bit is a violation.
        readable, writable: which accesses there are.
    """

    name: str
    section: str
    reset: int = 0
    bits: int = ALL_BITS
    readable: bool = True
    writable: bool = True


def read_only(name: str, section: str, reset: int = 0) -> Register:
    """A register that a write does not reach."""
    return Register(name, section, reset, 0, writable=False)


def write_only(name: str, section: str, bits: int = ALL_BITS) -> Register:
    """A register that only makes sense to write."""
    return Register(name, section, 0, bits, readable=False)


class Block:
    """A peripheral: a table of registers and what reading and writing them does.

    A subclass fills `registers` and defines `read_<name>` and `write_<name>` (lower case) where more happens than
    keeping the value.
    """

    name = ""
    base = 0
    registers: ClassVar[dict[int, Register]] = {}

    def __init__(self, host: Host) -> None:
        self.host = host
        self.values = {offset: register.reset for offset, register in self.registers.items()}
        self._offsets = {register.name: offset for offset, register in self.registers.items()}
        self._readers: dict[int, Callable[[], int]] = {}
        self._writers: dict[int, Callable[[int], None]] = {}
        for offset, register in self.registers.items():
            attribute = register.name.lower()
            if hasattr(self, f"read_{attribute}"):
                self._readers[offset] = getattr(self, f"read_{attribute}")
            if hasattr(self, f"write_{attribute}"):
                self._writers[offset] = getattr(self, f"write_{attribute}")

    def __getitem__(self, name: str) -> int:
        return self.values[self._offsets[name]]

    def __setitem__(self, name: str, value: int) -> None:
        self.values[self._offsets[name]] = value

    def check_access(self, offset: int) -> None:
        """Raises ViolationError when the block cannot be reached (not powered, no clock)."""

    def refuse(self, what: str, offset: int | None = None, value: int | None = None) -> ViolationError:
        """A violation of this block's rules."""
        return ViolationError(f"{self.name}: {what}", None if offset is None else self.base + offset, value)

    def _register(self, offset: int) -> Register:
        register = self.registers.get(offset)
        if register is None:
            raise self.refuse("the sheet knows no register here", offset)
        self.check_access(offset)
        return register

    def read(self, offset: int) -> int:
        """Value of a 32-bit read."""
        register = self._register(offset)
        if not register.readable:
            raise self.refuse(f"{register.name} can only be written [{register.section}]", offset)
        reader = self._readers.get(offset)
        return reader() if reader else self.values[offset]

    def write(self, offset: int, value: int) -> None:
        """A 32-bit write."""
        register = self._register(offset)
        if not register.writable:
            raise self.refuse(f"{register.name} can only be read [{register.section}]", offset, value)
        strange = (value ^ self.values[offset]) & ~register.bits & ALL_BITS
        if strange:
            raise self.refuse(
                f"{register.name}: the sheet describes no bits 0x{strange:08X} to change [{register.section}]",
                offset,
                value,
            )
        writer = self._writers.get(offset)
        if writer:
            writer(value)
        else:
            self.values[offset] = value


def field(value: int, high: int, low: int) -> int:
    """Bits high..low of a value."""
    return value >> low & ((1 << (high - low + 1)) - 1)


def mask(*ranges: tuple[int, int]) -> int:
    """Mask of bit ranges (high, low), both inclusive."""
    return sum(((1 << (high - low + 1)) - 1) << low for high, low in ranges)


def bits(numbers: Iterable[int]) -> int:
    """Mask of single bits."""
    return sum(1 << number for number in numbers)
