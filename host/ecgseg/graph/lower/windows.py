"""Operators with a sliding window: convolutions, fully connected, transposed convolution, pooling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.ir import Tensor
from ecgseg.graph.layers import Convolution, Depthwise, Int8Array, Pool, Rescale, TransposeConvolution, Window
from ecgseg.graph.lower.context import Context
from ecgseg.graph.refusals import unsupported

_SAME, _VALID = 0, 1
MAX_WINDOW = 1 << 12


def _window(context: Context, in_size: tuple[int, int], kernel: tuple[int, int], dilated: bool) -> Window:
    option = context.option
    stride = (int(option("stride_h")), int(option("stride_w")))
    dilation = (int(option("dilation_h_factor")), int(option("dilation_w_factor"))) if dilated else (1, 1)
    if not all(1 <= value <= MAX_WINDOW for value in (*stride, *dilation, *kernel)):
        raise unsupported(
            context.operator,
            f"Kernel {kernel}, stride {stride}, dilation {dilation}",
            f"kernel, stride and dilation from 1 to {MAX_WINDOW}",
        )
    axes = [_axis(context, *values) for values in zip(in_size, kernel, stride, dilation, strict=True)]
    return Window(in_size, kernel, stride, dilation, (axes[0][0], axes[1][0]), (axes[0][1], axes[1][1]))


def _axis(context: Context, size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """(padding before, output size) of one axis, by TensorFlow's rules for SAME and VALID."""
    reach = (kernel - 1) * dilation + 1
    padding = context.option("padding")
    if padding == _SAME:
        out = -(-size // stride)
        return max((out - 1) * stride + reach - size, 0) // 2, out
    if padding == _VALID:
        out = (size + stride - reach) // stride
        if out < 1:
            raise unsupported(context.operator, f"A window of {reach} over {size} inputs", "windows inside the input")
        return 0, out
    raise unsupported(context.operator, f"Padding scheme {padding}", "SAME and VALID")


def _weights(
    context: Context, position: int, rank: int, channel_axis: int
) -> tuple[Int8Array, npt.NDArray[np.float32]]:
    """Weights and their scales, one per output channel."""
    tensor = context.tensor(position)
    weights = context.constant(position, ("int8",), "weights")
    if weights.ndim != rank:
        raise unsupported(context.operator, f"Weights of shape {list(weights.shape)}", f"weights of rank {rank}")
    channels = int(weights.shape[channel_axis])
    if len(tensor.scales) not in (1, channels) or any(tensor.zero_points):
        raise unsupported(
            context.operator,
            f"The weights have {len(tensor.scales)} scales for {channels} channels, or a zero point other than 0",
            "symmetric int8 weights with one scale or one per output channel",
        )
    if len(tensor.scales) > 1 and tensor.quantised_dimension != channel_axis:
        raise unsupported(
            context.operator,
            f"The weights are quantised along axis {tensor.quantised_dimension}",
            f"per-channel weights along axis {channel_axis}",
        )
    scales = np.broadcast_to(np.array(tensor.scales, np.float32), (channels,))
    return weights, scales


def _bias(context: Context, position: int, channels: int) -> npt.NDArray[np.int64]:
    if not context.has(position):
        return np.zeros(channels, np.int64)
    bias = context.constant(position, ("int32",), "bias")
    if bias.size != channels:
        raise unsupported(context.operator, f"A bias of {bias.size} for {channels} channels", "one bias per channel")
    return bias.reshape(-1).astype(np.int64)


def _multipliers(
    context: Context, source: Tensor, scales: npt.NDArray[np.float32], output: Tensor
) -> tuple[Multiplier, ...]:
    factors = [float(source.scale) * float(scale) / float(output.scale) for scale in scales]
    return _checked(context, tuple(Multiplier.of(factor) for factor in factors))


def _checked(context: Context, multipliers: tuple[Multiplier, ...]) -> tuple[Multiplier, ...]:
    if any(multiplier.shift > 7 for multiplier in multipliers):
        raise unsupported(
            context.operator,
            "An output step is more than 128 times finer than input step times weight step",
            "input scale * weight scale / output scale below 128",
        )
    return multipliers


def check_accumulator(
    context: Context,
    weights: npt.NDArray[np.int64],
    bias: npt.NDArray[np.int64],
    multipliers: tuple[Multiplier, ...],
) -> None:
    """Proves that no accumulator leaves 32 bits, not even after the left shift of a multiplier above 1.

    The bound also covers kernels that sum the inputs as they are and put the zero point into the bias.

    Args:
        context: for the message.
        weights: int64 [out channels, everything that is summed].
        bias, multipliers: per output channel.
    """
    worst = np.abs(weights).sum(axis=1) * 256 + np.abs(bias)
    room = np.array([(1 << 31) >> max(multiplier.shift, 0) for multiplier in multipliers], np.int64)
    if np.any(worst >= room):
        channel = int(np.argmax(worst - room))
        raise unsupported(
            context.operator,
            f"The accumulator of output channel {channel} can reach {int(worst[channel])}, which overflows 32 bits "
            "together with its multiplier",
            "weights and biases whose worst case stays inside 32 bits",
        )


def _sums(
    context: Context,
    position: int,
    weights: Int8Array,
    scales: npt.NDArray[np.float32],
    source: Tensor,
    output: Tensor,
) -> tuple[npt.NDArray[np.int64], Rescale]:
    """Bias (input `position`) and way to the output of sums over `weights` [out channels, everything summed]."""
    bias = _bias(context, position, len(weights))
    multipliers = _multipliers(context, source, scales, output)
    check_accumulator(context, weights.astype(np.int64), bias, multipliers)
    return bias, Rescale(multipliers, output.zero_point, *context.clamp(output))


def convolution(context: Context) -> Convolution:
    """CONV_2D."""
    context.arity((2, 3))
    source, output = context.activation(), context.output()
    weights, scales = _weights(context, 1, 4, 0)
    _, height, width, channels = context.shape4(source, "input")
    out_channels, kernel_h, kernel_w, depth = (int(size) for size in weights.shape)
    if channels % depth or out_channels % (channels // depth):
        raise unsupported(
            context.operator,
            f"{channels} input channels, {out_channels} output channels, weights over {depth} channels",
            "weights over all input channels, or over whole groups of them",
        )
    window = _window(context, (height, width), (kernel_h, kernel_w), dilated=True)
    context.expect_shape(output, (1, *window.out_size, out_channels))
    bias, rescale = _sums(context, 2, weights.reshape(out_channels, -1), scales, source, output)
    return Convolution(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        macs=output.size * kernel_h * kernel_w * depth,
        window=window,
        in_channels=channels,
        out_channels=out_channels,
        weights=weights,
        bias=bias,
        in_zero_point=source.zero_point,
        rescale=rescale,
    )


def fully_connected(context: Context) -> Convolution:
    """FULLY_CONNECTED, as a 1x1 convolution over rows of the input."""
    context.arity((2, 3))
    source, output = context.activation(), context.output()
    weights, scales = _weights(context, 1, 2, 0)
    if context.option("weights_format") != 0:
        raise unsupported(context.operator, "Shuffled weights", "the default weights format")
    out_channels, depth = (int(size) for size in weights.shape)
    rows = source.size // depth
    if rows * depth != source.size or output.size != rows * out_channels or output.shape[-1:] != (out_channels,):
        raise unsupported(
            context.operator,
            f"Input {list(source.shape)}, weights {list(weights.shape)}, output {list(output.shape)}",
            "input [rows, depth], weights [units, depth], output [rows, units]",
        )
    if len(context.tensor(1).scales) == 1:
        _check_bias_scale(context, source, output)
    bias, rescale = _sums(context, 2, weights, scales, source, output)
    return Convolution(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        macs=output.size * depth,
        window=Window((1, rows), (1, 1), (1, 1), (1, 1), (0, 0), (1, rows)),
        in_channels=depth,
        out_channels=out_channels,
        weights=weights.reshape(out_channels, 1, 1, depth),
        bias=bias,
        in_zero_point=source.zero_point,
        rescale=rescale,
    )


def _check_bias_scale(context: Context, source: Tensor, output: Tensor) -> None:
    """The limit that TensorFlow Lite Micro itself puts on the scale of a fully connected bias."""
    if not context.has(2) or not context.tensor(2).scales:
        return
    product = float(source.scale) * float(context.tensor(1).scale)
    if abs(product - float(context.tensor(2).scale)) / float(output.scale) > 0.02:
        raise unsupported(
            context.operator, "The bias has another scale than input times weights", "bias scale = input * weight scale"
        )


def depthwise(context: Context) -> Depthwise:
    """DEPTHWISE_CONV_2D."""
    context.arity((2, 3))
    source, output = context.activation(), context.output()
    weights, scales = _weights(context, 1, 4, 3)
    _, height, width, channels = context.shape4(source, "input")
    one, kernel_h, kernel_w, out_channels = (int(size) for size in weights.shape)
    multiplier = int(context.option("depth_multiplier"))
    if one != 1 or out_channels != channels * multiplier:
        raise unsupported(
            context.operator,
            f"{channels} input channels, depth multiplier {multiplier}, weights {list(weights.shape)}",
            "weights [1, height, width, input channels * depth multiplier]",
        )
    window = _window(context, (height, width), (kernel_h, kernel_w), dilated=True)
    context.expect_shape(output, (1, *window.out_size, out_channels))
    bias, rescale = _sums(context, 2, weights.reshape(-1, out_channels).T, scales, source, output)
    return Depthwise(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        macs=output.size * kernel_h * kernel_w,
        window=window,
        in_channels=channels,
        out_channels=out_channels,
        weights=weights[0],
        bias=bias,
        in_zero_point=source.zero_point,
        rescale=rescale,
    )


def transpose_convolution(context: Context) -> TransposeConvolution:
    """TRANSPOSE_CONV; its inputs are output shape, weights, input and an optional bias."""
    context.arity((3, 4))
    shape = context.constant(0, ("int32",), "output shape")
    source, output = context.activation(2), context.output()
    weights, scales = _weights(context, 1, 4, 0)
    _, height, width, channels = context.shape4(source, "input")
    _, out_height, out_width, _ = context.shape4(output, "output")
    out_channels, kernel_h, kernel_w, depth = (int(size) for size in weights.shape)
    if depth != channels or tuple(int(size) for size in shape.reshape(-1)) != output.shape:
        raise unsupported(
            context.operator,
            f"{channels} input channels, weights {list(weights.shape)}, output shape {shape.reshape(-1).tolist()}",
            "weights over all input channels, and an output shape that is the output's",
        )
    # The geometry is that of the convolution that runs from the output back to the input.
    window = _window(context, (out_height, out_width), (kernel_h, kernel_w), dilated=False)
    context.expect_shape(output, (1, out_height, out_width, out_channels))
    if window.out_size != (height, width):
        raise unsupported(
            context.operator,
            f"Input {height}x{width}, output {out_height}x{out_width}, stride {window.stride} do not belong together",
            "shapes that a convolution of that stride and padding would give, the other way round",
        )
    bias, rescale = _sums(context, 3, weights.reshape(out_channels, -1), scales, source, output)
    return TransposeConvolution(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        macs=height * width * kernel_h * kernel_w * channels * out_channels,
        window=Window((height, width), window.kernel, window.stride, (1, 1), window.pad, (out_height, out_width)),
        in_channels=channels,
        out_channels=out_channels,
        weights=weights,
        bias=bias,
        in_zero_point=source.zero_point,
        rescale=rescale,
    )


def pool(context: Context) -> Pool:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
    context.arity((1,))
    source, output = context.activation(), context.output()
    context.same_quantisation(source, output)
    _, height, width, channels = context.shape4(source, "input")
    kernel = (int(context.option("filter_height")), int(context.option("filter_width")))
    window = _window(context, (height, width), kernel, dilated=False)
    context.expect_shape(output, (1, *window.out_size, channels))
    low, high = context.clamp(output)
    return Pool(
        name=context.operator.name,
        operator=context.operator.index,
        inputs=(source.index,),
        output=output.index,
        output_size=output.size,
        macs=0,
        window=window,
        channels=channels,
        average=context.operator.name == "AVERAGE_POOL_2D",
        low=low,
        high=high,
    )
