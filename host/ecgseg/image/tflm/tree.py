"""Finds headers and libraries in the TensorFlow Lite Micro tree that the user names."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from ecgseg.errors import ToolMissingError, UsageError
from ecgseg.files import expanded, is_file
from ecgseg.image.boards import Board

VARIABLE = "TFLM_DIR"
_HOW = "docs/tflm.md tells how to get and build one; then name it with --tflm-dir or the environment variable TFLM_DIR."
_MAIN_HEADER = "tensorflow/lite/micro/micro_interpreter.h"
# Where the makefile of TensorFlow Lite Micro, the exported project and neuralSPOT keep what its headers include.
THIRD_PARTY_FOLDERS = ("tensorflow/lite/micro/tools/make/downloads", "third_party", "extern")
_HEADERS = {
    "flatbuffers": ("flatbuffers/include/flatbuffers/flatbuffers.h", 2),
    "gemmlowp": ("gemmlowp/fixedpoint/fixedpoint.h", 2),
    "ruy": ("ruy/ruy/profiler/instrumentation.h", 3),
}
_ARCHIVE = b"!<arch>\n"
_MEMBER_HEADER = 60
_MAX_INDEX_BYTES = 64 << 20
_SYMBOL_INDEX = b"/ "
_ELF = b"\x7fELF"
_CMSIS_NN_SYMBOL = b"arm_convolve"
_MACHINES = {"arm-none-eabi-": 40, "": {"x86_64": 62, "aarch64": 183}.get(os.uname().machine, 0)}
CMSIS_NN, REFERENCE = "CMSIS-NN", "reference"
KERNELS = (CMSIS_NN, REFERENCE)
_SPOKEN = {CMSIS_NN: "the kernels of CMSIS-NN", REFERENCE: "the reference kernels"}
_NAMES = {40: "Cortex-M4F (arm-none-eabi-gcc)", 62: "this machine (x86-64)", 183: "this machine (AArch64)"}


@dataclass(frozen=True)
class StaticLibrary:
    """A static library in the tree.

    Attributes:
        path: the file.
        machine: ELF machine of its first object.
        cmsis_nn: it holds the kernels of CMSIS-NN.
    """

    path: Path
    machine: int
    cmsis_nn: bool


@dataclass(frozen=True)
class Tree:
    """A TensorFlow Lite Micro tree.

    Attributes:
        root: its folder.
        include_dirs: root first, then flatbuffers, gemmlowp and ruy.
        libraries: static libraries in it.
    """

    root: Path
    include_dirs: tuple[Path, ...]
    libraries: tuple[StaticLibrary, ...]

    def library(self, board: Board) -> Path:
        """The library for a board; with CMSIS-NN when there is one with and one without.

        Raises:
            ToolMissingError: there is none for its processor.
        """
        fitting = self._fitting(board)
        if not fitting:
            name = _NAMES.get(_MACHINES[board.prefix], "this machine")
            raise ToolMissingError(
                f"'{self.root}' has no TensorFlow Lite Micro library for {name}.",
                f"The board {board.name} needs a libtensorflow-microlite.a of that kind; found: {self._found()}.",
                "docs/tflm.md shows the command that builds it.",
            )
        return min(fitting, key=lambda library: (not library.cmsis_nn, str(library.path))).path

    def by_kernels(self, board: Board) -> dict[str, Tree]:
        """This tree once for each kind of kernels that it has a library of for a board: CMSIS_NN first, REFERENCE."""
        fitting = self._fitting(board)
        kinds = {
            kind: tuple(library for library in fitting if library.cmsis_nn == (kind == CMSIS_NN)) for kind in KERNELS
        }
        return {kind: replace(self, libraries=libraries) for kind, libraries in kinds.items() if libraries}

    def require_both_kernels(self, board: Board) -> None:
        """Raises ToolMissingError unless there is a library with CMSIS-NN and one with the reference kernels."""
        missing = [kind for kind in KERNELS if kind not in self.by_kernels(board)]
        if missing:
            raise ToolMissingError(
                f"'{self.root}' has no library for {_NAMES[_MACHINES[board.prefix]]} with {_SPOKEN[missing[0]]}.",
                f"The page compares {_SPOKEN[CMSIS_NN]} with {_SPOKEN[REFERENCE]}; found: {self._found()}.",
                "docs/tflm.md shows the commands that build both into one tree.",
            )

    def _fitting(self, board: Board) -> list[StaticLibrary]:
        return [library for library in self.libraries if library.machine == _MACHINES[board.prefix]]

    def _found(self) -> str:
        return ", ".join(str(library.path.relative_to(self.root)) for library in self.libraries) or "no library at all"


def find_tree(option: str | Path | None) -> Tree:
    """The tree of --tflm-dir or of the environment variable TFLM_DIR.

    Args:
        option: value of --tflm-dir.

    Raises:
        UsageError: no tree is named.
        ToolMissingError: there is no such folder, or headers are missing in it.
    """
    named = option or os.environ.get(VARIABLE)
    if not named:
        raise UsageError(
            "The backend tflm needs a TensorFlow Lite Micro tree.",
            "This project does not ship one: headers and a built library come from you.",
            _HOW,
        )
    root = Path(os.path.realpath(expanded(named)))
    if not is_file(root / _MAIN_HEADER):
        raise ToolMissingError(
            f"'{root}' is no TensorFlow Lite Micro tree.", f"There is no {_MAIN_HEADER} in it.", _HOW
        )
    includes = [root, *(_third_party(root, part) for part in _HEADERS)]
    return Tree(root, tuple(includes), tuple(_libraries(root)))


def _third_party(root: Path, part: str) -> Path:
    header, depth = _HEADERS[part]
    for folder in THIRD_PARTY_FOLDERS:
        path = root / folder / header
        if path.is_file():
            return path.parents[depth - 1]
    raise ToolMissingError(
        f"'{root}' has no headers of {part}.",
        f"Looked for {header} below {', '.join(THIRD_PARTY_FOLDERS)}.",
        "The makefile of TensorFlow Lite Micro fetches them: make -f tensorflow/lite/micro/tools/make/Makefile "
        "third_party_downloads",
    )


def _libraries(root: Path) -> list[StaticLibrary]:
    found = [*root.glob("gen/*/lib/*.a"), *root.glob("lib/*.a")]
    return [
        StaticLibrary(path, machine, holds_cmsis_nn(path))
        for path in sorted(found)
        if (machine := _readable_machine(path))
    ]


def _readable_machine(path: Path) -> int:
    """As `archive_machine`; 0 also for what is no file, or none that may be read."""
    try:
        return archive_machine(path) if path.is_file() else 0
    except OSError:
        return 0


def holds_cmsis_nn(path: Path) -> bool:
    """Whether the symbol index of a static library names CMSIS-NN's kernels; its path may tell anything."""
    with path.open("rb") as file:
        file.seek(len(_ARCHIVE))
        header = file.read(_MEMBER_HEADER)
        if not header.startswith(_SYMBOL_INDEX):
            return False
        digits = header[48:58].strip()
        return digits.isdigit() and _CMSIS_NN_SYMBOL in file.read(min(int(digits), _MAX_INDEX_BYTES))


def archive_machine(path: Path) -> int:
    """ELF machine of the first object in a static library (ar format); 0 when it holds none."""
    with path.open("rb") as file:
        if file.read(len(_ARCHIVE)) != _ARCHIVE:
            return 0
        while len(header := file.read(_MEMBER_HEADER)) == _MEMBER_HEADER:
            digits = header[48:58].strip()
            if not digits.isdigit():
                return 0
            size = int(digits)
            start = file.read(min(size, 20))
            if start.startswith(_ELF):
                return int.from_bytes(start[18:20], "little")
            file.seek(size - len(start) + size % 2, os.SEEK_CUR)
    return 0
