"""System control space of the core: NVIC, SysTick, SCB, FPU control, debug, DWT ([Arm]; sheet sections 1.1, 2.1, 2.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ecgseg.targets.apollo4p_sim.bus import Peripheral, Register
from ecgseg.targets.apollo4p_sim.exceptions import (
    Exceptions,
    BUS_FAULT,
    FIRST_IRQ,
    IRQ_COUNT,
    MEMORY_FAULT,
    PENDSV,
    SYSTICK,
    USAGE_FAULT,
)
from ecgseg.targets.apollo4p_sim.stop import AccessError

_ARM = "Arm"
_PRIORITY_BITS = 0xE0  # [1.1] three bits, 7:5
_WORDS = (IRQ_COUNT + 31) // 32


class Nvic(Peripheral):
    """Interrupt controller: enables, pending bits, priorities."""

    name = "NVIC"
    base = 0xE000E100
    size = 0x3F0

    def read(self, offset: int, size: int) -> int:
        kind, first = self._locate(offset)
        if kind == "IPR":
            return sum(self._exceptions.priorities.get(FIRST_IRQ + first + i, 0) << 8 * i for i in range(size))
        self._check_width(offset, size)
        return self._bits(kind, first)

    def write(self, offset: int, size: int, value: int) -> None:
        kind, first = self._locate(offset)
        if kind == "IPR":
            for i in range(size):
                self._set_priority(first + i, value >> 8 * i & 0xFF)
            return
        self._check_width(offset, size)
        numbers = {FIRST_IRQ + first + bit for bit in range(32) if value >> bit & 1}
        if any(number >= FIRST_IRQ + IRQ_COUNT for number in numbers):
            raise AccessError(f"NVIC.{kind}: there are only {IRQ_COUNT} interrupts [1.1]")
        self._apply(kind, numbers)
        self.machine.reschedule()

    @property
    def _exceptions(self) -> Exceptions:
        return self.machine.exceptions

    def _locate(self, offset: int) -> tuple[str, int]:
        """Kind of register and first interrupt at an offset from 0xE000E100."""
        for kind, start in (("ISER", 0x0), ("ICER", 0x80), ("ISPR", 0x100), ("ICPR", 0x180), ("IABR", 0x200)):
            if start <= offset < start + 4 * _WORDS:
                return kind, (offset - start) * 8
        if 0x300 <= offset < 0x300 + IRQ_COUNT:
            return "IPR", offset - 0x300
        raise AccessError(f"NVIC has nothing at offset 0x{offset:x} for {IRQ_COUNT} interrupts [1.1]")

    def _bits(self, kind: str, first: int) -> int:
        source: Iterable[int] = {
            "ISER": self._exceptions.enabled,
            "ICER": self._exceptions.enabled,
            "ISPR": self._exceptions.pending,
            "ICPR": self._exceptions.pending,
            "IABR": self._exceptions.active,
        }[kind]
        return sum(1 << number - FIRST_IRQ - first for number in source if 0 <= number - FIRST_IRQ - first < 32)

    def _apply(self, kind: str, numbers: set[int]) -> None:
        actions: dict[str, Callable[[], object]] = {
            "ISER": lambda: self._exceptions.enabled.update(numbers),
            "ICER": lambda: self._exceptions.enabled.difference_update(numbers),
            "ISPR": lambda: self._exceptions.pending.update(numbers),
            "ICPR": lambda: self._exceptions.pending.difference_update(numbers),
        }
        if kind not in actions:
            raise AccessError(f"NVIC.{kind} is read-only [Arm]")
        actions[kind]()

    def _set_priority(self, irq: int, value: int) -> None:
        if irq >= IRQ_COUNT:
            raise AccessError(f"NVIC.IPR: there are only {IRQ_COUNT} interrupts [1.1]")
        if value & ~_PRIORITY_BITS:
            raise AccessError(f"NVIC.IPR{irq}: value 0x{value:x} has bits outside of 7:5 [1.1]")
        self._exceptions.priorities[FIRST_IRQ + irq] = value


class SysTick(Peripheral):
    """24-bit down-counter on the core clock; it stops while the core sleeps [1.1]."""

    name = "SysTick"
    base = 0xE000E010
    size = 0x10
    registers = (
        Register(0x0, "CSR", _ARM, 0x4, 0x7),
        Register(0x4, "RVR", _ARM, 0, 0xFFFFFF),
        Register(0x8, "CVR", _ARM),
        Register(0xC, "CALIB", _ARM, 0, writable=False),
    )

    def reset(self) -> None:
        super().reset()
        self._start = 0
        self._seen = 0

    def _elapsed(self) -> int:
        return self.machine.state.cycles - self._start

    def _period(self) -> int:
        return self.values["RVR"] + 1

    def read_cvr(self) -> int:
        if not self.values["CSR"] & 1 or not self.values["RVR"]:
            return 0
        return -self._elapsed() % self._period()

    def write_cvr(self, value: int) -> None:
        del value  # any write clears the counter
        self._start, self._seen = self.machine.state.cycles, 0
        self.machine.reschedule()

    def read_csr(self) -> int:
        wraps = self._elapsed() // self._period() if self.values["CSR"] & 1 and self.values["RVR"] else 0
        flag = wraps > self._seen
        self._seen = wraps
        return self.values["CSR"] | flag << 16

    def write_csr(self, value: int) -> None:
        if value & 1 and not self.values["CSR"] & 1:
            self._start, self._seen = self.machine.state.cycles, 0
        self.values["CSR"] = value & 7 | 4
        self.machine.reschedule()

    def next_event(self) -> int | None:
        if self.values["CSR"] & 3 != 3 or not self.values["RVR"] or self.machine.asleep:
            return None
        left = self._period() - self._elapsed() % self._period()
        return self.machine.now + left * self.machine.state.units_per_cycle

    def fire(self) -> None:
        wraps = self._elapsed() // self._period()
        if self.values["CSR"] & 3 == 3 and wraps > self._seen:
            self._seen = wraps
            self.machine.exceptions.pending.add(SYSTICK)


class Scb(Peripheral):
    """System control block."""

    name = "SCB"
    base = 0xE000ED00
    size = 0x90
    registers = (
        Register(0x00, "CPUID", "1.1", 0x410FC241, writable=False),
        Register(0x04, "ICSR", _ARM),
        Register(0x08, "VTOR", "2.1"),
        Register(0x0C, "AIRCR", "2.1", 0xFA050000),
        Register(0x10, "SCR", "5.4", 0, 0x1E),
        Register(0x14, "CCR", _ARM, 0x200, 0x31B),
        Register(0x18, "SHPR1", _ARM, 0, 0xE0E0E0),
        Register(0x1C, "SHPR2", _ARM, 0, 0xE0000000),
        Register(0x20, "SHPR3", _ARM, 0, 0xE0E00000),
        Register(0x24, "SHCSR", _ARM, 0, 0x70000),
        Register(0x28, "CFSR", _ARM),
        Register(0x2C, "HFSR", _ARM),
        Register(0x30, "DFSR", _ARM),
        Register(0x34, "MMFAR", _ARM),
        Register(0x38, "BFAR", _ARM),
        Register(0x3C, "AFSR", _ARM),
        Register(0x88, "CPACR", "2.1", 0, 0x00F00000),
    )

    def note_fault(self, status: int, address: int | None = None) -> None:
        """Remembers a fault's status and address."""
        self.values["CFSR"] |= status
        if address is not None:
            self.values["BFAR"] = address

    def fault_enabled(self, number: int) -> bool:
        """True when a memory, bus or usage fault has a handler of its own."""
        bit = {MEMORY_FAULT: 16, BUS_FAULT: 17, USAGE_FAULT: 18}[number]
        return bool(self.values["SHCSR"] >> bit & 1)

    @property
    def fpu_enabled(self) -> bool:
        """CP10 and CP11 have full access."""
        return self.values["CPACR"] & 0x00F00000 == 0x00F00000

    @property
    def ignores_bus_faults(self) -> bool:
        """CCR.BFHFNMIGN."""
        return bool(self.values["CCR"] >> 8 & 1)

    def read_icsr(self) -> int:
        active = self.machine.exceptions.active
        pending = self.machine.exceptions.most_urgent() or 0
        return (active[-1] if active else 0) | pending << 12 | (len(active) <= 1) << 11

    def write_icsr(self, value: int) -> None:
        pending = self.machine.exceptions.pending
        for bit, number, action in ((28, PENDSV, pending.add), (27, PENDSV, pending.discard)):
            if value >> bit & 1:
                action(number)
        for bit, number, action in ((26, SYSTICK, pending.add), (25, SYSTICK, pending.discard)):
            if value >> bit & 1:
                action(number)
        self.machine.reschedule()

    def write_vtor(self, value: int) -> None:
        if value & 0x1FF:
            raise AccessError("SCB.VTOR: the vector table must be aligned to 512 bytes [1.1]")
        stack, start = self.machine.read_word(value), self.machine.read_word(value + 4)
        if not start & 1 or not self.machine.is_memory(start & ~1) or not self.machine.is_memory(stack - 4):
            raise AccessError("SCB.VTOR: there is no vector table at this address [2.1]")
        self.values["VTOR"] = value

    def write_aircr(self, value: int) -> None:
        if value >> 16 != 0x05FA:
            raise AccessError("SCB.AIRCR: the key must be 0x05FA [2.1]")
        if value & 0xFFFB:
            raise AccessError("SCB.AIRCR: only SYSRESETREQ is modelled [2.1]")
        if value & 4:
            self.machine.request_reset(1 << 3)

    def write_scr(self, value: int) -> None:
        if value & ~0x4:
            raise AccessError("SCB.SCR: only SLEEPDEEP is modelled [5.4]")
        self.values["SCR"] = value

    def write_ccr(self, value: int) -> None:
        self.values["CCR"] = value
        self.machine.state.divide_by_zero_traps = value >> 4 & 1

    def write_shpr1(self, value: int) -> None:
        self._priorities("SHPR1", 4, value)

    def write_shpr2(self, value: int) -> None:
        self._priorities("SHPR2", 8, value)

    def write_shpr3(self, value: int) -> None:
        self._priorities("SHPR3", 12, value)

    def _priorities(self, register: str, first: int, value: int) -> None:
        self.values[register] = value
        for i in range(4):
            self.machine.exceptions.priorities[first + i] = value >> 8 * i & 0xFF

    def write_cfsr(self, value: int) -> None:
        self.values["CFSR"] &= ~value

    def write_hfsr(self, value: int) -> None:
        self.values["HFSR"] &= ~value

    def write_dfsr(self, value: int) -> None:
        self.values["DFSR"] &= ~value

    def write_cpacr(self, value: int) -> None:
        if value & 0x00F00000 not in (0, 0x00F00000):
            raise AccessError("SCB.CPACR: the FPU wants CP10 and CP11 both fully on (bits 23:20 = 0xF) [2.1]")
        self.values["CPACR"] = value


class FpuControl(Peripheral):
    """Floating-point context control; stacking is modelled as if it were not lazy."""

    name = "FPU"
    base = 0xE000EF30
    size = 0x10
    registers = (
        Register(0x4, "FPCCR", _ARM, 0xC0000000),
        Register(0x8, "FPCAR", _ARM),
        Register(0xC, "FPDSCR", _ARM, 0, 0x07C00000),
    )

    def write_fpccr(self, value: int) -> None:
        if value >> 30 != 3:
            raise AccessError("FPU.FPCCR: only automatic state preservation is modelled [Arm]")
        self.values["FPCCR"] = value


class Debug(Peripheral):
    """Debug exception and monitor control: only TRCENA [2.8]."""

    name = "DCB"
    base = 0xE000EDF0
    size = 0x10
    registers = (
        Register(0x0, "DHCSR", _ARM, 0, 0, writable=False),
        Register(0xC, "DEMCR", "2.8", 0, 1 << 24),
    )


class Dwt(Peripheral):
    """Cycle counter. Without a probe its power domain is off and it stands still [2.8]."""

    name = "DWT"
    base = 0xE0001000
    size = 0x1000
    registers = (
        Register(0x0, "CTRL", "2.8", 0x40000000, 1),
        Register(0x4, "CYCCNT", "2.8"),
    )

    def reset(self) -> None:
        super().reset()
        self._base = 0

    def check_access(self) -> None:
        if not self.machine.debug.values["DEMCR"] >> 24 & 1:
            raise AccessError("DWT: DEMCR.TRCENA is not set [2.8]")

    @property
    def _counts(self) -> bool:
        return bool(self.values["CTRL"] & 1) and self.machine.options.probe

    def read_cyccnt(self) -> int:
        if self._counts:
            return self.machine.state.cycles - self._base & 0xFFFFFFFF
        return self.values["CYCCNT"] if self.machine.options.probe else 0

    def write_cyccnt(self, value: int) -> None:
        self.values["CYCCNT"] = value
        self._base = self.machine.state.cycles - value

    def write_ctrl(self, value: int) -> None:
        if value & 1 and not self.values["CTRL"] & 1:
            self._base = self.machine.state.cycles - self.values["CYCCNT"]
        elif self._counts and not value & 1:
            self.values["CYCCNT"] = self.read_cyccnt()
        self.values["CTRL"] = value
