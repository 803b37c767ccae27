"""A layer for the rows of one block: the same operator with other sizes along time and no padding there."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from ecgseg.graph.layers import (
    Binary,
    Concatenation,
    Convolution,
    Depthwise,
    Layer,
    Mean,
    Pad,
    Pick,
    Pool,
    Resize,
    Softmax,
    Table,
    TransposeConvolution,
    Weighted,
    Window,
)
from ecgseg.graph.lengths import Timed
from ecgseg.graph.spans import Span

Pair = tuple[int, int]


def at_block(layer: Layer, source: Timed, output: Timed, rows_in: int, rows_out: int, span: Span) -> Layer:
    """The layer that makes `rows_out` rows of `rows_in` rows.

    Args:
        layer: of a network; no Alias.
        source, output: its first input and its output at one length.
        rows_in, rows_out: of input and output in a block.
        span: how it reads its input.
    """
    changes: dict[str, Any] = {"output_size": rows_out * output.row, "macs": 0}
    if isinstance(layer, Weighted):
        changes["macs"] = layer.macs * rows_out // output.rows
    return replace(layer, **changes, **_sizes(layer, source, output, (rows_in, rows_out), span))


def _sizes(layer: Layer, source: Timed, output: Timed, rows: Pair, span: Span) -> dict[str, Any]:
    if layer.name == "FULLY_CONNECTED":
        assert isinstance(layer, Convolution)
        size = (1, rows[1] * output.row // layer.out_channels)
        return {"window": replace(layer.window, in_size=size, out_size=size)}
    if layer.name == "REDUCE_MAX":
        assert isinstance(layer, Pool)
        outer = rows[1] * output.row // layer.channels
        return {"window": _window(layer.window, 0, (outer, outer), 0)}
    if isinstance(layer, Convolution | Depthwise | Pool | TransposeConvolution):
        pad = 0
        if isinstance(layer, TransposeConvolution):
            # Outputs are counted from those that the first rows before would begin.
            pad = layer.window.pad[source.axis - 1] + span.before * span.up
        return {"window": _window(layer.window, source.axis - 1, rows, pad)}
    if isinstance(layer, Resize):
        return _resize(layer, source.axis - 1, rows, span.up)
    if isinstance(layer, Binary):
        axis = output.axis
        shapes = tuple(_with(shape, axis, rows[1]) if shape[axis] > 1 else shape for shape in layer.shapes)
        return {"shape": _with(layer.shape, axis, rows[1]), "shapes": shapes}
    if isinstance(layer, Pick):
        # Axes that STRIDED_SLICE drops are still in its shape.
        return {"shape": _with(layer.shape, (output if layer.name == "TRANSPOSE" else source).axis, rows[1])}
    if isinstance(layer, Pad):
        return {"shape": _with(layer.shape, source.axis + 4 - len(source.shape), rows[0])}
    return _counts(layer, output, rows[1])


def _counts(layer: Layer, output: Timed, rows: int) -> dict[str, Any]:
    """Layers that only count what they do."""
    if isinstance(layer, Mean):
        return {"outer": rows * output.row // layer.inner}
    if isinstance(layer, Softmax):
        return {"rows": rows * output.row // layer.depth}
    if isinstance(layer, Concatenation):
        return {"outer": rows * output.row // sum(layer.chunks)}
    assert isinstance(layer, Table)
    return {}


def _window(window: Window, side: int, rows: Pair, pad: int) -> Window:
    return replace(
        window,
        in_size=_pair(window.in_size, side, rows[0]),
        out_size=_pair(window.out_size, side, rows[1]),
        pad=_pair(window.pad, side, pad),
    )


def _resize(layer: Resize, side: int, rows: Pair, factor: int) -> dict[str, Any]:
    indices = tuple(position // factor for position in range(rows[1]))
    return {"in_size": _pair(layer.in_size, side, rows[0]), ("rows", "columns")[side]: indices}


def _pair(pair: Pair, side: int, value: int) -> Pair:
    return (value, pair[1]) if side == 0 else (pair[0], value)


def _with(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    assert prod(shape[:axis]) == 1
    return (*shape[:axis], size, *shape[axis + 1 :])
