"""Draws networks that can run as a stream: windows slide over padding of their own, rows keep their order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecgseg.errors import GraphError
from ecgseg.graph.lengths import exported_length
from ecgseg.graph.load import load_tflite
from ecgseg.graph.stream import Stream
from ecgseg.graph.streaming import stream_of
from support.random_network import elementwise, functions, picks, shapes, windows
from support.random_network.draws import Draws
from support.random_network.windows import Geometry
from support.tflite_builder import SAME, VALID


def _pad_time(net: Draws, before: int, behind: int) -> None:
    """PAD along time, now and then PADV2 with a number of its own."""
    shape = net.builder.shape(net.current)
    axis = next(axis for axis, size in enumerate(shape) if size > 1)
    amounts = np.zeros((len(shape), 2), np.int32)
    amounts[axis] = before, behind
    scale, zero_point = net.builder.quantisation(net.current)
    result = net.like(net.current, [*shape[:axis], shape[axis] + before + behind, *shape[axis + 1 :]])
    paddings = net.builder.tensor(amounts.shape, np.int32, data=amounts)
    if net.rng.random() < 0.1:
        value = net.builder.int8([1], scale, zero_point, net.rng.integers(-128, 128, [1]).astype(np.int8))
        net.builder.operator("PADV2", [net.current, paddings, value], [result], "PadV2Options")
    else:
        net.builder.operator("PAD", [net.current, paddings], [result], "PadOptions")
    net.current = result


def _geometry(net: Draws, shape: list[int], *, pooled: bool = False) -> Geometry:
    """A window along time, with PAD in front of it as often as not."""
    time = 0 if shape[1] > 1 else 1
    kernel, stride, dilation = [1, 1], [1, 1], [1, 1]
    kernel[time] = int(net.choice([1, 2, 3, 4, 5, 7], [1, 2, 4, 1, 3, 1]))
    stride[time] = int(net.choice([1, 2, 3], [7, 3, 1]))
    if stride[time] == 1 and not pooled:
        dilation[time] = int(net.choice([1, 2, 4, 8], [4, 2, 2, 1]))
    if time == 0 and shape[2] > 1:
        kernel[1] = int(net.rng.integers(1, min(3, shape[2]) + 1))
    reach = (kernel[time] - 1) * dilation[time] + 1
    kind = str(net.choice(["causal", "around", "none", "same"], [4, 3, 1, 0 if pooled or stride[time] > 1 else 3]))
    if kind == "causal":
        _pad_time(net, reach - 1 + int(net.rng.integers(0, 3)) * (net.rng.random() < 0.2), 0)
    elif kind == "around":
        _pad_time(net, *(int(value) for value in net.rng.integers(0, reach + 1, 2)))
    return (kernel[0], kernel[1]), (stride[0], stride[1]), (dilation[0], dilation[1]), SAME if kind == "same" else VALID


def _window(net: Draws, kind: str) -> int | None:
    shape = net.image()
    if shape is None or shape[3] > 24 or max(shape[1:3]) == 1:
        return None
    geometry = _geometry(net, shape, pooled=kind == "pool")
    shape = net.builder.shape(net.current)
    if min(windows.out_size(shape[1 + a], *(part[a] for part in geometry[:3]), geometry[3]) for a in (0, 1)) < 1:
        return None
    if kind == "conv":
        return windows.conv_with(net, shape, geometry, temporal=bool(net.rng.random() < 0.6))
    return (
        windows.depthwise_with(net, shape, geometry) if kind == "depthwise" else windows.pool_with(net, shape, geometry)
    )


def _cut(net: Draws) -> int | None:
    """RESHAPE that cuts every row into two: what a sub-pixel output is."""
    shape = net.builder.shape(net.current)
    axis = next(axis for axis, size in enumerate(shape) if size > 1)
    if shape[-1] % 2 or axis == len(shape) - 1:
        return None
    return net.reshape_to([1, 1, shape[axis] * 2, shape[-1] // 2] if len(shape) == 4 and axis == 2 else shape)


def _resize(net: Draws) -> int | None:
    """RESIZE_NEAREST_NEIGHBOR by 2 along time."""
    shape = net.image()
    if shape is None or max(shape[1:3]) > 200:
        return None
    time = 1 if shape[1] > 1 else 2
    out = [size * 2 if axis == time else size for axis, size in enumerate(shape)]
    result = net.like(net.current, out)
    net.builder.operator(
        "RESIZE_NEAREST_NEIGHBOR",
        [net.current, net.builder.int32(out[1:3])],
        [result],
        "ResizeNearestNeighborOptions",
        alignCorners=False,
        halfPixelCenters=bool(net.rng.random() < 0.5),
    )
    return result


_KINDS: dict[str, tuple[float, Callable[[Draws], int | None]]] = {
    "conv": (6, lambda net: _window(net, "conv")),
    "depthwise": (3, lambda net: _window(net, "depthwise")),
    "pool": (1, lambda net: _window(net, "pool")),
    "transposed": (1, windows.transpose_conv),
    "resize": (0.5, _resize),
    "cut": (0.5, _cut),
    "fully connected": (1, windows.fully_connected),
    "add": (3, elementwise.add),
    "mul": (1, elementwise.mul),
    "extreme": (0.5, elementwise.extreme),
    "relu": (1, elementwise.relu),
    "logistic": (0.5, elementwise.logistic),
    "softmax": (0.5, elementwise.softmax),
    "quantise": (0.5, elementwise.requantise),
    "concatenation": (1, shapes.concatenation),
    "mean": (0.3, elementwise.mean),
    "reshape": (0.3, shapes.reshape),
}


def _behind_time(net: Draws) -> int:
    """The first axis behind time."""
    return 1 + next(axis for axis, size in enumerate(net.builder.shape(net.current)) if size > 1)


def _transpose(net: Draws) -> int:
    """TRANSPOSE of the axes behind time."""
    first, rank = _behind_time(net), len(net.builder.shape(net.current))
    return picks.transpose_by(net, [*range(first), *(first + int(axis) for axis in net.rng.permutation(rank - first))])


# Those that came later: what a seed draws of the first ones stays what it was.
_LATER: dict[str, tuple[float, Callable[[Draws], int | None]]] = {
    "subtract": (1, elementwise.subtract),
    "leaky relu": (1, functions.leaky_relu),
    "elu": (0.5, functions.elu),
    "hard swish": (1, functions.hard_swish),
    "tanh": (0.5, functions.tanh),
    "largest": (0.5, elementwise.largest),
    "free batch": (1, shapes.free_batch),
    "transpose": (1, _transpose),
    "slice": (1.5, lambda net: picks.strided_slice(net, _behind_time(net))),
    "split": (1.5, lambda net: picks.split(net, _behind_time(net))),
}


class _Drawn(Draws):
    """One draw, streamable or not.

    Args:
        seed: everything follows from it.
        operators: number of steps, at most.
        kinds: what is drawn from, with weights.
    """

    def __init__(
        self, seed: int, operators: int, kinds: dict[str, tuple[float, Callable[[Draws], int | None]]]
    ) -> None:
        super().__init__(seed)
        length = int(self.rng.integers(24, 64))
        channels = int(self.choice([1, 2, 3, 4, 8, 12], [4, 1, 1, 2, 2, 1]))
        form = self.choice(
            [[1, 1, length, channels], [1, length, channels], [1, length, 1, channels], [1, length, 3, 2]], [5, 2, 2, 1]
        )
        start = self.new(form, self.scale(), self.zero_point())
        self.current = start
        names, weights = list(kinds), [weight for weight, _ in kinds.values()]
        for _ in range(int(self.rng.integers(2, operators + 1))):
            if len(self.builder.shape(self.current)) < 2 or max(self.builder.shape(self.current)) == 1:
                break
            self.pool.append(self.current)
            before = self.current
            result = kinds[str(self.choice(names, weights))][1](self)
            self.current = before if result is None and self.current == before else self.current
            self.current = self.current if result is None else result
        if self.current == start:
            self.current = elementwise.requantise(self)
        self.content = self.builder.finish([start], [self.current])


class StreamableNetwork:
    """The first draw from a seed on that runs as a stream.

    Args:
        seed: everything follows from it.
        operators: number of steps, at most.
        all_kinds: draw from all operators, not from those that there were first.

    Attributes:
        content: the .tflite.
        stream: with blocks of a few rows.
        length: at which it is exported.
        refused: what the draws before were refused for.
    """

    def __init__(self, seed: int, operators: int = 7, *, all_kinds: bool = False) -> None:
        kinds = _KINDS | _LATER if all_kinds else _KINDS
        self.refused: list[str] = []
        while True:
            self.content = _Drawn(seed, operators, kinds).content
            graph = load_tflite(self.content)
            try:
                self.stream: Stream = stream_of(graph, int(np.random.default_rng(seed).integers(1, 20)))
            except GraphError as error:
                self.refused.append(str(error))
                seed += 1_000_000
                continue
            self.length = exported_length(graph)
            return
