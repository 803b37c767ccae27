"""Modelled cycles of one inference on the Apollo4 Plus, in all and by function, and what the model answered.

The simulator's core and timing model call `ecgseg_model_run` of an image, without board, port and clock around it. It
is the same whatever runs the model: generated C, TensorFlow Lite Micro, kernels called directly.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import render
from ecgseg.errors import TargetError
from ecgseg.graph.interpret import run
from ecgseg.graph.layers import Network
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import build
from ecgseg.image.objects import Library
from ecgseg.image.programs import CYCLES
from ecgseg.targets.apollo4p_sim.alone import FREE_END, FREE_START, Called, LoneCore
from ecgseg.targets.options import TimingCase

BOARD = APOLLO4P_EVB
RUNS = 5
_INIT, _ENTRY = "ecgseg_model_init", "ecgseg_model_run"
_SEED = 0x9E3779B9
_WORD = 0xFFFFFFFF

Outputs = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Modelled:
    """What one inference costs.

    Attributes:
        cycles: of one inference, its code in the cache.
        instructions: executed.
        by_function: cycles and instructions by name, the most expensive first.
        outputs: int8 [inputs, output bytes], what the model answered.
    """

    cycles: int
    instructions: int
    by_function: dict[str, tuple[int, int]]
    outputs: Outputs


def modelled_inference(tflite: Path | bytes) -> Modelled:
    """Renders a model and runs it in the timing model; as `modelled`.

    Raises:
        GraphError: it cannot be rendered.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-modelled-") as folder:
        manifest = render(tflite, Path(folder))
        return modelled(Path(folder), manifest)


def modelled(
    generated: Path, manifest: Manifest, library: Library | None = None, timing: TimingCase = TimingCase.EXPECTED
) -> Modelled:
    """Builds the program that holds a model and what runs it, and calls it for each of `inputs`.

    Args:
        generated: folder of the rendered model.
        manifest: of it.
        library: what runs the model instead of generated C.
        timing: which end of the published ranges.

    Raises:
        ToolMissingError: compiler or Unicorn are not installed.
        BuildError: it does not compile.
        TargetError: it failed, or ran into something that is no memory.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-cycles-") as folder:
        image = build(BOARD, generated, program=CYCLES, out_dir=Path(folder), library=library)
        return run_image(image.elf, inputs(math.prod(manifest.input_shape)), math.prod(manifest.output_shape), timing)


def run_image(
    elf: Path, given: npt.NDArray[np.int8], output_bytes: int, timing: TimingCase = TimingCase.EXPECTED
) -> Modelled:
    """Runs the model of an image; the first input comes last, when all code has run, and is what is counted.

    Args:
        elf: image of the Apollo4 Plus EVB.
        given: int8 [inputs, input bytes].
        output_bytes: of an answer.
        timing: which end of the published ranges.

    Raises:
        ToolMissingError: Unicorn is not installed.
        TargetError: as `modelled`.
    """
    if given.shape[1] + output_bytes > FREE_END - FREE_START:
        raise TargetError(
            "The model's input and output are too large to be counted.",
            f"They have {given.shape[1] + output_bytes:,} bytes, and {FREE_END - FREE_START:,} are free.",
            "Count a model of shorter frames.",
        )
    core = LoneCore(elf, timing)
    _checked(core.call(_INIT))
    place = FREE_START + -(-given.shape[1] // 4) * 4
    outputs = np.empty((len(given), output_bytes), np.int8)
    # Once more than there are inputs: a single one too is counted when its code has run.
    for number in (0, *reversed(range(len(given)))):
        core.write(FREE_START, given[number].tobytes())
        called = _checked(core.call(_ENTRY, FREE_START, place))
        outputs[number] = np.frombuffer(core.read(place, output_bytes), np.int8)
    return Modelled(called.cycles, called.instructions, called.by_function, outputs)


def _checked(called: Called) -> Called:
    """A call whose status is good."""
    if called.result == 0:
        return called
    raise TargetError(
        "The model does not run on the simulated board.",
        f"Whatever runs it refuses to start, or answers with the error {called.result}.",
        "Run `invoke hil-test --target apollo4p-sim` for the model.",
    )


def inputs(size: int) -> npt.NDArray[np.int8]:
    """What models are run on: int8 [RUNS, size]. The first has the input of the program that counts instructions, the
    others are drawn by xorshift (Marsaglia 2003)."""
    made = np.empty((RUNS, size), np.uint8)
    made[0] = np.arange(size, dtype=np.int64) * 37 & 0xFF
    for number in range(1, RUNS):
        state = _SEED * number & _WORD
        for index in range(size):
            state ^= state << 13 & _WORD
            state ^= state >> 17
            state ^= state << 5 & _WORD
            made[number, index] = state >> 24
    return made.view(np.int8)


def expected(network: Network) -> Outputs:
    """What the reference in Python answers to these inputs: int8 [RUNS, output bytes]."""
    return np.stack([run(network, data).reshape(-1) for data in inputs(network.input.size)])
