"""Builds the firmware over TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

from ecgseg import paths
from ecgseg.codegen.manifest import read_manifest
from ecgseg.image.boards import board_of
from ecgseg.image.build import Image, build
from ecgseg.image.tflm.arena import find_arena
from ecgseg.image.tflm.library import library_of
from ecgseg.image.tflm.render import FOLDER, render_tflm
from ecgseg.image.tflm.tree import Tree


def build_tflm(board: str, generated: Path, data: bytes, tree: Tree, *, out_dir: Path | None = None) -> Image:
    """Builds the firmware of a board with TensorFlow Lite Micro running the model.

    Args:
        board: name of the board.
        generated: what `ecgseg.codegen.render` wrote for the same model.
        data: the .tflite file.
        tree: the user's tree.
        out_dir: where the image goes; default build/images/<board>/<name of generated>-tflm.

    Raises:
        GraphError: the model has float32 or uint8 ends.
        ModelError: the manifest of what was rendered is missing or damaged.
        ToolMissingError: compiler, emulator or library are not there.
        BuildError: compiler or linker complained, or the model does not start in TensorFlow Lite Micro.
        OutputError: a file could not be written.
    """
    rendered = render_tflm(data, read_manifest(generated), generated)
    library = library_of(board_of(board), tree, find_arena(board, rendered, tree))
    folder = out_dir or paths.BUILD / "images" / board / f"{generated.name}-{FOLDER}"
    return build(board, rendered, out_dir=folder, library=library)
