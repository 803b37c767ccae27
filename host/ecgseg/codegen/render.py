"""Renders a .tflite into C: weights, memory plan, calls, and the preprocessor's parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg import __version__, paths
from ecgseg.codegen.environment import template
from ecgseg.codegen.layers import Layer, Lowering
from ecgseg.codegen.manifest import BufferEntry, LayerEntry, Manifest
from ecgseg.codegen.plan import Buffer, Plan, plan
from ecgseg.errors import GraphError, OutputError, UsageError
from ecgseg.graph.ir import Graph
from ecgseg.graph.load import load_tflite
from ecgseg.preprocess import PreprocessParameters, SegmentRules, render_c_header

GENERATOR = "ecgseg"
_C_TYPES = {"int8": "int8_t", "int16": "int16_t", "int32": "int32_t"}


@dataclass(frozen=True)
class Placed:
    """Where a layer's data lie: C expressions, and the layer itself."""

    layer: Layer
    inputs: tuple[str, ...]
    output: str
    scratch: str | None


@dataclass(frozen=True)
class Program:
    """A lowered and planned model."""

    graph: Graph
    layers: list[Layer]
    placed: list[Placed]
    buffers: list[Buffer]
    memory: Plan
    output: str


def engine_version() -> int:
    """ECGSEG_ENGINE_VERSION of firmware/engine/ecgseg_engine.h, which generated code must match."""
    text = (paths.FIRMWARE / "engine" / "ecgseg_engine.h").read_text(encoding="utf-8")
    found = re.search(r"#define ECGSEG_ENGINE_VERSION (\d+)", text)
    if found is None:
        raise UsageError("firmware/engine/ecgseg_engine.h has no ECGSEG_ENGINE_VERSION.", "", "Restore the file.")
    return int(found.group(1))


def compile_graph(graph: Graph) -> Program:
    """Lower a graph and place its activations.

    Raises:
        GraphError: something in it is not supported.
    """
    if graph.tensors[graph.inputs[0]].dtype != "int8" or graph.tensors[graph.outputs[0]].dtype != "int8":
        raise GraphError(
            f"The model's input is {graph.tensors[graph.inputs[0]].dtype} and its output {graph.tensors[graph.outputs[0]].dtype}.",
            "The device computes in int8 from end to end.",
            "Convert with inference_input_type and inference_output_type int8.",
        )
    lowering = Lowering(graph)
    layers = lowering.layers()
    if not layers or lowering.storage(graph.outputs[0]) == lowering.storage(graph.inputs[0]):
        raise GraphError("The model computes nothing.", "Its output is its input.", "Export the right model.")
    return _place(graph, lowering, layers)


def _place(graph: Graph, lowering: Lowering, layers: list[Layer]) -> Program:
    source = lowering.storage(graph.inputs[0])
    result = lowering.storage(graph.outputs[0])
    last_use = {result: len(layers) - 1}
    for index, layer in enumerate(layers):
        for tensor in layer.inputs:
            storage = lowering.storage(tensor)
            last_use[storage] = max(last_use.get(storage, 0), index)
    buffers: list[Buffer] = []
    of_tensor: dict[int, int] = {}
    of_scratch: dict[int, int] = {}
    for index, layer in enumerate(layers):
        storage = lowering.storage(layer.output)
        size = graph.tensors[storage].size
        of_tensor[storage] = len(buffers)
        buffers.append(Buffer(f"tensor {layer.output}", size, index, last_use.get(storage, index)))
        if layer.scratch:
            of_scratch[index] = len(buffers)
            buffers.append(Buffer(f"scratch of {layer.operator.name} {index}", layer.scratch, index, index))
    memory = plan(buffers)

    def address(tensor: int) -> str:
        storage = lowering.storage(tensor)
        return "input" if storage == source else f"arena.bytes + {memory.offsets[of_tensor[storage]]}"

    placed = [
        Placed(
            layer,
            tuple(address(tensor) for tensor in layer.inputs),
            address(layer.output),
            f"arena.bytes + {memory.offsets[of_scratch[index]]}" if index in of_scratch else None,
        )
        for index, layer in enumerate(layers)
    ]
    return Program(graph, layers, placed, buffers, memory, address(graph.outputs[0]))


def segmenter_shape(graph: Graph) -> tuple[int, int]:
    """(frame length, classes) of a model [1, .., T, 1] -> [1, .., T, C]; (0, 0) when it is no segmenter."""
    steps = graph.tensors[graph.inputs[0]].size
    shape = graph.tensors[graph.outputs[0]].shape
    if len(shape) < 2 or shape[-2] != steps or graph.tensors[graph.outputs[0]].size != steps * shape[-1]:
        return 0, 0
    if not 2 <= steps <= 256 or not 2 <= shape[-1] <= 16:
        return 0, 0
    return steps, shape[-1]


def render(tflite: Path | bytes, out_dir: Path, *, name: str | None = None, input_rate: int = 500) -> Manifest:
    """Render a model.

    Args:
        tflite: file or bytes of an int8 .tflite.
        out_dir: folder for ecgseg_model.c, ecgseg_model.h, ecgseg_preprocess_params.h and manifest.json.
        name: of the model in the firmware; by default the file's or its folder's.
        input_rate: raw rate of the preprocessor in Hz.

    Returns:
        The manifest, as written.

    Raises:
        GraphError: the model is damaged or not supported.
        OutputError: a file cannot be written.
    """
    graph = load_tflite(tflite, name)
    program = compile_graph(graph)
    manifest = _manifest(program, input_rate)
    banner = "\n".join(
        (
            f"Generated by {GENERATOR} {__version__} (engine {manifest.engine_version}). Do not edit.",
            f"Model {graph.name}, .tflite SHA-256 {graph.sha256}.",
        )
    )
    files = {
        "ecgseg_model.h": template("ecgseg_model.h.j2").render(banner=banner, m=manifest),
        "ecgseg_model.c": template("ecgseg_model.c.j2").render(
            banner=banner, m=manifest, program=program, sha256=bytes.fromhex(graph.sha256), **_filters()
        ),
        "ecgseg_preprocess_params.h": render_c_header(preprocess_parameters(manifest), banner),
        "manifest.json": manifest.model_dump_json(indent=2) + "\n",
    }
    _write(out_dir, files)
    return manifest


def preprocess_parameters(manifest: Manifest) -> PreprocessParameters:
    """Parameters of the preprocessor that feeds this model; those of a plain 250-sample frame for no segmenter."""
    classes = manifest.class_count or 2
    return PreprocessParameters(
        input_rate=manifest.input_rate,
        frame_length=manifest.frame_length or 250,
        hop=manifest.frame_length or 250,
        scale=max(manifest.input_scale, 2e-5),
        zero_point=manifest.input_zero_point,
        rules=SegmentRules.for_classes(classes),
    )


def _manifest(program: Program, input_rate: int) -> Manifest:
    graph = program.graph
    frame_length, class_count = segmenter_shape(graph)
    return Manifest(
        generator=GENERATOR,
        generator_version=__version__,
        engine_version=engine_version(),
        model=graph.name,
        sha256=graph.sha256,
        input_rate=input_rate,
        input_shape=list(graph.tensors[graph.inputs[0]].shape),
        output_shape=list(graph.tensors[graph.outputs[0]].shape),
        input_scale=float(graph.tensors[graph.inputs[0]].scale),
        input_zero_point=graph.tensors[graph.inputs[0]].zero_point,
        output_scale=float(graph.tensors[graph.outputs[0]].scale),
        output_zero_point=graph.tensors[graph.outputs[0]].zero_point,
        frame_length=frame_length,
        class_count=class_count,
        parameters=parameter_count(graph),
        macs=sum(layer.macs for layer in program.layers),
        arena_bytes=program.memory.size,
        weight_bytes=sum(
            sum(array.nbytes for array in layer.arrays.values())
            + sum(4 * len(rows) * len(rows[0]) for rows in layer.structs.values())
            for layer in program.layers
        ),
        layers=[
            LayerEntry(
                name=layer.operator.name,
                operator=layer.operator.index,
                tensor=layer.output,
                shape=list(graph.tensors[layer.output].shape),
                bytes=graph.tensors[layer.output].size,
                macs=layer.macs,
            )
            for layer in program.layers
        ],
        buffers=[
            BufferEntry(name=buffer.name, offset=offset, size=buffer.size, first=buffer.first, last=buffer.last)
            for buffer, offset in zip(program.buffers, program.memory.offsets, strict=True)
        ],
    )


def parameter_count(graph: Graph) -> int:
    """Weights and biases of the int8 graph: constants that an operator other than a view reads."""
    used = {
        index
        for operator in graph.operators
        for position, index in enumerate(operator.inputs)
        if position > 0 and operator.name not in ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
    }
    return sum(graph.tensors[i].size for i in used if i >= 0 and graph.tensors[i].data is not None)


def _filters() -> dict[str, Any]:
    return {"c_array": c_array, "c_struct": c_struct, "c_type": lambda array: _C_TYPES[str(array.dtype)]}


def c_array(values: np.ndarray[Any, Any]) -> str:
    """Initialiser of a flat array, sixteen numbers a line."""
    flat = [str(int(value)) for value in values.reshape(-1)]
    return ",\n    ".join(", ".join(flat[start : start + 16]) for start in range(0, len(flat), 16))


def c_struct(values: dict[str, Any]) -> str:
    """Designated initialisers of a structure."""
    parts = [
        f".{name} = {{{c_struct(value)}}}" if isinstance(value, dict) else f".{name} = {value}"
        for name, value in values.items()
    ]
    return ", ".join(parts)


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file_name, text in files.items():
            target = folder / file_name
            # An unchanged file keeps its time stamp, so that nothing is built again.
            if not target.is_file() or target.read_text(encoding="utf-8") != text:
                target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"The generated code cannot be written to {folder}.",
            error.strerror or str(error),
            "Free some space or choose another --out folder.",
        ) from error
