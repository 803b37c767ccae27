"""Runs a rendered model natively under sanitizers and on a Cortex-M4 in QEMU, and compares every tensor with TFLM."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.kernels import Choice
from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.optimise import Choices, Pick, least_cycles
from ecgseg.codegen.render import render
from ecgseg.codegen.streams import Group, Selection, Use, choose
from ecgseg.graph.ends import int8_of
from ecgseg.graph.interpret import run_all
from ecgseg.graph.layers import Alias, Network
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from ecgseg.image import qemu
from ecgseg.image.boards import HOST, board_of
from ecgseg.image.programs import AOT, ENGINE_PART, PROFILE, files_in
from support import drivers
from support.drivers import Compiler
from support.random_network import RandomNetwork

Int8 = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Rendered:
    """A model rendered into a folder."""

    folder: Path
    content: bytes
    network: Network
    manifest: Manifest

    @property
    def tensors(self) -> list[int]:
        """What the drivers write for one input: the output, then every layer's result."""
        return [self.network.output.index, *(layer.tensor for layer in self.manifest.layers)]


def rendered(content: bytes, folder: Path, select: Selection = choose, pick: Pick = least_cycles) -> Rendered:
    """Render a model."""
    manifest = render(content, folder, select=select, pick=pick)
    return Rendered(folder, content, lower(load_tflite(content)), manifest)


def any_groups(seed: int) -> Selection:
    """Streams layers into each other at random, whether that saves memory or not."""

    def select(candidates: Sequence[Group], use: Callable[[Sequence[Group]], Use]) -> tuple[Group, ...]:
        chosen: list[Group] = []
        for number in np.random.default_rng(seed).permutation(len(candidates)).tolist():
            group = candidates[number]
            if all(group.last < other.first or other.last < group.first for other in chosen):
                chosen.append(group)
        return tuple(sorted(chosen, key=lambda group: group.first))

    return select


def any_kernels(seed: int) -> Pick:
    """Takes the kernel of a layer at random, whatever it costs."""
    rng = np.random.default_rng(seed)

    def pick(choices: Choices) -> list[Choice]:
        return [layer[int(rng.integers(len(layer)))] for layer in choices]

    return pick


def random_model(seed: int, folder: Path, names: Sequence[str] | None = None) -> Rendered:
    """A random network of these operators, every other one streamed and every third one over kernels at random; the
    next one when it is nothing but a reshaped input."""
    while True:
        content = RandomNetwork(seed, names=names).content
        if any(not isinstance(layer, Alias) for layer in lower(load_tflite(content)).layers):
            pick = least_cycles if seed % 3 else any_kernels(seed)
            return rendered(content, folder, any_groups(seed) if seed % 2 else choose, pick)
        seed += 1_000_000


def run_program(command: list[str], **options: Any) -> bytes:
    """What a program writes; it must end well."""
    done = subprocess.run(command, capture_output=True, timeout=300, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr.decode(errors='replace')[-3000:]}"
    return bytes(done.stdout)


def compiler_of(board: str, *folders: Path) -> Compiler:
    """Compiles for a board with the engine and these folders."""
    chosen = board_of(board)
    return Compiler(chosen, (ENGINE_PART.include_dir, *chosen.include_dirs, *folders))


@lru_cache(maxsize=2)
def _engine_objects(board: str) -> tuple[Path, ...]:
    """The engine (and the board's startup code), compiled once per process."""
    folder = Path(tempfile.mkdtemp(prefix="ecgseg-engine-"))
    if not drivers.COUNTS_LINES:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # The profiling program too takes of its board what starts it, and no port.
    startup = files_in(board_of(board).folders, "*.c") if board in PROFILE.boards else []
    sources = [*files_in([ENGINE_PART.source_dir], "*.c"), *(s for s in startup if s.name not in PROFILE.left_out)]
    return tuple(compiler_of(board).compile(source, folder / f"{source.stem}.o") for source in sources)


def _build(model: Rendered, driver: str, board: str, program: Path) -> Path:
    return build_program(model.folder, [model.folder / AOT.model_source, drivers.FOLDER / driver], board, program)


def build_program(generated: Path, sources: list[Path], board: str, program: Path) -> Path:
    """A program of these sources, the headers of a generated folder and the engine."""
    return compiler_of(board, generated, drivers.FOLDER).link([*sources, *_engine_objects(board)], program)


def build_native(model: Rendered) -> Path:
    """The test program under ASan and UBSan."""
    return _build(model, "engine_driver.c", HOST, model.folder / "native")


def run_native(model: Rendered, inputs: Int8, program: Path | None = None) -> bytes:
    """Everything the native program writes."""
    return run_program([str(program or build_native(model))], input=np.ascontiguousarray(inputs).tobytes())


def run_m4(model: Rendered, inputs: Int8) -> bytes:
    """Everything the Cortex-M4 program writes."""
    numbers = ",".join(str(int(value)) for value in inputs.reshape(-1))
    (model.folder / "test_inputs.h").write_text(
        f"static const uint32_t test_input_count = {len(inputs)};\nstatic const int8_t test_inputs[] = {{{numbers}}};\n"
    )
    elf = _build(model, "engine_m4_driver.c", qemu.BOARD, model.folder / "m4.elf")
    return run_program(qemu.semihosting_command(elf, "A test runs the engine in it.", counted=False))


def draw_inputs(model: Rendered, count: int, seed: int = 0) -> Int8:
    """Random frames [count, input size]: noise, then the two extremes, then a step."""
    size = model.network.input.size
    inputs = np.random.default_rng(seed).integers(-128, 128, (count, size)).astype(np.int8)
    if count > 2:
        inputs[1], inputs[2] = -128, 127
    return inputs


def truth(model: Rendered, inputs: Int8) -> list[dict[int, Int8]]:
    """TFLM's tensors for every input, by tensor index."""
    oracle = TflmOracle(model.content)
    result = []
    for frame in inputs:
        tensors = oracle.run_all(model.network.ends.to_file(frame), model.tensors)
        result.append({index: int8_of(values) for index, values in tensors.items()})
    return result


def split(model: Rendered, written: bytes, count: int) -> list[list[Int8]]:
    """What a driver wrote, per input and tensor of `model.tensors`."""
    sizes = [model.network.output.size, *(layer.bytes for layer in model.manifest.layers)]
    assert len(written) == count * sum(sizes)
    values = np.frombuffer(written, np.int8).reshape(count, -1)
    return [np.split(row, np.cumsum(sizes)[:-1]) for row in values]


def differences(model: Rendered, written: bytes, expected: list[dict[int, Int8]]) -> list[str]:
    """Every tensor that is not TFLM's, named."""
    names = ["output", *(f"layer {i} {layer.name}" for i, layer in enumerate(model.manifest.layers))]
    found = []
    for frame, (parts, tensors) in enumerate(zip(split(model, written, len(expected)), expected, strict=True)):
        for name, tensor, part in zip(names, model.tensors, parts, strict=True):
            wrong = np.flatnonzero(part != tensors[tensor])
            if wrong.size:
                at = int(wrong[0])
                found.append(
                    f"input {frame}, {name}, tensor {tensor}: {wrong.size} of {part.size} differ, "
                    f"first at {at}: {part[at]} instead of {tensors[tensor][at]}"
                )
    return found


def interpreter_differences(model: Rendered, inputs: Int8, expected: list[dict[int, Int8]]) -> list[str]:
    """Tensors in which the numpy interpreter is not TFLM."""
    found = []
    for frame, tensors in zip(inputs, expected, strict=True):
        values = run_all(model.network, frame)
        found += [f"tensor {index}" for index in model.tensors if not np.array_equal(values[index], tensors[index])]
    return found
