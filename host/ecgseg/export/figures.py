"""What a library costs on a Cortex-M4F: sizes of the linked code, modelled cycles and stack of its own calls."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile
from pydantic import BaseModel

from ecgseg.codegen.names import ModelNames
from ecgseg.errors import TargetError
from ecgseg.export.subject import Kind, Subject
from ecgseg.export.vectors import recording
from ecgseg.image.boards import APOLLO4P_EVB, board_of
from ecgseg.image.sizes import symbols
from ecgseg.image.toolchain import find_tool, run_tool, version
from ecgseg.output import write_files
from ecgseg.targets.apollo4p_sim.alone import STACK_TOP, LoneCore

# Every build file of a library compiles with these.
LIBRARY_FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-fno-math-errno", "-ffunction-sections", "-fdata-sections")
STRICT_FLAGS = ("-Wall", "-Wextra", "-Werror", "-pedantic")
_WHY = "How large the library's state is, and what it costs, is measured on a Cortex-M4F."
_FAILURE = "The library does not compile for a Cortex-M4F."
_REMEDY = "Restore firmware/engine and firmware/pipeline."
_TEXT, _DATA = 0x0001_8000, 0x1000_0000
_STACK_BYTES = 16 * 1024
_PAINT = 0xA5
_PIECES_A_SECOND = 10
# Seconds of signal before counting begins, and until it ends.
_FROM, _TO = 2, 4


class Figures(BaseModel):
    """What a library costs.

    Attributes:
        compiler: that compiled it, with LIBRARY_FLAGS.
        flash_bytes: code and constants, with what it takes of newlib.
        static_bytes: memory that it has besides the caller's state.
        state_bytes: of the caller's state with 32-bit pointers; 0 without one.
        stack_bytes: the deepest that was seen.
        cycles: modelled, of an Apollo4 Plus with the code in its cache: of a second of ECG, of a frame with all that is
            before and behind the network, or of a run of a model that stands alone.
    """

    compiler: str
    flash_bytes: int
    static_bytes: int
    state_bytes: int
    stack_bytes: int
    cycles: int


def state_bytes(subject: Subject, sources: Mapping[str, str]) -> int:
    """Size of what is inside of the public state, rounded up to 8 bytes, with 32-bit pointers.

    Args:
        subject: the model.
        sources: of the library, by file name, under the names of the firmware.

    Raises:
        ToolMissingError: the compiler is not installed.
        BuildError: the sources do not compile.
    """
    if subject.kind is Kind.MODEL:
        return 0
    if subject.kind is Kind.FRAMES:
        probe = '#include "ecgseg_segmenter.h"\nchar probe[sizeof(ecgseg_segmenter_t)];\n'
    else:
        probe = (
            '#include "ecgseg_delineator.h"\n#include "ecgseg_stream_model.h"\n'
            "typedef struct { ecgseg_delineator_t a; ecgseg_stream_t b; ecgseg_stream_arena_t c; "
            "int8_t d[ECGSEG_DELINEATOR_SCORE_BYTES]; } state_t;\nchar probe[sizeof(state_t)];\n"
        )
    with tempfile.TemporaryDirectory(prefix="ecgseg-export-") as name:
        folder = _written(Path(name), {**sources, "probe.c": probe})
        _compile(folder, ("-c", "probe.c", "-o", "probe.o"))
        (size,) = (symbol.size for symbol in symbols(folder / "probe.o") if symbol.name == "probe")
    return -(-size // 8) * 8


def measure(subject: Subject, sources: Mapping[str, str], names: ModelNames, state: int) -> Figures:
    """Links a library and counts what its calls cost.

    Args:
        subject: the model.
        sources: texts of the finished library by file name, public header included.
        names: its prefix.
        state: as `state_bytes`.

    Raises:
        ToolMissingError: compiler or Unicorn are not installed.
        BuildError: the sources do not compile.
        TargetError: a call failed.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-export-") as name:
        folder = _written(Path(name), sources)
        compiled = [file for file in sources if file.endswith(".c")]
        entries = [f"-Wl,-u,{names.prefix}_{call}" for call in _CALLS[subject.kind]]
        places = (f"-Wl,-Ttext={_TEXT:#x}", f"-Wl,-Tdata={_DATA:#x}", f"-Wl,-e,{names.prefix}_init")
        linked = ("-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections", *places, *entries)
        _compile(folder, (*STRICT_FLAGS, *compiled, *linked, "-o", "library.elf"))
        flash, static, end = _sizes(folder / "library.elf")
        caller = _Caller(folder / "library.elf", names.prefix, max(end, _DATA), state)
        cycles = _COUNTS[subject.kind](caller, subject)
        compiler = version(find_tool(board_of(APOLLO4P_EVB), "gcc", _WHY))
    return Figures(
        compiler=compiler,
        flash_bytes=flash,
        static_bytes=static,
        state_bytes=state,
        stack_bytes=caller.stack_bytes(),
        cycles=cycles,
    )


def _written(folder: Path, files: Mapping[str, str]) -> Path:
    write_files(folder, files)
    return folder


def _compile(folder: Path, arguments: tuple[str, ...]) -> None:
    board = board_of(APOLLO4P_EVB)
    command = [find_tool(board, "gcc", _WHY), *board.flags, *LIBRARY_FLAGS, "-I.", *arguments]
    run_tool(command, _FAILURE, _REMEDY, folder)


def _sizes(elf: Path) -> tuple[int, int, int]:
    """Bytes in flash, of static memory, and where the latter ends."""
    flash = static = end = 0
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            size, flags = int(section["sh_size"]), section["sh_flags"]
            if not flags & 2 or not size:
                continue
            flash += size if section["sh_type"] != "SHT_NOBITS" else 0
            if flags & 1:
                static += size
                end = max(end, int(section["sh_addr"]) + size)
    return flash, static, end


class _Caller:
    """Calls the library's functions on the simulated core; the caller's memory lies behind the library's."""

    def __init__(self, elf: Path, prefix: str, end: int, state: int) -> None:
        self._core = LoneCore(elf)
        self._prefix = prefix
        self._core.write(STACK_TOP - _STACK_BYTES, bytes([_PAINT]) * _STACK_BYTES)
        self.state = -(-end // 8) * 8
        self.buffer = self.state + state

    def call(self, name: str, *arguments: int) -> tuple[int, int]:
        """What a function returned and what it cost, in modelled cycles."""
        called = self._core.call(f"{self._prefix}_{name}", *arguments)
        return called.result, called.cycles

    def good(self, name: str, *arguments: int) -> int:
        """Modelled cycles of a call that must return OK."""
        result, cycles = self.call(name, *arguments)
        if result != 0:
            raise TargetError(
                "The library does not run on the simulated core.",
                f"{self._prefix}_{name} answers {result}.",
                "Run `invoke hil-test --target apollo4p-sim` for the model.",
            )
        return cycles

    def write(self, data: bytes) -> int:
        """Puts bytes behind the state, 64 further on, where results have room; returns their address."""
        place = self.buffer + 64
        if place + len(data) > STACK_TOP - _STACK_BYTES:
            raise TargetError(
                "The library's memory is too large to be counted.",
                "State and static memory leave no room in the simulated core's.",
                "Export a model with a smaller state.",
            )
        self._core.write(place, data)
        return place

    def fifth(self, argument: int) -> None:
        """The fifth argument of the calls that follow."""
        self._core.write(STACK_TOP, argument.to_bytes(4, "little"))

    def word(self, place: int) -> int:
        """A word of the memory."""
        return int.from_bytes(self._core.read(place, 4), "little")

    def stack_bytes(self) -> int:
        """How far down the stack was written."""
        stack = self._core.read(STACK_TOP - _STACK_BYTES, _STACK_BYTES)
        return _STACK_BYTES - (len(stack) - len(stack.lstrip(bytes([_PAINT]))))


def _count_stream(caller: _Caller, subject: Subject) -> int:
    raw = recording(subject.input_rate)
    ends = [piece * subject.input_rate // _PIECES_A_SECOND for piece in range(_TO * _PIECES_A_SECOND + 1)]
    caller.good("init", caller.state, 0)
    counted = 0
    for piece, (first, end) in enumerate(pairwise(ends)):
        place = caller.write(raw[first:end].tobytes())
        cycles = caller.good("push", caller.state, place, end - first, caller.buffer)
        fetched = 1
        while fetched:
            result, more = caller.call("next", caller.state, caller.buffer)
            fetched = result & 0xFF
            cycles += more
        counted += cycles if piece >= _FROM * _PIECES_A_SECOND else 0
    return counted // (_TO - _FROM)


def _count_frames(caller: _Caller, subject: Subject) -> int:
    raw = recording(subject.input_rate)
    place = caller.write(raw.tobytes())
    caller.good("init", caller.state)
    ready = caller.buffer + 4
    # A push ends with the frame: the second one is all that a frame costs.
    caller.fifth(ready)
    caller.good("push", caller.state, place, raw.size, caller.buffer)
    taken = caller.word(caller.buffer)
    return caller.good("push", caller.state, place + 2 * taken, raw.size - taken, caller.buffer)


def _count_model(caller: _Caller, subject: Subject) -> int:
    manifest = subject.frame_manifest
    size, answer = prod(manifest.input_shape), prod(manifest.output_shape)
    data = np.arange(size + 8 + answer, dtype=np.int64).astype(np.uint8).tobytes()
    place = caller.write(data)
    caller.good("init")
    output = place + -(-size // 8) * 8
    caller.good("run", place, output)
    return caller.good("run", place, output)


_CALLS: Mapping[Kind, tuple[str, ...]] = {
    Kind.STREAM: ("init", "push", "next", "gap", "overrun", "end", "tap"),
    Kind.FRAMES: ("init", "push", "frame", "wave", "classes"),
    Kind.MODEL: ("init", "run"),
}
_COUNTS: Mapping[Kind, Callable[[_Caller, Subject], int]] = {
    Kind.STREAM: _count_stream,
    Kind.FRAMES: _count_frames,
    Kind.MODEL: _count_model,
}
