"""Exception entry and return (ARMv7-M Architecture Reference Manual, B1.5), which Unicorn leaves to its user."""

from __future__ import annotations

import struct
from typing import Any

from unicorn import arm_const as arm

from ecgseg.targets.apollo4p_sim.bus import ViolationError
from ecgseg.targets.apollo4p_sim.cycles import EXCEPTION_ENTRY_CYCLES, EXCEPTION_RETURN_CYCLES
from ecgseg.targets.apollo4p_sim.emulator import UcError
from ecgseg.targets.apollo4p_sim.nvic import FIRST_IRQ, HARD, Core

_THUMB = 1 << 24
_FPCA = 1 << 2
_SPSEL = 1 << 1
_PADDED = 1 << 9
_FRAME, _FRAME_FPU = 0x20, 0x68
_STKERR = 1 << 12
_RETURN_HANDLER, _RETURN_THREAD, _RETURN_THREAD_PSP = 0xFFFFFFF1, 0xFFFFFFF9, 0xFFFFFFFD
_NO_FPU = 1 << 4
_CALLER_SAVED = (
    arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_R2, arm.UC_ARM_REG_R3, arm.UC_ARM_REG_R12, arm.UC_ARM_REG_LR,
)  # fmt: skip
_FPU_REGISTERS = tuple(getattr(arm, f"UC_ARM_REG_S{n}") for n in range(16))


class Exceptions:
    """Takes exceptions and returns from them. `cycles` is what the last one cost."""

    def __init__(self, uc: Any, core: Core) -> None:
        self._uc = uc
        self._core = core
        self.cycles = 0

    def reset(self, table: int) -> tuple[int, int]:
        """Registers as after a reset; the first two words of the vector table."""
        uc = self._uc
        stack, start = struct.unpack("<II", uc.mem_read(table, 8))
        uc.reg_write(arm.UC_ARM_REG_XPSR, _THUMB)
        for register in (
            arm.UC_ARM_REG_CONTROL, arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_FAULTMASK, arm.UC_ARM_REG_BASEPRI,
            arm.UC_ARM_REG_FPSCR,
        ):  # fmt: skip
            uc.reg_write(register, 0)
        uc.reg_write(arm.UC_ARM_REG_SP, stack)
        uc.reg_write(arm.UC_ARM_REG_LR, 0xFFFFFFFF)
        self._core["VTOR"] = table
        return stack, start

    # ---- which
    def _execution_priority(self) -> int:
        read = self._uc.reg_read
        priority = self._core.running_priority()
        base = read(arm.UC_ARM_REG_BASEPRI)
        if base:
            priority = min(priority, base)
        if read(arm.UC_ARM_REG_PRIMASK) & 1:
            priority = min(priority, 0)
        if read(arm.UC_ARM_REG_FAULTMASK) & 1:
            priority = min(priority, -1)
        return priority

    def wakes(self) -> bool:
        """Something pends that would be taken if PRIMASK were clear."""
        candidate = self._core.candidate()
        return candidate is not None and self._core.priority(candidate) < self._core.running_priority()

    def take_pending(self, pc: int) -> int | None:
        """Enters the most urgent exception if it may interrupt; its handler's address."""
        if not self._core.pending:
            return None
        candidate = self._core.candidate()
        if candidate is None or self._core.priority(candidate) >= self._execution_priority():
            return None
        return self._enter(candidate, pc)

    def take_fault(self, exception: int, pc: int) -> int:
        """Enters a fault's handler.

        Raises:
            ViolationError: lock-up: the fault happened where not even HardFault is taken.
        """
        chosen = self._core.fault_handler(exception)
        if chosen == HARD and self._execution_priority() <= -1:
            raise ViolationError("lock-up: a fault inside of HardFault or with FAULTMASK set")
        return self._enter(chosen, pc)

    # ---- entry
    def _enter(self, exception: int, pc: int) -> int:
        uc, core = self._uc, self._core
        control, status = uc.reg_read(arm.UC_ARM_REG_CONTROL), uc.reg_read(arm.UC_ARM_REG_XPSR)
        fpu = bool(control & _FPCA)
        self._push_frame(pc, status, fpu)
        code = _RETURN_HANDLER
        if not core.active:
            code = _RETURN_THREAD_PSP if control & _SPSEL else _RETURN_THREAD
        uc.reg_write(arm.UC_ARM_REG_CONTROL, control & _SPSEL)
        uc.reg_write(arm.UC_ARM_REG_XPSR, status & 0xF80F0000 | _THUMB | exception)
        uc.reg_write(arm.UC_ARM_REG_LR, code & ~_NO_FPU if fpu else code)
        core.enter(exception)
        self.cycles = EXCEPTION_ENTRY_CYCLES
        (handler,) = struct.unpack("<I", uc.mem_read(core["VTOR"] + 4 * exception, 4))
        if not handler & 1:
            name = f"interrupt {exception - FIRST_IRQ}" if exception >= FIRST_IRQ else f"exception {exception}"
            raise ViolationError(
                f"the vector of {name} is 0x{handler:08X}, no Thumb address", core["VTOR"] + 4 * exception
            )
        return int(handler & ~1)

    def _push_frame(self, pc: int, status: int, fpu: bool) -> None:
        uc = self._uc
        stack = uc.reg_read(arm.UC_ARM_REG_SP)
        padded = bool(stack & 4)
        stack = (stack - (_FRAME_FPU if fpu else _FRAME)) & ~7
        words = [uc.reg_read(register) for register in _CALLER_SAVED]
        words += [pc, status | (_PADDED if padded else 0)]
        if fpu:
            words += [uc.reg_read(register) for register in _FPU_REGISTERS] + [uc.reg_read(arm.UC_ARM_REG_FPSCR), 0]
        try:
            uc.mem_write(stack, struct.pack(f"<{len(words)}I", *words))
        except UcError:
            self._core["CFSR"] |= _STKERR
        uc.reg_write(arm.UC_ARM_REG_SP, stack)

    # ---- return
    def leave(self, code: int) -> int:
        """Returns from a handler; where the program goes on.

        Args:
            code: the EXC_RETURN value that was loaded into the program counter.

        Raises:
            ViolationError: it does not fit what is active.
        """
        uc, core = self._uc, self._core
        plain = code | _NO_FPU
        if not core.active:
            raise ViolationError(f"exception return 0x{code:08X} in thread mode")
        core.leave()
        if plain not in (_RETURN_HANDLER, _RETURN_THREAD, _RETURN_THREAD_PSP) or (
            (plain == _RETURN_HANDLER) != bool(core.active)
        ):
            raise ViolationError(f"exception return 0x{code:08X} does not fit the exceptions that are active")
        uc.reg_write(arm.UC_ARM_REG_FAULTMASK, 0)
        current = core.active[-1] if core.active else 0
        uc.reg_write(arm.UC_ARM_REG_CONTROL, _SPSEL if plain == _RETURN_THREAD_PSP else 0)
        uc.reg_write(arm.UC_ARM_REG_XPSR, _THUMB | current)
        self.cycles = EXCEPTION_RETURN_CYCLES
        return self._pop_frame(not code & _NO_FPU, current)

    def _pop_frame(self, fpu: bool, current: int) -> int:
        uc = self._uc
        stack = uc.reg_read(arm.UC_ARM_REG_SP)
        size = _FRAME_FPU if fpu else _FRAME
        words = struct.unpack(f"<{size // 4}I", uc.mem_read(stack, size))
        for register, value in zip(_CALLER_SAVED, words, strict=False):
            uc.reg_write(register, value)
        pc, status = words[6], words[7]
        if fpu:
            for register, value in zip(_FPU_REGISTERS, words[8:24], strict=True):
                uc.reg_write(register, value)
            uc.reg_write(arm.UC_ARM_REG_FPSCR, words[24])
            uc.reg_write(arm.UC_ARM_REG_CONTROL, uc.reg_read(arm.UC_ARM_REG_CONTROL) | _FPCA)
        if status & 0x1FF != current:
            raise ViolationError(f"the stacked status 0x{status:08X} does not belong to exception {current}")
        uc.reg_write(arm.UC_ARM_REG_SP, stack + size + (4 if status & _PADDED else 0))
        uc.reg_write(arm.UC_ARM_REG_XPSR, status & ~_PADDED)
        return int(pc)
