"""CPU block: cache controller and the DAXI buffer in front of the shared SRAM [2.4]."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import Block, Host, Register, Token, bits, mask, microseconds, read_only

_ENABLE = 1 << 0
_SIDES = 3 << 8
_CONFIGS = (4, 5, 8, 0xC, 0xD, 0xE)
_INVALIDATE_WITHIN = microseconds(10)


class Cache(Block):
    """Cache configuration in the order of the sheet, and the flush that has to come before a sleep.

    Attributes:
        on: the cache works.
        on_change: called when its content is lost or it is switched.
        flushed: the DAXI buffer was flushed and invalidated since the last sleep.
    """

    name = "CPU"
    base = 0x48000000
    registers: ClassVar[dict[int, Register]] = {
        0x00: Register("CACHECFG", "2.4", 0x00103C50, mask((24, 24), (20, 20), (13, 0))),
        0x08: Register("CACHECTRL", "2.4", 0, 0b111),
        **{offset: Register(name, "2.4", 0, mask((28, 4))) for offset, name in
           ((0x10, "NCR0START"), (0x14, "NCR0END"), (0x18, "NCR1START"), (0x1C, "NCR1END"))},
        0x50: Register("DAXICFG", "2.4", 0x000B0300, mask((25, 24), (20, 16), (11, 8), (5, 0))),
        0x54: Register("DAXICTRL", "2.4", 0x4, 0b111),
        0x80: read_only("ICODEFAULTADDR", "2.4"),
        0x84: read_only("DCODEFAULTADDR", "2.4"),
        0x88: read_only("SYSFAULTADDR", "2.4"),
        0x8C: Register("FAULTSTATUS", "2.4"),
        0x90: Register("FAULTCAPTUREEN", "2.4", 0, 1),
        **{0x100 + 4 * n: read_only(f"DMON{n}", "2.4") for n in range(4)},
        **{0x110 + 4 * n: read_only(f"IMON{n}", "2.4") for n in range(4)},
    }  # fmt: skip

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.on = False
        self.flushed = False
        self.on_change: Callable[[], None] = lambda: None
        self._flushing = False
        self._deadline: Token | None = None

    def write_cachecfg(self, value: int) -> None:
        """Configuration only while it is off; enabling wants an invalidate right behind it."""
        current = self["CACHECFG"]
        enabling = bool(value & ~current & _ENABLE)
        if current & _ENABLE and (value ^ current) & ~(_SIDES | _ENABLE) and current & _SIDES:
            raise self.refuse("the configuration changes while the cache is on [2.4]", 0, value)
        if enabling:
            self._check_enable(value)
        if enabling:
            self._deadline = self.host.schedule(_INVALIDATE_WITHIN, self._not_invalidated)
        self["CACHECFG"] = value
        self.on = value & _ENABLE != 0 and value & _SIDES != 0
        self.on_change()

    def _check_enable(self, value: int) -> None:
        if (value ^ self["CACHECFG"]) & ~_ENABLE:
            raise self.refuse("ENABLE is set together with other changes; configure first [2.4]", 0, value)
        if value >> 4 & 15 not in _CONFIGS:
            raise self.refuse(f"cache configuration {value >> 4 & 15:X} is not one of the sheet's [2.4]", 0, value)
        if value & bits([10, 20]) != bits([10, 20]) or value & 1 << 11:
            raise self.refuse("CLKGATE and DATACLKGATE must be 1, LS 0 [2.4]", 0, value)

    def _not_invalidated(self) -> None:
        raise self.refuse("the cache was enabled and not invalidated [2.4]")

    def write_cachectrl(self, value: int) -> None:
        """Invalidation."""
        if value & 1:
            if self._deadline is not None:
                self._deadline.cancelled = True
            self["CACHECTRL"] = 1 << 2
            self.on_change()

    def write_daxicfg(self, value: int) -> None:
        """Changed only behind a flush."""
        if value != self["DAXICFG"] and not self.flushed:
            raise self.refuse("DAXICFG changes without flush and invalidate before [2.4]", 0x50, value)
        self["DAXICFG"] = value

    def write_daxictrl(self, value: int) -> None:
        """FLUSHWRITE, then INVALIDATE."""
        if value & 1:
            self._flushing = True
        if value & 2 and self._flushing:
            self.flushed = True
            self._flushing = False

    def note_sleep(self) -> None:
        """The core sleeps: the buffer must have been flushed [2.4]."""
        if not self.flushed:
            raise self.refuse("WFI without flushing the write buffer before [2.4, 5.4]")
        self.flushed = False
