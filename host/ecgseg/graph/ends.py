"""The int8 tensors at the ends of a model, which the device takes and answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import GraphError
from ecgseg.graph.fold import folded
from ecgseg.graph.ir import Graph, Operator, Tensor


@dataclass(frozen=True, eq=False)
class Ends:
    """Where a model begins and ends for the device, which speaks int8.

    Attributes:
        input, output: int8 tensors with one scale.
        float_input, float_output: the file has a float32 input (output) whose QUANTIZE (DEQUANTIZE) is taken off.
        uint8_input, uint8_output: the file's input (output) is uint8; the device speaks of it in int8, 128 less.
        operators: what lies between.
    """

    input: Tensor
    output: Tensor
    float_input: bool
    float_output: bool
    uint8_input: bool
    uint8_output: bool
    operators: tuple[Operator, ...]

    def to_file(self, data: npt.NDArray[np.int8]) -> npt.NDArray[Any]:
        """What a runtime of the file takes for an int8 input: it, uint8, or floats that QUANTIZE turns into it."""
        if self.uint8_input:
            return (data.astype(np.int16) + 128).astype(np.uint8)
        if not self.float_input:
            return data
        return (data.astype(np.float32) - np.float32(self.input.zero_point)) * self.input.scale

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
    seen = as_seen(graph)
    start, operators, float_input = _strip_input(seen)
    end, operators, float_output = _strip_output(seen, operators)
    uint8_input, uint8_output = (tensor.dtype == "uint8" for tensor in ends_in_file(graph))
    return Ends(start, end, float_input, float_output, uint8_input, uint8_output, operators)


def as_seen(graph: Graph) -> Graph:
    """The graph as the device sees it: folded, and a uint8 input or output next to QUANTIZE as int8, 128 less.

    QUANTIZE counts from the zero point, so that the same numbers come out.
    """
    graph = folded(graph)
    tensors = list(graph.tensors)
    for index in {*graph.inputs, *graph.outputs}:
        tensor = tensors[index]
        users = [operator for operator in graph.operators if index in (*operator.inputs, *operator.outputs)]
        if tensor.dtype == "uint8" and users and all(operator.name == "QUANTIZE" for operator in users):
            points = tuple(point - 128 for point in tensor.zero_points)
            tensors[index] = replace(tensor, dtype="int8", zero_points=points)
    return replace(graph, tensors=tuple(tensors))


def int8_of(values: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """What a runtime of the file computed for a tensor, as the device has it: of uint8, 128 less; flat."""
    flat = values.reshape(-1)
    return (flat.astype(np.int16) - 128).astype(np.int8) if flat.dtype == np.uint8 else flat.astype(np.int8)


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
            _ONE[what],
        )
    return graph.tensors[indices[0]]


_ONE = {
    "input": "Export a model with one input: join several of them into one tensor, and let the model take it apart.",
    "output": "Export a model with one output: join several of them by CONCATENATION, or export a model for each.",
}


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
            raise _float_middle(operator, operators)
    return _int8_end(tensor, "output"), operators, graph.tensors[graph.outputs[0]].dtype == "float32"


def _float_middle(operator: Operator, operators: tuple[Operator, ...]) -> GraphError:
    readers = [str(reader) for reader in operators if set(operator.outputs) & set(reader.inputs)]
    return GraphError(
        f"{operator} is not supported in the middle of a model.",
        f"What is behind it computes in floating point: {', '.join(readers[:4]) or 'nothing that is known'}.",
        "Quantise the whole model to int8; DEQUANTIZE may only be the last operator. What the converter leaves in "
        "floating point needs another in its place, such as LEAKY_RELU in that of ELU.",
    )


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
        "The device takes and answers int8; uint8 is taken where only QUANTIZE stands next to it.",
        "Convert the model again with inference_{what}_type = tf.int8 (or tf.float32); the rest can stay as it is.",
    ),
    "int16": (
        "The model was quantised with 16-bit activations (16x8); the device computes with int8.",
        "Quantise the model with 8-bit activations: TFLITE_BUILTINS_INT8, and inference_{what}_type = tf.int8.",
    ),
}
