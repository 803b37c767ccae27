"""Operators that move bytes: reshape, pad, concatenation, resize."""

from __future__ import annotations

from math import prod

import numpy as np

from support.random_network.draws import MAX_ELEMENTS, Draws


def reshape(net: Draws) -> int | None:
    """RESHAPE to another form of the same size."""
    shape = net.builder.shape(net.current)
    total = prod(shape)
    divisors = [size for size in range(1, min(total, 32) + 1) if total % size == 0]
    channels = int(net.choice(divisors))
    rest = total // channels
    form = net.choice([[1, 1, rest, channels], [1, rest, 1, channels], [1, rest, channels]], [3, 1, 2])
    return net.reshape_to(list(form))


def free_batch(net: Draws) -> int | None:
    """RESHAPE as an export with a free batch has it: the batch is read with SHAPE and STRIDED_SLICE and joined to the
    other sizes, by PACK or by CONCATENATION."""
    builder, shape = net.builder, net.builder.shape(net.current)
    total = prod(shape)
    if shape[0] != 1:
        return None
    channels = int(net.choice([size for size in range(1, min(total, 32) + 1) if total % size == 0]))
    form = [1, total // channels, channels]
    sizes = builder.tensor([len(shape)], np.int32)
    builder.operator("SHAPE", [net.current], [sizes], "ShapeOptions")
    begin, end, stride = (builder.int32([value]) for value in (0, 1, 1))
    packs = net.rng.random() < 0.6
    batch = builder.tensor([] if packs else [1], np.int32)
    options = {"beginMask": int(net.rng.integers(0, 2)), "shrinkAxisMask": int(packs)}
    builder.operator("STRIDED_SLICE", [sizes, begin, end, stride], [batch], "StridedSliceOptions", **options)
    target = builder.tensor([3], np.int32)
    if packs:
        rest = [builder.tensor([], np.int32, data=np.array(size, np.int32)) for size in form[1:]]
        builder.operator("PACK", [batch, *rest], [target], "PackOptions", valuesCount=3, axis=0)
    else:
        inputs = [batch, builder.int32(form[1:])]
        builder.operator("CONCATENATION", inputs, [target], "ConcatenationOptions", axis=0, fusedActivationFunction=0)
    result = net.like(net.current, form)
    builder.operator("RESHAPE", [net.current, target], [result], "ReshapeOptions", newShape=[])
    return result


def pack(net: Draws) -> int | None:
    """PACK with earlier tensors of the same shape, or with itself."""
    shape = net.builder.shape(net.current)
    if len(shape) > 3 or 2 * prod(shape) > MAX_ELEMENTS:
        return None
    quantisation = net.builder.quantisation(net.current)
    operands = [net.current]
    for index in net.pool:
        alike = net.builder.shape(index) == shape and net.builder.quantisation(index) == quantisation
        if alike and len(operands) < 3 and (len(operands) + 1) * prod(shape) <= MAX_ELEMENTS:
            operands.append(index)
    operands = operands if len(operands) > 1 else [net.current] * 2
    axis = int(net.rng.integers(1, len(shape) + 1))
    result = net.like(net.current, [*shape[:axis], len(operands), *shape[axis:]])
    stored = axis - len(shape) - 1 if net.rng.random() < 0.3 else axis
    net.builder.operator("PACK", operands, [result], "PackOptions", valuesCount=len(operands), axis=stored)
    return result


def pad(net: Draws) -> int | None:
    """PAD or PADV2."""
    shape = net.builder.shape(net.current)
    if len(shape) > 4:
        return None
    amounts = np.zeros((len(shape), 2), np.int32)
    for axis in range(1, len(shape)):
        if net.rng.random() < 0.5:
            amounts[axis] = net.rng.integers(0, 3, 2)
    out = [int(size + pair.sum()) for size, pair in zip(shape, amounts, strict=True)]
    if prod(out) > MAX_ELEMENTS:
        return None
    result = net.like(net.current, out)
    paddings = net.builder.tensor(amounts.shape, np.int32, data=amounts)
    if net.rng.random() < 0.3:
        scale, zero_point = net.builder.quantisation(net.current)
        value = net.builder.int8([1], scale, zero_point, net.rng.integers(-128, 128, [1]).astype(np.int8))
        net.builder.operator("PADV2", [net.current, paddings, value], [result], "PadV2Options")
    else:
        net.builder.operator("PAD", [net.current, paddings], [result], "PadOptions")
    return result


def _joins(net: Draws, index: int, shape: list[int], axis: int) -> bool:
    """Whether a tensor has that shape, but for its size along the axis."""
    other = net.builder.shape(index)
    return len(other) == len(shape) and all(
        a == b for i, (a, b) in enumerate(zip(other, shape, strict=True)) if i != axis
    )


def concatenation(net: Draws) -> int | None:
    """CONCATENATION with earlier tensors, a constant or itself."""
    shape = net.builder.shape(net.current)
    if len(shape) < 2:
        return None
    axis = int(net.rng.integers(max(1, len(shape) - 2), len(shape)))
    quantisation = net.builder.quantisation(net.current)
    operands = [net.current]
    for index in net.pool:
        if len(operands) < 4 and net.builder.quantisation(index) == quantisation and _joins(net, index, shape, axis):
            operands.append(index)
    if len(operands) == 1:
        data = net.rng.integers(-128, 128, shape).astype(np.int8)
        operands.append(net.builder.int8(shape, *quantisation, data) if net.rng.random() < 0.3 else net.current)
    order = [operands[i] for i in net.rng.permutation(len(operands))]
    out = list(shape)
    out[axis] = sum(net.builder.shape(index)[axis] for index in order)
    if prod(out) > MAX_ELEMENTS:
        return None
    result = net.like(net.current, out)
    stored = axis - len(shape) if net.rng.random() < 0.3 else axis
    net.builder.operator(
        "CONCATENATION", order, [result], "ConcatenationOptions", axis=stored, fusedActivationFunction=0
    )
    return result


def resize(net: Draws) -> int | None:
    """RESIZE_NEAREST_NEIGHBOR."""
    shape = net.image()
    if shape is None:
        return None
    size = [shape[1] * int(net.rng.integers(1, 3)), max(1, int(shape[2] * net.rng.choice([0.5, 1, 2, 3, 1.7])))]
    out = [1, *size, shape[3]]
    if prod(out) > MAX_ELEMENTS:
        return None
    align, half = [(False, False), (True, False), (False, True)][int(net.rng.integers(0, 3))]
    result = net.like(net.current, out)
    net.builder.operator(
        "RESIZE_NEAREST_NEIGHBOR",
        [net.current, net.builder.int32(size)],
        [result],
        "ResizeNearestNeighborOptions",
        alignCorners=align,
        halfPixelCenters=half,
    )
    return result
