"""Reads a .tflite file into the IR. Whatever the bytes are, the result is a graph or one GraphError.

The reader of the flatbuffer is the schema's own Python code from the tflite-micro package. It checks nothing, so every
length is compared with the size of the file before it is used, and everything it raises is caught here.
"""

from __future__ import annotations

import errno
import hashlib
import math
import struct
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import GraphError, cause
from ecgseg.files import plain, read_file, safe_name
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
_POOL = ("padding", "stride_w", "stride_h", "filter_width", "filter_height", "fused_activation_function")
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": (
        "Conv2DOptions",
        ("padding", "stride_w", "stride_h", "dilation_w_factor", "dilation_h_factor", "fused_activation_function"),
    ),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        (
            "padding",
            "stride_w",
            "stride_h",
            "depth_multiplier",
            "dilation_w_factor",
            "dilation_h_factor",
            "fused_activation_function",
        ),
    ),
    "TRANSPOSE_CONV": ("TransposeConvOptions", ("padding", "stride_w", "stride_h", "fused_activation_function")),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("weights_format", "keep_num_dims", "fused_activation_function")),
    "ADD": ("AddOptions", ("fused_activation_function",)),
    "SUB": ("SubOptions", ("fused_activation_function",)),
    "MUL": ("MulOptions", ("fused_activation_function",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("alpha",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask", "offset"),
    ),
    "SPLIT": ("SplitOptions", ("num_splits",)),
    "PACK": ("PackOptions", ("values_count", "axis")),
    "SQUEEZE": ("SqueezeOptions", ("squeeze_dims",)),
    **dict.fromkeys(("MEAN", "REDUCE_MAX"), ("ReducerOptions", ("keep_dims",))),
    "SOFTMAX": ("SoftmaxOptions", ("beta",)),
    "CONCATENATION": ("ConcatenationOptions", ("axis", "fused_activation_function")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", ("align_corners", "half_pixel_centers")),
}
_CONTROL_FLOW = ("IF", "WHILE", "CALL_ONCE", "CALL")
# What the flatbuffer code and numpy raise when the bytes are not what they should be.
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


@lru_cache(maxsize=1)
def _schema() -> Any:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated

    return schema_py_generated


@lru_cache(maxsize=1)
def _operator_names() -> dict[int, str]:
    values = vars(_schema().BuiltinOperator)
    return {value: key for key, value in values.items() if isinstance(value, int)}


@lru_cache(maxsize=1)
def _type_names() -> dict[int, str]:
    values = vars(_schema().TensorType)
    return {value: key for key, value in values.items() if isinstance(value, int)}


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._model = _schema().Model.GetRootAs(content, 0)

    def graph(self, name: str) -> Graph:
        subgraphs = self._model.SubgraphsLength()
        if subgraphs < 1:
            raise _several_subgraphs(subgraphs, ())
        subgraph = self._model.Subgraphs(0)
        tensor_count = self._length(subgraph.TensorsLength(), MAX_TENSORS, "tensors")
        operator_count = self._length(subgraph.OperatorsLength(), MAX_OPERATORS, "operators")
        operators = tuple(
            self._operator(subgraph.Operators(index), index, tensor_count) for index in range(operator_count)
        )
        if subgraphs > 1:
            raise _several_subgraphs(subgraphs, operators)
        inputs = self._indices(subgraph, "Inputs", tensor_count, optional=False)
        outputs = self._indices(subgraph, "Outputs", tensor_count, optional=False)
        users = dict.fromkeys((*inputs, *outputs), "The graph")
        for operator in reversed(operators):
            users |= dict.fromkeys((*operator.inputs, *operator.outputs), str(operator))
        tensors = tuple(self._tensor(subgraph.Tensors(index), index, users.get(index)) for index in range(tensor_count))
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

    def _indices(self, table: Any, field: str, tensor_count: int, *, optional: bool) -> tuple[int, ...]:
        count = self._length(getattr(table, f"{field}Length")(), MAX_EDGES, field.lower())
        indices = tuple(int(getattr(table, field)(position)) for position in range(count))
        lowest = -1 if optional else 0
        if any(not lowest <= index < tensor_count for index in indices):
            raise _damaged(f"the {field.lower()} {indices} name tensors outside 0..{tensor_count - 1}")
        return indices

    def _tensor(self, table: Any, index: int, user: str | None) -> Tensor:
        """A tensor; of one without a user only the form is checked, as it is never computed with."""
        rank = self._length(table.ShapeLength(), MAX_RANK, f"dimensions of tensor {index}")
        shape = tuple(int(table.Shape(axis)) for axis in range(rank))
        name = plain((table.Name() or b"").decode("utf-8", errors="replace"), 80)
        _check_shape(shape, 1 if user else 0, f"{user or 'No operator'} uses tensor {index} ({name})")
        kind = _type_names().get(table.Type(), str(table.Type()))
        dtype = _DTYPES.get(kind, kind.lower())
        if user and table.Sparsity() is not None:
            raise GraphError(
                f"{user} uses tensor {index} ({name}), which is stored sparsely.",
                "Only dense tensors are supported.",
                "Export it dense.",
            )
        if user and table.IsVariable():
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

    def _quantisation(self, table: Any, index: int) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        quantisation = table.Quantization()
        if quantisation is None or quantisation.ScaleLength() == 0:
            return (), (), 0
        count = self._length(quantisation.ScaleLength(), MAX_ELEMENTS, f"scales of tensor {index}")
        scales = tuple(float(quantisation.Scale(position)) for position in range(count))
        stored = quantisation.ZeroPointLength()
        if stored not in (0, count):
            raise _damaged(f"tensor {index} has {count} scales and {stored} zero points")
        points = tuple(int(quantisation.ZeroPoint(position)) for position in range(stored)) or (0,) * count
        return scales, points, int(quantisation.QuantizedDimension())

    def _data(self, table: Any, shape: tuple[int, ...], dtype: str, index: int) -> npt.NDArray[Any] | None:
        number = table.Buffer()
        if not 0 <= number < self._length(self._model.BuffersLength(), 1 << 16, "buffers"):
            raise _damaged(f"tensor {index} names buffer {number}, which is not there")
        buffer = self._model.Buffers(number)
        if buffer.Offset() > 1:
            raise GraphError(
                f"The contents of tensor {index} lie outside the flatbuffer.",
                "Models above 2 GB are stored that way; it is not supported.",
                "Export a smaller model.",
            )
        length = self._length(buffer.DataLength(), len(self._content), f"bytes in buffer {number}")
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
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), dtype=item.newbyteorder("<")).reshape(shape)
        return values.astype(item, copy=False)

    def _operator(self, table: Any, index: int, tensor_count: int) -> Operator:
        codes = self._length(self._model.OperatorCodesLength(), 1 << 12, "operator codes")
        position = table.OpcodeIndex()
        if not 0 <= position < codes:
            raise _damaged(f"operator {index} names code {position}, which is not there")
        code = self._model.OperatorCodes(position)
        # Codes above 127 do not fit the old field, which then holds a placeholder.
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = _operator_names().get(number, f"BUILTIN_{number}")
        if name == "CUSTOM":
            name = f"CUSTOM:{(code.CustomCode() or b'?').decode('utf-8', errors='replace')[:40]}"
        inputs = self._indices(table, "Inputs", tensor_count, optional=True)
        outputs = self._indices(table, "Outputs", tensor_count, optional=False)
        return Operator(index, name, inputs, outputs, self._options(table, name))

    def _options(self, table: Any, name: str) -> dict[str, Any]:
        if name not in _OPTIONS:
            return {}
        class_name, fields = _OPTIONS[name]
        union = table.BuiltinOptions()
        options = getattr(_schema(), class_name)()
        if union is None and name == "SQUEEZE":
            return {"squeeze_dims": ()}
        if union is None:
            raise _damaged(f"{name} has no options")
        if table.BuiltinOptionsType() != getattr(_schema().BuiltinOptions, class_name):
            raise _damaged(f"{name} has the options of another operator")
        options.Init(union.Bytes, union.Pos)
        if name == "SQUEEZE":
            count = self._length(options.SqueezeDimsLength(), MAX_RANK, "axes of SQUEEZE")
            return {"squeeze_dims": tuple(int(options.SqueezeDims(position)) for position in range(count))}
        return {field: getattr(options, _camel(field))() for field in fields}


def _camel(field: str) -> str:
    return "".join(part.capitalize() for part in field.split("_"))
