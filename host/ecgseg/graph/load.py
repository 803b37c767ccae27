"""Reads a .tflite into the graph, and refuses whatever is damaged, in one clear error."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from ecgseg.errors import GraphError
from ecgseg.graph.ir import Graph, Operator, Tensor

# The largest model that could ever fit: the application's MRAM on Apollo4 Plus is 1952 KB.
MAX_FILE_BYTES = 4 << 20
MAX_TENSORS = 4096
MAX_ELEMENTS = 1 << 22
_IDENTIFIER = b"TFL3"
_DTYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.INT32: "int32",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT64: "int64",
    schema.TensorType.BOOL: "bool",
    schema.TensorType.INT16: "int16",
    schema.TensorType.INT8: "int8",
}
_OPERATOR_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
# What a damaged flatbuffer makes the schema's readers raise.
_DAMAGE = (
    struct.error,
    IndexError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    AssertionError,
)


def _damaged(why: str) -> GraphError:
    return GraphError(
        "The .tflite file is damaged or not a TensorFlow Lite model.",
        why,
        "Export the model again, or check that the file was copied whole.",
    )


def load_tflite(source: Path | bytes, name: str | None = None) -> Graph:
    """Read a model.

    Args:
        source: a file or its bytes.
        name: of the model; by default the file's (its folder's, when the file is called model.tflite).

    Returns:
        The graph; shapes, indices, constants and quantisation are consistent.

    Raises:
        GraphError: the file cannot be read, is damaged, or has more than one subgraph, input or output.
    """
    data = _read(source) if isinstance(source, Path) else source
    if name is None:
        name = _default_name(source) if isinstance(source, Path) else "model"
    if len(data) > MAX_FILE_BYTES:
        raise _damaged(f"It has {len(data)} bytes; {MAX_FILE_BYTES} is the most that is read.")
    if len(data) < 16 or data[4:8] != _IDENTIFIER:
        raise _damaged(f"The file identifier {_IDENTIFIER.decode()} is not at byte 4.")
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        graph = _graph(model, name, hashlib.sha256(data).hexdigest())
    except _DAMAGE as error:
        raise _damaged(f"Reading it failed with {type(error).__name__}: {error}") from error
    _check(graph)
    return graph


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GraphError(
            f"The model file {path} cannot be read.", error.strerror or str(error), "Check the path."
        ) from error


def _default_name(path: Path) -> str:
    return path.resolve().parent.name if path.stem == "model" else path.stem


def _graph(model: Any, name: str, sha256: str) -> Graph:
    if model.subgraphs is None or len(model.subgraphs) != 1:
        raise _damaged(f"It has {len(model.subgraphs or [])} subgraphs; exactly one is supported.")
    subgraph = model.subgraphs[0]
    if len(subgraph.tensors) > MAX_TENSORS or len(subgraph.operators) > MAX_TENSORS:
        raise _damaged(f"More than {MAX_TENSORS} tensors or operators.")
    for kind, indices in (("inputs", subgraph.inputs), ("outputs", subgraph.outputs)):
        if len(indices) != 1:
            raise GraphError(
                f"The model has {len(indices)} {kind}.",
                "Models with exactly one input and one output are supported.",
                "Export the part of the model that you need.",
            )
    tensors = tuple(_tensor(model, index, raw) for index, raw in enumerate(subgraph.tensors))
    operators = tuple(_operator(model, index, raw) for index, raw in enumerate(subgraph.operators))
    return Graph(name, sha256, tensors, operators, int(subgraph.inputs[0]), int(subgraph.outputs[0]))


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw or "")


def _tensor(model: Any, index: int, raw: Any) -> Tensor:
    name = _text(raw.name)
    shape = tuple(int(size) for size in (raw.shape if raw.shape is not None else ()))
    signature = raw.shapeSignature if raw.shapeSignature is not None else ()
    if any(size < 1 for size in shape) or any(int(size) < 0 for size in signature):
        raise GraphError(
            f"Tensor {index} ('{name}') has the shape {list(shape)}, signature {[int(s) for s in signature]}.",
            "Every dimension has to be known: a free batch dimension leaves SPACE_TO_BATCH_ND around dilated"
            " convolutions, which TensorFlow Lite Micro computes wrongly without an error.",
            "Export the model with the batch dimension fixed to 1.",
        )
    if raw.type not in _DTYPES:
        raise GraphError(
            f"Tensor {index} ('{name}') has the unsupported type number {raw.type}.",
            f"Supported: {', '.join(sorted(_DTYPES.values()))}.",
            "Export a full int8 model.",
        )
    if raw.sparsity is not None:
        raise GraphError(f"Tensor {index} ('{name}') is sparse.", "", "Export the model without sparsity.")
    dtype = _DTYPES[raw.type]
    if np.prod(shape, dtype=np.float64) > MAX_ELEMENTS:
        raise GraphError(
            f"Tensor {index} ('{name}') has the shape {list(shape)}.",
            f"More than {MAX_ELEMENTS} elements fit no microcontroller this is for.",
            "Export a smaller model.",
        )
    scales, zero_points, dimension = _quantisation(raw.quantization)
    return Tensor(index, name, shape, dtype, scales, zero_points, dimension, _constant(model, raw, shape, dtype))


def _quantisation(raw: Any) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    if raw is None or raw.scale is None or len(raw.scale) == 0:
        return (), (), 0
    scales = tuple(float(scale) for scale in raw.scale)
    zeros = raw.zeroPoint if raw.zeroPoint is not None and len(raw.zeroPoint) else [0] * len(scales)
    return scales, tuple(int(zero) for zero in zeros), int(raw.quantizedDimension)


def _constant(model: Any, raw: Any, shape: tuple[int, ...], dtype: str) -> Any:
    buffer = model.buffers[raw.buffer]
    if buffer.offset:
        raise _damaged("Constants outside the flatbuffer (models above 2 GB) are not supported.")
    if buffer.data is None or len(buffer.data) == 0:
        return None
    values = np.frombuffer(bytes(bytearray(buffer.data)), dtype=np.dtype(dtype).newbyteorder("<"))
    constant = values.reshape(shape).astype(dtype)
    constant.setflags(write=False)
    return constant


def _operator(model: Any, index: int, raw: Any) -> Operator:
    code = model.operatorCodes[raw.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    name = _OPERATOR_NAMES.get(number, f"operator number {number}")
    if name == "CUSTOM":
        name = f"CUSTOM '{_text(code.customCode)}'"
    options = dict(vars(raw.builtinOptions)) if raw.builtinOptions is not None else {}
    return Operator(index, name, _indices(raw.inputs), _indices(raw.outputs), options)


def _indices(raw: Any) -> tuple[int, ...]:
    return tuple(int(index) for index in (raw if raw is not None else ()))


def _check(graph: Graph) -> None:
    """Indices in range, every activation written once and before it is read, quantisation finite."""
    count = len(graph.tensors)
    written = {graph.input} | {tensor.index for tensor in graph.tensors if tensor.data is not None}
    if not (0 <= graph.input < count and 0 <= graph.output < count):
        raise _damaged("Input or output tensor out of range.")
    for operator in graph.operators:
        where = f"Operator {operator.index} ({operator.name})"
        if any(not -1 <= index < count for index in operator.inputs) or any(
            not 0 <= index < count for index in operator.outputs
        ):
            raise _damaged(f"{where} refers to a tensor that does not exist.")
        missing = [index for index in operator.inputs if index >= 0 and index not in written]
        if missing:
            raise _damaged(f"{where} reads tensor {missing[0]} before anything has written it.")
        for index in operator.outputs:
            if index in written:
                raise _damaged(f"{where} writes tensor {index}, which already has a value.")
            written.add(index)
    if graph.output not in written:
        raise _damaged("Nothing writes the output tensor.")
    for tensor in graph.tensors:
        _check_quantisation(tensor)


def _check_quantisation(tensor: Tensor) -> None:
    scales = np.array(tensor.scales)
    if not np.all(np.isfinite(scales)) or np.any(scales <= 0) or np.any(scales > 1e20):
        raise _damaged(f"Tensor {tensor.index} ('{tensor.name}') has a scale that is not a positive number.")
    if len(tensor.zero_points) != len(tensor.scales):
        raise _damaged(f"Tensor {tensor.index} ('{tensor.name}') has unequal numbers of scales and zero points.")
    if tensor.dtype == "int8" and any(not -128 <= zero <= 127 for zero in tensor.zero_points):
        raise _damaged(f"Tensor {tensor.index} ('{tensor.name}') has a zero point outside int8.")
    if len(tensor.scales) > 1 and not (
        0 <= tensor.quantised_dimension < len(tensor.shape)
        and tensor.shape[tensor.quantised_dimension] == len(tensor.scales)
    ):
        raise _damaged(f"Tensor {tensor.index} ('{tensor.name}') has scales that do not fit its shape.")
