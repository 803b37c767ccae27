"""What a STRIDED_SLICE takes of a tensor, axis by axis."""

from __future__ import annotations

from ecgseg.graph.ir import Graph, Operator
from ecgseg.graph.refusals import unsupported

MAX_SLICED_RANK = 4


def ranges_of(graph: Graph, operator: Operator) -> tuple[range, ...]:
    """Indices that a STRIDED_SLICE takes along each axis of its input, in order.

    Raises:
        GraphError: its begin, end or strides are no constants or none of its input's axes, or its output has another
            shape than they lead to.
    """
    if len(operator.inputs) != 4 or len(operator.outputs) != 1 or min(operator.inputs) < 0:
        raise unsupported(operator, f"It has {len(operator.inputs)} inputs", "a tensor, begin, end and strides")
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    rank = len(source.shape)
    if rank > MAX_SLICED_RANK:
        raise unsupported(operator, f"Its input has {rank} axes", f"at most {MAX_SLICED_RANK} axes")
    if any(operator.options[name] for name in ("ellipsis_mask", "new_axis_mask", "offset")):
        raise unsupported(
            operator, "It adds axes, leaves some out or counts its end from its begin", "one slice for every axis"
        )
    begin, end, strides = (_constants(graph, operator, position, rank) for position in (1, 2, 3))
    ranges = tuple(
        _range(operator, axis, size, begin[axis], end[axis], strides[axis]) for axis, size in enumerate(source.shape)
    )
    shrunk = operator.options["shrink_axis_mask"]
    shape = tuple(len(taken) for axis, taken in enumerate(ranges) if not shrunk >> axis & 1)
    if shape != output.shape:
        raise unsupported(
            operator,
            f"Tensor {output.index} has shape {list(output.shape)}, its operator leads to {list(shape)}",
            "shapes that agree with begin, end and strides",
        )
    return ranges


def _constants(graph: Graph, operator: Operator, position: int, rank: int) -> list[int]:
    """One int32 for each axis, from a constant input."""
    values = graph.tensors[operator.inputs[position]].data
    if values is None or values.dtype != "int32" or values.shape != (rank,):
        what = ("begin", "end", "strides")[position - 1]
        raise unsupported(operator, f"Its {what} are not {rank} constants", "one constant int32 for every axis")
    return [int(value) for value in values]


def _range(operator: Operator, axis: int, size: int, begin: int, end: int, stride: int) -> range:
    options = operator.options
    if not stride:
        raise unsupported(operator, f"Its stride along axis {axis} is 0", "strides other than 0")
    first = None if options["begin_mask"] >> axis & 1 else begin
    last = None if options["end_mask"] >> axis & 1 else end
    taken = range(*slice(first, last, stride).indices(size))
    if options["shrink_axis_mask"] >> axis & 1:
        if stride != 1 or not 0 <= taken.start < size:
            raise unsupported(operator, f"It takes no one index of axis {axis}", "an index that there is, stride 1")
        return range(taken.start, taken.start + 1)
    return taken
