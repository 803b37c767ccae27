"""Modelled cycles of one inference on the Apollo4 Plus, in all and by function: the simulator's core and timing model.

What runs is the application's image as it is flashed. Without board, port and clock around it the count is that of
`ecgseg_model_run` and of nothing else, the same to the cycle every time, and takes a second.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import render
from ecgseg.errors import TargetError, ToolMissingError, cause
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import build
from ecgseg.targets.options import TimingCase

ENTRY = "ecgseg_model_run"
# Places in the TCM that no image of this project reaches.
_INPUT, _OUTPUT, _STACK_TOP = 0x10040000, 0x10048000, 0x10058000
_BEFORE_MRAM = 0x4000
_NOP = bytes.fromhex("00bf00bf")


@dataclass(frozen=True)
class Modelled:
    """What one inference costs.

    Attributes:
        cycles: of the core, cache warm.
        instructions: executed.
        by_function: cycles and instructions by name.
        output: int8, what the model answered.
    """

    cycles: int
    instructions: int
    by_function: dict[str, tuple[int, int]]
    output: npt.NDArray[np.int8]


def modelled_inference(
    tflite: Path | bytes, frame: npt.NDArray[np.int8] | None = None, timing: TimingCase = TimingCase.EXPECTED
) -> Modelled:
    """Renders and builds a model and runs it once in the timing model.

    Args:
        tflite: file or bytes.
        frame: int8 [input bytes]; by default a ramp. The kernels branch on no value but those of a few operators.
        timing: which end of the published ranges.

    Raises:
        GraphError, BuildError, ToolMissingError: render or build failed.
        TargetError: the code ran into something that is no memory.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-modelled-") as folder:
        generated = Path(folder) / "model"
        manifest = render(tflite, generated)
        image = build(APOLLO4P_EVB, generated, out_dir=Path(folder) / "image")
        return run_image(image.elf, manifest, frame, timing)


def run_image(
    elf: Path,
    manifest: Manifest,
    frame: npt.NDArray[np.int8] | None = None,
    timing: TimingCase = TimingCase.EXPECTED,
) -> Modelled:
    """Runs the model of an image of the Apollo4 Plus EVB. Arguments, result and errors as `modelled_inference`."""
    size = math.prod(manifest.input_shape)
    given = (np.arange(size) * 37).astype(np.int8) if frame is None else frame
    return run_entry(elf, given, math.prod(manifest.output_shape), timing)


def run_entry(elf: Path, given: npt.NDArray[np.int8], output_bytes: int, timing: TimingCase) -> Modelled:
    """Runs `ecgseg_model_run` of an image, the second time; errors as `modelled_inference`.

    Args:
        elf: image of the Apollo4 Plus EVB.
        given: the input.
        output_bytes: of the result that are read back.
        timing: which end of the published ranges.
    """
    if importlib.util.find_spec("unicorn") is None:
        raise ToolMissingError(
            "The Python package unicorn is not installed.",
            "Cycles are modelled with it.",
            "Run: pip install -e '.[dev]'",
        )
    core = _Core(elf, timing)
    core.call(given)  # fills the cache
    return core.call(given, output_bytes)


class _Core:
    """The simulator's core with an image's memory and the clock that its instructions move on."""

    def __init__(self, elf: Path, timing: TimingCase) -> None:
        from ecgseg.targets.apollo4p_sim.costs import RunCosts
        from ecgseg.targets.apollo4p_sim.cycles import block_cost
        from ecgseg.targets.apollo4p_sim.emulator import MRAM_START
        from ecgseg.targets.apollo4p_sim.events import NEVER, Clock

        arm: Any = importlib.import_module("unicorn.arm_const")
        unicorn: Any = importlib.import_module("unicorn")
        self._registers = {name: getattr(arm, f"UC_ARM_REG_{name}") for name in ("R0", "R1", "SP", "LR")}
        self._error: type[Exception] = unicorn.UcError
        self._clock = Clock()
        self._clock.deadline = NEVER
        self._functions, self._entry = _functions(elf)
        self._starts = [start for start, _, _ in self._functions]
        self._names: dict[int, str] = {}
        self._found: Counter[str] = Counter()
        self._executed: Counter[str] = Counter()
        self._uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self._stop = MRAM_START - _BEFORE_MRAM
        costs = RunCosts(
            self._clock,
            lambda address, size: costs.add(
                address, size, block_cost(bytes(self._uc.mem_read(address, size)), address, timing), cached=True
            ),
        )
        self._uc.hook_add(unicorn.UC_HOOK_BLOCK, self._attributed(costs.hook()))
        self._fill(elf)

    def _fill(self, elf: Path) -> None:
        from ecgseg.targets.apollo4p_sim.emulator import MRAM_END, TCM_BYTES, TCM_START

        self._uc.mem_map(self._stop, MRAM_END - self._stop)
        self._uc.mem_map(TCM_START, TCM_BYTES)
        self._uc.mem_write(self._stop, _NOP)
        with elf.open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self._uc.mem_write(segment["p_vaddr"], segment.data())

    def _attributed(self, pay: Callable[..., None]) -> Callable[..., None]:
        """The clock's hook, with what it pays booked under the function."""
        clock = self._clock

        def on_block(uc: Any, address: int, size: int, data: Any) -> None:
            cycles, instructions = clock.cycles, clock.instructions
            pay(uc, address, size, data)
            name = self._names.get(address) or self._name_of(address)
            self._found[name] += clock.cycles - cycles
            self._executed[name] += clock.instructions - instructions

        return on_block

    def _name_of(self, address: int) -> str:
        index = bisect_right(self._starts, address) - 1
        known = index >= 0 and address < self._functions[index][1]
        self._names[address] = self._functions[index][2] if known else "?"
        return self._names[address]

    def call(self, frame: npt.NDArray[np.int8], output_bytes: int = 0) -> Modelled:
        """One inference."""
        self._clock.cycles = self._clock.instructions = 0
        self._found.clear()
        self._executed.clear()
        self._uc.mem_write(_INPUT, frame.tobytes())
        values = {"R0": _INPUT, "R1": _OUTPUT, "SP": _STACK_TOP, "LR": self._stop | 1}
        for name, value in values.items():
            self._uc.reg_write(self._registers[name], value)
        try:
            self._uc.emu_start(self._entry | 1, self._stop)
        except self._error as error:
            raise TargetError(
                f"{ENTRY} did not return.",
                cause(error, "It does what the simulated core has no rule for."),
                "Render and build the model again.",
            ) from error
        found = {name: (cycles, self._executed[name]) for name, cycles in self._found.most_common()}
        output = np.frombuffer(bytes(self._uc.mem_read(_OUTPUT, output_bytes)), np.int8)
        return Modelled(self._clock.cycles, self._clock.instructions, found, output)


def _functions(elf: Path) -> tuple[list[tuple[int, int, str]], int]:
    """(start, end, name) of every function, by address, and where the model is entered."""
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        found = sorted(
            (symbol["st_value"] & ~1, (symbol["st_value"] & ~1) + symbol["st_size"], symbol.name)
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC"
        )
    return found, next(start for start, _, name in found if name == ENTRY)
