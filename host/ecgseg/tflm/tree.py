"""Finds headers and libraries in the TensorFlow Lite Micro tree that the user names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ecgseg.boards import Board
from ecgseg.errors import ToolMissingError, UsageError

VARIABLE = "TFLM_DIR"
_HOW = "docs/tflm.md tells how to get and build one; then name it with --tflm-dir or the environment variable TFLM_DIR."
_MAIN_HEADER = "tensorflow/lite/micro/micro_interpreter.h"
# Where the makefile of TensorFlow Lite Micro, the exported project and neuralSPOT keep what its headers include.
_THIRD_PARTY = ("tensorflow/lite/micro/tools/make/downloads", "third_party", "extern")
_HEADERS = {
    "flatbuffers": ("flatbuffers/include/flatbuffers/flatbuffers.h", 2),
    "gemmlowp": ("gemmlowp/fixedpoint/fixedpoint.h", 2),
    "ruy": ("ruy/ruy/profiler/instrumentation.h", 3),
}
_ARCHIVE = b"!<arch>\n"
_ELF = b"\x7fELF"
_MACHINES = {"arm-none-eabi-": 40, "": {"x86_64": 62, "aarch64": 183}.get(os.uname().machine, 0)}
_NAMES = {40: "Cortex-M4F (arm-none-eabi-gcc)", 62: "this machine (x86-64)", 183: "this machine (AArch64)"}


@dataclass(frozen=True)
class Tree:
    """A TensorFlow Lite Micro tree.

    Attributes:
        root: its folder.
        include_dirs: root first, then flatbuffers, gemmlowp and ruy.
        libraries: static libraries in it with the ELF machine of their first object.
    """

    root: Path
    include_dirs: tuple[Path, ...]
    libraries: tuple[tuple[Path, int], ...]

    def library(self, board: Board) -> Path:
        """The library for a board; with CMSIS-NN when there is one with and one without.

        Raises:
            ToolMissingError: there is none for its processor.
        """
        machine = _MACHINES[board.prefix]
        fitting = [path for path, found in self.libraries if found == machine]
        if not fitting:
            name = _NAMES.get(machine, "this machine")
            there = ", ".join(str(path.relative_to(self.root)) for path, _ in self.libraries) or "no library at all"
            raise ToolMissingError(
                f"'{self.root}' has no TensorFlow Lite Micro library for {name}.",
                f"The board {board.name} needs a libtensorflow-microlite.a of that kind; found: {there}.",
                "docs/tflm.md shows the command that builds it.",
            )
        return min(fitting, key=lambda path: ("cmsis_nn" not in str(path), str(path)))


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
    root = Path(named).expanduser().resolve()
    if not (root / _MAIN_HEADER).is_file():
        raise ToolMissingError(
            f"'{root}' is no TensorFlow Lite Micro tree.", f"There is no {_MAIN_HEADER} in it.", _HOW
        )
    includes = [root, *(_third_party(root, part) for part in _HEADERS)]
    return Tree(root, tuple(includes), tuple(_libraries(root)))


def _third_party(root: Path, part: str) -> Path:
    header, depth = _HEADERS[part]
    for folder in _THIRD_PARTY:
        path = root / folder / header
        if path.is_file():
            return path.parents[depth - 1]
    raise ToolMissingError(
        f"'{root}' has no headers of {part}.",
        f"Looked for {header} below {', '.join(_THIRD_PARTY)}.",
        "The makefile of TensorFlow Lite Micro fetches them: make -f tensorflow/lite/micro/tools/make/Makefile "
        "third_party_downloads",
    )


def _libraries(root: Path) -> list[tuple[Path, int]]:
    found = [*root.glob("gen/*/lib/*.a"), *root.glob("lib/*.a")]
    return [(path, machine) for path in sorted(found) if (machine := archive_machine(path))]


def archive_machine(path: Path) -> int:
    """ELF machine of the first object in a static library (ar format); 0 when it holds none."""
    with path.open("rb") as file:
        if file.read(len(_ARCHIVE)) != _ARCHIVE:
            return 0
        while len(header := file.read(60)) == 60:
            digits = header[48:58].strip()
            if not digits.isdigit():
                return 0
            size = int(digits)
            start = file.read(min(size, 20))
            if start.startswith(_ELF):
                return int.from_bytes(start[18:20], "little")
            file.seek(size - len(start) + size % 2, os.SEEK_CUR)
    return 0
