"""The same network at another length: which axis of every tensor is time, and what its shapes become.

Time is the outermost axis of the input that is longer than one, and stays the outermost one: what lies at one place
along it is a row, and every operator makes rows of rows. One that mixes all of time, or moves it inward, is refused by
name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from ecgseg.errors import GraphError
from ecgseg.graph.ends import ends_in_file
from ecgseg.graph.fold import folded
from ecgseg.graph.ir import Graph, Operator, Tensor
from ecgseg.graph.slices import ranges_of

SAME = 0
Shape = tuple[int, ...]


class LengthError(GraphError):
    """The network does not exist at this one length; at others it may."""


def not_timewise(operator: Operator, why: str, remedy: str) -> GraphError:
    """The error for an operator that computes no rows of rows; says which, why, and what to do."""
    return GraphError(f"{operator} cannot run as a stream.", f"{why}.", f"{remedy}.")


@dataclass(frozen=True)
class Timed:
    """A tensor at some length.

    Attributes:
        axis: of time.
        shape: at that length.
    """

    axis: int
    shape: Shape

    @property
    def rows(self) -> int:
        """Sizes along time."""
        return self.shape[self.axis]

    @property
    def row(self) -> int:
        """Elements of a row."""
        return prod(self.shape[self.axis + 1 :])


def timed(graph: Graph, length: int) -> dict[int, Timed]:
    """Every computed tensor at a length, by its index.

    Args:
        graph: the network at the length at which it was exported.
        length: rows of the input.

    Raises:
        GraphError: an operator whose rows do not follow from rows of its input.
        LengthError: an operator that cannot be at this length.
    """
    return _Walk(folded(graph), length).timed


def at_length(graph: Graph, length: int) -> Graph:
    """The same network, folded, for an input of another length: shapes, and constants that hold shapes, are changed.

    Raises as :func:`timed` does.
    """
    graph = folded(graph)
    walk = _Walk(graph, length)
    tensors = [
        replace(tensor, shape=walk.timed[tensor.index].shape) if tensor.index in walk.timed else tensor
        for tensor in graph.tensors
    ]
    operators = []
    for operator in graph.operators:
        inputs = list(operator.inputs)
        for position, values in walk.constants.get(operator.index, {}).items():
            # One of its own: others may read the old one.
            old, inputs[position] = graph.tensors[inputs[position]], len(tensors)
            tensors.append(replace(old, index=len(tensors), shape=(len(values),), data=np.array(values, np.int32)))
        operators.append(replace(operator, inputs=tuple(inputs)))
    return replace(graph, tensors=tuple(tensors), operators=tuple(operators))


def exported_length(graph: Graph) -> int:
    """Rows of the input as it is in the file."""
    source, axis = _input(graph)
    return source.shape[axis]


def _input(graph: Graph) -> tuple[Tensor, int]:
    """The input and its axis of time."""
    source, _ = ends_in_file(graph)
    axis = next((axis for axis, size in enumerate(source.shape) if size > 1), None)
    if axis is None:
        raise GraphError(
            f"The model's input, tensor {source.index}, has shape {list(source.shape)}.",
            "None of its axes is time: time is the outermost axis that is longer than one.",
            "Export the model for several positions, whatever the length.",
        )
    return source, axis


class _Walk:
    """Goes through the operators in order and finds what they make of the length."""

    def __init__(self, graph: Graph, length: int) -> None:
        self.graph = graph
        self.length = length
        self.timed: dict[int, Timed] = {}
        self.constants: dict[int, dict[int, Sequence[int]]] = {}
        source, axis = _input(graph)
        self.timed[source.index] = Timed(axis, _with(source.shape, axis, length))
        for operator in graph.operators:
            result = _RULES.get(operator.name, _unknown)(self, operator)
            if prod(result.shape[: result.axis]) != 1:
                raise not_timewise(
                    operator,
                    f"Its output has shape {list(result.shape)}, with an axis in front of time",
                    "Keep time the outermost axis that is longer than one",
                )
            self.timed |= dict.fromkeys(operator.outputs, result)

    def tensor(self, operator: Operator, position: int) -> Tensor:
        """An input as it is in the file."""
        if not 0 <= position < len(operator.inputs) or operator.inputs[position] < 0:
            raise not_timewise(operator, f"Its input {position} is missing", "Export the model again")
        return self.graph.tensors[operator.inputs[position]]

    def source(self, operator: Operator, position: int = 0) -> Timed:
        """An input that is computed."""
        tensor = self.tensor(operator, position)
        if tensor.index not in self.timed:
            raise not_timewise(operator, f"Its input {position} is a constant", "Fold constants before exporting")
        return self.timed[tensor.index]

    def output(self, operator: Operator) -> Shape:
        """Shape of the output as it is in the file."""
        return self.graph.tensors[operator.outputs[0]].shape

    def missing(self, operator: Operator, why: str) -> LengthError:
        """The error for a length at which the operator cannot be."""
        return LengthError(
            f"{operator} does not exist for an input of {self.length} positions.",
            f"{why}.",
            "Take another length, or a network whose operators exist at every length.",
        )


def _with(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def _unknown(walk: _Walk, operator: Operator) -> Timed:
    raise not_timewise(operator, "Nothing is known of how it treats time", "Use other operators")


def _image(walk: _Walk, operator: Operator, position: int = 0) -> Timed:
    """An input [1, height, width, channels] whose time is not its channels."""
    source = walk.source(operator, position)
    if len(source.shape) != 4 or source.axis not in (1, 2):
        raise not_timewise(
            operator,
            f"Time is axis {source.axis} of its input, which it takes for the batch or the channels",
            "Give it [1, time, 1, channels] or [1, 1, time, channels]",
        )
    return source


def _size(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    """Outputs of a window along one axis, by TensorFlow's rules for SAME and VALID."""
    return -(-size // stride) if padding == SAME else (size + stride - (kernel - 1) * dilation - 1) // stride


def _window(walk: _Walk, operator: Operator) -> Timed:
    """CONV_2D, DEPTHWISE_CONV_2D and pooling."""
    source, old, option = _image(walk, operator), walk.output(operator), operator.options
    if "filter_width" in option:
        kernel: Shape = (option["filter_height"], option["filter_width"])
    else:
        kernel = walk.tensor(operator, 1).shape[1:3]
    side = "hw"[source.axis - 1]
    rows = _size(
        source.rows,
        kernel[source.axis - 1],
        option[f"stride_{side}"],
        option.get(f"dilation_{side}_factor", 1),
        option["padding"],
    )
    if rows < 1:
        raise walk.missing(operator, f"Its window does not fit into {source.rows} rows")
    return Timed(source.axis, _with(old, source.axis, rows))


def _transposed(walk: _Walk, operator: Operator) -> Timed:
    """TRANSPOSE_CONV: as many rows more or less than stride times its input's as in the file."""
    source, old = _image(walk, operator, 2), walk.output(operator)
    stride = operator.options["stride_" + "hw"[source.axis - 1]]
    before = walk.tensor(operator, 2).shape[source.axis]
    rows = old[source.axis] + (source.rows - before) * stride
    if rows < 1:
        raise walk.missing(operator, f"It makes nothing of {source.rows} rows")
    shape = _with(old, source.axis, rows)
    walk.constants[operator.index] = {0: shape}
    return Timed(source.axis, shape)


def _resized(walk: _Walk, operator: Operator) -> Timed:
    """RESIZE_NEAREST_NEIGHBOR by a power of two along time, whose indices are exact at every length."""
    source, old = _image(walk, operator), walk.output(operator)
    rows = walk.tensor(operator, 0).shape[source.axis]
    factor = old[source.axis] // rows
    if old[source.axis] != factor * rows or factor & (factor - 1) or factor < 1 or operator.options["align_corners"]:
        raise not_timewise(
            operator,
            f"It makes {old[source.axis]} rows of {rows}, and which row it takes depends on the length",
            "Resize by 2, 4, 8, ... along time, without align_corners",
        )
    shape = _with(old, source.axis, source.rows * factor)
    walk.constants[operator.index] = {1: shape[1:3]}
    return Timed(source.axis, shape)


def _alike(walk: _Walk, operator: Operator) -> Timed:
    """Operators on one value."""
    source, old = walk.source(operator), walk.output(operator)
    if old == walk.tensor(operator, 0).shape:
        return source
    return _reshaped(walk, operator)


def _reshaped(walk: _Walk, operator: Operator) -> Timed:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: rows as they are, or each of them cut into several."""
    source, old = walk.source(operator), walk.output(operator)
    before = walk.tensor(operator, 0).shape
    axis = next((axis for axis, size in enumerate(old) if size > 1), None)
    if axis is None or before[source.axis] < 2:
        raise not_timewise(
            operator, f"At {list(before)} time cannot be told from other axes", "Export the model at a larger length"
        )
    row = prod(old[axis + 1 :])
    if source.row % row:
        raise not_timewise(
            operator,
            f"From {list(before)} to {list(old)} it puts several rows of time into one",
            "Keep time the outermost axis; stride by a convolution",
        )
    shape = _with(old, axis, source.rows * (source.row // row))
    if operator.name == "RESHAPE" and len(operator.inputs) > 1:
        walk.constants[operator.index] = {1: shape}
    return Timed(axis, shape)


def _fully_connected(walk: _Walk, operator: Operator) -> Timed:
    source, old = walk.source(operator), walk.output(operator)
    units, depth = walk.tensor(operator, 1).shape[:2]
    if source.row % depth:
        raise not_timewise(
            operator, f"It sums {depth} values, which lie along all of time", "Use a convolution along time"
        )
    if old[:-1] == walk.tensor(operator, 0).shape[:-1]:
        return Timed(source.axis, (*source.shape[:-1], units))
    if len(old) != 2:
        raise not_timewise(operator, f"Its output has shape {list(old)}", "Keep the axes of its input, or two")
    return Timed(0, (source.rows * (source.row // depth), units))


def _binary(walk: _Walk, operator: Operator) -> Timed:
    """Two operands: the rows of all that is computed meet one by one, a constant is the same for all."""
    old = walk.output(operator)
    rank = len(old)
    found: list[tuple[int, Timed]] = []
    constants = []
    for position in (0, 1):
        tensor = walk.tensor(operator, position)
        if tensor.index in walk.timed:
            source = walk.timed[tensor.index]
            found.append((source.axis + rank - len(source.shape), source))
        else:
            constants.append((1,) * (rank - len(tensor.shape)) + tensor.shape)
    if not found or any(axis != found[0][0] for axis, _ in found):
        raise not_timewise(operator, "Time is another axis in each of its operands", "Reshape one of them")
    axis = found[0][0]
    if any(prod(shape[: axis + 1]) != 1 for shape in constants):
        raise not_timewise(operator, "Its constant differs from row to row", "Use a constant without a time axis")
    rows = {source.rows for _, source in found}
    if len(rows) > 1:
        raise walk.missing(operator, f"Its operands have {' and '.join(map(str, sorted(rows)))} rows")
    return Timed(axis, _with(old, axis, rows.pop()))


def _concatenated(walk: _Walk, operator: Operator) -> Timed:
    """CONCATENATION, and PACK along a new axis."""
    old = walk.output(operator)
    axis = operator.options["axis"] % max(len(old), 1)
    sources = [walk.source(operator, position) for position in range(len(operator.inputs))]
    time = sources[0].axis
    if any(source.axis != time for source in sources) or axis <= time:
        raise not_timewise(operator, "It joins its operands along time", "Join channels")
    rows = {source.rows for source in sources}
    if len(rows) > 1:
        raise walk.missing(operator, f"Its operands have {' and '.join(map(str, sorted(rows)))} rows")
    return Timed(time, _with(old, time, rows.pop()))


def _sliced(walk: _Walk, operator: Operator) -> Timed:
    source, old = walk.source(operator), walk.output(operator)
    time, size = source.axis, walk.tensor(operator, 0).shape[source.axis]
    if ranges_of(walk.graph, operator)[time] != range(size):
        raise not_timewise(operator, "It takes a part of time", "Cut channels, or cut the record before and after")
    for position, value in ((1, 0), (2, source.rows)):
        constant = walk.tensor(operator, position).data
        assert constant is not None
        walk.constants.setdefault(operator.index, {})[position] = _with(tuple(constant.tolist()), time, value)
    axis = time - (operator.options["shrink_axis_mask"] & (1 << time) - 1).bit_count()
    return Timed(axis, _with(old, axis, source.rows))


def _split(walk: _Walk, operator: Operator) -> Timed:
    source, old, axes = walk.source(operator, 1), walk.output(operator), walk.tensor(operator, 0).data
    if axes is None or axes.size != 1 or int(axes.reshape(-1)[0]) % len(source.shape) <= source.axis:
        raise not_timewise(operator, "It splits time", "Split channels")
    return Timed(source.axis, _with(old, source.axis, source.rows))


def _transposed_axes(walk: _Walk, operator: Operator) -> Timed:
    source, order = walk.source(operator), walk.tensor(operator, 1).data
    axes = [] if order is None else [int(axis) for axis in order.reshape(-1)]
    if sorted(axes) != list(range(len(source.shape))):
        raise not_timewise(operator, f"Its order {axes} is none of its axes", "Export the model again")
    return Timed(axes.index(source.axis), tuple(source.shape[axis] for axis in axes))


def _reduced(walk: _Walk, operator: Operator) -> Timed:
    source, old = walk.source(operator), walk.output(operator)
    rank, amounts = len(source.shape), walk.tensor(operator, 1).data
    axes = set() if amounts is None else {int(axis) % rank for axis in amounts.reshape(-1)}
    if source.axis in axes:
        average = operator.name == "MEAN"
        raise not_timewise(
            operator,
            f"It {'averages over' if average else 'takes the largest of'} all of time",
            f"Take a window that slides ({'AVERAGE' if average else 'MAX'}_POOL_2D, VALID), or leave it out",
        )
    axis = source.axis - (0 if operator.options["keep_dims"] else sum(other < source.axis for other in axes))
    return Timed(axis, _with(old, axis, source.rows))


def _softmax(walk: _Walk, operator: Operator) -> Timed:
    source = walk.source(operator)
    if source.axis == len(source.shape) - 1:
        raise not_timewise(operator, "It is taken over all of time", "Take it over the classes, the last axis")
    return source


def _padded(walk: _Walk, operator: Operator) -> Timed:
    source, old, amounts = walk.source(operator), walk.output(operator), walk.tensor(operator, 1).data
    if amounts is None or amounts.size != 2 * len(source.shape):
        raise not_timewise(operator, "Its paddings are no constant, or not one pair per axis", "Export the model again")
    pairs = amounts.reshape(-1, 2)
    if pairs[: source.axis].any():
        raise not_timewise(operator, "It pads outside of time", "Keep time the outermost axis")
    return Timed(source.axis, _with(old, source.axis, source.rows + int(pairs[source.axis].sum())))


_RULES: dict[str, Callable[[_Walk, Operator], Timed]] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"), _window),
    "TRANSPOSE_CONV": _transposed,
    "RESIZE_NEAREST_NEIGHBOR": _resized,
    "FULLY_CONNECTED": _fully_connected,
    **dict.fromkeys(("RELU", "RELU6", "LEAKY_RELU", "ELU", "HARD_SWISH", "LOGISTIC", "TANH"), _alike),
    **dict.fromkeys(("QUANTIZE", "DEQUANTIZE"), _alike),
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _reshaped),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MINIMUM", "MAXIMUM"), _binary),
    **dict.fromkeys(("CONCATENATION", "PACK"), _concatenated),
    "STRIDED_SLICE": _sliced,
    "SPLIT": _split,
    "TRANSPOSE": _transposed_axes,
    **dict.fromkeys(("MEAN", "REDUCE_MAX"), _reduced),
    "SOFTMAX": _softmax,
    **dict.fromkeys(("PAD", "PADV2"), _padded),
}
