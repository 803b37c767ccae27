"""PWRCTRL, MCUCTRL, CLKGEN, RSTGEN and INFO1 (facts sheet 1.1, 1.4, 2.1, 2.5-2.7, 2.9, 5.3-5.5)."""

from __future__ import annotations

from ecgseg.targets.apollo4p_sim.bus import Peripheral, Register
from ecgseg.targets.apollo4p_sim.stop import AccessError, BusErrorResponse
from ecgseg.targets.apollo4p_sim.units import MICROSECOND

_SETTLE = 2 * MICROSECOND  # power domains and clock switches; the sheet's polls allow 5 microseconds
_REGULATOR_SETTLE = 100 * MICROSECOND  # the sheet's poll allows 1 ms
_REGULATOR_ACTIVE = 3
_ULP, _LP, _HP = 0, 1, 2


def _field(value: int, high: int, low: int) -> int:
    return value >> low & (1 << high - low + 1) - 1


class Rstgen(Peripheral):
    """Reset generator."""

    name = "RSTGEN"
    base = 0x40000000
    registers = (
        Register(0x0, "CFG", "5.5", 0, 0x3),
        Register(0x4, "SWPOI", "2.1", readable=False),
        Register(0x8, "SWPOR", "2.1", readable=False),
        Register(0x85C, "STAT", "2.1", 0, writable=False),
    )

    def write_cfg(self, value: int) -> None:
        if value & 1:
            raise AccessError("RSTGEN.CFG: BODHREN would reset the part for ever [5.5]")
        self.values["CFG"] = value

    def write_swpoi(self, value: int) -> None:
        if value != 0x1B:
            raise AccessError("RSTGEN.SWPOI: the key is 0x1B [2.1]")
        self.machine.request_reset(1 << 4)

    def write_swpor(self, value: int) -> None:
        if value != 0xD4:
            raise AccessError("RSTGEN.SWPOR: the key is 0xD4 [2.1]")
        self.machine.request_reset(1 << 3)


class Clkgen(Peripheral):
    """Clock generator."""

    name = "CLKGEN"
    base = 0x40004000
    registers = (
        Register(0x0C, "OCTRL", "5.3", 0, 0x80),
        Register(0x10, "CLKOUT", "5.3", 0, 0xBF),
        Register(0x20, "HFADJ", "5.3", 0x25B800, 0x1),
        Register(0x44, "MISC", "5.3", 0, 0x01FC0071),
        Register(0x78, "LFRCCTRL", "5.3", 0, 0),
    )

    def write_misc(self, value: int) -> None:
        if value >> 24 & 1 and not value >> 23 & 1:
            raise AccessError("CLKGEN.MISC: bit 24 without bit 23 kills the HFRC [5.3]")
        self.values["MISC"] = value


class Info1(Peripheral):
    """Factory information: the trim revision."""

    name = "INFO1"
    base = 0x42003000
    registers = (Register(0x310, "TRIM_REV", "2.6", 0, writable=False),)

    def check_access(self) -> None:
        if not self.machine.options.info1_readable:
            raise BusErrorResponse("INFO1 answers with a bus error [2.6]")

    def read_trim_rev(self) -> int:
        return self.machine.options.trim_revision


class Mcuctrl(Peripheral):
    """Part identification and the analogue settings around the regulator."""

    name = "MCUCTRL"
    base = 0x40020000
    registers = (
        Register(0x000, "CHIPPN", "1.1", 0x08320088, writable=False),
        Register(0x004, "CHIPID0", "1.1", 0x13579BDF, writable=False),
        Register(0x008, "CHIPID1", "1.1", 0x2468ACE0, writable=False),
        Register(0x00C, "CHIPREV", "1.1", 0x00000021, writable=False),
        Register(0x010, "VENDORID", "1.1", 0x414D4251, writable=False),
        Register(0x014, "SKU", "1.1", 0x40, writable=False),
        Register(0x060, "VRCTRL", "2.6", 0, 0x000F03FF),
        Register(0x120, "XTALCTRL", "5.1", 0x1B8, 0x1F),
        Register(0x124, "XTALGENCTRL", "5.4", 0, 0xFC),
        Register(0x1B0, "D2ASPARE", "2.6", 0x18, 0x18),
        Register(0x250, "DBGCTRL", "2.9", 0x4000, 0x730F),
        Register(0x33C, "SIMOBUCK0", "2.6", 0, 0xF),
        Register(0x340, "SIMOBUCK1", "2.6", 0, 0xF << 22 | 0x1F << 6),
        Register(0x344, "SIMOBUCK2", "2.6", 0, 0x1F << 24 | 0xF << 11),
        Register(0x348, "SIMOBUCK3", "2.6", 0, 0xF << 26 | 0xF << 13),
        Register(0x354, "SIMOBUCK6", "2.6", 0, 0xF << 17),
        Register(0x358, "SIMOBUCK7", "2.6", 0, 0x1F << 18 | 0x1F << 8),
        Register(0x35C, "SIMOBUCK8", "2.6", 0, 0xF << 22 | 0xF << 9),
        Register(0x360, "SIMOBUCK9", "2.6", 0, 0x1F << 22 | 0xF << 17),
        Register(0x370, "SIMOBUCK13", "2.6", 0x25 << 20, 0x3F << 20),
        Register(0x378, "SIMOBUCK15", "2.6", 0, 1 << 31 | 0x1F << 24),
        Register(0x37C, "PWRSW0", "2.5", 0, 0x05FE8000),
        Register(0x380, "PWRSW1", "2.6", 0, 0xF << 28),
        Register(0x444, "AUDADCPWRDLY", "2.5", 0, 0xFF00),
    )

    def write_vrctrl(self, value: int) -> None:
        """Each override comes after the values that it puts in force [2.6, step 9]."""
        rising = value & ~self.values["VRCTRL"]
        for override, wanted, mask in ((16, 0xE0000, 0xE0000), (0, 0x0E, 0x1E), (5, 0x1C0, 0x3C0)):
            if rising >> override & 1 and (self.values["VRCTRL"] & mask) != wanted:
                raise AccessError(f"MCUCTRL.VRCTRL: override bit {override} before its values are in place [2.6]")
        self.values["VRCTRL"] = value

    def write_pwrsw1(self, value: int) -> None:
        if value >> 30 & 1 and not self.values["PWRSW1"] >> 31 & 1:
            raise AccessError("MCUCTRL.PWRSW1: bit 30 puts the short in force before bit 31 says it [2.6]")
        self.values["PWRSW1"] = value

    def check_regulator(self, trim: int) -> None:
        """Raises AccessError when the settings at the moment of SIMOBUCKEN are not those of the sheet [2.6]."""
        trim = 0 if trim == 0xFFFFFFFF else trim
        wanted = [("SIMOBUCK3", 29, 26, 0xA), ("SIMOBUCK3", 16, 13, 0xA), ("SIMOBUCK8", 25, 22, 0xF)]
        wanted += [("SIMOBUCK8", 12, 9, 0xF), ("SIMOBUCK13", 25, 20, 0), ("PWRSW1", 31, 30, 3)]
        wanted.append(("SIMOBUCK0", 3, 0, 0xF if trim >= 6 else 0x7))
        if trim < 3:
            wanted += [("SIMOBUCK15", 28, 24, 0), ("SIMOBUCK7", 22, 18, 0), ("SIMOBUCK7", 12, 8, 0xF)]
            wanted += [("SIMOBUCK2", 28, 24, 0xA), ("SIMOBUCK2", 14, 11, 0xA), ("SIMOBUCK6", 20, 17, 0xF)]
            wanted += [("SIMOBUCK9", 26, 22, 0xF), ("SIMOBUCK9", 20, 17, 0xF)]
            wanted += [("SIMOBUCK1", 25, 22, 0), ("SIMOBUCK1", 10, 6, 1)]
        if trim >= 6:
            wanted.append(("D2ASPARE", 4, 3, 0))
        for register, high, low, value in wanted:
            found = _field(self.values[register], high, low)
            if found != value:
                raise AccessError(
                    f"the SIMOBUCK is enabled with {register}[{high}:{low}] = 0x{found:x}; "
                    f"the sheet says 0x{value:x} for trim revision {trim} [2.6]"
                )

    @property
    def ldos_parallel(self) -> bool:
        """Step 9 of 2.6 is complete and the trim latch is overridden (step 8)."""
        return self.values["VRCTRL"] & 0xF03FF == 0xF01EF and bool(self.values["SIMOBUCK15"] >> 31)


class Pwrctrl(Peripheral):
    """Power domains, memories, regulator state, performance mode."""

    name = "PWRCTRL"
    base = 0x40021000
    registers = (
        Register(0x000, "MCUPERFREQ", "2.7", 0x09, 0x1F),
        Register(0x004, "DEVPWREN", "3.1", 0x00100000, 0x01FFFFFF),
        Register(0x008, "DEVPWRSTATUS", "3.1", 0x00100000, writable=False),
        Register(0x014, "MEMPWREN", "1.4", 0x3F, 0x3F),
        Register(0x018, "MEMPWRSTATUS", "1.4", 0x3F, writable=False),
        Register(0x01C, "MEMRETCFG", "1.4", 0x08, 0x1F),
        Register(0x020, "SYSPWRSTATUS", "5.4", 0, 7 << 29),
        Register(0x024, "SSRAMPWREN", "1.4", 0, 0x3),
        Register(0x028, "SSRAMPWRST", "1.4", 0x3, writable=False),
        Register(0x02C, "SSRAMRETCFG", "1.4", 0x3FC, 0x3FF),
        Register(0x058, "DSP0MEMPWREN", "1.4", 0, 0x3),
        Register(0x05C, "DSP0MEMPWRST", "1.4", 0, writable=False),
        Register(0x060, "DSP0MEMRETCFG", "1.4", 0, 0x1F),
        Register(0x100, "VRCTRL", "2.6", 0, 0x1),
        Register(0x108, "VRSTATUS", "2.6", 0, writable=False),
        *(Register(0x140 + 4 * n, f"PWRWEIGHT{n}", "2.5") for n in range(19)),
        Register(0x190, "SRAMCTRL", "1.4", 0, 0xFFF06),
    )

    def reset(self) -> None:
        super().reset()
        self._changes: dict[str, tuple[int, int]] = {}
        self._regulator_at: int | None = None

    def next_event(self) -> int | None:
        times = [time for time, _ in self._changes.values()]
        if self._regulator_at is not None:
            times.append(self._regulator_at)
        return min(times, default=None)

    def fire(self) -> None:
        for status, (time, value) in list(self._changes.items()):
            if self.machine.now >= time:
                del self._changes[status]
                self._settle(status, value)
        if self._regulator_at is not None and self.machine.now >= self._regulator_at:
            self._regulator_at = None
            if self.machine.mcuctrl.ldos_parallel:
                self.values["VRSTATUS"] = _REGULATOR_ACTIVE << 4

    def _settle(self, status: str, value: int) -> None:
        if status == "MCUPERFREQ":
            self.values["MCUPERFREQ"] = value | 1 << 2 | value << 3
            self.machine.set_core_mode(high_performance=value == _HP)
            return
        self.values[status] = value
        if status in ("SSRAMPWRST", "DSP0MEMPWRST"):
            self.machine.map_optional_memory(self.values["SSRAMPWRST"], self.values["DSP0MEMPWRST"])

    def _schedule(self, status: str, value: int, delay: int = _SETTLE) -> None:
        self._changes[status] = (self.machine.now + delay, value)
        self.machine.reschedule()

    def powered(self, bit: int) -> bool:
        """True when a device domain has power."""
        self.fire()
        return bool(self.values["DEVPWRSTATUS"] >> bit & 1)

    def _read_status(self, name: str) -> int:
        self.fire()  # time may have passed since the last event
        return self.values[name]

    def read_devpwrstatus(self) -> int:
        return self._read_status("DEVPWRSTATUS")

    def read_mempwrstatus(self) -> int:
        return self._read_status("MEMPWRSTATUS")

    def read_ssrampwrst(self) -> int:
        return self._read_status("SSRAMPWRST")

    def read_dsp0mempwrst(self) -> int:
        return self._read_status("DSP0MEMPWRST")

    def read_vrstatus(self) -> int:
        return self._read_status("VRSTATUS")

    def read_mcuperfreq(self) -> int:
        return self._read_status("MCUPERFREQ")

    def write_devpwren(self, value: int) -> None:
        self.values["DEVPWREN"] = value
        self.values["DEVPWRSTATUS"] &= value
        self.machine.power_changed(value)
        self._schedule("DEVPWRSTATUS", value)

    def write_mempwren(self, value: int) -> None:
        if value != 0x3F:
            raise AccessError("PWRCTRL.MEMPWREN: the program needs all of TCM, MRAM and cache [1.4]")
        self.values["MEMPWREN"] = value

    def write_ssrampwren(self, value: int) -> None:
        self.values["SSRAMPWREN"] = value
        self._schedule("SSRAMPWRST", value)

    def write_dsp0mempwren(self, value: int) -> None:
        self.values["DSP0MEMPWREN"] = value
        self._schedule("DSP0MEMPWRST", value)

    def write_vrctrl(self, value: int) -> None:
        if value & 1 and not self.values["VRCTRL"] & 1:
            self.machine.mcuctrl.check_regulator(self.machine.options.trim_revision)
            self._regulator_at = self.machine.now + _REGULATOR_SETTLE
            self.machine.reschedule()
        elif not value & 1:
            self._regulator_at = None
            self.values["VRSTATUS"] = 0
        self.values["VRCTRL"] = value

    def write_mcuperfreq(self, value: int) -> None:
        request = value & 3
        if request not in (_LP, _HP):
            raise AccessError("PWRCTRL.MCUPERFREQ: only 1 (96 MHz) and 2 (192 MHz) are supported [2.7]")
        if request == _HP:
            self._check_high_performance()
        self.values["MCUPERFREQ"] = self.values["MCUPERFREQ"] & 0x18 | request
        self._schedule("MCUPERFREQ", request)

    def _check_high_performance(self) -> None:
        if self._read_status("VRSTATUS") >> 4 & 3 != _REGULATOR_ACTIVE:
            raise AccessError("PWRCTRL.MCUPERFREQ: 192 MHz needs an active SIMOBUCK; the LDO is under-volted [2.7]")
        if not self.machine.mcuctrl.values["SKU"] >> 6 & 1:
            raise AccessError("PWRCTRL.MCUPERFREQ: this part has no 192 MHz [2.7]")
