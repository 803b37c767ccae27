"""Cache, DAXI and the APB sync read (facts sheet 1.2, 2.4)."""

from __future__ import annotations

from ecgseg.targets.apollo4p_sim.bus import Peripheral, Register
from ecgseg.targets.apollo4p_sim.stop import AccessError
from ecgseg.targets.apollo4p_sim.units import MICROSECOND

_CONFIGS = (0x4, 0x5, 0x8, 0xC, 0xD, 0xE)
_MODELLED_CONFIG = 0xE
_INVALIDATE_WITHIN = 100 * MICROSECOND


class ApbSync(Peripheral):
    """Reading this address waits until posted writes have arrived."""

    name = "APB"
    base = 0x47FF0000
    registers = (Register(0x0, "SYNC", "1.2", 0, writable=False),)

    def read_sync(self) -> int:
        self.machine.cpu_block.synced = True
        return 0


class CpuBlock(Peripheral):
    """Cache and DAXI control."""

    name = "CPU"
    base = 0x48000000
    registers = (
        Register(0x00, "CACHECFG", "2.4", 0x00103C50, 0x01103FFF),
        Register(0x08, "CACHECTRL", "2.4", 0x4),
        Register(0x10, "NCR0START", "2.4", 0, 0x1FFFFFF0),
        Register(0x14, "NCR0END", "2.4", 0, 0x1FFFFFF0),
        Register(0x18, "NCR1START", "2.4", 0, 0x1FFFFFF0),
        Register(0x1C, "NCR1END", "2.4", 0, 0x1FFFFFF0),
        Register(0x50, "DAXICFG", "2.4", 0x000B0300, 0x031F0F3F),
        Register(0x54, "DAXICTRL", "2.4", 0x4),
        Register(0x80, "ICODEFAULTADDR", "2.4", writable=False),
        Register(0x84, "DCODEFAULTADDR", "2.4", writable=False),
        Register(0x88, "SYSFAULTADDR", "2.4", writable=False),
        Register(0x8C, "FAULTSTATUS", "2.4"),
        Register(0x90, "FAULTCAPTUREEN", "2.4", 0, 1),
        *(Register(0x100 + 4 * n, f"{side}MON{n % 4}", "2.4", writable=False) for n, side in enumerate("DDDDIIII")),
    )

    def reset(self) -> None:
        super().reset()
        self.synced = False
        self._flush_step = 0
        self._invalidate_by: int | None = None
        self.machine.set_cache(enabled=False)

    def write_cachecfg(self, value: int) -> None:
        before = self.values["CACHECFG"]
        config = value >> 4 & 0xF
        if config not in _CONFIGS:
            raise AccessError(f"CPU.CACHECFG: CONFIG 0x{config:x} is not in the sheet [2.4]")
        if value & 1 and not before & 1 and (value ^ before) & ~1:
            raise AccessError("CPU.CACHECFG: ENABLE must be set by itself, after the configuration [2.4]")
        if before & 1 and value & 1 and (before ^ value) >> 4 & 0xF:
            raise AccessError("CPU.CACHECFG: CONFIG changes while the cache is on [2.4]")
        self._check_enable(value, config)
        if value & 1 and not before & 1:
            self._invalidate_by = self.machine.now + _INVALIDATE_WITHIN
            self.machine.reschedule()
        self.values["CACHECFG"] = value
        self.machine.set_cache(enabled=value & 0x301 == 0x301)

    def _check_enable(self, value: int, config: int) -> None:
        if not value & 1:
            return
        if config != _MODELLED_CONFIG:
            raise AccessError("CPU.CACHECFG: only CONFIG 0xE, 64 KB one-way, is modelled [2.4]")
        if value & 0x300 != 0x300:
            raise AccessError("CPU.CACHECFG: the cache is enabled without IENABLE and DENABLE [2.4]")
        if not value >> 10 & 1 or not value >> 20 & 1 or value >> 11 & 1:
            raise AccessError("CPU.CACHECFG: CLKGATE and DATACLKGATE must be 1 and LS 0 [2.4]")

    def write_cachectrl(self, value: int) -> None:
        if value & ~0x7:
            raise AccessError("CPU.CACHECTRL: unknown bits [2.4]")
        if value & 1:
            self._invalidate_by = None
            self.machine.invalidate_cache()

    def next_event(self) -> int | None:
        return self._invalidate_by

    def fire(self) -> None:
        if self._invalidate_by is not None and self.machine.now >= self._invalidate_by:
            raise AccessError("the cache was enabled but not invalidated: it may hold anything [2.4]")

    def write_daxictrl(self, value: int) -> None:
        """Flush: FLUSHWRITE, sync read, wait for READY, INVALIDATE, sync read."""
        if value & ~0x7:
            raise AccessError("CPU.DAXICTRL: only FLUSHWRITE and INVALIDATE can be written [2.4]")
        if value & 1:
            self._flush_step, self.synced = 1, False
        if value & 2:
            if self._flush_step != 1 or not self.synced:
                raise AccessError("CPU.DAXICTRL: INVALIDATE without a finished FLUSHWRITE loses writes [2.4]")
            self._flush_step = 2

    def write_daxicfg(self, value: int) -> None:
        if value >> 8 & 0xF != 0xF and value >> 8 & 0xF != 0x3:
            raise AccessError("CPU.DAXICFG: BUFFERENABLE is 3 after reset and 0xF for all 32 buffers [2.4]")
        if value >> 16 & 0x1F > 16:
            raise AccessError("CPU.DAXICFG: AGINGCOUNTER goes to 16 [2.4]")
        if self._flush_step != 2:
            raise AccessError("CPU.DAXICFG: flush the DAXI before changing its configuration [2.4]")
        self._flush_step = 0
        self.values["DAXICFG"] = value
