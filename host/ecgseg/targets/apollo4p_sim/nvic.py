"""NVIC, system control block, SysTick and DWT: the core's own registers (ARMv7-M Architecture Reference Manual, B3).

Exceptions are taken between straight runs of instructions, by the machine; here is what decides which one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import Block, Host, Register, Token, ViolationError, bits, mask, read_only

IRQS = 84
PRIORITY_MASK = 0xE0
"""Three priority bits [1.1]."""

NMI, HARD, MEMORY, BUS, USAGE, SVCALL, PENDSV, SYSTICK = 2, 3, 4, 5, 6, 11, 14, 15
FIRST_IRQ = 16
_FIXED = {1: -3, NMI: -2, HARD: -1}
_AIRCR_KEY = 0x05FA
_NO_PRIORITY = 256

SHCSR_ENABLES = {MEMORY: 1 << 16, BUS: 1 << 17, USAGE: 1 << 18}


def _registers() -> dict[int, Register]:
    found = {
        # ---- DWT
        0x1000: Register("DWT_CTRL", "2.8", 0x40000000, 1),
        0x1004: Register("DWT_CYCCNT", "2.8"),
        # ---- SysTick
        0xE010: Register("SYST_CSR", "1.1", 0, mask((16, 16), (2, 0))),
        0xE014: Register("SYST_RVR", "1.1", 0, 0xFFFFFF),
        0xE018: Register("SYST_CVR", "1.1"),
        0xE01C: read_only("SYST_CALIB", "1.1"),
        # ---- SCB
        0xED00: read_only("CPUID", "1.1", 0x410FC241),
        0xED04: Register("ICSR", "Arm", 0, mask((31, 31), (28, 25))),
        0xED08: Register("VTOR", "2.1"),
        0xED0C: Register("AIRCR", "2.1", 0xFA050000),
        0xED10: Register("SCR", "5.4", 0, bits([1, 2, 4])),
        0xED14: Register("CCR", "Arm", 0x200, bits([0, 1, 3, 4, 8, 9])),
        0xED18: Register("SHPR1", "Arm"),
        0xED1C: Register("SHPR2", "Arm"),
        0xED20: Register("SHPR3", "Arm"),
        0xED24: Register("SHCSR", "Arm", 0, mask((18, 16))),
        0xED28: Register("CFSR", "Arm"),
        0xED2C: Register("HFSR", "Arm"),
        0xED34: Register("MMFAR", "Arm"),
        0xED38: Register("BFAR", "Arm"),
        0xED88: Register("CPACR", "2.1", 0, mask((23, 20))),
        0xED90: read_only("MPU_TYPE", "1.1", 0x800),
        0xEDFC: Register("DEMCR", "2.8", 0, mask((24, 24))),
        0xEF34: Register("FPCCR", "Arm", 0xC0000000, mask((31, 30))),
    }
    for n in range((IRQS + 31) // 32):
        for base, name in ((0xE100, "ISER"), (0xE180, "ICER"), (0xE200, "ISPR"), (0xE280, "ICPR")):
            found[base + 4 * n] = Register(f"NVIC_{name}{n}", "6")
        found[0xE300 + 4 * n] = read_only(f"NVIC_IABR{n}", "6")
    for n in range(IRQS // 4):
        found[0xE400 + 4 * n] = Register(f"NVIC_IPR{n}", "1.1", 0, 0xE0E0E0E0)
    return found


class Core(Block):
    """What the core keeps about exceptions.

    Attributes:
        active: numbers of the exceptions being handled, innermost last.
        pending: exception numbers that wait.
        enabled: interrupt numbers that are enabled.
        counts: the cycle counter runs (a probe powers its domain) [2.8].
    """

    name = "core"
    base = 0xE0000000
    registers: ClassVar[dict[int, Register]] = _registers()

    def __init__(self, host: Host, counts: bool) -> None:
        super().__init__(host)
        self.counts = counts
        self.active: list[int] = []
        self.pending: set[int] = set()
        self.enabled: set[int] = set()
        self._lines: set[int] = set()
        self._count_start = 0
        self._systick: Token | None = None
        self._systick_start = 0
        self.cycles: Callable[[], int] = lambda: 0
        self.core_units: Callable[[], int] = lambda: 2

    # ---- pending and priorities
    def set_line(self, irq: int, level: bool) -> None:
        """Interrupts are level-sensitive: a line that stays up pends again when its handler returns."""
        if level:
            self._lines.add(irq)
            if FIRST_IRQ + irq not in self.active:
                self.pending.add(FIRST_IRQ + irq)
        else:
            self._lines.discard(irq)

    def priority(self, exception: int) -> int:
        """Smaller is more urgent."""
        if exception in _FIXED:
            return _FIXED[exception]
        if exception >= FIRST_IRQ:
            irq = exception - FIRST_IRQ
            return self[f"NVIC_IPR{irq // 4}"] >> 8 * (irq % 4) & 0xFF
        return self[f"SHPR{exception // 4}"] >> 8 * (exception % 4) & 0xFF

    def running_priority(self) -> int:
        """Of the innermost handler; 256 in thread mode."""
        return min((self.priority(exception) for exception in self.active), default=_NO_PRIORITY)

    def candidate(self) -> int | None:
        """The most urgent pending and enabled exception."""
        ready = [
            exception
            for exception in self.pending
            if exception < FIRST_IRQ or exception - FIRST_IRQ in self.enabled
        ]  # fmt: skip
        return min(ready, key=lambda exception: (self.priority(exception), exception), default=None)

    def enter(self, exception: int) -> None:
        """It is being handled now."""
        self.pending.discard(exception)
        self.active.append(exception)

    def leave(self) -> int:
        """The innermost handler returns; its number."""
        exception = self.active.pop()
        if exception >= FIRST_IRQ and exception - FIRST_IRQ in self._lines:
            self.pending.add(exception)
        return exception

    def fault_handler(self, exception: int) -> int:
        """The exception that handles a fault: itself when enabled and urgent enough, else HardFault."""
        if self["SHCSR"] & SHCSR_ENABLES[exception] and self.priority(exception) < self.running_priority():
            return exception
        self["HFSR"] |= 1 << 30
        return HARD

    # ---- NVIC
    def write(self, offset: int, value: int) -> None:
        """Set and clear registers take ones."""
        if 0xE100 <= offset < 0xE300 and offset in self.registers:
            self._set_clear(offset, value)
            return
        super().write(offset, value)

    def _set_clear(self, offset: int, value: int) -> None:
        first = 8 * (offset & 0x7F)
        numbers = {first + bit for bit in range(32) if value >> bit & 1}
        if any(number >= IRQS for number in numbers):
            raise self.refuse("there are 84 interrupts [1.1]", offset, value)
        group = offset & 0x380 | 0xE000
        if group == 0xE100:
            self.enabled |= numbers
        elif group == 0xE180:
            self.enabled -= numbers
        elif group == 0xE200:
            self.pending |= {FIRST_IRQ + number for number in numbers}
        else:
            self.pending -= {FIRST_IRQ + number for number in numbers if number not in self._lines}

    def read(self, offset: int) -> int:
        """Enable and pending registers show the sets."""
        if 0xE100 <= offset < 0xE300 and offset in self.registers:
            first = 8 * (offset & 0x7F)
            chosen = self.enabled if offset < 0xE200 else {number - FIRST_IRQ for number in self.pending}
            return sum(1 << bit for bit in range(32) if first + bit in chosen)
        return super().read(offset)

    # ---- SCB
    def read_icsr(self) -> int:
        """Active and most urgent pending exception."""
        pending = self.candidate() or 0
        return (self.active[-1] if self.active else 0) | pending << 12

    def write_icsr(self, value: int) -> None:
        """Pends or clears PendSV and SysTick."""
        for bit, exception in ((28, PENDSV), (26, SYSTICK)):
            if value >> bit & 1:
                self.pending.add(exception)
            if value >> (bit - 1) & 1:
                self.pending.discard(exception)

    def write_vtor(self, value: int) -> None:
        """The table must be aligned to 512 bytes."""
        if value % 512:
            raise self.refuse("VTOR is not aligned to 512 bytes [1.1]", 0xED08, value)
        self["VTOR"] = value

    def write_aircr(self, value: int) -> None:
        """SYSRESETREQ."""
        if value >> 16 != _AIRCR_KEY:
            raise self.refuse("wrong key for AIRCR [2.1]", 0xED0C, value)
        if value & 4:
            self.host.reset(1 << 3)

    def write_cfsr(self, value: int) -> None:
        """Write 1 to clear."""
        self["CFSR"] &= ~value

    def write_hfsr(self, value: int) -> None:
        """Write 1 to clear."""
        self["HFSR"] &= ~value

    # ---- DWT [2.8]
    def read_dwt_cyccnt(self) -> int:
        """Runs only with trace and counter enabled, and only while a probe powers the domain."""
        if not self._counting():
            return self["DWT_CYCCNT"]
        return (self["DWT_CYCCNT"] + self.cycles() - self._count_start) & 0xFFFFFFFF

    def _counting(self) -> bool:
        return self.counts and bool(self["DEMCR"] >> 24 & 1) and bool(self["DWT_CTRL"] & 1)

    def write_dwt_cyccnt(self, value: int) -> None:
        """Sets the count; without a probe it stays 0."""
        self["DWT_CYCCNT"] = value if self.counts else 0
        self._count_start = self.cycles()

    def write_dwt_ctrl(self, value: int) -> None:
        """Starts and stops."""
        self["DWT_CYCCNT"] = self.read_dwt_cyccnt()
        self["DWT_CTRL"] = value
        self._count_start = self.cycles()

    def write_demcr(self, value: int) -> None:
        """TRCENA."""
        self["DWT_CYCCNT"] = self.read_dwt_cyccnt()
        self["DEMCR"] = value
        self._count_start = self.cycles()

    # ---- SysTick
    def read_syst_csr(self) -> int:
        """Reading clears COUNTFLAG."""
        value = self["SYST_CSR"]
        self["SYST_CSR"] = value & 7
        return value

    def write_syst_csr(self, value: int) -> None:
        """Enable, interrupt, source; only the core clock is there."""
        if value & 1 and not value & 4:
            raise ViolationError("SysTick: the sheet names no other clock than the core's [1.1]", 0xE000E010, value)
        self["SYST_CSR"] = value & 7
        self._plan_systick()

    def write_syst_cvr(self, value: int) -> None:
        """Any write clears the count."""
        self["SYST_CVR"] = 0
        self._plan_systick()

    def read_syst_cvr(self) -> int:
        """Counts down."""
        if not self["SYST_CSR"] & 1 or not self["SYST_RVR"]:
            return 0
        period = self["SYST_RVR"] + 1
        return period - 1 - (self.host.now() - self._systick_start) // self.core_units() % period

    def _plan_systick(self) -> None:
        if self._systick is not None:
            self._systick.cancelled = True
            self._systick = None
        if self["SYST_CSR"] & 1 and self["SYST_RVR"]:
            self._systick_start = self.host.now()
            self._systick = self.host.schedule((self["SYST_RVR"] + 1) * self.core_units(), self._tick)

    def _tick(self) -> None:
        self["SYST_CSR"] |= 1 << 16
        if self["SYST_CSR"] & 2:
            self.pending.add(SYSTICK)
        self._plan_systick()
