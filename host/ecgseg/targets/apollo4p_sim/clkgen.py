"""CLKGEN: clock gates [2.5, 5.3]."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import Block, Register, mask


class ClkGen(Block):
    """Clock generator: only what gates clocks; the core's speed is PWRCTRL's."""

    name = "CLKGEN"
    base = 0x40004000
    registers: ClassVar[dict[int, Register]] = {
        0x00C: Register("OCTRL", "5.3", 0, 1 << 7),
        0x010: Register("CLKOUT", "5.3", 0, mask((7, 7), (5, 0))),
        0x020: Register("HFADJ", "5.3", 0x25B800, 1),
        0x044: Register("MISC", "5.3", 0, mask((24, 18), (6, 4), (0, 0))),
        0x078: Register("LFRCCTRL", "5.3", 0),
    }

    def write_misc(self, value: int) -> None:
        """Bit 24 without bit 23 kills the root of all clocks."""
        if value >> 24 & 1 and not value >> 23 & 1:
            raise self.refuse("MISC bit 24 without bit 23 stops the HFRC for good [5.3]", 0x44, value)
        self["MISC"] = value
