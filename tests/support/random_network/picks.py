"""Operators that take bytes in another order, or some of them: transpose, strided slice, split."""

from __future__ import annotations

import numpy as np

from support.random_network.draws import Draws


def transpose(net: Draws) -> int | None:
    """TRANSPOSE of everything but the batch."""
    shape = net.builder.shape(net.current)
    if len(shape) > 5:
        return None
    return transpose_by(net, [0, *(1 + int(axis) for axis in net.rng.permutation(len(shape) - 1))])


def transpose_by(net: Draws, order: list[int]) -> int:
    """TRANSPOSE of the current tensor by this order."""
    shape = net.builder.shape(net.current)
    result = net.like(net.current, [shape[axis] for axis in order])
    net.builder.operator("TRANSPOSE", [net.current, net.builder.int32(order)], [result], "TransposeOptions")
    return result


def strided_slice(net: Draws, first: int = 1) -> int | None:
    """STRIDED_SLICE: along each axis all of it, a part, every other one, backwards, or one that is dropped.

    Args:
        net: the network.
        first: axis from which on something may be left out.
    """
    shape = net.builder.shape(net.current)
    if len(shape) > 4:
        return None
    begin, end, strides, out = [], [], [], []
    masks = {"beginMask": 0, "endMask": 0, "shrinkAxisMask": 0}
    for axis, size in enumerate(shape):
        kind = "all" if axis < first else str(net.choice(["all", "part", "back", "one"], [3, 4, 2, 1]))
        if kind == "one" and len(shape) > 2 and not masks["shrinkAxisMask"]:
            masks["shrinkAxisMask"] = 1 << axis
            taken, stop = range(place := int(net.rng.integers(size)), place + 1), 0
        else:
            taken, stop, open_end = _part(net, kind, size)
            masks["endMask"] |= int(open_end) << axis
            out.append(len(taken))
        first_of_all = 0 if taken.step > 0 else size - 1
        masks["beginMask"] |= int(taken.start == first_of_all and net.rng.random() < 0.5) << axis
        begin.append(taken.start - size if net.rng.random() < 0.3 else taken.start)
        end.append(stop)
        strides.append(taken.step)
    inputs = [net.current, *(net.builder.int32(values) for values in (begin, end, strides))]
    result = net.like(net.current, out)
    net.builder.operator("STRIDED_SLICE", inputs, [result], "StridedSliceOptions", **masks)
    return result


def _part(net: Draws, kind: str, size: int) -> tuple[range, int, bool]:
    """What is taken along an axis, the end that is stored, and whether that counts for nothing."""
    step = int(net.rng.integers(1, 4))
    if kind == "back":
        return range(int(net.rng.integers(size // 2, size)), -1, -step), 0, True
    if kind == "part":
        start = int(net.rng.integers(0, size))
        stop = int(net.rng.integers(start + 1, size + 4))
        return range(start, min(stop, size), step), stop, stop >= size and bool(net.rng.random() < 0.5)
    return range(size), size, bool(net.rng.random() < 0.5)


def split(net: Draws, first: int = 1) -> int | None:
    """SPLIT into up to four parts along an axis from `first` on; one goes on, and later ones may read the others."""
    shape = net.builder.shape(net.current)
    found = [(axis, parts) for axis in range(first, len(shape)) for parts in (1, 2, 3, 4) if shape[axis] % parts == 0]
    if not found:
        return None
    axis, parts = found[int(net.rng.integers(len(found)))]
    out = [*shape[:axis], shape[axis] // parts, *shape[axis + 1 :]]
    results = [net.like(net.current, out) for _ in range(parts)]
    stored = axis - len(shape) if net.rng.random() < 0.3 else axis
    place = net.builder.tensor([], np.int32, data=np.array(stored, np.int32))
    net.builder.operator("SPLIT", [place, net.current], results, "SplitOptions", numSplits=parts)
    chosen = results.pop(int(net.rng.integers(parts)))
    net.pool += results
    return chosen
