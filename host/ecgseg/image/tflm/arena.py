"""Finds the arena that TensorFlow Lite Micro needs for a model, by running the very library first."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ecgseg import paths
from ecgseg.errors import BuildError
from ecgseg.image import qemu
from ecgseg.image.boards import board_of
from ecgseg.image.build import Image, build
from ecgseg.image.programs import TFLM_ARENA
from ecgseg.image.tflm.library import library_of
from ecgseg.image.tflm.tree import Tree

_WHY = "The size of TensorFlow Lite Micro's arena is found by running the model in it."
_SECONDS = 120
_ANSWER = re.compile(rb"arena (\d{10})\n")


def find_arena(board: str, rendered: Path, tree: Tree) -> int:
    """Bytes of the smallest arena that the model starts and runs in, a multiple of 16.

    A program with the same library looks for it: natively for the board host, else on QEMU's Cortex-M4F, whose pointers
    and kernels are the device's.

    Args:
        board: name of the board.
        rendered: what `render_tflm` wrote.
        tree: the user's tree.

    Raises:
        ToolMissingError: compiler, emulator or library are not there.
        BuildError: the program does not compile, or the model does not start in any arena.
    """
    native = not board_of(board).prefix
    probe_board = board if native else qemu.BOARD
    folder = paths.BUILD / "images" / probe_board / f"{rendered.parent.name}-tflm-arena"
    image = build(
        probe_board, rendered, program=TFLM_ARENA, out_dir=folder, library=library_of(board_of(probe_board), tree)
    )
    arena = _run(_command(image, native))
    if arena == 0:
        raise BuildError(
            "The model does not start in TensorFlow Lite Micro.",
            f"{tree.library(board_of(board))} refuses it, whatever the size of the arena up to 1 MiB.",
            "Check that this release of TensorFlow Lite Micro knows the model's operators.",
        )
    return arena


def _command(image: Image, native: bool) -> list[str]:
    return [str(image.elf)] if native else qemu.port_command(image.elf, _WHY, counted=False)


def _run(command: Sequence[str]) -> int:
    """What the program answers on its standard output; it never ends by itself."""
    answer, ended = b"", False
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        selectors.DefaultSelector() as ready,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            ready.register(process.stdout, selectors.EVENT_READ)
            deadline = time.monotonic() + _SECONDS
            while not ended and not _ANSWER.search(answer) and ready.select(max(0.0, deadline - time.monotonic())):
                part = os.read(process.stdout.fileno(), 256)
                answer += part
                ended = not part
        finally:
            # Before the context waits for its end, also when a signal stops the search.
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
