"""How each layer reads time: of which rows of its input a row of its output is made, and what is behind the last."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecgseg.graph.ir import Operator
from ecgseg.graph.layers import (
    Convolution,
    Depthwise,
    Layer,
    Pad,
    Pool,
    Resize,
    TransposeConvolution,
    Window,
)
from ecgseg.graph.lengths import SAME, Timed, not_timewise


@dataclass(frozen=True)
class Span:
    """Group g of `up` output rows reads the input rows g * down - before ... g * down - before + reach - 1.

    Of n input rows a layer makes up * floor((n + add) / down) + extra rows.

    Attributes:
        up, down, reach, before, add, extra: above.
        value: what the rows before the first and behind the last one are, None when the layer reads none.
    """

    up: int = 1
    down: int = 1
    reach: int = 1
    before: int = 0
    add: int = 0
    extra: int = 0
    value: int | None = None

    @property
    def after(self) -> int:
        """The most rows that are read behind the last one."""
        return self.add - self.down - self.before + self.reach - (-self.extra // self.up)

    @property
    def pads(self) -> bool:
        """Whether rows outside of the record are read."""
        return self.before > 0 or self.after > 0


def span_of(layer: Layer, operator: Operator, source: Timed, output: Timed) -> Span:
    """How a layer reads the rows of each of its inputs.

    Args:
        layer: anything but an Alias.
        operator: of the layer.
        source, output: its first input and its output, at one length.

    Raises:
        GraphError: the padding before the first row depends on the length of the record, or padding takes no part.
    """
    if layer.name == "FULLY_CONNECTED":
        return Span(up=output.rows // source.rows)
    if layer.name == "REDUCE_MAX":
        return Span()
    if isinstance(layer, TransposeConvolution):
        return _transposed(layer, operator, source, output)
    if isinstance(layer, Convolution | Depthwise | Pool):
        return _window(layer, operator, source.axis - 1)
    if isinstance(layer, Resize):
        return Span(up=output.rows // source.rows)
    return Span()


def _window(layer: Convolution | Depthwise | Pool, operator: Operator, side: int) -> Span:
    window = layer.window
    reach, stride = (window.kernel[side] - 1) * window.dilation[side] + 1, window.stride[side]
    if operator.options["padding"] != SAME:
        return Span(down=stride, reach=reach, add=stride - reach)
    before = {_padding(window, side, rows) // 2 for rows in range(1, stride + 1)}
    if len(before) > 1:
        raise not_timewise(
            operator,
            f"With padding SAME, stride {stride} and a window of {reach} rows, how much stands before the first row "
            "depends on the length of the record",
            "Put PAD in front of it and use padding VALID",
        )
    span = Span(down=stride, reach=reach, before=before.pop(), add=stride - 1)
    if not span.pads:
        return span
    if isinstance(layer, Pool):
        raise not_timewise(
            operator,
            "With padding SAME, fewer rows take part at the ends of the record",
            "Put PAD in front of it and use padding VALID",
        )
    return replace(span, value=layer.in_zero_point)


def _padding(window: Window, side: int, rows: int) -> int:
    """What TensorFlow adds in all to so many rows, or to any number with the same rest under the stride."""
    reach, stride = (window.kernel[side] - 1) * window.dilation[side] + 1, window.stride[side]
    return max((-(-rows // stride) - 1) * stride + reach - rows, 0)


def _transposed(layer: TransposeConvolution, operator: Operator, source: Timed, output: Timed) -> Span:
    side = source.axis - 1
    stride, taps, pad = layer.window.stride[side], layer.window.kernel[side], layer.window.pad[side]
    extra = output.rows - source.rows * stride
    if operator.options["padding"] == SAME and extra:
        raise not_timewise(
            operator,
            f"With padding SAME it makes {output.rows} rows of {source.rows} under stride {stride}, so that what is "
            "cut off in front depends on the length of the record",
            "Give it an output of stride times its input, or use padding VALID",
        )
    before, after = (taps - 1 - pad) // stride, (stride - 1 + pad) // stride
    before = max(before, 0)
    span = Span(stride, 1, before + after + 1, before, 0, extra)
    return replace(span, value=layer.in_zero_point) if span.pads else span


def rows_padded(layer: Pad, axis: int, rank: int) -> tuple[int, int]:
    """Rows of time that PAD adds (before, behind)."""
    place = axis + 4 - rank
    return layer.before[place], layer.after[place]
