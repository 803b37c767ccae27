"""RSTGEN: reset causes, software resets, enable of the watchdog's reset [2.1, 5.5]."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import Block, Host, Register, read_only, write_only

POWER_ON = 1 << 1
SOFTWARE = 1 << 3
SOFTWARE_POI = 1 << 4
WATCHDOG = 1 << 6
_POI_KEY = 0x1B
_POR_KEY = 0xD4


class RstGen(Block):
    """Reset generator. Writing STAT is possible on the part and never right, so it is refused here."""

    name = "RSTGEN"
    base = 0x40000000
    registers: ClassVar[dict[int, Register]] = {
        0x0000: Register("CFG", "5.5", 0, 0b11),
        0x0004: write_only("SWPOI", "2.1"),
        0x0008: write_only("SWPOR", "2.1"),
        0x885C: read_only("STAT", "2.1"),
    }

    def __init__(self, host: Host, cause: int) -> None:
        super().__init__(host)
        self["STAT"] = cause

    def write_cfg(self, value: int) -> None:
        """The brown-out reset must stay off."""
        if value & 1:
            raise self.refuse("BODHREN resets for ever below 2.1 V [5.5]", 0, value)
        self["CFG"] = value

    def write_swpoi(self, value: int) -> None:
        """Power-on-initialisation reset."""
        if value != _POI_KEY:
            raise self.refuse("wrong key for SWPOI [2.1]", 4, value)
        self.host.reset(SOFTWARE_POI)

    def write_swpor(self, value: int) -> None:
        """Power-on-reset."""
        if value != _POR_KEY:
            raise self.refuse("wrong key for SWPOR [2.1]", 8, value)
        self.host.reset(SOFTWARE)
