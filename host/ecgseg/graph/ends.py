"""The int8 tensors at the ends of a model, which the device takes and answers."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.errors import GraphError
from ecgseg.graph.fold import folded
from ecgseg.graph.ir import Graph, Operator, Tensor


@dataclass(frozen=True, eq=False)
class Ends:
    """Where a model begins and ends for the device, which speaks int8.

    Attributes:
        input, output: int8 tensors with one scale.
        float_input, float_output: the file has a float32 input (output) whose QUANTIZE (DEQUANTIZE) is taken off.
        operators: what lies between.
    """

    input: Tensor
    output: Tensor
    float_input: bool
    float_output: bool
    operators: tuple[Operator, ...]

    @property
    def segmenter_shape(self) -> tuple[int, int]:
        """(frame length, classes) of a model [1, .., T, 1] -> [1, .., T, C]; (0, 0) when it is no segmenter."""
        steps, shape = self.input.size, self.output.shape
        if len(shape) < 2 or shape[-2] != steps or self.output.size != steps * shape[-1]:
            return 0, 0
        if not 2 <= steps <= 256 or not 2 <= shape[-1] <= 16:
            return 0, 0
        return steps, shape[-1]


def ends_of(graph: Graph) -> Ends:
    """The ends of a graph, whatever operators lie between.

    Raises:
        GraphError: there is not one input and one output, or one of them is neither int8 nor float32 next to QUANTIZE
            or DEQUANTIZE.
    """
    graph = folded(graph)
    start, operators, float_input = _strip_input(graph)
    end, operators, float_output = _strip_output(graph, operators)
    return Ends(start, end, float_input, float_output, operators)


def ends_in_file(graph: Graph) -> tuple[Tensor, Tensor]:
    """The one input and the one output tensor as they stand in the file, whatever their type.

    Raises:
        GraphError: there are none, or several.
    """
    return _only(graph, graph.inputs, "input"), _only(graph, graph.outputs, "output")


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
    if tensor.dtype == "int8" and len(tensor.scales) == 1 and -128 <= tensor.zero_point <= 127:
        return tensor
    if tensor.dtype == "int8":
        raise GraphError(
            f"The model's {what}, tensor {tensor.index} ({tensor.name}), is int8 with {len(tensor.scales)} scales and "
            f"zero points {list(tensor.zero_points[:4])}.",
            f"The {what} has to have one scale and a zero point in -128..127.",
            "Quantise the model to int8 (full integer quantisation).",
        )
    why, remedy = _OTHER_ENDS.get(tensor.dtype, _OTHER_END)
    raise GraphError(
        f"The model's {what}, tensor {tensor.index} ({tensor.name}), is {tensor.dtype}.", why, remedy.format(what=what)
    )


_OTHER_END = (
    "The device takes and answers int8; float32 is taken where one QUANTIZE or DEQUANTIZE stands next to it.",
    "Quantise the model to int8 (full integer quantisation).",
)
_OTHER_ENDS = {
    "uint8": (
        "The device takes and answers int8; what lies behind this end may well be int8.",
        "Convert the model again with inference_{what}_type = tf.int8 (or tf.float32); the rest can stay as it is.",
    ),
    "int16": (
        "The model was quantised with 16-bit activations (16x8); the device computes with int8.",
        "Quantise the model with 8-bit activations: TFLITE_BUILTINS_INT8, and inference_{what}_type = tf.int8.",
    ),
}
