"""What a model costs as generated C, over TensorFlow Lite Micro, and over kernels of others called directly."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from pydantic import BaseModel

from ecgseg.image.boards import board_of
from ecgseg.image.direct import KernelTree
from ecgseg.image.tflm import Tree
from ecgseg.image.tflm.versions import versions_in, versions_of
from ecgseg.models import ModelFile, generated_folder
from ecgseg.profile.layers import LayerComparison, LayerGeometry, compare_layers, layers_of
from ecgseg.profile.qemu import BOARD, tools_used
from ecgseg.profile.ways import (
    CMSIS_NN_DIRECTLY,
    GENERATED_C,
    TINYENGINE,
    TINYENGINE_FLOAT,
    GeneratedC,
    OverTflm,
    Runner,
    Way,
    over_cmsis_nn,
    over_tinyengine,
    run_all,
    subject_of,
)

__all__ = ["GENERATED_C", "Comparison", "Peers", "Way", "compare"]
_NO_TREE = "no tree of it was named"


@dataclass(frozen=True)
class Peers:
    """Kernels that are called directly, besides those of TensorFlow Lite Micro; None: left out."""

    cmsis_nn: KernelTree | None = None
    tinyengine: KernelTree | None = None


class Comparison(BaseModel):
    """One model, run every way.

    Attributes:
        input_bytes, output_bytes: what the caller of generated C holds besides the arena.
        ways: generated C first, then each kind of kernels in the tree of TensorFlow Lite Micro, then others.
        left_out: why some way is not there, by its name.
        layers: layers of the model, where they were asked for.
        versions: releases in the trees, by name.
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
    left_out: dict[str, str] = {}
    layers: list[LayerComparison] = []

    def way(self, name: str) -> Way:
        """The way of that name."""
        return next(way for way in self.ways if way.name == name)

    def has(self, name: str) -> bool:
        """Whether the model was run that way."""
        return any(way.name == name for way in self.ways)

    def ratio(self, way: Way) -> float:
        """How many times the instructions of generated C a way takes."""
        return way.instructions_per_frame / self.way(GENERATED_C).instructions_per_frame

    def cycle_ratio(self, way: Way) -> float | None:
        """How many times the modelled cycles of generated C a way takes; None when either is not known."""
        ours = self.way(GENERATED_C).cycles_per_frame
        return way.cycles_per_frame / ours if ours and way.cycles_per_frame is not None else None


def compare(
    model: ModelFile,
    tree: Tree,
    peers: Peers | None = None,
    *,
    layers: bool = False,
    known_layers: Collection[LayerGeometry] = (),
) -> Comparison:
    """Counts a model as generated C, with each library for Cortex-M4F in the tree, and over other kernels.

    Args:
        model: what to count.
        tree: the user's tree of TensorFlow Lite Micro.
        peers: kernels that are called directly.
        layers: also its layers, each as a model of its own.
        known_layers: but for these.

    Raises:
        GraphError: the model cannot be rendered, or has float32 ends.
        ToolMissingError: compiler, QEMU, Unicorn or library are not there.
        BuildError: a program or the kernels do not compile, or the model does not start.
        TargetError: it does not end.
        DataError: the trees' versions cannot be read.
        OutputError: a file could not be written.
    """
    board = board_of(BOARD)
    tree.library(board)
    chosen = peers or Peers()
    tools, versions = tools_used(), {**versions_of(tree), **_versions(chosen)}
    runners, missing = _runners(tree, chosen)
    subject = subject_of(model.data, model.name, generated_folder(model))
    ways, left_out = run_all(subject, runners)
    wanted = layers_of(model) if layers else {}
    manifest = subject.manifest
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
        left_out={**missing, **left_out},
        layers=compare_layers(wanted, runners, known_layers),
    )


def _runners(tree: Tree, peers: Peers) -> tuple[list[Runner], dict[str, str]]:
    """What runs models, and why the others do not, by their names."""
    runners: list[Runner] = [GeneratedC()]
    runners += [OverTflm(name, one_kind) for name, one_kind in tree.by_kernels(board_of(BOARD)).items()]
    missing: dict[str, str] = {}
    if peers.cmsis_nn:
        runners += over_cmsis_nn(peers.cmsis_nn)
    else:
        missing[CMSIS_NN_DIRECTLY] = _NO_TREE
    if peers.tinyengine:
        runners += over_tinyengine(peers.tinyengine)
    else:
        missing |= {TINYENGINE: _NO_TREE, TINYENGINE_FLOAT: _NO_TREE}
    return runners, missing


def _versions(peers: Peers) -> dict[str, str]:
    found: dict[str, str] = {}
    for tree in (peers.cmsis_nn, peers.tinyengine):
        if tree:
            found |= versions_in(tree.root, dict(tree.version_folders))
    return found
