"""Calls functions of an image on the simulator's core and timing model, without board, port or clock around them.

What they cost is that of their instructions and of nothing else, the same to the cycle every time.
"""

from __future__ import annotations

import importlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from ecgseg.errors import TargetError, cause
from ecgseg.image.sizes import symbols
from ecgseg.targets.apollo4p_sim import require_unicorn
from ecgseg.targets.options import TimingCase

if TYPE_CHECKING:
    from ecgseg.targets.apollo4p_sim.cycles import BlockCost

# Places in the TCM that no image of this project reaches.
FREE_START, FREE_END = 0x10040000, 0x10050000
# Where a called function finds its arguments behind the fourth.
STACK_TOP = 0x10058000
_BEFORE_MRAM = 0x4000
_PAGE = 0x400
"""Of the memory as Unicorn sees it for a Cortex-M."""
_NOP = bytes.fromhex("00bf00bf")


@dataclass(frozen=True)
class Called:
    """What a call cost.

    Attributes:
        cycles: modelled, of the core.
        instructions: executed.
        by_function: cycles and instructions by name, the most expensive first.
        result: what the function returned.
    """

    cycles: int
    instructions: int
    by_function: dict[str, tuple[int, int]]
    result: int


class LoneCore:
    """The simulator's core with an image's memory, and the clock that its instructions move on.

    Args:
        elf: image of the Apollo4 Plus EVB that needs no constructors.
        timing: which end of the published ranges; None counts nothing, which is much faster.

    Raises:
        ToolMissingError: Unicorn is not installed.
    """

    def __init__(self, elf: Path, timing: TimingCase | None = TimingCase.EXPECTED) -> None:
        require_unicorn()
        from ecgseg.targets.apollo4p_sim.costs import RunCosts
        from ecgseg.targets.apollo4p_sim.emulator import MRAM_START
        from ecgseg.targets.apollo4p_sim.events import NEVER, Clock

        arm: Any = importlib.import_module("unicorn.arm_const")
        unicorn: Any = importlib.import_module("unicorn")
        names = ("R0", "R1", "R2", "R3", "SP", "LR", "PC")
        self._registers = {name: getattr(arm, f"UC_ARM_REG_{name}") for name in names}
        self._error: type[Exception] = unicorn.UcError
        self._clock = Clock()
        self._clock.deadline = NEVER
        self._functions = _functions(elf)
        self._starts = [start for start, _, _ in self._functions]
        self._names: dict[int, str] = {}
        self._found: Counter[str] = Counter()
        self._executed: Counter[str] = Counter()
        self._uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self._stop = MRAM_START - _BEFORE_MRAM
        self._before = (0, 0)
        if timing is not None:
            costs = RunCosts(
                self._clock,
                lambda address, size: costs.add(address, size, self._price(address, size, timing), cached=True),
            )
            self._uc.hook_add(unicorn.UC_HOOK_BLOCK, self._attributed(costs.hook()))
        self._fill(elf)

    def _fill(self, elf: Path) -> None:
        from ecgseg.targets.apollo4p_sim.emulator import MRAM_END, TCM_BYTES, TCM_START

        self._uc.mem_map(self._stop, MRAM_END - self._stop)
        self._uc.mem_map(TCM_START, TCM_BYTES)
        self._uc.mem_write(self._stop, _NOP)
        with elf.open("rb") as file:
            # A segment may begin with the file's header, where the board has no memory: as newer linkers make them.
            for section in ELFFile(file).iter_sections():
                if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_type"] != "SHT_NOBITS":
                    self._uc.mem_write(section["sh_addr"], section.data())

    def _price(self, address: int, size: int, timing: TimingCase) -> BlockCost:
        """Cost of a run of instructions that is executed for the first time.

        Unicorn ends a run where a page of memory ends. What follows there belongs to the run before: loads go on in
        its pipeline, wherever the linker has put the code.
        """
        from ecgseg.targets.apollo4p_sim.cycles import block_cost

        code = self.read(address, size)
        start, length = self._before
        if start + length != address or address % _PAGE not in (0, _PAGE - 2):
            return block_cost(code, address, timing)
        before = self.read(start, length)
        both = block_cost(before + code, start, timing)
        cycles = both.cycles - block_cost(before, start, timing).cycles
        return replace(block_cost(code, address, timing), cycles=cycles)

    def _attributed(self, pay: Callable[..., None]) -> Callable[..., None]:
        """The clock's hook, with what it pays booked under the function."""
        clock = self._clock

        def on_block(uc: Any, address: int, size: int, data: Any) -> None:
            cycles, instructions = clock.cycles, clock.instructions
            pay(uc, address, size, data)
            self._before = (address, size)
            name = self._names.get(address) or self._name_of(address)
            self._found[name] += clock.cycles - cycles
            self._executed[name] += clock.instructions - instructions

        return on_block

    def _name_of(self, address: int) -> str:
        index = bisect_right(self._starts, address) - 1
        known = index >= 0 and address < self._functions[index][1]
        self._names[address] = self._functions[index][2] if known else "?"
        return self._names[address]

    def write(self, address: int, data: bytes) -> None:
        """Puts bytes into the memory."""
        self._uc.mem_write(address, data)

    def read(self, address: int, size: int) -> bytes:
        """Bytes of the memory."""
        return bytes(self._uc.mem_read(address, size))

    def call(self, function: str, *arguments: int) -> Called:
        """Calls a function; code that was executed before is in the cache.

        Args:
            function: its name in the image.
            arguments: words, four at most.

        Raises:
            TargetError: it ran into something that is no memory.
        """
        clock = self._clock
        clock.cycles = clock.instructions = 0
        self._found.clear()
        self._executed.clear()
        values = {f"R{number}": value for number, value in enumerate(arguments)}
        for name, value in (values | {"SP": STACK_TOP, "LR": self._stop | 1}).items():
            self._uc.reg_write(self._registers[name], value)
        start = next(start for start, _, name in self._functions if name == function)
        try:
            self._uc.emu_start(start | 1, self._stop)
        except self._error as error:
            raise TargetError(
                f"{function} did not return.",
                cause(error, "It does what the simulated core has no rule for."),
                "Render and build the model again.",
            ) from error
        if self._uc.reg_read(self._registers["PC"]) & ~1 != self._stop:
            raise TargetError(f"{function} did not return.", "It waits for something.", "Call what computes alone.")
        found = {name: (cycles, self._executed[name]) for name, cycles in self._found.most_common()}
        return Called(clock.cycles, clock.instructions, found, self._uc.reg_read(self._registers["R0"]))


def _functions(elf: Path) -> list[tuple[int, int, str]]:
    """(start, end, name) of every function, by address."""
    return sorted(
        (symbol.address & ~1, (symbol.address & ~1) + symbol.size, symbol.name)
        for symbol in symbols(elf)
        if symbol.is_function
    )
