"""PWRCTRL: power domains, memories, regulator and performance mode [1.4, 2.5, 2.6, 2.7, 3.1]."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import Block, Host, Register, bits, mask, microseconds, read_only
from ecgseg.targets.apollo4p_sim.mcuctrl import McuCtrl

UART_BITS = {f"UART{n}": 9 + n for n in range(4)}
CRYPTO_BIT = 20
DEBUG_BIT = 24
MODE_LP = 1
MODE_HP = 2
_ACK = 1 << 2
_BUCK_ACTIVE = 3 << 4

# Times that the sheet bounds but does not give: a little below what the vendor's code waits for.
POWER_UP = microseconds(2)
MODE_SWITCH = microseconds(2)
BUCK_START = microseconds(200)


class PwrCtrl(Block):
    """Power control. Every request takes a while; only the status registers say when it is done."""

    name = "PWRCTRL"
    base = 0x40021000
    registers: ClassVar[dict[int, Register]] = {
        0x000: Register("MCUPERFREQ", "2.7", 0x09, mask((4, 0))),
        0x004: Register("DEVPWREN", "3.1", 0x00100000, bits([*UART_BITS.values(), CRYPTO_BIT, DEBUG_BIT])),
        0x008: read_only("DEVPWRSTATUS", "3.1", 0x00100000),
        0x014: Register("MEMPWREN", "1.4", 0x3F, mask((5, 0))),
        0x018: read_only("MEMPWRSTATUS", "1.4", 0x3F),
        0x01C: Register("MEMRETCFG", "1.4", 0x08, mask((4, 0))),
        0x020: Register("SYSPWRSTATUS", "5.4", 0, mask((31, 29))),
        0x024: Register("SSRAMPWREN", "1.4", 0, mask((1, 0))),
        0x028: read_only("SSRAMPWRST", "1.4", 0x3),
        0x02C: Register("SSRAMRETCFG", "1.4", 0x3FC, mask((9, 0))),
        0x058: Register("DSP0MEMPWREN", "1.4", 0, mask((1, 0))),
        0x05C: read_only("DSP0MEMPWRST", "1.4", 0),
        0x060: Register("DSP0MEMRETCFG", "1.4", 0, mask((4, 0))),
        0x100: Register("VRCTRL", "2.6", 0, 1),
        0x108: read_only("VRSTATUS", "2.6", 0),
        0x190: Register("SRAMCTRL", "1.4", 0, mask((19, 8), (2, 1))),
        **{0x140 + 4 * n: Register(f"PWRWEIGHT{n}", "2.5", 0) for n in range(19)},
    }

    def __init__(self, host: Host, mcuctrl: McuCtrl) -> None:
        super().__init__(host)
        self._mcuctrl = mcuctrl
        self.mode = MODE_LP
        self.ssram_ready = 0  # groups whose power-up has been confirmed by the program's own waiting

    @property
    def core_units(self) -> int:
        """Units of 1/192 MHz in a core cycle."""
        return 1 if self.mode == MODE_HP else 2

    def powered(self, bit: int) -> bool:
        """A peripheral's power is up."""
        return bool(self["DEVPWRSTATUS"] >> bit & 1)

    @property
    def buck_active(self) -> bool:
        """The SIMO buck carries the core."""
        return self["VRSTATUS"] & _BUCK_ACTIVE == _BUCK_ACTIVE

    # ---- performance mode [2.7]
    def read_mcuperfreq(self) -> int:
        """Request, acknowledge, status."""
        return self["MCUPERFREQ"]

    def write_mcuperfreq(self, value: int) -> None:
        """Switches after a while; 192 MHz needs the buck and both LDOs beside it."""
        request = value & 3
        if not self["MCUPERFREQ"] & _ACK and self._switching:
            raise self.refuse("a mode switch is under way: poll the acknowledge bit first [2.7]", 0, value)
        if request not in (MODE_LP, MODE_HP):
            raise self.refuse(f"performance request {request} is neither 96 nor 192 MHz [2.7]", 0, value)
        if request == MODE_HP:
            if not self.buck_active:
                raise self.refuse("192 MHz without an active SIMO buck is under-volted [2.7]", 0, value)
            self._mcuctrl.check_parallel_ldos()
        self._switching = True
        self["MCUPERFREQ"] = request | self.mode << 3
        self.host.schedule(MODE_SWITCH, lambda: self._switched(request))

    _switching = False

    def _switched(self, request: int) -> None:
        self._switching = False
        self.mode = request
        self["MCUPERFREQ"] = request | _ACK | request << 3

    # ---- peripheral power [3.1]
    def write_devpwren(self, value: int) -> None:
        """Down at once, up after a while."""
        self["DEVPWREN"] = value
        self["DEVPWRSTATUS"] &= value
        self.host.schedule(POWER_UP, lambda: self._follow("DEVPWRSTATUS", "DEVPWREN"))

    def write_mempwren(self, value: int) -> None:
        """The program runs from what it would switch off."""
        if value & 0xF != 0xF:
            raise self.refuse("this switches off TCM or MRAM that the program uses [1.4]", 0x14, value)
        self["MEMPWREN"] = value
        self.host.schedule(POWER_UP, lambda: self._follow("MEMPWRSTATUS", "MEMPWREN"))

    def write_ssrampwren(self, value: int) -> None:
        """Groups of the shared SRAM."""
        self["SSRAMPWREN"] = value
        self.ssram_ready &= value
        self.host.schedule(POWER_UP, self._ssram)

    def _ssram(self) -> None:
        self._follow("SSRAMPWRST", "SSRAMPWREN")
        self.ssram_ready = self["SSRAMPWRST"]

    def write_dsp0mempwren(self, value: int) -> None:
        """Extended RAM."""
        self["DSP0MEMPWREN"] = value
        self.host.schedule(POWER_UP, lambda: self._follow("DSP0MEMPWRST", "DSP0MEMPWREN"))

    def _follow(self, status: str, enable: str) -> None:
        self[status] = self[enable]

    def write_syspwrstatus(self, value: int) -> None:
        """Write 1 to clear."""
        self["SYSPWRSTATUS"] &= ~value & 0xFFFFFFFF

    # ---- regulator [2.6]
    def write_vrctrl(self, value: int) -> None:
        """Starts the SIMO buck; without the VDDF-VDDS short it never becomes active."""
        if value & 1 and not self["VRCTRL"] & 1:
            self._mcuctrl.check_buck_prepared()
            if self._mcuctrl.short_on:
                self.host.schedule(BUCK_START, self._buck_started)
        if not value & 1:
            self["VRSTATUS"] &= ~_BUCK_ACTIVE
        self["VRCTRL"] = value

    def _buck_started(self) -> None:
        if self["VRCTRL"] & 1:
            self["VRSTATUS"] |= _BUCK_ACTIVE
