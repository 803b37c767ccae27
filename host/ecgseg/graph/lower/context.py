"""Checks that all operators share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.graph.fixed_point import round_half_away
from ecgseg.graph.ir import Graph, Operator, Tensor
from ecgseg.graph.layers import Alias
from ecgseg.graph.refusals import unsupported

_ACTIVATIONS = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6"}


MAX_SOFTMAX_DEPTH = 511


def check_softmax(operator: Operator, source: Tensor) -> None:
    """Raises GraphError for a SOFTMAX that TensorFlow Lite Micro cannot compute for some input.

    With equal inputs every exponential is one. Where their sum reaches 512 its reciprocal is shifted by 32 bits and
    more, which ends the process in one build of TensorFlow Lite Micro and is undefined in another.
    """
    depth = source.shape[-1] if source.shape else 1
    if depth > MAX_SOFTMAX_DEPTH:
        raise unsupported(
            operator,
            f"It has {depth} classes, and TensorFlow Lite Micro cannot divide by a sum of exponentials that reaches "
            f"{MAX_SOFTMAX_DEPTH + 1} times one, as that of equal inputs does",
            f"at most {MAX_SOFTMAX_DEPTH} classes",
        )


class Context:
    """Access to the tensors of one operator, every access checked.

    Args:
        graph: whole graph.
        operator: the operator that is looked at.
    """

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self.graph = graph
        self.operator = operator

    def arity(self, inputs: tuple[int, ...], outputs: int = 1) -> None:
        """Raises unless the operator has one of the numbers of inputs, and that many outputs."""
        if len(self.operator.inputs) not in inputs or len(self.operator.outputs) != outputs:
            raise unsupported(
                self.operator,
                f"It has {len(self.operator.inputs)} inputs and {len(self.operator.outputs)} outputs",
                f"{' or '.join(map(str, inputs))} inputs and {outputs} output",
            )

    def has(self, position: int) -> bool:
        """Whether the optional input is there."""
        return position < len(self.operator.inputs) and self.operator.inputs[position] >= 0

    def tensor(self, position: int) -> Tensor:
        """Input tensor of any kind."""
        if not self.has(position):
            raise unsupported(self.operator, f"Input {position} is missing", "operators with all their inputs")
        return self.graph.tensors[self.operator.inputs[position]]

    def quantised(self, tensor: Tensor, what: str) -> Tensor:
        """The tensor, if it is int8 with one scale and one zero point in int8."""
        if tensor.dtype != "int8" or len(tensor.scales) != 1:
            found = f"{tensor.dtype} with {len(tensor.scales)} scales"
            raise unsupported(
                self.operator,
                f"The {what}, tensor {tensor.index} ({tensor.name}), is {found}",
                "int8 tensors with one scale and one zero point (full integer quantisation)",
            )
        if not -128 <= tensor.zero_point <= 127:
            raise unsupported(
                self.operator, f"The {what} has zero point {tensor.zero_point}", "zero points -128 to 127"
            )
        return tensor

    def activation(self, position: int = 0) -> Tensor:
        """Quantised input tensor that is computed at run time."""
        tensor = self.quantised(self.tensor(position), f"input {position}")
        if tensor.data is not None:
            raise unsupported(self.operator, f"Input {position} is a constant", "an input that is computed at run time")
        return tensor

    def output(self, position: int = 0) -> Tensor:
        """Quantised output tensor."""
        tensor = self.quantised(self.graph.tensors[self.operator.outputs[position]], "output")
        if tensor.data is not None:
            raise unsupported(self.operator, "Its output is a constant tensor", "outputs without contents")
        return tensor

    def constant(self, position: int, dtypes: tuple[str, ...], what: str) -> npt.NDArray[Any]:
        """Contents of a constant input."""
        tensor = self.tensor(position)
        if tensor.data is None or tensor.dtype not in dtypes:
            raise unsupported(
                self.operator,
                f"The {what}, tensor {tensor.index}, is {'not constant' if tensor.data is None else tensor.dtype}",
                f"constant {what} of type {' or '.join(dtypes)}",
            )
        return tensor.data

    def option(self, name: str) -> Any:
        """Value of a builtin option."""
        return self.operator.options[name]

    def shape4(self, tensor: Tensor, what: str) -> tuple[int, int, int, int]:
        """The shape of a tensor that has to be [1, height, width, channels]."""
        if len(tensor.shape) != 4 or tensor.shape[0] != 1:
            raise unsupported(
                self.operator,
                f"The {what} has shape {list(tensor.shape)}",
                "[1, height, width, channels] (export the model with batch 1)",
            )
        return tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3]

    def expect_shape(self, tensor: Tensor, shape: tuple[int, ...]) -> None:
        """Raises unless the tensor has the shape that the operator's inputs and options lead to."""
        if tensor.shape != shape:
            raise unsupported(
                self.operator,
                f"Tensor {tensor.index} has shape {list(tensor.shape)}, its operator leads to {list(shape)}",
                "shapes that agree with the operator's options",
            )

    def same_quantisation(self, first: Tensor, second: Tensor) -> None:
        """Raises unless both have one scale and zero point."""
        if first.scales != second.scales or first.zero_points != second.zero_points:
            raise unsupported(
                self.operator,
                f"Tensors {first.index} and {second.index} are quantised differently",
                "one scale and zero point for inputs and output",
            )

    def clamp(self, output: Tensor, activation: int | None = None) -> tuple[int, int]:
        """Limits of the output under the fused activation."""
        kind = self.option("fused_activation_function") if activation is None else activation
        if kind not in _ACTIVATIONS:
            raise unsupported(self.operator, f"Fused activation {kind}", ", ".join(_ACTIVATIONS.values()))
        limits = {"NONE": (None, None), "RELU": (0.0, None), "RELU_N1_TO_1": (-1.0, 1.0), "RELU6": (0.0, 6.0)}
        low, high = limits[_ACTIVATIONS[kind]]
        clamp_low = -128 if low is None else max(-128, quantise_value(low, output))
        clamp_high = 127 if high is None else min(127, quantise_value(high, output))
        if clamp_low > clamp_high:
            raise unsupported(
                self.operator,
                f"The activation's range {clamp_low}..{clamp_high} is empty under the output's quantisation",
                "an output whose zero point and scale can hold the activation's range",
            )
        return clamp_low, clamp_high


def quantise_value(value: float, tensor: Tensor) -> int:
    """zero point + round(value / scale), the division in single precision, as TensorFlow Lite does it."""
    return tensor.zero_point + round_half_away(float(np.float32(value) / tensor.scale))


def alias_of(context: Context, source: Tensor, output: Tensor) -> Alias:
    """The layer for the same bytes under another name. Raises GraphError where they are not as many."""
    if source.size != output.size:
        raise unsupported(
            context.operator, f"{list(source.shape)} to {list(output.shape)}", "shapes of the same number of elements"
        )
    return Alias(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
    )
