"""Shapes that are known before anything runs: the operators that compute nothing else become constants.

An export with a free batch asks for the batch of a tensor (SHAPE, STRIDED_SLICE), works out a shape with it (PACK or
RESHAPE and CONCATENATION, now and then ADD, MUL or SUB) and hands that to RESHAPE or TRANSPOSE_CONV. In the file every
shape is fixed, a free batch 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.graph.ir import Graph, Operator
from ecgseg.graph.refusals import unsupported
from ecgseg.graph.slices import ranges_of

Int32 = npt.NDArray[np.int32]


def folded(graph: Graph) -> Graph:
    """The graph without operators that only compute int32 of shapes and constants; their results are constants.

    Operators keep their index in the file. A graph without such operators is returned as it is.

    Raises:
        GraphError: such an operator that leads to another shape than the file says, by name and index.
    """
    tensors, operators = list(graph.tensors), []
    for operator in graph.operators:
        known = replace(graph, tensors=tuple(tensors)) if operator.name in _RULES else graph
        if operator.name not in _RULES or not _computes_shapes(known, operator):
            operators.append(operator)
            continue
        values = _RULES[operator.name](known, operator)
        output = tensors[operator.outputs[0]]
        if values.shape != output.shape:
            raise unsupported(
                operator,
                f"Tensor {output.index} has shape {list(output.shape)}, its operator leads to {list(values.shape)}",
                "shapes that agree with the operator",
            )
        tensors[output.index] = replace(output, data=values)
    if len(operators) == len(graph.operators):
        return graph
    return replace(graph, tensors=tuple(tensors), operators=tuple(operators))


def _computes_shapes(graph: Graph, operator: Operator) -> bool:
    """Whether the one result is int32 and all that it follows from is known."""
    if len(operator.outputs) != 1 or graph.tensors[operator.outputs[0]].dtype != "int32":
        return False
    if operator.name == "SHAPE":
        return len(operator.inputs) == 1 and operator.inputs[0] >= 0
    if not operator.inputs or operator.options.get("fused_activation_function"):
        return False
    return all(index >= 0 and _known(graph, index) is not None for index in operator.inputs)


def _known(graph: Graph, index: int) -> Int32 | None:
    tensor = graph.tensors[index]
    return tensor.data if tensor.dtype == "int32" and not tensor.scales else None


def _operands(graph: Graph, operator: Operator) -> list[Int32]:
    return [values for index in operator.inputs if (values := _known(graph, index)) is not None]


def _shape(graph: Graph, operator: Operator) -> Int32:
    return np.array(graph.tensors[operator.inputs[0]].shape, np.int32)


def _strided_slice(graph: Graph, operator: Operator) -> Int32:
    source = _operands(graph, operator)[0]
    taken = source[np.ix_(*ranges_of(graph, operator))] if source.ndim else source
    return taken.reshape(graph.tensors[operator.outputs[0]].shape)


def _pack(graph: Graph, operator: Operator) -> Int32:
    operands = _operands(graph, operator)
    rank = operands[0].ndim if operands else 0
    axis = operator.options["axis"]
    alike = all(values.shape == operands[0].shape for values in operands)
    if not operands or not alike or not -rank - 1 <= axis <= rank:
        raise unsupported(operator, f"It packs {len(operands)} tensors along axis {axis}", "tensors of one shape")
    return np.stack(operands, axis)


def _concatenation(graph: Graph, operator: Operator) -> Int32:
    operands = _operands(graph, operator)
    axis, rank = operator.options["axis"], operands[0].ndim if operands else 0
    if any(values.ndim != 1 for values in operands) or not -rank <= axis < rank:
        raise unsupported(operator, f"It joins shapes along axis {axis}", "constants of one axis")
    return np.concatenate(operands)


def _reshaped(graph: Graph, operator: Operator) -> Int32:
    """RESHAPE, SQUEEZE or EXPAND_DIMS to the shape in the file."""
    source, output = _operands(graph, operator)[0], graph.tensors[operator.outputs[0]]
    if source.size != output.size:
        raise unsupported(
            operator,
            f"{list(source.shape)} to {list(output.shape)}",
            "shapes of the same number of elements",
        )
    return source.reshape(output.shape)


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[[Graph, Operator], Int32]:
    """Two operands, in 32 bits that wrap."""

    def rule(graph: Graph, operator: Operator) -> Int32:
        operands = _operands(graph, operator)
        if len(operands) != 2 or not _broadcast(operands):
            raise unsupported(operator, f"It has {len(operands)} operands", "two operands that broadcast")
        first, second = (values.astype(np.int64) for values in operands)
        result: Int32 = np.asarray(function(first, second)).astype(np.int32)
        return result

    return rule


def _broadcast(operands: Sequence[Int32]) -> bool:
    try:
        np.broadcast_shapes(*(values.shape for values in operands))
    except ValueError:
        return False
    return True


_RULES: dict[str, Callable[[Graph, Operator], Int32]] = {
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _reshaped),
    "ADD": _arithmetic(np.add),
    "MUL": _arithmetic(np.multiply),
    "SUB": _arithmetic(np.subtract),
}
