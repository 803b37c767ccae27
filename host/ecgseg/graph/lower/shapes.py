"""Operators that move bytes: reshape, pad, concatenation, nearest-neighbour resize."""

from __future__ import annotations

from math import floor, prod

import numpy as np

from ecgseg.graph.fixed_point import round_half_away
from ecgseg.graph.ir import Tensor
from ecgseg.graph.layers import Alias, Concatenation, Pad, Resize
from ecgseg.graph.lower.context import Context, alias_of
from ecgseg.graph.refusals import unsupported

MAX_OPERANDS = 10


def alias(context: Context) -> Alias:
    """RESHAPE; the output's own shape is what counts."""
    context.arity((1, 2))
    return alias_of(context, context.activation(), context.output())


def expand_dims(context: Context) -> Alias:
    """EXPAND_DIMS by one axis."""
    context.arity((2,))
    source, output = context.activation(), context.output()
    axes = context.constant(1, ("int32", "int64"), "axis").reshape(-1)
    rank = len(source.shape)
    if axes.size != 1 or not -rank - 1 <= int(axes[0]) <= rank:
        raise unsupported(context.operator, f"Axis {axes.tolist()} of rank {rank}", f"one axis {-rank - 1} to {rank}")
    axis = int(axes[0]) + (rank + 1 if axes[0] < 0 else 0)
    context.expect_shape(output, (*source.shape[:axis], 1, *source.shape[axis:]))
    return alias_of(context, source, output)


def squeeze(context: Context) -> Alias:
    """SQUEEZE of the axes that are named, or of all of size 1 when none is."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    named, rank = context.option("squeeze_dims"), len(source.shape)
    axes = {axis + (rank if axis < 0 else 0) for axis in named}
    if not axes <= set(range(rank)) or any(source.shape[axis] != 1 for axis in axes):
        raise unsupported(context.operator, f"Axes {list(named)} of shape {list(source.shape)}", "axes of size 1")
    axes = axes or {axis for axis, size in enumerate(source.shape) if size == 1}
    context.expect_shape(output, tuple(size for axis, size in enumerate(source.shape) if axis not in axes))
    return alias_of(context, source, output)


def pad(context: Context) -> Pad:
    """PAD with the zero point, PADV2 with a constant."""
    context.arity((2, 3))
    source, output = context.activation(), context.output()
    context.same_quantisation(source, output)
    amounts = context.constant(1, ("int32",), "paddings")
    rank = len(source.shape)
    if amounts.size != 2 * rank or rank > 4 or np.any(amounts < 0) or np.any(amounts > 1 << 16):
        raise unsupported(
            context.operator,
            f"Paddings {amounts.tolist()} of an input of rank {rank}",
            "one pair of amounts per axis, at most 4 axes",
        )
    pairs = [(0, 0)] * (4 - rank) + [(int(before), int(after)) for before, after in amounts.reshape(rank, 2)]
    value = output.zero_point
    if context.has(2):
        context.same_quantisation(context.tensor(2), output)
        value = int(context.constant(2, ("int8",), "value").reshape(-1)[0])
    shape = (1,) * (4 - rank) + source.shape
    padded = tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=True))
    context.expect_shape(output, padded[4 - rank :])
    return Pad(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        shape=(shape[0], shape[1], shape[2], shape[3]),
        before=(pairs[0][0], pairs[1][0], pairs[2][0], pairs[3][0]),
        after=(pairs[0][1], pairs[1][1], pairs[2][1], pairs[3][1]),
        value=value,
    )


def concatenation(context: Context) -> Concatenation:
    """CONCATENATION of int8 tensors of one quantisation."""
    context.arity(tuple(range(1, MAX_OPERANDS + 1)))
    output = context.output()
    if context.option("fused_activation_function") != 0:
        raise unsupported(context.operator, "A fused activation", "no fused activation")
    rank = len(output.shape)
    axis = int(context.option("axis"))
    axis += rank if axis < 0 else 0
    if not 0 <= axis < rank:
        raise unsupported(context.operator, f"Axis {axis} of {rank}", "an axis of the output")
    operands = [
        context.quantised(context.tensor(position), "input") for position in range(len(context.operator.inputs))
    ]
    _check_joined(context, operands, output, axis)
    return _joined(context, operands, output, axis)


def _joined(context: Context, operands: list[Tensor], output: Tensor, axis: int) -> Concatenation:
    """One operand behind the other along an axis of the output."""
    outer = prod(output.shape[:axis])
    return Concatenation(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=tuple(operand.index for operand in operands if operand.data is None),
        output=output.index,
        output_size=output.size,
        outer=outer,
        chunks=tuple(operand.size // outer for operand in operands),
        constants={
            position: np.asarray(operand.data, np.int8).reshape(-1)
            for position, operand in enumerate(operands)
            if operand.data is not None
        },
    )


def pack(context: Context) -> Concatenation:
    """PACK of int8 tensors of one shape and quantisation along a new axis."""
    context.arity(tuple(range(1, MAX_OPERANDS + 1)))
    output = context.output()
    operands = [
        context.quantised(context.tensor(position), "input") for position in range(len(context.operator.inputs))
    ]
    rank, axis = len(output.shape), int(context.option("axis"))
    axis += rank if axis < 0 else 0
    if not 0 <= axis < rank or context.option("values_count") != len(operands):
        raise unsupported(
            context.operator, f"Axis {axis} of {rank}", "an axis of the output, and a size for each input"
        )
    for operand in operands:
        context.same_quantisation(operand, output)
        context.expect_shape(output, (*operand.shape[:axis], len(operands), *operand.shape[axis:]))
    return _joined(context, operands, output, axis)


def unknown_shape(context: Context) -> Alias:
    """SHAPE that is not folded: raises what it is refused for."""
    found = " and ".join(context.graph.tensors[index].dtype for index in context.operator.outputs) or "nothing"
    raise unsupported(context.operator, f"It makes {found}", "int32 of one tensor, worked out before anything runs")


def _check_joined(context: Context, operands: list[Tensor], output: Tensor, axis: int) -> None:
    """Refuses operands that do not make up the output, one behind the other along the axis."""
    joined = 0
    for operand in operands:
        context.same_quantisation(operand, output)
        rest = operand.shape[:axis] + operand.shape[axis + 1 :]
        if len(operand.shape) != len(output.shape) or rest != output.shape[:axis] + output.shape[axis + 1 :]:
            raise unsupported(
                context.operator, f"Shapes differ outside axis {axis}", "shapes that differ along the axis"
            )
        joined += operand.shape[axis]
    context.expect_shape(output, (*output.shape[:axis], joined, *output.shape[axis + 1 :]))


def resize_nearest(context: Context) -> Resize:
    """RESIZE_NEAREST_NEIGHBOR."""
    context.arity((2,))
    source, output = context.activation(), context.output()
    context.same_quantisation(source, output)
    _, height, width, channels = context.shape4(source, "input")
    size = context.constant(1, ("int32",), "size").reshape(-1)
    if size.size != 2 or np.any(size < 1):
        raise unsupported(context.operator, f"Size {size.tolist()}", "a size of [height, width]")
    out_height, out_width = int(size[0]), int(size[1])
    context.expect_shape(output, (1, out_height, out_width, channels))
    align, centers = bool(context.option("align_corners")), bool(context.option("half_pixel_centers"))
    return Resize(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        in_size=(height, width),
        channels=channels,
        rows=nearest_indices(height, out_height, align, centers),
        columns=nearest_indices(width, out_width, align, centers),
    )


def nearest_indices(size: int, out_size: int, align_corners: bool, half_pixel_centers: bool) -> tuple[int, ...]:
    """Input index of every output index, in single precision as TensorFlow Lite computes it."""
    if align_corners and out_size > 1:
        scale = np.float32(size - 1) / np.float32(out_size - 1)
    else:
        scale = np.float32(size) / np.float32(out_size)
    offset = np.float32(0.5 if half_pixel_centers else 0.0)
    indices = []
    for position in range(out_size):
        place = float((np.float32(position) + offset) * scale)
        index = round_half_away(place) if align_corners else floor(place)
        indices.append(max(0, min(index, size - 1)))
    return tuple(indices)
