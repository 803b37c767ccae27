"""The whole graph: its ends, its operators one by one, and their order."""

from __future__ import annotations

from collections.abc import Callable

from ecgseg.errors import GraphError
from ecgseg.graph.ir import Graph, Operator, Tensor
from ecgseg.graph.layers import Layer, Network
from ecgseg.graph.lower import elementwise, shapes, windows
from ecgseg.graph.lower.context import Context

_LOWER: dict[str, Callable[[Context], Layer]] = {
    "CONV_2D": windows.convolution,
    "DEPTHWISE_CONV_2D": windows.depthwise,
    "FULLY_CONNECTED": windows.fully_connected,
    "TRANSPOSE_CONV": windows.transpose_convolution,
    "AVERAGE_POOL_2D": windows.pool,
    "MAX_POOL_2D": windows.pool,
    "ADD": elementwise.binary,
    "MUL": elementwise.binary,
    "MINIMUM": elementwise.binary,
    "MAXIMUM": elementwise.binary,
    "MEAN": elementwise.mean,
    "RELU": elementwise.relu,
    "RELU6": elementwise.relu6,
    "LOGISTIC": elementwise.logistic,
    "SOFTMAX": elementwise.softmax,
    "QUANTIZE": elementwise.requantise,
    "RESHAPE": shapes.alias,
    "SQUEEZE": shapes.alias,
    "EXPAND_DIMS": shapes.alias,
    "PAD": shapes.pad,
    "PADV2": shapes.pad,
    "CONCATENATION": shapes.concatenation,
    "RESIZE_NEAREST_NEIGHBOR": shapes.resize_nearest,
}
SUPPORTED_OPERATORS = (*sorted(_LOWER), "DEQUANTIZE (last)")
_BATCH_OPERATORS = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")


def lower(graph: Graph) -> Network:
    """The network of a graph.

    A QUANTIZE of a float32 input and a DEQUANTIZE to a float32 output are taken off: the device speaks int8.

    Raises:
        GraphError: the graph holds something that cannot be rendered; names the operator, its index, and what is
            supported.
    """
    for operator in graph.operators:
        _check_known(operator)
    start, operators, float_input = _strip_input(graph)
    end, operators, float_output = _strip_output(graph, operators)
    layers = tuple(_LOWER[operator.name](Context(graph, operator)) for operator in operators)
    _check_order(graph, layers, start, end)
    return Network(graph.name, graph.sha256, layers, start, end, float_input, float_output)


def _check_known(operator: Operator) -> None:
    if operator.name in _BATCH_OPERATORS:
        raise GraphError(
            f"{operator} is not supported.",
            "It is what the converter makes of a dilated convolution when the batch size is free, and TensorFlow Lite "
            "Micro computes it wrongly without an error.",
            "Export the model with the batch size fixed to 1; the dilation then stays inside CONV_2D.",
        )
    if operator.name not in _LOWER and operator.name != "DEQUANTIZE":
        raise GraphError(
            f"{operator} is not supported.",
            "The code generator has no kernel for it.",
            f"Supported operators: {', '.join(SUPPORTED_OPERATORS)}.",
        )


def _only(graph: Graph, indices: tuple[int, ...], what: str) -> Tensor:
    if len(indices) != 1:
        raise GraphError(
            f"The model has {len(indices)} {what}s.",
            f"The device takes one input tensor and answers one output tensor; {what} tensors: {list(indices)}.",
            f"Export a model with one {what}.",
        )
    return graph.tensors[indices[0]]


def _strip_input(graph: Graph) -> tuple[Tensor, tuple[Operator, ...], bool]:
    tensor = _only(graph, graph.inputs, "input")
    if tensor.dtype != "float32":
        return _int8_end(tensor, "input"), graph.operators, False
    readers = [operator for operator in graph.operators if tensor.index in operator.inputs]
    if len(readers) != 1 or readers[0].name != "QUANTIZE" or len(readers[0].outputs) != 1:
        raise _float_end("input", readers)
    rest = tuple(operator for operator in graph.operators if operator is not readers[0])
    return _int8_end(graph.tensors[readers[0].outputs[0]], "input"), rest, True


def _strip_output(graph: Graph, operators: tuple[Operator, ...]) -> tuple[Tensor, tuple[Operator, ...], bool]:
    tensor = _only(graph, graph.outputs, "output")
    writers = [operator for operator in operators if tensor.index in operator.outputs]
    if tensor.dtype == "float32":
        if len(writers) != 1 or writers[0].name != "DEQUANTIZE" or len(writers[0].inputs) != 1:
            raise _float_end("output", writers)
        operators = tuple(operator for operator in operators if operator is not writers[0])
        tensor = graph.tensors[writers[0].inputs[0]]
    for operator in operators:
        if operator.name == "DEQUANTIZE":
            raise GraphError(
                f"{operator} is not supported in the middle of a model.",
                "The parts of the model behind it compute in floating point.",
                "Quantise the whole model to int8; DEQUANTIZE may only be the last operator.",
            )
    return _int8_end(tensor, "output"), operators, graph.tensors[graph.outputs[0]].dtype == "float32"


def _float_end(what: str, operators: list[Operator]) -> GraphError:
    found = ", ".join(map(str, operators)) or "nothing"
    wanted = "read by one QUANTIZE" if what == "input" else "written by one DEQUANTIZE"
    return GraphError(
        f"The model's {what} is float32 and is connected to {found}.",
        f"A float32 {what} has to be {wanted}; the model does not seem to be quantised.",
        "Quantise the model to int8 (weights and activations).",
    )


def _int8_end(tensor: Tensor, what: str) -> Tensor:
    if tensor.dtype != "int8" or len(tensor.scales) != 1 or not -128 <= tensor.zero_point <= 127:
        raise GraphError(
            f"The model's {what} is {tensor.dtype} with {len(tensor.scales)} scales.",
            f"The {what} has to be int8 with one scale and a zero point in -128..127, or float32 next to (DE)QUANTIZE.",
            "Quantise the model to int8.",
        )
    return tensor


def _check_order(graph: Graph, layers: tuple[Layer, ...], start: Tensor, end: Tensor) -> None:
    """Every tensor is written once, before it is read; there is no cycle and nothing hangs in the air."""
    known = {start.index}
    for layer in layers:
        operator = graph.operators[layer.operator]
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
