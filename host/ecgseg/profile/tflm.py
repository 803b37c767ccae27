"""What a model costs as generated C and over TensorFlow Lite Micro: the same program counts both in QEMU.

Over TensorFlow Lite Micro the count holds the interpreter's dispatch and the copies of input and output: what an
application pays for `ecgseg_model_run`.
"""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import BaseModel

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import render
from ecgseg.image.boards import board_of
from ecgseg.image.programs import PROFILE_MODEL
from ecgseg.image.tflm import Tree, find_arena, render_tflm
from ecgseg.image.tflm.library import library_of
from ecgseg.image.tflm.versions import versions_of
from ecgseg.models import ModelFile, generated_folder
from ecgseg.profile.qemu import BOARD, Counted, count, per_mac, tools_used

GENERATED_C = "generated C"


class Way(BaseModel):
    """What a model costs when it is run one way.

    Attributes:
        name: GENERATED_C, or the kernels of TensorFlow Lite Micro: "CMSIS-NN" or "reference".
        library: TensorFlow Lite Micro's, by its path in the tree.
        arena_bytes: of generated C as rendered; of TensorFlow Lite Micro the smallest one, in steps of 16 bytes,
            in which the model starts and runs.
        image_bytes: all that the counting program has in flash, weights or .tflite included.
        stack_bytes: high-water mark of the counting program.
    """

    name: str
    library: str | None = None
    instructions_per_frame: int
    instructions_per_mac: float | None
    arena_bytes: int
    image_bytes: int
    stack_bytes: int


class Comparison(BaseModel):
    """One model as generated C and over TensorFlow Lite Micro.

    Attributes:
        input_bytes, output_bytes: what the caller of generated C holds besides the arena.
        ways: generated C first, then each kind of kernels in the tree.
        versions: releases in the tree, by name.
    """

    target: str
    model: str
    sha256: str
    from_zoo: bool
    unit: str
    macs: int
    input_bytes: int
    output_bytes: int
    compiler: str
    emulator: str
    versions: dict[str, str]
    ways: list[Way]

    def way(self, name: str) -> Way:
        """The way of that name."""
        return next(way for way in self.ways if way.name == name)

    def ratio(self, way: Way) -> float:
        """How many times the instructions of generated C a way takes."""
        return way.instructions_per_frame / self.way(GENERATED_C).instructions_per_frame


def compare(model: ModelFile, tree: Tree) -> Comparison:
    """Counts a model as generated C and with each library for Cortex-M4F in the tree.

    Args:
        model: what to count.
        tree: the user's tree.

    Raises:
        GraphError: the model cannot be rendered, or has float32 ends.
        ToolMissingError: compiler, QEMU or library are not there.
        BuildError: the profiling program does not compile, or the model does not start.
        TargetError: it does not end.
        DataError: the tree's versions cannot be read.
        OutputError: a file could not be written.
    """
    board = board_of(BOARD)
    tree.library(board)
    versions = versions_of(tree)
    tools = tools_used()
    folder = generated_folder(model)
    manifest = render(model.path, folder, name=model.name)
    rendered = render_tflm(model.data, manifest, folder)
    # Without the preprocessor: both ways have the same one, and not every model has any.
    ways = [_way(GENERATED_C, manifest, count(PROFILE_MODEL, folder), manifest.arena_bytes)]
    ways += [_over_tflm(rendered, manifest, one_kind, name) for name, one_kind in tree.by_kernels(board).items()]
    return Comparison(
        target="qemu",
        model=model.name,
        sha256=model.sha256,
        from_zoo=model.from_zoo,
        unit="instructions",
        macs=manifest.macs,
        input_bytes=math.prod(manifest.input_shape),
        output_bytes=math.prod(manifest.output_shape),
        compiler=tools.compiler,
        emulator=tools.emulator,
        versions=versions,
        ways=ways,
    )


def _over_tflm(rendered: Path, manifest: Manifest, tree: Tree, name: str) -> Way:
    arena = find_arena(BOARD, rendered, tree)
    library = library_of(board_of(BOARD), tree, arena)
    way = _way(name, manifest, count(PROFILE_MODEL, rendered, library), arena)
    return way.model_copy(update={"library": str(library.file.relative_to(tree.root))})


def _way(name: str, manifest: Manifest, counted: Counted, arena_bytes: int) -> Way:
    totals = dict(counted.lines)
    return Way(
        name=name,
        instructions_per_frame=totals["inference"],
        instructions_per_mac=per_mac(totals["inference"], manifest.macs),
        arena_bytes=arena_bytes,
        image_bytes=counted.image_bytes,
        stack_bytes=totals["stack"],
    )
