"""Layers seen along their rows, and the steps in which layers that are streamed into each other compute them.

What a row is and how the steps go stands in firmware/engine/include/ecgseg_stream.h; :func:`steps` is that arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ecgseg.codegen.kernels import Kernel
from ecgseg.codegen.kernels.elementwise import merge_axes
from ecgseg.graph.layers import Binary, Convolution, Depthwise, Pool, Softmax, Table, Window

# Longer tensors are not streamed: a group is planned step by step.
_MOST_ROWS = 4096


@dataclass(frozen=True)
class Axis:
    """Fields of ecgseg_axis_t: output row r reads input rows r * stride - pad + tap * dilation."""

    in_rows: int
    out_rows: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    pad: int = 0

    def needed(self, end: int) -> int:
        """Input rows that must exist for the output rows below `end`; all of them for all."""
        if end >= self.out_rows:
            return self.in_rows
        return min(max((end - 1) * self.stride - self.pad + (self.kernel - 1) * self.dilation + 1, 0), self.in_rows)

    def first(self, row: int) -> int:
        """First input row that the output rows from `row` on read."""
        return min(max(row * self.stride - self.pad, 0), self.in_rows)


@dataclass(frozen=True)
class RowView:
    """A layer along its rows.

    Attributes:
        axis: rows of input and output.
        row_bytes: of the output.
        operand_row_bytes: per operand of the kernel; 0 for one that is the same for every row.
        values: fields of the kernel's structure that change with the rows, as C expressions of `slice`.
    """

    axis: Axis
    row_bytes: int
    operand_row_bytes: tuple[int, ...]
    values: dict[str, Any]


def row_view(kernel: Kernel, rows: int | None = None) -> RowView | None:
    """How a layer is computed row by row; None when its kernel cannot do that.

    Args:
        kernel: of the layer.
        rows: rows of its input, when the layer before says so; some layers have none of their own.
    """
    layer = kernel.form or kernel.layer
    if kernel.function in ("conv", "depthwise", "pool"):
        assert isinstance(layer, Convolution | Depthwise | Pool)
        channels = (
            (layer.channels, layer.channels) if isinstance(layer, Pool) else (layer.in_channels, layer.out_channels)
        )
        view = _window_view(kernel, layer.window, channels)
    elif isinstance(layer, Binary):
        view = _binary_view(kernel, layer)
    elif isinstance(layer, Table):
        view = _plain_view(kernel, "count", layer.output_size, 1, rows)
    elif isinstance(layer, Softmax):
        view = _plain_view(kernel, "rows", layer.rows, layer.depth, rows)
    else:
        return None
    if view is None or rows not in (None, view.axis.in_rows):
        return None
    return view if all(2 <= size <= _MOST_ROWS for size in (view.axis.in_rows, view.axis.out_rows)) else None


def _window_view(kernel: Kernel, window: Window, channels: tuple[int, int]) -> RowView | None:
    vertical = window.in_size[0] > 1 or window.out_size[0] > 1
    along, across = (0, 1) if vertical else (1, 0)
    axis = Axis(
        window.in_size[along],
        window.out_size[along],
        window.kernel[along],
        window.stride[along],
        window.dilation[along],
        window.pad[along],
    )
    side, pad = ("height", "pad_top") if vertical else ("width", "pad_left")
    fields = {f"in_{side}": "slice.rows_in", f"out_{side}": "slice.rows_out", pad: "slice.pad"}
    return RowView(
        axis,
        window.out_size[across] * channels[1],
        (window.in_size[across] * channels[0],),
        {"window": {**kernel.values["window"], **fields}},
    )


def _binary_view(kernel: Kernel, layer: Binary) -> RowView | None:
    outer = next((index for index, size in enumerate(layer.shape) if size > 1), None)
    if outer is None:
        return None
    rows = layer.shape[outer]
    strides = (layer.strides(0)[outer], layer.strides(1)[outer])
    # The rows are the first of the merged axes, together with what was merged into it.
    merged = len(merge_axes(layer.shape, (layer.strides(0), layer.strides(1))))
    shape = list(kernel.values["shape"])
    inner = shape[4 - merged] // rows
    shape[4 - merged] = "slice.rows_out" if inner == 1 else f"slice.rows_out * {inner}"
    return RowView(Axis(rows, rows), math.prod(layer.shape) // rows, strides, {"shape": shape})


def _plain_view(kernel: Kernel, field: str, count: int, unit: int, rows: int | None) -> RowView | None:
    """A kernel that runs over `count` units of `unit` bytes, each by itself."""
    if rows is None or count % rows:
        return None
    each = count // rows
    expression = "slice.rows_out" if each == 1 else f"slice.rows_out * {each}"
    return RowView(Axis(rows, rows), each * unit, (each * unit,), {field: expression})


@dataclass(frozen=True)
class Part:
    """Rows that one layer of a group computes in one go.

    Attributes:
        position: of the layer in the group.
        first, end: rows of its output.
        reads_from: its first input row.
        held_from: first row of its output that is still in memory when it has computed.
    """

    position: int
    first: int
    end: int
    reads_from: int
    held_from: int


def steps(axes: Sequence[Axis], rows: int) -> Iterator[list[Part]]:
    """What a group computes, step by step, as the generated code does.

    Args:
        axes: of its layers.
        rows: of the last layer's output in a step.
    """
    ends, held = [0] * len(axes), [0] * len(axes)
    last = len(axes) - 1
    while ends[last] < axes[last].out_rows:
        targets = [0] * len(axes)
        targets[last] = min(ends[last] + rows, axes[last].out_rows)
        for position in range(last, 0, -1):
            targets[position - 1] = axes[position].needed(targets[position])
        parts = []
        for position, axis in enumerate(axes):
            if position < last:
                held[position] = max(held[position], min(axes[position + 1].first(ends[position + 1]), ends[position]))
            # Behind a stride or at the start there may be nothing new to compute.
            if targets[position] > ends[position]:
                parts.append(
                    Part(position, ends[position], targets[position], axis.first(ends[position]), held[position])
                )
            ends[position] = targets[position]
        yield parts
