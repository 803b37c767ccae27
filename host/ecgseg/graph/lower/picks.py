"""Operators that take bytes of one tensor in another order, or some of them: TRANSPOSE, STRIDED_SLICE, SPLIT."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ecgseg.graph.ir import Tensor
from ecgseg.graph.layers import Alias, Pick
from ecgseg.graph.lower.context import Context, alias_of
from ecgseg.graph.refusals import unsupported
from ecgseg.graph.slices import ranges_of

MAX_TRANSPOSED_RANK = 5


def transpose(context: Context) -> Pick | Alias:
    """TRANSPOSE; of axes of size 1 it is nothing but another shape."""
    context.arity((2,))
    source, output = context.activation(), context.output()
    context.same_quantisation(source, output)
    order = [int(axis) for axis in context.constant(1, ("int32",), "order of axes").reshape(-1)]
    rank = len(source.shape)
    if sorted(order) != list(range(rank)) or rank > MAX_TRANSPOSED_RANK:
        raise unsupported(
            context.operator,
            f"Order {order} of {rank} axes",
            f"each axis once, counted from 0, at most {MAX_TRANSPOSED_RANK} axes",
        )
    context.expect_shape(output, tuple(source.shape[axis] for axis in order))
    strides = _strides(source.shape)
    return _pick(context, source, output, 0, output.shape, [strides[axis] for axis in order])


def strided_slice(context: Context) -> Pick | Alias:
    """STRIDED_SLICE with constant begin, end and strides of either sign."""
    context.arity((4,))
    source, output = context.activation(), context.output()
    context.same_quantisation(source, output)
    ranges = ranges_of(context.graph, context.operator)
    strides = _strides(source.shape)
    start = sum(taken.start * stride for taken, stride in zip(ranges, strides, strict=True))
    steps = [taken.step * stride for taken, stride in zip(ranges, strides, strict=True)]
    return _pick(context, source, output, start, [len(taken) for taken in ranges], steps)


def split(context: Context) -> tuple[Pick | Alias, ...]:
    """SPLIT into equal parts, a layer for each that is used."""
    outputs = len(context.operator.outputs)
    context.arity((2,), outputs)
    source = context.activation(1)
    axes = context.constant(0, ("int32",), "axis").reshape(-1)
    rank = len(source.shape)
    if axes.size != 1 or not -rank <= int(axes[0]) < rank or context.option("num_splits") != outputs:
        raise unsupported(
            context.operator, f"Axis {axes.tolist()} of {rank}, {outputs} parts", "one axis, as many parts as outputs"
        )
    axis = int(axes[0]) % rank
    if source.shape[axis] % outputs:
        raise unsupported(context.operator, f"{source.shape[axis]} in {outputs} parts", "parts of one size")
    size = source.shape[axis] // outputs
    part = (*source.shape[:axis], size, *source.shape[axis + 1 :])
    strides = _strides(source.shape)
    used = {*context.graph.outputs, *(index for operator in context.graph.operators for index in operator.inputs)}
    layers = []
    for position, index in enumerate(context.operator.outputs):
        output = context.output(position)
        context.same_quantisation(source, output)
        context.expect_shape(output, part)
        if index in used:
            layers.append(_pick(context, source, output, position * size * strides[axis], part, strides))
    return tuple(layers)


def _strides(shape: Sequence[int]) -> list[int]:
    """Elements between neighbours along each axis."""
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _pick(
    context: Context, source: Tensor, output: Tensor, start: int, shape: Sequence[int], strides: Sequence[int]
) -> Pick | Alias:
    """The layer for an output of this shape, axes that STRIDED_SLICE drops still in it."""
    axes = [(size, stride) for size, stride in zip(shape, strides, strict=True) if size > 1]
    if not start and source.size == output.size and [stride for _, stride in axes] == _strides([s for s, _ in axes]):
        return alias_of(context, source, output)
    return Pick(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        start=start,
        shape=tuple(shape),
        strides=tuple(strides),
    )
