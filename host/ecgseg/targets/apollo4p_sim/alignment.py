"""Addresses of LDM, STM, LDRD, STRD, VLDR and their kin, which fault on the part when they are not aligned to 4.

Unicorn does not look at them. Each such instruction is watched over its first executions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from unicorn import arm_const as arm

from ecgseg.targets.apollo4p_sim.emulator import core_register, watch_instruction

CHECKED_EXECUTIONS = 512
_IT_BITS = 0x0600FC00


class AlignmentWatch:
    """Watches instructions from the moment on when they are about to be executed first.

    Args:
        uc: the core.
        report: called with the address and the program counter.
    """

    def __init__(self, uc: Any, report: Callable[[int, int], None]) -> None:
        self._uc = uc
        self._report = report
        self._watched: set[int] = set()
        self._waiting: list[tuple[int, int]] = []

    def wants(self, instructions: Iterable[tuple[int, int]]) -> bool:
        """Some of these (address, base register) are not watched yet: execution must stop before them."""
        self._waiting = [(address, base) for address, base in instructions if address not in self._watched]
        return bool(self._waiting)

    def begin(self) -> bool:
        """Execution has stopped: watches what it stopped for. False when it was for something else."""
        waiting, self._waiting = self._waiting, []
        for address, base in waiting:
            self._watch(address, base)
        return bool(waiting)

    def _watch(self, address: int, base: int) -> None:
        self._watched.add(address)
        left = CHECKED_EXECUTIONS

        def check(uc: Any, where: int, size: int, _: Any) -> None:
            nonlocal left
            value = core_register(uc, base)
            # Inside of an IT block the instruction may not be executed at all.
            if value & 3 and not uc.reg_read(arm.UC_ARM_REG_XPSR) & _IT_BITS:
                self._report(value, where)
            left -= 1
            if not left:
                uc.hook_del(handle)

        handle = watch_instruction(self._uc, address, check)
