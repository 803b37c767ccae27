"""The ways to run a model that are compared: generated C, TensorFlow Lite Micro, kernels of others called directly.

Every way is counted by the same two programs: instructions in QEMU, cycles modelled by the simulated Apollo4 Plus. Both
count the call of `ecgseg_model_run`; over TensorFlow Lite Micro the interpreter's dispatch and the copies of input and
output are in it: what an application pays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import render
from ecgseg.graph.layers import Network
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.image.boards import Board, board_of
from ecgseg.image.direct import KernelTree, UnsuitedError, kernels_of, render_direct
from ecgseg.image.direct.render import Calls
from ecgseg.image.objects import Library
from ecgseg.image.programs import PROFILE_MODEL
from ecgseg.image.tflm import Tree, find_arena, render_tflm
from ecgseg.image.tflm.library import library_of
from ecgseg.profile import cycles
from ecgseg.profile.qemu import BOARD, count, per_mac

GENERATED_C = "generated C"
CMSIS_NN_DIRECTLY = "CMSIS-NN directly"
TINYENGINE, TINYENGINE_FLOAT = "TinyEngine, integer", "TinyEngine, float"


class Agreement(BaseModel):
    """How the outputs compare with those of the reference in Python.

    Attributes:
        outputs: bytes compared, over all inputs.
        different: of them that are not the reference's.
        largest: difference of a byte.
    """

    outputs: int
    different: int
    largest: int


class Way(BaseModel):
    """What a model costs when it is run one way.

    Attributes:
        name: GENERATED_C; the kernels of TensorFlow Lite Micro: "CMSIS-NN" or "reference"; CMSIS_NN_DIRECTLY,
            TINYENGINE, TINYENGINE_FLOAT.
        library: TensorFlow Lite Micro's, by its path in the tree.
        cycles_per_frame: modelled.
        arena_bytes: of generated C as rendered; of TensorFlow Lite Micro the smallest one, in steps of 16 bytes,
            in which the model starts and runs; of kernels called directly what lies between the layers, and scratch.
        image_bytes: all that the counting program has in flash, weights or .tflite included.
        stack_bytes: high-water mark of the counting program.
    """

    name: str
    library: str | None = None
    instructions_per_frame: int
    instructions_per_mac: float | None
    cycles_per_frame: int | None = None
    arena_bytes: int
    image_bytes: int
    stack_bytes: int
    agreement: Agreement | None = None


@dataclass(frozen=True)
class Subject:
    """A model as all ways need it.

    Attributes:
        data: the .tflite file.
        network: what it computes.
        generated: where it was rendered to, with its manifest.
        answers: of the reference to the inputs of `ecgseg.profile.cycles`.
        arena: for TensorFlow Lite Micro without looking for the smallest; None: look for it.
    """

    data: bytes
    network: Network
    generated: Path
    manifest: Manifest
    answers: cycles.Outputs
    arena: int | None = None


def subject_of(data: bytes, name: str, folder: Path, arena: int | None = None) -> Subject:
    """Renders a model and works out what it has to answer.

    Raises:
        GraphError: it cannot be rendered.
        OutputError: a file cannot be written.
    """
    network = lower(load_tflite(data, name))
    manifest = render(data, folder, name=name)
    return Subject(data, network, folder, manifest, cycles.expected(network), arena)


class Runner(ABC):
    """Something that runs models.

    Attributes:
        name: of the way.
    """

    name: str

    @abstractmethod
    def way(self, subject: Subject) -> Way:
        """Counts a model that is run so.

        Raises:
            UnsuitedError: it cannot run this one.
            ToolMissingError, BuildError, TargetError, OutputError: as `ecgseg.profile.tflm.compare`.
        """


class GeneratedC(Runner):
    """Generated C."""

    name = GENERATED_C

    def way(self, subject: Subject) -> Way:
        """As in the base."""
        return _count(self.name, subject, subject.generated, lambda _: None, subject.manifest.arena_bytes)


@dataclass(frozen=True)
class OverTflm(Runner):
    """TensorFlow Lite Micro.

    Attributes:
        name: its kernels.
        tree: with libraries of that kind alone.
    """

    name: str
    tree: Tree

    def way(self, subject: Subject) -> Way:
        """As in the base."""
        rendered = render_tflm(subject.data, subject.manifest, subject.generated)
        arena = subject.arena or find_arena(BOARD, rendered, self.tree)
        found = _count(self.name, subject, rendered, lambda board: library_of(board, self.tree, arena), arena)
        file = library_of(board_of(BOARD), self.tree, arena).file
        return found.model_copy(update={"library": str(file.relative_to(self.tree.root))})


@dataclass(frozen=True)
class Directly(Runner):
    """Kernels of others without an interpreter.

    Attributes:
        name: whose.
        tree: their sources.
        defines: flags that choose their calls in firmware/backends/direct.
        calls: which layers they know.
    """

    name: str
    tree: KernelTree
    defines: tuple[str, ...]
    calls: Calls

    def way(self, subject: Subject) -> Way:
        """As in the base."""
        rendered, memory = render_direct(subject.network, subject.manifest, subject.generated, self.calls)
        return _count(self.name, subject, rendered, lambda board: kernels_of(self.tree, board, self.defines), memory)


def run_all(subject: Subject, runners: Iterable[Runner]) -> tuple[list[Way], dict[str, str]]:
    """A model run every way, and why some way was left out, by its name. Raises as `Runner.way`."""
    ways: list[Way] = []
    left_out: dict[str, str] = {}
    for runner in runners:
        try:
            ways.append(runner.way(subject))
        except UnsuitedError as unsuited:
            left_out[runner.name] = str(unsuited)
    return ways, left_out


def over_cmsis_nn(tree: KernelTree) -> tuple[Runner, ...]:
    """CMSIS-NN's kernels."""
    calls = Calls("cmsis_nn", depthwise=True)
    return (Directly(CMSIS_NN_DIRECTLY, tree, ("-DECGSEG_DIRECT_CMSIS_NN",), calls),)


def over_tinyengine(tree: KernelTree) -> tuple[Runner, ...]:
    """TinyEngine's kernels, which requantise in integers or in float."""
    integer = Calls("tinyengine", even_outputs=True, column_multiple=4)
    as_float = Calls("tinyengine_float", even_outputs=True, column_multiple=4, as_float=True)
    define = "-DECGSEG_DIRECT_TINYENGINE"
    return (
        Directly(TINYENGINE, tree, (define,), integer),
        Directly(TINYENGINE_FLOAT, tree, (define, "-DECGSEG_DIRECT_FLOAT"), as_float),
    )


def _count(
    name: str, subject: Subject, rendered: Path, library: Callable[[Board], Library | None], arena_bytes: int
) -> Way:
    # Without the preprocessor: all ways have the same one, and not every model has any.
    counted = count(PROFILE_MODEL, rendered, library(board_of(BOARD)))
    ran = cycles.modelled(rendered, subject.manifest, library(board_of(cycles.BOARD)))
    totals = dict(counted.lines)
    gaps = np.abs(ran.outputs.astype(np.int16) - subject.answers)
    return Way(
        name=name,
        instructions_per_frame=totals["inference"],
        instructions_per_mac=per_mac(totals["inference"], subject.manifest.macs),
        cycles_per_frame=ran.cycles,
        arena_bytes=arena_bytes,
        image_bytes=counted.image_bytes,
        stack_bytes=totals["stack"],
        agreement=Agreement(outputs=gaps.size, different=int(np.count_nonzero(gaps)), largest=int(gaps.max(initial=0))),
    )
