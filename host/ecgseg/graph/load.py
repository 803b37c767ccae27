"""Reads a .tflite file into the IR. Whatever the bytes are, the result is a graph or one GraphError.

Every length is compared with the size of the file before it is used, and what leads out of the file is caught here.
"""

from __future__ import annotations

import errno
import hashlib
import math
import struct
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import GraphError, cause
from ecgseg.files import plain, read_file, safe_name
from ecgseg.graph import schema
from ecgseg.graph.flatbuffer import Table
from ecgseg.graph.ir import Graph, Operator, Tensor

MAX_FILE_BYTES = 16 << 20
MAX_ELEMENTS = 1 << 22
MAX_TENSORS = 4096
MAX_OPERATORS = 2048
MAX_RANK = 6
MAX_EDGES = 32
IDENTIFIER = b"TFL3"

_DTYPES = {
    "FLOAT32": "float32",
    "INT32": "int32",
    "UINT8": "uint8",
    "INT64": "int64",
    "BOOL": "bool",
    "INT16": "int16",
    "INT8": "int8",
    "FLOAT64": "float64",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "FLOAT16": "float16",
    "INT4": "int4",
}
_CONTROL_FLOW = ("IF", "WHILE", "CALL_ONCE", "CALL")
# What the tables of a flatbuffer and numpy raise when the bytes are not what they should be.
_READ_ERRORS = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    OverflowError,
    MemoryError,
    AssertionError,
)


def load_tflite(source: Path | str | bytes, name: str | None = None) -> Graph:
    """The graph of a .tflite file.

    Args:
        source: path of the file, or its bytes.
        name: name of the model; the file's stem (or "model" for bytes) when None.

    Raises:
        GraphError: the file is missing, not a .tflite, damaged, or larger than what fits the device by far.
    """
    if isinstance(source, bytes):
        content, stem = _checked_size(source), "model"
    else:
        content, stem = read_model(Path(source)), Path(source).stem
    if name is None:
        name = stem
    if len(content) < 16 or content[4:8] != IDENTIFIER:
        raise _damaged("it does not start like a TensorFlow Lite flatbuffer (identifier TFL3)")
    try:
        return _Reader(content).graph(safe_name(name))
    except _READ_ERRORS as error:
        raise _damaged("its tables do not hang together, as when bytes of it were lost or changed") from error


def read_model(path: Path) -> bytes:
    """Bytes of a .tflite file, at most MAX_FILE_BYTES: the one place where such a file is read.

    Raises:
        GraphError: the file cannot be read or is too large.
    """
    try:
        return read_file(path, MAX_FILE_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise _too_large(f"The model {plain(str(path))} is too large.", f"{error.strerror}") from error
        raise GraphError(
            f"The model {plain(str(path))} cannot be read.",
            cause(error, "The system does not say."),
            "Check --model or --tflite, whichever names it, or the file.",
        ) from error


def _checked_size(content: bytes) -> bytes:
    if len(content) > MAX_FILE_BYTES:
        raise _too_large("The model is too large.", f"It has {len(content)} bytes, more than {MAX_FILE_BYTES}")
    return content


def _too_large(what: str, size: str) -> GraphError:
    return GraphError(
        what,
        f"{size}; nothing of that size fits the device.",
        "Give an int8 .tflite of at most some hundred kilobytes.",
    )


def _several_subgraphs(count: int, operators: tuple[Operator, ...]) -> GraphError:
    found = [str(operator) for operator in operators if operator.name in _CONTROL_FLOW]
    return GraphError(
        f"The model has {count} subgraphs.",
        f"Control flow ({', '.join(found[:4] or _CONTROL_FLOW)}) needs more than one; only one is supported.",
        "Export a model without control flow: unroll a loop over time (unroll=True of Keras' LSTM and GRU), or use "
        "dilated convolutions in its place.",
    )


def _damaged(why: str) -> GraphError:
    return GraphError(
        "This is not a whole .tflite file.",
        f"While reading it: {why}.",
        "Export the model again, or check that the file was copied completely.",
    )


def _check_shape(shape: tuple[int, ...], smallest: int, who: str) -> None:
    if any(size < smallest for size in shape) or prod(shape) > MAX_ELEMENTS:
        raise GraphError(
            f"{who} of shape {list(shape)}.",
            f"Every size must be at least 1 and their product at most {MAX_ELEMENTS}.",
            "Export the model with a fixed input shape and batch 1.",
        )


def _check_scales(scales: tuple[float, ...], who: str) -> None:
    wrong = next((scale for scale in scales if not (math.isfinite(scale) and 1e-30 < scale < 1e30)), None)
    if wrong is None:
        return
    raise GraphError(
        f"{who}, which has the scale {wrong:.3g}.",
        "A scale has to be a positive finite number between 1e-30 and 1e30.",
        "Quantise the model again, with representative data without "
        f"{'NaN or infinite values' if not math.isfinite(wrong) else 'inputs that are always zero'}.",
    )


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._model = Table.root(content)

    def graph(self, name: str) -> Graph:
        subgraphs = self._model.length(schema.Model.SUBGRAPHS)
        if subgraphs < 1:
            raise _several_subgraphs(subgraphs, ())
        subgraph = self._model.element(schema.Model.SUBGRAPHS, 0)
        tensor_count = self._length(subgraph.length(schema.SubGraph.TENSORS), MAX_TENSORS, "tensors")
        operator_count = self._length(subgraph.length(schema.SubGraph.OPERATORS), MAX_OPERATORS, "operators")
        operators = tuple(
            self._operator(subgraph.element(schema.SubGraph.OPERATORS, index), index, tensor_count)
            for index in range(operator_count)
        )
        if subgraphs > 1:
            raise _several_subgraphs(subgraphs, operators)
        inputs = self._indices(subgraph, schema.SubGraph.INPUTS, tensor_count, optional=False)
        outputs = self._indices(subgraph, schema.SubGraph.OUTPUTS, tensor_count, optional=False)
        users = dict.fromkeys((*inputs, *outputs), "The graph")
        for operator in reversed(operators):
            users |= dict.fromkeys((*operator.inputs, *operator.outputs), str(operator))
        tensors = tuple(
            self._tensor(subgraph.element(schema.SubGraph.TENSORS, index), index, users.get(index))
            for index in range(tensor_count)
        )
        for index in (*inputs, *(index for operator in operators for index in operator.outputs)):
            if tensors[index].data is not None:
                # The runtime would write over them where they lie.
                raise _damaged(f"{users[index]} uses tensor {index} as a result or an input, and it has contents")
        digest = hashlib.sha256(self._content).hexdigest()
        return Graph(name, digest, tensors, operators, inputs, outputs)

    def _length(self, length: int, limit: int, what: str) -> int:
        if not 0 <= length <= min(limit, len(self._content)):
            raise _damaged(f"it claims to hold {length} {what}, more than {limit} or than its size allows")
        return length

    def _indices(
        self, table: Table, field: schema.SubGraph | schema.Operator, tensor_count: int, *, optional: bool
    ) -> tuple[int, ...]:
        what = field.name.lower()
        indices = table.numbers(field, "i", self._length(table.length(field), MAX_EDGES, what))
        lowest = -1 if optional else 0
        if any(not lowest <= index < tensor_count for index in indices):
            raise _damaged(f"the {what} {indices} name tensors outside 0..{tensor_count - 1}")
        return indices

    def _tensor(self, table: Table, index: int, user: str | None) -> Tensor:
        """A tensor; of one without a user only the form is checked, as it is never computed with."""
        rank = self._length(table.length(schema.Tensor.SHAPE), MAX_RANK, f"dimensions of tensor {index}")
        shape = table.numbers(schema.Tensor.SHAPE, "i", rank)
        name = plain(table.text(schema.Tensor.NAME).decode("utf-8", errors="replace"), 80)
        _check_shape(shape, 1 if user else 0, f"{user or 'No operator'} uses tensor {index} ({name})")
        number = table.number(schema.Tensor.TYPE, "b")
        kind = schema.TYPES[number] if 0 <= number < len(schema.TYPES) else str(number)
        dtype = _DTYPES.get(kind, kind.lower())
        if user and table.table(schema.Tensor.SPARSITY) is not None:
            raise GraphError(
                f"{user} uses tensor {index} ({name}), which is stored sparsely.",
                "Only dense tensors are supported.",
                "Export it dense.",
            )
        if user and table.number(schema.Tensor.IS_VARIABLE, "?"):
            raise GraphError(
                f"{user} keeps a state in tensor {index} ({name}).",
                "Models with state are not supported: every frame is computed from its own samples alone.",
                "Export a model without LSTM, GRU, SVDF or other operators with state: dilated convolutions along time "
                "take their place (causal ones keep their past in a stream), or unroll=True of Keras.",
            )
        scales, zero_points, axis = self._quantisation(table, index)
        # What is not int8 or a bias is refused for its type by whoever computes with it.
        if user and dtype in ("int8", "int32", "uint8"):
            _check_scales(scales, f"{user} uses tensor {index} ({name})")
        return Tensor(index, name, shape, dtype, scales, zero_points, axis, self._data(table, shape, dtype, index))

    def _quantisation(self, table: Table, index: int) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        quantisation = table.table(schema.Tensor.QUANTISATION)
        if quantisation is None or quantisation.length(schema.Quantisation.SCALE) == 0:
            return (), (), 0
        scale, point = schema.Quantisation.SCALE, schema.Quantisation.ZERO_POINT
        count = self._length(quantisation.length(scale), MAX_ELEMENTS, f"scales of tensor {index}")
        scales = quantisation.numbers(scale, "f", count)
        stored = quantisation.length(point)
        if stored not in (0, count):
            raise _damaged(f"tensor {index} has {count} scales and {stored} zero points")
        points = quantisation.numbers(point, "q", stored) or (0,) * count
        return scales, points, quantisation.number(schema.Quantisation.DIMENSION, "i")

    def _data(self, table: Table, shape: tuple[int, ...], dtype: str, index: int) -> npt.NDArray[Any] | None:
        number = table.number(schema.Tensor.BUFFER, "I")
        if not number < self._length(self._model.length(schema.Model.BUFFERS), 1 << 16, "buffers"):
            raise _damaged(f"tensor {index} names buffer {number}, which is not there")
        buffer = self._model.element(schema.Model.BUFFERS, number)
        if buffer.number(schema.Buffer.OFFSET, "Q") > 1:
            raise GraphError(
                f"The contents of tensor {index} lie outside the flatbuffer.",
                "Models above 2 GB are stored that way; it is not supported.",
                "Export a smaller model.",
            )
        length = self._length(buffer.length(schema.Buffer.DATA), len(self._content), f"bytes in buffer {number}")
        if length == 0:
            return None
        if number == 0:
            # Everything that is computed names it, and has no contents because it has none.
            raise _damaged(f"buffer 0 holds {length} bytes, and must be empty")
        try:
            item = np.dtype(dtype)
        except TypeError:
            item = np.dtype(np.uint8)  # such as int4: whoever uses this tensor refuses its type by name
            shape = (length,)
        if length != prod(shape) * item.itemsize:
            raise _damaged(f"tensor {index} of shape {list(shape)} and type {dtype} has {length} bytes")
        values = np.frombuffer(buffer.raw(schema.Buffer.DATA, length), dtype=item.newbyteorder("<")).reshape(shape)
        return values.astype(item, copy=False)

    def _operator(self, table: Table, index: int, tensor_count: int) -> Operator:
        codes = self._length(self._model.length(schema.Model.OPERATOR_CODES), 1 << 12, "operator codes")
        position = table.number(schema.Operator.CODE, "I")
        if not position < codes:
            raise _damaged(f"operator {index} names code {position}, which is not there")
        code = self._model.element(schema.Model.OPERATOR_CODES, position)
        # Codes above 127 do not fit the old field, which then holds a placeholder.
        number = max(code.number(schema.Code.BUILTIN, "i"), code.number(schema.Code.DEPRECATED, "b"))
        name = schema.OPERATORS[number] if 0 <= number < len(schema.OPERATORS) else f"BUILTIN_{number}"
        if name == "CUSTOM":
            name = f"CUSTOM:{(code.text(schema.Code.CUSTOM) or b'?').decode('utf-8', errors='replace')[:40]}"
        inputs = self._indices(table, schema.Operator.INPUTS, tensor_count, optional=True)
        outputs = self._indices(table, schema.Operator.OUTPUTS, tensor_count, optional=False)
        return Operator(index, name, inputs, outputs, self._options(table, name))

    def _options(self, table: Table, name: str) -> dict[str, Any]:
        known = schema.OPTIONS.get(name)
        if known is None:
            return {}
        options = table.table(schema.Operator.OPTIONS)
        if options is None and name == "SQUEEZE":
            return {"squeeze_dims": ()}
        if options is None:
            raise _damaged(f"{name} has no options")
        if table.number(schema.Operator.OPTIONS_TYPE, "B") != known.number:
            raise _damaged(f"{name} has the options of another operator")
        if name == "SQUEEZE":
            count = self._length(options.length(schema.SQUEEZE_DIMS), MAX_RANK, "axes of SQUEEZE")
            return {"squeeze_dims": options.numbers(schema.SQUEEZE_DIMS, "i", count)}
        return {option: options.number(one.field, one.kind, one.default) for option, one in known.fields.items()}
