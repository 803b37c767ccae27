"""The registers of all peripherals by address: which accesses there may be, and where they go."""

from __future__ import annotations

from collections.abc import Iterable

from ecgseg.targets.apollo4p_sim.bus import Block, ViolationError

_WORD = 4
_BYTEWISE = (range(0xE000E400, 0xE000E800), range(0xE000ED18, 0xE000ED24))
"""Priorities of interrupts and of system handlers, which Arm lets be accessed by the byte."""


class Registers:
    """All registers of the part.

    Args:
        blocks: the peripherals.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._at = {block.base + offset: (block, offset) for block in blocks for offset in block.registers}

    def read(self, address: int) -> int:
        """What a read from an address finds, the byte of the address lowest.

        Raises:
            ViolationError: there is no register, or it cannot be read.
        """
        block, offset = self._find(address)
        return block.read(offset) >> 8 * (address & 3)

    def write(self, address: int, size: int, value: int) -> None:
        """A write of `size` bytes; the others of the register keep their value.

        Raises:
            ViolationError: there is no register, or it cannot take this value.
        """
        block, offset = self._find(address, value)
        if size != _WORD:
            shift, width = 8 * (address & 3), (1 << 8 * size) - 1
            value = block.values[offset] & ~(width << shift) | (value & width) << shift
        block.write(offset, value)

    def _find(self, address: int, value: int | None = None) -> tuple[Block, int]:
        found = self._at.get(address & ~3)
        if found is None:
            raise ViolationError("the sheet knows no register here", address, value)
        return found


def forbidden(address: int, size: int) -> str | None:
    """What is wrong with an access of so many bytes; None when nothing is."""
    if address % size:
        return "unaligned access to a peripheral"
    if size != _WORD and not any(address in place for place in _BYTEWISE):
        return f"access of {size} bytes to a register of 4"
    return None
