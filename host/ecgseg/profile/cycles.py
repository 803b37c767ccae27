"""Modelled cycles of one inference on the simulated Apollo4 Plus, and what the model answered there.

The program is the same whatever runs the model: generated C, TensorFlow Lite Micro, kernels called directly.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.errors import TargetError
from ecgseg.graph.interpret import run
from ecgseg.graph.layers import Network
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import build
from ecgseg.image.objects import Library
from ecgseg.image.programs import CYCLES
from ecgseg.targets.apollo4p_sim.alone import run_for_report

BOARD = APOLLO4P_EVB
RUNS = 5
"""As in firmware/programs/cycles/cycles_main.c, with all that follows."""
_REPORT = "cycles_report"
_DONE, _FAILED = 0x4B454F44, 0x4C494146
_SEED = 0x9E3779B9
_WORD = 0xFFFFFFFF
_HEAD = 8
_SECONDS = 120.0

Outputs = npt.NDArray[np.int8]


@dataclass(frozen=True)
class SimulatedRun:
    """What the program leaves.

    Attributes:
        cycles: of one inference, its code in the cache.
        outputs: int8 [RUNS, output bytes].
    """

    cycles: int
    outputs: Outputs


def modelled(generated: Path, library: Library | None = None) -> SimulatedRun:
    """Builds the program that counts cycles and runs it in the simulator.

    Args:
        generated: folder of the rendered model.
        library: what runs the model instead of generated C.

    Raises:
        ToolMissingError: compiler or Unicorn are not installed.
        BuildError: it does not compile.
        TargetError: it failed, or does not end.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-cycles-") as folder:
        image = build(BOARD, generated, program=CYCLES, out_dir=Path(folder), library=library)
        report = run_for_report(image, _REPORT, (_DONE, _FAILED), _SECONDS)
    if int.from_bytes(report[:4], "little") == _FAILED:
        raise TargetError(
            "The model does not run on the simulated board.",
            "Whatever runs it refuses to start, or answers with an error.",
            "Run `invoke hil-test --target apollo4p-sim` for the model.",
        )
    cycles = int.from_bytes(report[4:_HEAD], "little")
    size = (len(report) - _HEAD) // RUNS
    return SimulatedRun(cycles, np.frombuffer(report[_HEAD : _HEAD + RUNS * size], np.int8).reshape(RUNS, size))


def inputs(size: int) -> npt.NDArray[np.int8]:
    """The inputs that the program makes: int8 [RUNS, size]."""
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
