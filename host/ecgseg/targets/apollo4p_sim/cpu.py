"""Registers of the core, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unicorn import arm_const as arm

_CORE = (
    arm.UC_ARM_REG_R0,
    arm.UC_ARM_REG_R1,
    arm.UC_ARM_REG_R2,
    arm.UC_ARM_REG_R3,
    arm.UC_ARM_REG_R4,
    arm.UC_ARM_REG_R5,
    arm.UC_ARM_REG_R6,
    arm.UC_ARM_REG_R7,
    arm.UC_ARM_REG_R8,
    arm.UC_ARM_REG_R9,
    arm.UC_ARM_REG_R10,
    arm.UC_ARM_REG_R11,
    arm.UC_ARM_REG_R12,
    arm.UC_ARM_REG_SP,
    arm.UC_ARM_REG_LR,
    arm.UC_ARM_REG_PC,
)
_SINGLE = tuple(getattr(arm, f"UC_ARM_REG_S{number}") for number in range(16))
MASKS = (arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_FAULTMASK, arm.UC_ARM_REG_BASEPRI)


def core_register(number: int) -> int:
    """Unicorn's number of r0..r15."""
    return int(_CORE[number])


def _register(number: int) -> Any:
    def read(self: Cpu) -> int:
        return int(self.engine.reg_read(number))

    def write(self: Cpu, value: int) -> None:
        self.engine.reg_write(number, value)

    return property(read, write)


class Cpu:
    """The core's registers.

    Args:
        engine: the Unicorn engine.
    """

    sp: int = _register(arm.UC_ARM_REG_SP)
    lr: int = _register(arm.UC_ARM_REG_LR)
    pc: int = _register(arm.UC_ARM_REG_PC)
    xpsr: int = _register(arm.UC_ARM_REG_XPSR)
    control: int = _register(arm.UC_ARM_REG_CONTROL)
    primask: int = _register(arm.UC_ARM_REG_PRIMASK)
    faultmask: int = _register(arm.UC_ARM_REG_FAULTMASK)
    base_priority: int = _register(arm.UC_ARM_REG_BASEPRI)
    fpscr: int = _register(arm.UC_ARM_REG_FPSCR)

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def core(self, *numbers: int) -> list[int]:
        """Values of core registers."""
        return [int(self.engine.reg_read(_CORE[number])) for number in numbers]

    def set_core(self, values: Mapping[int, int]) -> None:
        """Sets core registers by number."""
        for number, value in values.items():
            self.engine.reg_write(_CORE[number], value)

    def single_registers(self) -> list[int]:
        """Bits of s0..s15."""
        return [int(self.engine.reg_read(number)) & 0xFFFFFFFF for number in _SINGLE]

    def set_single_registers(self, values: Sequence[int]) -> None:
        """Sets the bits of s0..s15."""
        for number, value in zip(_SINGLE, values, strict=True):
            self.engine.reg_write(number, value)

    @property
    def in_it_block(self) -> bool:
        """True in the middle of an IT block, where no exception is taken by this model."""
        return bool(self.xpsr & 0x0600FC00)

    def masks(self) -> tuple[int, int, int]:
        """PRIMASK, FAULTMASK, BASEPRI."""
        primask, faultmask, base = (int(self.engine.reg_read(number)) for number in MASKS)
        return primask, faultmask, base
