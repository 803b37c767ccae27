"""Builds the firmware over TensorFlow Lite Micro; finds its arena by running the very library first."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ecgseg import paths
from ecgseg.codegen import Manifest
from ecgseg.errors import BuildError, ToolMissingError
from ecgseg.image.boards import Board, board_of
from ecgseg.image.build import Image, Library, build
from ecgseg.image.tflm.render import FOLDER, render_tflm
from ecgseg.image.tflm.tree import Tree

BACKEND = paths.FIRMWARE / "backends" / "tflm"
# Both have to be as they were for the library: they change the layout of its structures.
DEFINES = ("-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_DISABLE_X86_NEON")
_CPP_LIBRARY = "libstdc++.a"
_QEMU = "qemu-system-arm"
_PROBE_BOARD = "mps2_an386"
_SECONDS = 120
_ANSWER = re.compile(rb"arena (\d{10})\n")


def build_tflm(board: str, generated: Path, data: bytes, tree: Tree, *, out_dir: Path | None = None) -> Image:
    """Builds the firmware of a board with TensorFlow Lite Micro running the model.

    Args:
        board: name of the board.
        generated: what `ecgseg.codegen.render` wrote for the same model.
        data: the .tflite file.
        tree: the user's tree.
        out_dir: where the image goes; default build/images/<board>/<name of generated>-tflm.

    Raises:
        GraphError: the model has float32 ends.
        ToolMissingError: compiler, emulator or library are not there.
        BuildError: compiler or linker complained, or the model does not start in TensorFlow Lite Micro.
        OutputError: a file could not be written.
    """
    manifest = Manifest.model_validate_json((generated / "manifest.json").read_text(encoding="utf-8"))
    rendered = render_tflm(data, manifest, generated)
    arena = find_arena(board, rendered, tree)
    library = _library(board, tree, (BACKEND,), (f"-DECGSEG_TFLM_ARENA_BYTES={arena}u",))
    name = f"{generated.name}-{FOLDER}"
    return build(
        board, rendered, backend="tflm", out_dir=out_dir or paths.BUILD / "images" / board / name, library=library
    )


def find_arena(board: str, rendered: Path, tree: Tree) -> int:
    """Bytes of the smallest arena that the model starts and runs in, a multiple of 16.

    A program with the same library looks for it: natively for the board host, else on QEMU's Cortex-M4F, whose pointers
    and kernels are the device's.

    Raises:
        ToolMissingError: compiler, emulator or library are not there.
        BuildError: the program does not compile, or the model does not start in any arena.
    """
    native = not board_of(board).prefix
    probe_board = board if native else _PROBE_BOARD
    library = _library(probe_board, tree, (BACKEND, paths.FIRMWARE / "programs" / "tflm_arena"), (), app=False)
    folder = paths.BUILD / "images" / probe_board / f"{rendered.parent.name}-tflm-arena"
    image = build(probe_board, rendered, backend="tflm", out_dir=folder, library=library)
    arena = _run(_command(image, native))
    if arena == 0:
        raise BuildError(
            "The model does not start in TensorFlow Lite Micro.",
            f"{tree.library(board_of(board))} refuses it, whatever the size of the arena up to 1 MiB.",
            "Check that this release of TensorFlow Lite Micro knows the model's operators.",
        )
    return arena


def require_cpp_library(board: Board) -> None:
    """Raises ToolMissingError when the C++ compiler of a board comes without its library, as Debian packages it."""
    compiler = shutil.which(board.prefix + "g++")
    if not board.prefix or compiler is None:
        return
    asked = [compiler, f"-print-file-name={_CPP_LIBRARY}"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, check=False)
    # What is not found is answered without a folder.
    if done.stdout.strip() == _CPP_LIBRARY:
        raise ToolMissingError(
            f"The C++ library of {board.prefix}g++ is not installed.",
            "TensorFlow Lite Micro is C++; generated C does without.",
            "Run: sudo apt-get install libstdc++-arm-none-eabi-newlib",
        )


def _library(board: str, tree: Tree, folders: Sequence[Path], defines: Sequence[str], *, app: bool = True) -> Library:
    require_cpp_library(board_of(board))
    return Library(
        file=tree.library(board_of(board)),
        root=tree.root,
        include_dirs=tree.include_dirs,
        folders=(BACKEND / "include", *folders),
        flags=(*DEFINES, *defines),
        app=app,
    )


def _command(image: Image, native: bool) -> list[str]:
    if native:
        return [str(image.elf)]
    program = shutil.which(_QEMU)
    if program is None:
        raise ToolMissingError(
            f"{_QEMU} is not installed.",
            "The size of TensorFlow Lite Micro's arena is found by running the model in it.",
            "Run: sudo apt-get install qemu-system-arm",
        )
    silent = ["-display", "none", "-monitor", "none", "-serial", "stdio"]
    return [program, "-machine", "mps2-an386", *silent, "-kernel", str(image.elf)]


def _run(command: Sequence[str]) -> int:
    """What the program answers on its standard output; it never ends by itself."""
    answer, ended = b"", False
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        selectors.DefaultSelector() as ready,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        ready.register(process.stdout, selectors.EVENT_READ)
        deadline = time.monotonic() + _SECONDS
        while not ended and not _ANSWER.search(answer) and ready.select(max(0.0, deadline - time.monotonic())):
            part = os.read(process.stdout.fileno(), 256)
            answer += part
            ended = not part
        process.kill()
        errors = process.stderr.read().decode(errors="replace")
    found = _ANSWER.search(answer)
    if found is None:
        why = errors.strip()[-1500:] or (f"It ended: {answer!r}." if ended else f"No answer within {_SECONDS} s.")
        raise BuildError(
            "The size of TensorFlow Lite Micro's arena could not be found.",
            why,
            "Check that headers and library in the tree are of one release and one set of flags (docs/tflm.md).",
        )
    return int(found.group(1))
