"""Compiles C programs of tests with parts of the firmware, with the package's compilers, flags and lists of folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ecgseg.image import qemu
from ecgseg.image.boards import COMMON_FLAGS, HOST, MPS2_AN386, Board, board_of
from ecgseg.image.programs import AOT, APP, ENGINE_PART, Part, files_in
from ecgseg.image.toolchain import find_tool, run_tool

FOLDER = Path(__file__).parents[1] / "firmware"
# tools/coverage_c.py runs tests so, and reads from beside the native programs which lines ran.
COUNTS_LINES = "ECGSEG_COUNTS_LINES" in os.environ
HAS_ARM_COMPILER = shutil.which(board_of(MPS2_AN386).prefix + "gcc") is not None
HAS_QEMU = HAS_ARM_COMPILER and shutil.which(qemu.PROGRAM) is not None


@dataclass(frozen=True)
class Compiler:
    """Compiles for a board; natively under ASan and UBSan, and with -O0, which compiles fastest.

    What an optimiser makes of the same code is tested in the board's images, the native one included, and on Cortex-M4.

    Every method raises BuildError with what compiler or linker said.

    Attributes:
        board: that the program runs on.
        include_dirs: in the order in which they are searched.
        flags: besides those of every image and of the board.
    """

    board: Board
    include_dirs: tuple[Path, ...] = ()
    flags: tuple[str, ...] = ()

    @cached_property
    def _command(self) -> list[str]:
        common = [flag for flag in COMMON_FLAGS if self.board.prefix or flag != "-O2"]
        optimised = [] if self.board.prefix else ["-O0"]
        includes = [f"-I{folder}" for folder in self.include_dirs]
        counted = ["--coverage"] if COUNTS_LINES and not self.board.prefix else []
        return [find_tool(self.board, "gcc"), *common, *optimised, *self.board.flags, *self.flags, *counted, *includes]

    def compile(self, source: Path, target: Path) -> Path:
        """Makes an object of a source; returns `target`."""
        run([*self._command, "-c", str(source), "-o", str(target)])
        return target

    def link(self, files: Iterable[Path], target: Path, script: Path | None = None) -> Path:
        """Makes a program of sources and objects; returns `target`, beside it the flat image of a board that has one.

        Args:
            files: sources and objects.
            target: the program.
            script: linker script instead of the board's.
        """
        chosen = script or self.board.script
        placed = [f"-T{chosen}"] if chosen else []
        run([*self._command, *map(str, files), *self.board.link_flags, *placed, "-o", str(target)])
        if self.board.has_bin:
            flat(self.board, target)
        return target


def flat(board: Board, elf: Path) -> Path:
    """Makes the flat image beside an ELF; returns it."""
    target = elf.with_suffix(".bin")
    run([find_tool(board, "objcopy"), "-O", "binary", str(elf), str(target)])
    return target


def run(command: Sequence[str]) -> None:
    """Runs a compiler, assembler or linker. Raises BuildError with what it said."""
    run_tool(command, "The test's program does not build.", "Correct the driver or the firmware.")


def build_with(
    part: Part, driver: str, target: Path, generated: Path | None = None, *, flags: tuple[str, ...] = ()
) -> Path:
    """Builds a driver natively with all sources of a part of the firmware; returns `target`.

    Args:
        part: of `ecgseg.image.programs`.
        driver: file in tests/firmware.
        target: the program.
        generated: folder of rendered headers.
        flags: more compiler flags.
    """
    include_dirs = (part.include_dir, ENGINE_PART.include_dir, *((generated,) if generated else ()))
    sources = [*files_in([part.source_dir], "*.c"), FOLDER / driver]
    return Compiler(board_of(HOST), include_dirs, flags).link(sources, target)


def build_app(generated: Path, board_double: str, target: Path, *, stream: bool = False) -> Path:
    """Builds the app natively, with a model and a board that are stand-ins; returns `target`.

    Args:
        generated: folder of the model.
        board_double: file in tests/firmware that implements board.h.
        target: the program.
        stream: the model is a segmenter.
    """
    board = board_of(HOST)
    left_out = APP.leaves_out(stream=stream)
    found = files_in([*APP.source_dirs(AOT, stream=stream), generated], "*.c")
    sources = [*(path for path in found if path.name not in left_out), FOLDER / board_double]
    include_dirs = (*APP.include_dirs(AOT), *board.include_dirs, generated)
    return Compiler(board, include_dirs, ('-DECGSEG_BUILD_ID="double"',)).link(sources, target)
