"""The whole graph: its ends, its operators one by one, and their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ecgseg.errors import GraphError
from ecgseg.graph.ends import as_seen, ends_of
from ecgseg.graph.ir import Graph, Operator, Tensor
from ecgseg.graph.layers import Layer, Network
from ecgseg.graph.lower import elementwise, functions, picks, shapes, windows
from ecgseg.graph.lower.context import Context

_LOWER: dict[str, Callable[[Context], Layer | tuple[Layer, ...]]] = {
    "CONV_2D": windows.convolution,
    "DEPTHWISE_CONV_2D": windows.depthwise,
    "FULLY_CONNECTED": windows.fully_connected,
    "TRANSPOSE_CONV": windows.transpose_convolution,
    "AVERAGE_POOL_2D": windows.pool,
    "MAX_POOL_2D": windows.pool,
    "ADD": elementwise.binary,
    "SUB": elementwise.binary,
    "MUL": elementwise.binary,
    "MINIMUM": elementwise.binary,
    "MAXIMUM": elementwise.binary,
    "MEAN": elementwise.mean,
    "REDUCE_MAX": elementwise.largest,
    "RELU": functions.relu,
    "RELU6": functions.relu6,
    "LEAKY_RELU": functions.leaky_relu,
    "ELU": functions.elu,
    "HARD_SWISH": functions.hard_swish,
    "LOGISTIC": functions.logistic,
    "TANH": functions.tanh,
    "SOFTMAX": elementwise.softmax,
    "QUANTIZE": functions.requantise,
    "RESHAPE": shapes.alias,
    "SQUEEZE": shapes.squeeze,
    "EXPAND_DIMS": shapes.expand_dims,
    "PAD": shapes.pad,
    "PADV2": shapes.pad,
    "SHAPE": shapes.unknown_shape,
    "PACK": shapes.pack,
    "TRANSPOSE": picks.transpose,
    "STRIDED_SLICE": picks.strided_slice,
    "SPLIT": picks.split,
    "CONCATENATION": shapes.concatenation,
    "RESIZE_NEAREST_NEIGHBOR": shapes.resize_nearest,
}
SUPPORTED_OPERATORS = (*sorted(_LOWER), "DEQUANTIZE (last)")
_WITH_STATE = (
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "BIDIRECTIONAL_SEQUENCE_LSTM",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
    "BIDIRECTIONAL_SEQUENCE_RNN",
    "LSTM",
    "RNN",
    "SVDF",
)
_BATCH_OPERATORS = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")


def lower(graph: Graph) -> Network:
    """The network of a graph.

    A QUANTIZE of a float32 input and a DEQUANTIZE to a float32 output are taken off: the device speaks int8, of uint8
    ends too.

    Raises:
        GraphError: the graph holds something that cannot be rendered; names the operator, its index, and what is
            supported.
    """
    source, graph = graph, as_seen(graph)
    for operator in graph.operators:
        _check_known(operator)
    ends = ends_of(source)
    layers: list[Layer] = []
    for operator in ends.operators:
        lowered = _LOWER[operator.name](Context(graph, operator))
        layers += lowered if isinstance(lowered, tuple) else (lowered,)
    _check_order(graph, layers, ends.input, ends.output)
    return Network(graph.name, graph.sha256, tuple(layers), ends)


def _check_known(operator: Operator) -> None:
    if operator.name in _BATCH_OPERATORS:
        raise GraphError(
            f"{operator} is not supported.",
            "It is what the converter makes of a dilated convolution when the batch size is free, and TensorFlow Lite "
            "Micro computes it wrongly without an error.",
            "Export the model with the batch size fixed to 1; the dilation then stays inside CONV_2D.",
        )
    if operator.name in _WITH_STATE:
        raise GraphError(
            f"{operator} is not supported.",
            "It carries a state from one step in time to the next.",
            "Use dilated convolutions along time in its place: causal ones run as a stream, which keeps their past "
            "(invoke render --stream). A short LSTM or GRU may be unrolled (unroll=True of Keras).",
        )
    if operator.name not in _LOWER and operator.name != "DEQUANTIZE":
        raise GraphError(
            f"{operator} is not supported.",
            "The code generator has no kernel for it.",
            f"Supported operators: {', '.join(SUPPORTED_OPERATORS)}.",
        )


def _check_order(graph: Graph, layers: Sequence[Layer], start: Tensor, end: Tensor) -> None:
    """Every tensor is written once, before it is read; there is no cycle and nothing hangs in the air."""
    known = {start.index}
    for layer in layers:
        operator = graph.operator(layer.operator)
        missing = [index for index in layer.inputs if index not in known]
        if missing:
            raise GraphError(
                f"{operator} reads tensor {missing[0]} before it is computed.",
                "The operators are not in an order that can be executed, or form a cycle.",
                "Export the model again.",
            )
        if layer.output in known:
            raise GraphError(
                f"{operator} writes tensor {layer.output} a second time.",
                "Every tensor may be computed by one operator only, and the input by none.",
                "Export the model again.",
            )
        known.add(layer.output)
    if end.index not in known or end.index == start.index:
        raise GraphError(
            f"No operator computes the model's output, tensor {end.index}.",
            "The graph is not connected to its output.",
            "Export the model again.",
        )
