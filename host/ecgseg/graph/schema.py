"""What of the schema of .tflite files is read: numbers of fields, options, operators and types by name.

Source: the schema of TensorFlow Lite (tensorflow/compiler/mlir/lite/schema/schema.fbs), version 3. A field's number is
its place in its table; it never changes, as files that exist would not be read any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

VERSION = 3


class Model(IntEnum):
    """Fields of the root."""

    VERSION = 0
    OPERATOR_CODES = 1
    SUBGRAPHS = 2
    BUFFERS = 4


class SubGraph(IntEnum):
    """Fields of a subgraph."""

    TENSORS = 0
    INPUTS = 1
    OUTPUTS = 2
    OPERATORS = 3


class Tensor(IntEnum):
    """Fields of a tensor."""

    SHAPE = 0
    TYPE = 1
    BUFFER = 2
    NAME = 3
    QUANTISATION = 4
    IS_VARIABLE = 5
    SPARSITY = 6


class Quantisation(IntEnum):
    """Fields of a tensor's quantisation."""

    SCALE = 2
    ZERO_POINT = 3
    DIMENSION = 6


class Buffer(IntEnum):
    """Fields of a buffer, the contents of a tensor."""

    DATA = 0
    OFFSET = 1


class Operator(IntEnum):
    """Fields of an operator."""

    CODE = 0
    INPUTS = 1
    OUTPUTS = 2
    OPTIONS_TYPE = 3
    OPTIONS = 4


class Code(IntEnum):
    """Fields of an operator code; the deprecated one holds codes up to 127."""

    DEPRECATED = 0
    CUSTOM = 1
    VERSION = 2
    BUILTIN = 3


@dataclass(frozen=True)
class Option:
    """A field of an operator's options: its number, its kind as the module struct names it, its default."""

    field: int
    kind: str
    default: int = 0


@dataclass(frozen=True)
class Options:
    """Options of an operator: their number in the union of all, and the fields that are read, by name."""

    number: int
    fields: Mapping[str, Option]


def _bytes(**fields: int) -> dict[str, Option]:
    return {name: Option(field, "b") for name, field in fields.items()}


def _words(**fields: int) -> dict[str, Option]:
    return {name: Option(field, "i") for name, field in fields.items()}


def _flags(**fields: int) -> dict[str, Option]:
    return {name: Option(field, "?") for name, field in fields.items()}


def _dilation(width: int, height: int) -> dict[str, Option]:
    return {"dilation_w_factor": Option(width, "i", 1), "dilation_h_factor": Option(height, "i", 1)}


SQUEEZE_DIMS = 0
"""The one option that is a vector, of int32."""
_STRIDED = {**_bytes(padding=0), **_words(stride_w=1, stride_h=2)}
_ACTIVATION = _bytes(fused_activation_function=0)
_POOL = Options(5, {**_STRIDED, **_words(filter_width=3, filter_height=4), **_bytes(fused_activation_function=5)})
_REDUCER = Options(27, _flags(keep_dims=0))

OPTIONS: Mapping[str, Options] = {
    "CONV_2D": Options(1, {**_STRIDED, **_bytes(fused_activation_function=3), **_dilation(4, 5)}),
    "DEPTHWISE_CONV_2D": Options(
        2, {**_STRIDED, **_words(depth_multiplier=3), **_bytes(fused_activation_function=4), **_dilation(5, 6)}
    ),
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "FULLY_CONNECTED": Options(8, {**_ACTIVATION, **_bytes(weights_format=1), **_flags(keep_num_dims=2)}),
    "SOFTMAX": Options(9, {"beta": Option(0, "f")}),
    "CONCATENATION": Options(10, {**_words(axis=0), **_bytes(fused_activation_function=1)}),
    "ADD": Options(11, _ACTIVATION),
    "MUL": Options(21, _ACTIVATION),
    "MEAN": _REDUCER,
    "REDUCE_MAX": _REDUCER,
    "SUB": Options(28, _ACTIVATION),
    "SQUEEZE": Options(30, {}),
    "STRIDED_SLICE": Options(
        32,
        {
            **_words(begin_mask=0, end_mask=1, ellipsis_mask=2, new_axis_mask=3, shrink_axis_mask=4),
            **_flags(offset=5),
        },
    ),
    "SPLIT": Options(35, _words(num_splits=0)),
    "TRANSPOSE_CONV": Options(49, {**_STRIDED, **_bytes(fused_activation_function=3)}),
    "PACK": Options(59, _words(values_count=0, axis=1)),
    "RESIZE_NEAREST_NEIGHBOR": Options(74, _flags(align_corners=0, half_pixel_centers=1)),
    "LEAKY_RELU": Options(75, {"alpha": Option(0, "f")}),
}

TYPES = tuple(
    """
    FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 RESOURCE
    VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4 FLOAT8_E4M3FN FLOAT8_E5M2
    """.split()
)
"""Types of elements, by their number."""

OPERATORS = tuple(
    """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
    FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
    LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX
    SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
    UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
    UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE
    BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL
    LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT
    RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT
    UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR
    LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK
    ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4
    NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL
    PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS
    HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE
    READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL
    GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2
    UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE
    STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE
    STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE
    STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG
    STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT
    STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT
    STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL
    STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE
    STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT
    STABLEHLO_CASE
    """.split()
)
"""Operators, by their number."""
