"""MCUCTRL: identity, regulator trims and switches [1.1, 2.5, 2.6]."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import Block, Host, Register, bits, field, mask, read_only

SKU_HIGH_PERFORMANCE = 1 << 6
_OVERRIDES = {16: (17, 18, 19), 0: (1, 2, 3), 5: (6, 7, 8)}
"""MCUCTRL.VRCTRL: override bit and the bits whose values it puts in force [2.6, step 9]."""


class McuCtrl(Block):
    """Identity registers, and those of the regulator with the order that the sheet asks for.

    Args:
        host: the machine.
        trim: INFO1 trim revision of this part; decides which steps apply.
    """

    name = "MCUCTRL"
    base = 0x40020000
    registers: ClassVar[dict[int, Register]] = {
        0x000: read_only("CHIPPN", "1.1", 0x08320088),
        0x004: read_only("CHIPID0", "1.1", 0x51A00001),
        0x008: read_only("CHIPID1", "1.1", 0x51A00002),
        0x00C: read_only("CHIPREV", "1.1", 0x21),
        0x010: read_only("VENDORID", "1.1", 0x414D4251),
        0x014: read_only("SKU", "1.1", SKU_HIGH_PERFORMANCE),
        0x060: Register("VRCTRL", "2.6", 0, mask((19, 16), (9, 0))),
        0x120: Register("XTALCTRL", "5.1", 0x1B8, mask((4, 0))),
        0x1B0: Register("D2ASPARE", "2.6", 0x18, bits([3, 4])),
        0x250: Register("DBGCTRL", "2.9", 0x4000, mask((14, 12), (9, 8), (3, 0))),
        0x33C: Register("SIMOBUCK0", "2.6", 0, mask((3, 0))),
        0x340: Register("SIMOBUCK1", "2.6", 0, mask((25, 22), (10, 6))),
        0x344: Register("SIMOBUCK2", "2.6", 0, mask((28, 24), (14, 11))),
        0x348: Register("SIMOBUCK3", "2.6", 0, mask((29, 26), (16, 13))),
        0x354: Register("SIMOBUCK6", "2.6", 0, mask((20, 17))),
        0x358: Register("SIMOBUCK7", "2.6", 0, mask((22, 18), (12, 8))),
        0x35C: Register("SIMOBUCK8", "2.6", 0, mask((25, 22), (12, 9))),
        0x360: Register("SIMOBUCK9", "2.6", 0, mask((26, 22), (20, 17))),
        0x370: Register("SIMOBUCK13", "2.6", 0x01500000, mask((25, 20))),
        0x378: Register("SIMOBUCK15", "2.6", 0, mask((31, 31), (28, 24))),
        0x37C: Register("PWRSW0", "2.5", 0, 0x05FE8000),
        0x380: Register("PWRSW1", "2.6", 0, mask((31, 28))),
        0x444: Register("AUDADCPWRDLY", "2.5", 0, mask((15, 8))),
    }

    def __init__(self, host: Host, trim: int) -> None:
        super().__init__(host)
        self._trim = 0 if trim == 0xFFFFFFFF else trim

    @property
    def short_on(self) -> bool:
        """VDDF and VDDS are shorted [2.6, step 3]."""
        return self["PWRSW1"] >> 30 == 3

    def write_pwrsw1(self, value: int) -> None:
        """The value of the short (31) comes before its enable (30)."""
        if value & 1 << 30 and not self["PWRSW1"] & 1 << 31:
            raise self.refuse("PWRSW1 bit 30 before bit 31: the short's value comes first [2.6, step 3]", 0x380, value)
        self["PWRSW1"] = value

    def write_vrctrl(self, value: int) -> None:
        """An override bit comes last and in a write of its own."""
        current = self["VRCTRL"]
        for override, values in _OVERRIDES.items():
            wanted = bits(values)
            if value >> override & 1 and not current >> override & 1 and current & wanted != wanted:
                raise self.refuse(
                    f"VRCTRL bit {override} before bits {values}: the override comes last [2.6, step 9]", 0x60, value
                )
        self["VRCTRL"] = value

    def write_simobuck15(self, value: int) -> None:
        """The trims are latched after everything else has its value."""
        self["SIMOBUCK15"] = value

    def _expect(self, register: str, high: int, low: int, value: int, step: str) -> None:
        found = field(self[register], high, low)
        if found != value:
            raise self.refuse(
                f"{register}[{high}:{low}] is 0x{found:X} and not 0x{value:X} when the buck starts [2.6, step {step}]"
            )

    def check_buck_prepared(self) -> None:
        """Everything that the sheet has before step 7."""
        if self._trim < 3:
            for register, high, low, value in (
                ("SIMOBUCK15", 28, 24, 0),
                ("SIMOBUCK7", 22, 18, 0),
                ("SIMOBUCK7", 12, 8, 0xF),
                ("SIMOBUCK2", 28, 24, 0xA),
                ("SIMOBUCK2", 14, 11, 0xA),
                ("SIMOBUCK6", 20, 17, 0xF),
                ("SIMOBUCK9", 26, 22, 0xF),
                ("SIMOBUCK9", 20, 17, 0xF),
            ):
                self._expect(register, high, low, value, "1")
            self._expect("SIMOBUCK1", 25, 22, 0, "5")
            self._expect("SIMOBUCK1", 10, 6, 1, "5")
        for register, high, low, value, step in (
            ("SIMOBUCK3", 29, 26, 0xA, "2"),
            ("SIMOBUCK3", 16, 13, 0xA, "2"),
            ("SIMOBUCK8", 25, 22, 0xF, "2"),
            ("SIMOBUCK8", 12, 9, 0xF, "2"),
            ("SIMOBUCK13", 25, 20, 0, "3"),
            ("SIMOBUCK0", 3, 0, 0xF if self._trim >= 6 else 0x7, "6" if self._trim >= 6 else "4"),
        ):
            self._expect(register, high, low, value, step)
        if self._trim >= 6:
            self._expect("D2ASPARE", 4, 3, 0, "6")

    def check_parallel_ldos(self) -> None:
        """Both LDOs run beside the buck: asked for before 192 MHz [2.6, steps 8 and 9]."""
        if not self["SIMOBUCK15"] >> 31:
            raise self.refuse("192 MHz before the trims are latched over (SIMOBUCK15 bit 31) [2.6, step 8]")
        expected = mask((19, 16), (8, 5), (3, 0))
        if self["VRCTRL"] & mask((19, 16), (9, 0)) != expected:
            raise self.refuse(
                f"192 MHz with VRCTRL 0x{self['VRCTRL']:05X} and not 0x{expected:05X}: LDOs in parallel [2.6, step 9]"
            )
