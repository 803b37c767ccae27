"""Words of INFO0 and INFO1 and the write-flush address that the sheet names [1.2, 2.1, 2.6]."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p import LOAD_ADDRESS
from ecgseg.targets.apollo4p_sim.bus import Block, Host, Register, read_only


class Info(Block):
    """Customer and factory words."""

    name = "INFO"
    base = 0x42000000
    registers: ClassVar[dict[int, Register]] = {
        0x0060: read_only("MAINPTR", "2.1", LOAD_ADDRESS),
        0x3310: read_only("TRIM_REV", "2.6"),
    }

    def __init__(self, host: Host, trim: int) -> None:
        super().__init__(host)
        self["TRIM_REV"] = trim


class ApbSync(Block):
    """Reading it waits for posted writes."""

    name = "APB"
    base = 0x47FF0000
    registers: ClassVar[dict[int, Register]] = {0: read_only("SYNC", "1.2")}
