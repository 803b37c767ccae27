"""The layers that the interpreter computes and the code generator renders: operators with every number worked out.

Shapes are NHWC with batch 1 left out. A tensor is named by its index in the .tflite.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ecgseg.graph.ends import Ends
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.ir import Tensor

Int8Array = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """What every layer has.

    Attributes:
        name: schema name of the operator.
        operator: index of the operator in the file.
        inputs: tensors that are computed by other layers or are the graph's input.
        output: tensor that the layer computes.
        output_size: elements (bytes) of the output.
        macs: multiply-accumulate operations, counted at full window as everyone does.
    """

    name: str
    operator: int
    inputs: tuple[int, ...]
    output: int
    output_size: int
    macs: int = 0


@dataclass(frozen=True)
class Window:
    """Geometry of a sliding window over [height, width].

    Attributes:
        in_size, kernel, stride, dilation, pad, out_size: (vertical, horizontal); pad is what is added before the start.
    """

    in_size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    out_size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Rescale:
    """From an int32 accumulator to int8, per output channel.

    Attributes:
        multipliers: one per output channel.
        zero_point: of the output.
        low, high: clamp, which is where RELU and RELU6 live.
    """

    multipliers: tuple[Multiplier, ...]
    zero_point: int
    low: int
    high: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Weighted(Layer):
    """What all layers that sum products with constant weights have.

    Attributes:
        window: geometry.
        in_channels, out_channels: sizes.
        weights: int8, in the order that the layer says.
        bias: int64 holding int32 [out_channels].
        in_zero_point: of the input; also the value of padding.
        rescale: to the output.
    """

    window: Window
    in_channels: int
    out_channels: int
    weights: Int8Array
    bias: npt.NDArray[np.int64]
    in_zero_point: int
    rescale: Rescale


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution(Weighted):
    """CONV_2D, FULLY_CONNECTED (as a 1x1 convolution over its rows) and grouped convolutions.

    Attributes:
        weights: int8 [out_channels, kernel height, kernel width, in_channels / groups].
    """

    @property
    def groups(self) -> int:
        """Number of groups of input channels."""
        return self.in_channels // int(self.weights.shape[3])


@dataclass(frozen=True, eq=False, kw_only=True)
class Depthwise(Weighted):
    """DEPTHWISE_CONV_2D; output channel c reads input channel c // multiplier.

    Attributes:
        weights: int8 [kernel height, kernel width, out_channels].
    """

    @property
    def multiplier(self) -> int:
        """Output channels per input channel."""
        return self.out_channels // self.in_channels


@dataclass(frozen=True, eq=False, kw_only=True)
class TransposeConvolution(Weighted):
    """TRANSPOSE_CONV: input (y, x) spreads over outputs (y * stride - pad + tap); weights as in Convolution."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Table(Layer):
    """Any function of one int8 value: activations, QUANTIZE, and what a `Binary` makes with a constant scalar.

    Attributes:
        table: int8 [256], entry q + 128 is the output for q.
    """

    table: Int8Array


@dataclass(frozen=True)
class AddRule:
    """ADD or SUB of two int8 tensors: both are scaled to a common Q.20 grid, combined, and scaled to the output."""

    zero_points: tuple[int, int]
    multipliers: tuple[Multiplier, Multiplier]
    output: Multiplier
    out_zero_point: int
    low: int
    high: int
    subtract: bool = False


@dataclass(frozen=True)
class MulRule:
    """MUL of two int8 tensors."""

    zero_points: tuple[int, int]
    output: Multiplier
    out_zero_point: int
    low: int
    high: int


@dataclass(frozen=True)
class ExtremeRule:
    """MINIMUM or MAXIMUM of two int8 tensors of the same quantisation, as they are."""

    maximum: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Binary(Layer):
    """ADD, SUB, MUL, MINIMUM, MAXIMUM of two tensors with broadcasting.

    Attributes:
        rule: arithmetic.
        shape: of the output.
        shapes: of both operands, padded with leading ones to the output's rank.
        constant: (position, values) of an operand that is constant, else None.
    """

    rule: AddRule | MulRule | ExtremeRule
    shape: tuple[int, ...]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    constant: tuple[int, Int8Array] | None = None

    def strides(self, position: int) -> tuple[int, ...]:
        """Element strides of an operand over the output's axes; 0 where it is broadcast."""
        strides, step = [], 1
        for size in reversed(self.shapes[position]):
            strides.append(0 if size == 1 else step)
            step *= size
        return tuple(reversed(strides))


@dataclass(frozen=True, eq=False, kw_only=True)
class Mean(Layer):
    """MEAN over one run of neighbouring axes.

    Attributes:
        outer, count, inner: the input seen as [outer, count, inner], averaged over count.
        in_zero_point: of the input.
        rescale: of the sum; the division is part of its one multiplier.
    """

    outer: int
    count: int
    inner: int
    in_zero_point: int
    rescale: Rescale


@dataclass(frozen=True, eq=False, kw_only=True)
class Pool(Layer):
    """AVERAGE_POOL_2D and MAX_POOL_2D, REDUCE_MAX over its whole window; padding takes no part.

    Attributes:
        low, high: clamp.
    """

    window: Window
    channels: int
    average: bool
    low: int
    high: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Softmax(Layer):
    """SOFTMAX over the last axis.

    Attributes:
        rows, depth: the input seen as [rows, depth].
        exponentials: Q0.31 exp of -d * scale * beta for the differences d = 0, 1, ... to the largest value of the row
            that count; a larger difference gives the lowest output.
    """

    rows: int
    depth: int
    exponentials: tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pad(Layer):
    """PAD and PADV2 with a constant.

    Attributes:
        shape: of the input, padded with leading ones to rank 4.
        before, after: elements added per axis.
        value: int8 that is added.
    """

    shape: tuple[int, int, int, int]
    before: tuple[int, int, int, int]
    after: tuple[int, int, int, int]
    value: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Concatenation(Layer):
    """CONCATENATION of tensors of one quantisation.

    Attributes:
        outer: product of the sizes before the axis.
        chunks: contiguous bytes of each operand per outer step.
        constants: operand position -> its values, where an operand is constant.
    """

    outer: int
    chunks: tuple[int, ...]
    constants: dict[int, Int8Array] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Resize(Layer):
    """RESIZE_NEAREST_NEIGHBOR.

    Attributes:
        in_size: (height, width).
        rows, columns: input row of each output row, input column of each output column.
    """

    in_size: tuple[int, int]
    channels: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pick(Layer):
    """TRANSPOSE, STRIDED_SLICE and a part of SPLIT: output [i, j, ...] is input start + i * strides[0] + j * ...

    Attributes:
        start: element of the input.
        shape: of the output, with axes of size 1 that it may not have.
        strides: elements of the input between neighbours along each of these axes; of either sign.
    """

    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Alias(Layer):
    """RESHAPE, SQUEEZE, EXPAND_DIMS, a TRANSPOSE of axes of size 1: the same bytes under another shape."""


@dataclass(frozen=True, eq=False)
class Network:
    """A graph that can be run and rendered.

    Attributes:
        name, sha256: of the model.
        layers: in order of execution.
        ends: the int8 tensors that the device takes and answers, and what the file has in front and behind.
    """

    name: str
    sha256: str
    layers: tuple[Layer, ...]
    ends: Ends

    @property
    def input(self) -> Tensor:
        """What the device takes."""
        return self.ends.input

    @property
    def output(self) -> Tensor:
        """What the device answers."""
        return self.ends.output

    @property
    def macs(self) -> int:
        """Sum over the layers."""
        return sum(layer.macs for layer in self.layers)
