"""The machine: Unicorn executes the instructions, everything else of the part is here and in the peripherals.

Time is counted in core cycles of the timing model while the core runs, and jumps to the next event while it sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unicorn import arm_const as arm

from ecgseg.targets.apollo4p_sim import rstgen
from ecgseg.targets.apollo4p_sim.alignment import AlignmentWatch
from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ, Token, ViolationError, microseconds
from ecgseg.targets.apollo4p_sim.cache import Cache
from ecgseg.targets.apollo4p_sim.clkgen import ClkGen
from ecgseg.targets.apollo4p_sim.costs import RunCost, RunCosts
from ecgseg.targets.apollo4p_sim.cycles import block_cost
from ecgseg.targets.apollo4p_sim.emulator import (
    MRAM_START,
    NO_ADDRESS,
    SSRAM_GROUPS,
    TCM_BYTES,
    TCM_START,
    UcError,
    describe_bad_access,
    make_core,
)
from ecgseg.targets.apollo4p_sim.events import NEVER, Agenda, Clock
from ecgseg.targets.apollo4p_sim.exceptions import Exceptions
from ecgseg.targets.apollo4p_sim.gpio import Gpio
from ecgseg.targets.apollo4p_sim.info import ApbSync, Info
from ecgseg.targets.apollo4p_sim.mcuctrl import McuCtrl
from ecgseg.targets.apollo4p_sim.nvic import BUS, USAGE, Core
from ecgseg.targets.apollo4p_sim.pwrctrl import PwrCtrl
from ecgseg.targets.apollo4p_sim.registers import Registers, forbidden
from ecgseg.targets.apollo4p_sim.rstgen import RstGen
from ecgseg.targets.apollo4p_sim.source import SourceLines
from ecgseg.targets.apollo4p_sim.stimer import STimer
from ecgseg.targets.apollo4p_sim.timer import Timer
from ecgseg.targets.apollo4p_sim.uart import Uart, Wire
from ecgseg.targets.apollo4p_sim.wdt import Wdt
from ecgseg.targets.options import SimulatorOptions

_POLL_UNITS = microseconds(1000)
_INTR_EXCEPTION_RETURN = 8
_PRECISE, _UNALIGNED, _UNDEFINED = 0x8200, 1 << 24, 1 << 16
"""CFSR: precise bus fault with a valid BFAR, unaligned access, undefined instruction."""
_CPACR_FPU = 0xF << 20
"""CPACR: full access to the FPU."""
_WFI = bytes.fromhex("30bf")


class SimulationStoppedError(Exception):
    """The program broke a rule of the sheet. The message says which, where and when."""


class Machine:
    """An Apollo4 Plus with an image in its MRAM.

    Args:
        image: what is flashed at the load address.
        options: of the part.
        lines: source lines for messages.
        trace_pads: keep every change of the power-monitor pads with its time.
    """

    def __init__(
        self,
        image: bytes,
        options: SimulatorOptions | None = None,
        lines: SourceLines | None = None,
        *,
        trace_pads: bool = False,
    ) -> None:
        self.options = options or SimulatorOptions()
        self._trace_pads = trace_pads
        self.lines = lines or SourceLines(None)
        self.wire = Wire()
        self.poll: Callable[[], None] = lambda: None
        self.resets = 0
        self.pad_trace: list[tuple[int, int]] = []
        self.clock = Clock()
        self._agenda = Agenda(self.clock)
        self._last_poll = 0
        self._reset_cause: int | None = rstgen.POWER_ON
        self._failure: ViolationError | None = None
        self._fault: tuple[int, int, int | None, int] | None = None
        self._intr: int | None = None
        self._costs = RunCosts(self.clock, self._price)
        self._ssram_mapped = 0
        self.sleeping = False
        self.pc = 0
        self.uc = make_core(image, self, self._costs.hook())
        self._alignment = AlignmentWatch(self.uc, self._unaligned)
        self._registers = Registers(())

    # ---- construction
    def _make_peripherals(self, cause: int) -> None:
        self.core = Core(self, self.options.probe)
        self.core.cycles = lambda: self.clock.cycles
        self.core.core_units = lambda: self._agenda.core_units
        self.rstgen = RstGen(self, cause)
        self.mcuctrl = McuCtrl(self, self.options.trim)
        self.pwrctrl = PwrCtrl(self, self.mcuctrl)
        self.gpio = Gpio(self)
        self.gpio.watch = self._pads_changed
        self.cache = Cache(self)
        self.cache.on_change = self._costs.forget
        self.timer = Timer(self)
        self.uart = Uart(self, self.pwrctrl, self.gpio, self.wire)
        self.wdt = Wdt(self, self.rstgen)
        self._registers = Registers((
            self.core, self.rstgen, self.mcuctrl, self.pwrctrl, self.gpio, self.cache, self.timer, self.uart, self.wdt,
            ClkGen(self), STimer(self), Info(self, self.options.trim), ApbSync(self),
        ))  # fmt: skip

    def _reset_now(self, cause: int) -> None:
        self._reset_cause = None
        self.resets += 1
        self._agenda.set_core_units(2)
        self._agenda.cancel_all()
        self._make_peripherals(cause)
        self.exceptions = Exceptions(self.uc, self.core)
        self._costs.forget()
        self.sleeping = False
        stack, self.pc = self.exceptions.reset(MRAM_START)
        if not TCM_START < stack <= TCM_START + TCM_BYTES or not self.pc & 1:
            raise self._stopped(ViolationError("the image does not start with a stack pointer and a Thumb address"))
        self.pc &= ~1

    # ---- what peripherals ask for
    def now(self) -> int:
        """Simulated time in units of 1/192 MHz."""
        return self._agenda.now()

    def schedule(self, delay: int, action: Callable[[], None]) -> Token:
        """Plans an event."""
        self.clock.deadline = 0
        return self._agenda.schedule(delay, action)

    def set_line(self, irq: int, level: bool) -> None:
        """Interrupt line of a peripheral."""
        self.core.set_line(irq, level)
        self.clock.deadline = 0

    def reset(self, cause: int) -> None:
        """Reset as soon as the running instructions allow."""
        self._reset_cause = cause
        self.clock.deadline = 0
        self.uc.emu_stop()

    def _pads_changed(self, bank: int, levels: int) -> None:
        if bank == 0 and self._trace_pads:
            self.pad_trace.append((self.now(), levels >> 22 & 3))

    def pass_time(self, seconds: float) -> None:
        """The core has slept for so long by the clock on the wall; not beyond the next event."""
        self._agenda.advance_to(min(self.now() + int(seconds * UNIT_HZ), self.next_event()))

    # ---- hooks
    def _price(self, address: int, size: int) -> RunCost | None:
        """Cost of a run of instructions that is executed for the first time; None when it has to be watched first."""
        cost = block_cost(bytes(self.uc.mem_read(address, size)), address, self.options.timing)
        if cost.fpu and self.core["CPACR"] & _CPACR_FPU != _CPACR_FPU:
            self._fail(ViolationError("an FPU instruction before CPACR gives access [2.1]"))
        if self._alignment.wants(cost.aligned):
            return None
        return self._costs.add(address, size, cost, cached=self.cache.on)

    def _unaligned(self, address: int, pc: int) -> None:
        if self.options.deliver_faults:
            self._fault = (USAGE, _UNALIGNED, None, pc)
            self.uc.emu_stop()
        else:
            self._fail(ViolationError("LDM, LDRD, VLDR or the like with an address not aligned to 4", address))

    def _fail(self, violation: ViolationError) -> None:
        if self._failure is None:
            self._failure = violation
            self.pc = self.uc.reg_read(arm.UC_ARM_REG_PC)
        self.uc.emu_stop()

    def on_device(self, uc: Any, access: int, address: int, size: int, value: int, _: Any) -> bool:
        """Comes before every access to a peripheral, with the exact program counter."""
        wrong = forbidden(address, size)
        if wrong is not None:
            self._fail(ViolationError(wrong, address))
        return True

    def device_read(self, uc: Any, offset: int, size: int, base: int) -> int:
        if self._failure is None:
            try:
                return self._registers.read(base + offset)
            except ViolationError as violation:
                self._refuse(violation, base + offset)
        return 0

    def device_write(self, uc: Any, offset: int, size: int, value: int, base: int) -> None:
        if self._failure is None:
            try:
                self._registers.write(base + offset, size, value)
            except ViolationError as violation:
                self._refuse(violation, base + offset)
            self.clock.deadline = 0

    def _refuse(self, violation: ViolationError, address: int) -> None:
        if violation.address is None:
            violation.address = address
        self._fail(violation)

    def on_bad_access(self, uc: Any, access: int, address: int, size: int, value: int, _: Any) -> bool:
        what, write = describe_bad_access(access, address)
        if self.options.deliver_faults:
            self._fault = (BUS, _PRECISE, address, uc.reg_read(arm.UC_ARM_REG_PC))
        else:
            self._fail(ViolationError(what, address, value if write else None))
        return False

    def on_intr(self, uc: Any, number: int, _: Any) -> None:
        self._intr = number
        uc.emu_stop()

    # ---- running
    def run(self, seconds: float) -> None:
        """Runs for so much simulated time; sleep takes none of the caller's.

        Raises:
            SimulationStoppedError: the program broke a rule of the sheet.
        """
        end = self.now() + int(seconds * UNIT_HZ)
        while self.now() < end:
            self.step(end)

    def run_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Runs until the condition holds, looking every time the core or an event has done something.

        Returns:
            False when so much simulated time has passed before.
        """
        end = self.now() + int(seconds * UNIT_HZ)
        while not condition():
            if self.now() >= end:
                return False
            self.step(end)
        return True

    def step(self, end: int = NEVER, jump: bool = True) -> bool:
        """One slice of execution, or the sleep to the next event.

        Args:
            end: time in units that is not passed by much.
            jump: False: do not sleep over the next event but return.

        Returns:
            False when the core sleeps and nothing but the host or the time can wake it.
        """
        try:
            return self._step(end, jump)
        except ViolationError as violation:
            raise self._stopped(violation) from None

    def _step(self, end: int, jump: bool) -> bool:
        if self._reset_cause is not None:
            self._reset_now(self._reset_cause)
        self._run_events()
        if self._reset_cause is not None:
            return True
        if self.sleeping and self.exceptions.wakes():
            self.sleeping = False
        if self.sleeping:
            if not jump:
                return False
            self._agenda.advance_to(min(end, self.next_event()))
            return True
        pc = self.exceptions.take_pending(self.pc)
        if pc is not None:
            self.pc = pc
            self._jumped(self.exceptions.cycles)
        self._execute(end)
        return True

    def next_event(self) -> int:
        """Time in units of the next event that is planned."""
        return self._agenda.next_event()

    def _run_events(self) -> None:
        now = self.now()
        if now - self._last_poll >= _POLL_UNITS:
            self._last_poll = now
            self.poll()
        self._agenda.run_due(now)
        self.uart.feed()
        self._agenda.set_core_units(self.pwrctrl.core_units)
        if self.pwrctrl.ssram_ready != self._ssram_mapped:
            self._map_ssram(self.pwrctrl.ssram_ready)

    def _map_ssram(self, groups: int) -> None:
        for bit, (base, size) in enumerate(SSRAM_GROUPS):
            if (groups ^ self._ssram_mapped) >> bit & 1:
                if groups >> bit & 1:
                    self.uc.mem_map(base, size)
                else:
                    self.uc.mem_unmap(base, size)
        self._ssram_mapped = groups

    def _jumped(self, cycles: int) -> None:
        self.clock.cycles += cycles
        self.clock.expected = self.pc
        self.clock.refill = 0

    def _execute(self, end: int) -> None:
        limit = min(end, self.next_event(), self._last_poll + _POLL_UNITS) - self.now()
        # An exception that waits for a mask to open is looked at after every run of instructions.
        cycles = 1 if self.core.pending and self.core.candidate() is not None else -(-limit // self._agenda.core_units)
        self.clock.deadline = self.clock.cycles + max(cycles, 1)
        self._intr = self._fault = None
        error: Exception | None = None
        try:
            self.uc.emu_start(self.pc | 1, NO_ADDRESS)
        except UcError as caught:
            error = caught
        if self._failure is not None:
            raise self._failure
        self.pc = self.uc.reg_read(arm.UC_ARM_REG_PC)
        if not self._alignment.begin() and self._reset_cause is None:
            self._after(error)

    def _after(self, error: Exception | None) -> None:
        if self._fault is not None:
            exception, status, address, self.pc = self._fault
            self._deliver(exception, status, "fault", address)
        elif error is not None:
            self._deliver(USAGE, _UNDEFINED, f"undefined instruction ({error})")
        elif self._intr == _INTR_EXCEPTION_RETURN:
            self.pc = self.exceptions.leave(self.pc | 1)
            self._jumped(self.exceptions.cycles)
        elif self._intr is not None:
            self._deliver(USAGE, _UNDEFINED, f"the core's exception {self._intr}, which no firmware here uses")
        elif self._stands_behind_wfi():
            self.cache.note_sleep()
            self.sleeping = True

    def _stands_behind_wfi(self) -> bool:
        """Unicorn came back although nobody had asked it to: it has executed WFI."""
        behind = bytes(self.uc.mem_read(self.pc - 2, 2)) == _WFI
        return behind and self.clock.expected == self.pc

    def _deliver(self, exception: int, status: int, what: str, address: int | None = None) -> None:
        if not self.options.deliver_faults:
            raise ViolationError(what, address)
        self.core["CFSR"] |= status
        if address is not None:
            self.core["BFAR"] = address
        self.pc = self.exceptions.take_fault(exception, self.pc)
        self._jumped(self.exceptions.cycles)

    def _stopped(self, violation: ViolationError) -> SimulationStoppedError:
        parts = [violation.what]
        if violation.address is not None:
            parts.append(f"address 0x{violation.address:08X}")
        if violation.value is not None:
            parts.append(f"value 0x{violation.value & 0xFFFFFFFF:08X}")
        parts.append(f"pc 0x{self.pc:08X}, {self.lines.describe(self.pc)}")
        parts.append(f"{self.now() / UNIT_HZ * 1e3:.3f} ms after power-on")
        return SimulationStoppedError("; ".join(parts))
