"""From the graph's operators to layers: which kernel, with which constants."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.quantise import Scale, fixed_point
from ecgseg.errors import GraphError
from ecgseg.graph.ir import Graph, Operator, Tensor

Array = npt.NDArray[Any]
_RELU, _RELU_N1_TO_1, _RELU6 = 1, 2, 3
# Above this a sum of products could leave 32 bits; below half of it, it can also be doubled.
_INT32 = 1 << 31
_LARGEST_PREPARED_SHIFT = 22


@dataclass(frozen=True)
class Layer:
    """One kernel call.

    Attributes:
        operator: the operator it computes.
        kernel: C function without its prefix, such as "conv".
        inputs: tensor indices of its activations.
        output: tensor index of its result.
        values: scalar fields of its C structure, by name; a dict is a nested structure.
        arrays: constant arrays by field name.
        structs: arrays of structures by field name: rows of ints.
        macs: multiplications of the nominal computation, padding included.
        scratch: bytes of scratch, 0 for none.
    """

    operator: Operator
    kernel: str
    inputs: tuple[int, ...]
    output: int
    values: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)
    structs: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    macs: int = 0
    scratch: int = 0


def where(operator: Operator) -> str:
    """How errors name an operator."""
    return f"Operator {operator.index} ({operator.name})"


def _unsupported(operator: Operator, why: str) -> GraphError:
    return GraphError(
        f"{where(operator)} is not supported: {why}",
        f"Supported operators: {', '.join(SUPPORTED)}.",
        "Change the model so that it uses these alone, full int8 with batch 1.",
    )


class Lowering:
    """Lowers one graph.

    Args:
        graph: a checked graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.alias: dict[int, int] = {}

    def layers(self) -> list[Layer]:
        """All kernel calls in order.

        Raises:
            GraphError: an operator, type or shape that is not supported.
        """
        result = []
        for operator in self.graph.operators:
            if operator.name in _VIEWS:
                self._view(operator)
            elif operator.name in _LOWERINGS:
                result.append(_LOWERINGS[operator.name](self, operator))
            else:
                raise self._unknown(operator)
        return result

    def storage(self, tensor: int) -> int:
        """The tensor whose memory a tensor uses: itself, or what it is a view of."""
        while tensor in self.alias:
            tensor = self.alias[tensor]
        return tensor

    def _unknown(self, operator: Operator) -> GraphError:
        if operator.name in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"):
            return GraphError(
                f"{where(operator)} is not supported.",
                "It is what the converter makes of a dilated convolution when the batch dimension is free;"
                " TensorFlow Lite Micro computes such a model wrongly without an error.",
                "Export the model with the batch dimension fixed to 1.",
            )
        return _unsupported(operator, "the operator is unknown to the code generator.")

    def _view(self, operator: Operator) -> None:
        source, result = self.activation(operator, 0), self.result(operator)
        if source.size != result.size or source.scales != result.scales:
            raise _unsupported(operator, "it changes the number of elements or the quantisation.")
        if source.zero_points != result.zero_points:
            raise _unsupported(operator, "it changes the quantisation.")
        self.alias[result.index] = source.index

    def activation(self, operator: Operator, position: int) -> Tensor:
        """An int8 input that is computed, not constant."""
        tensor = self._input(operator, position)
        if tensor.data is not None:
            raise _unsupported(operator, f"its input {position} is a constant.")
        self._quantised(operator, tensor)
        return tensor

    def _input(self, operator: Operator, position: int) -> Tensor:
        if position >= len(operator.inputs) or operator.inputs[position] < 0:
            raise _unsupported(operator, f"its input {position} is missing.")
        return self.graph.tensors[operator.inputs[position]]

    def result(self, operator: Operator) -> Tensor:
        """The single int8 output."""
        if len(operator.outputs) != 1:
            raise _unsupported(operator, f"it has {len(operator.outputs)} outputs.")
        tensor = self.graph.tensors[operator.outputs[0]]
        self._quantised(operator, tensor)
        return tensor

    @staticmethod
    def _quantised(operator: Operator, tensor: Tensor) -> None:
        if tensor.dtype != "int8" or len(tensor.scales) != 1:
            raise _unsupported(operator, f"tensor {tensor.index} is {tensor.dtype} with {len(tensor.scales)} scales.")

    def weights(self, operator: Operator, dimensions: int) -> Tensor:
        """Constant int8 weights with symmetric quantisation."""
        tensor = self._input(operator, 1)
        if tensor.data is None or tensor.dtype != "int8" or not tensor.scales:
            raise _unsupported(operator, "its weights are not constant int8 with scales.")
        if any(tensor.zero_points) or len(tensor.shape) != dimensions:
            raise _unsupported(operator, f"its weights have shape {list(tensor.shape)} or a zero point other than 0.")
        return tensor

    def bias(self, operator: Operator, channels: int) -> npt.NDArray[np.int64]:
        """Bias int64 [channels]; zeros when there is none."""
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return np.zeros(channels, dtype=np.int64)
        tensor = self.graph.tensors[operator.inputs[2]]
        if tensor.data is None or tensor.dtype != "int32" or tensor.size != channels:
            raise _unsupported(operator, f"its bias is not constant int32 [{channels}].")
        return tensor.data.reshape(-1).astype(np.int64)


def _option(operator: Operator, name: str, default: int = 0) -> int:
    return int(operator.options.get(name, default))


def activation_range(operator: Operator, result: Tensor) -> tuple[int, int]:
    """Clamp of the fused activation, in quantised units."""
    kind = _option(operator, "fused_activation_function")

    def quantised(value: float) -> int:
        scaled = np.float32(value) / np.float32(result.scale)
        return result.zero_point + int(math.copysign(math.floor(abs(float(scaled)) + 0.5), value))

    bounds = {0: (-128, 127), _RELU: (quantised(0.0), 127), _RELU6: (quantised(0.0), quantised(6.0))}
    bounds[_RELU_N1_TO_1] = (quantised(-1.0), quantised(1.0))
    if kind not in bounds:
        raise _unsupported(operator, f"fused activation number {kind}.")
    low, high = bounds[kind]
    return min(max(-128, low), 127), max(min(127, high), -128)


def window(
    operator: Operator, source: Tensor, result: Tensor, kernel: tuple[int, int], dilated: bool
) -> dict[str, int]:
    """Geometry of a sliding window, checked against the output's shape."""
    if len(source.shape) != 4 or len(result.shape) != 4 or source.shape[0] != 1 or result.shape[0] != 1:
        raise _unsupported(operator, f"shapes {list(source.shape)} to {list(result.shape)} are not [1, H, W, C].")
    stride = (_option(operator, "stride_h", 1), _option(operator, "stride_w", 1))
    dilation = (1, 1)
    if dilated:
        dilation = (_option(operator, "dilation_h_factor", 1), _option(operator, "dilation_w_factor", 1))
    if min(*stride, *dilation) < 1 or max(stride) > 255:
        raise _unsupported(operator, f"stride {stride}, dilation {dilation}.")
    padding = _option(operator, "padding")
    pads = []
    for axis in (0, 1):
        size, out = source.shape[1 + axis], result.shape[1 + axis]
        extent = (kernel[axis] - 1) * dilation[axis] + 1
        expected = -(-size // stride[axis]) if padding == 0 else (size - extent) // stride[axis] + 1
        if padding not in (0, 1) or expected != out or expected < 1:
            raise _unsupported(operator, f"its output shape {list(result.shape)} does not follow from its input.")
        pads.append(max((out - 1) * stride[axis] + extent - size, 0) // 2 if padding == 0 else 0)
    return {
        "in_height": source.shape[1],
        "in_width": source.shape[2],
        "in_channels": source.shape[3],
        "out_height": result.shape[1],
        "out_width": result.shape[2],
        "out_channels": result.shape[3],
        "kernel_height": kernel[0],
        "kernel_width": kernel[1],
        "stride_height": stride[0],
        "stride_width": stride[1],
        "dilation_height": dilation[0],
        "dilation_width": dilation[1],
        "pad_top": pads[0],
        "pad_left": pads[1],
    }


def _channel_scales(operator: Operator, source: Tensor, weights: Tensor, result: Tensor, channels: int) -> list[Scale]:
    scales = weights.scales if len(weights.scales) > 1 else weights.scales * channels
    if len(scales) != channels:
        raise _unsupported(operator, f"{len(scales)} weight scales for {channels} channels.")
    return [fixed_point(float(source.scale) * scale / float(result.scale)) for scale in scales]


def _check_range(operator: Operator, bound: npt.NDArray[np.int64], scales: list[Scale]) -> None:
    left = np.array([max(0, -scale.shift) for scale in scales])
    if np.any(bound * (1 << np.minimum(left, 31)) >= _INT32) or np.any(left > 30):
        raise _unsupported(operator, "its sums could leave 32 bits.")


def _prepared(bound: npt.NDArray[np.int64], scales: list[Scale]) -> bool:
    fits = all(1 <= scale.shift <= _LARGEST_PREPARED_SHIFT for scale in scales)
    return fits and bool(np.all(2 * bound < _INT32))


def pack_weights(rows: npt.NDArray[np.int8]) -> npt.NDArray[np.int16]:
    """Weights in the order of firmware/engine/ecgseg_mac.h.

    Args:
        rows: int8 [channels, taps].

    Returns:
        int16 [channel pairs, groups, 2, 4]; missing channels and taps are zero.
    """
    channels, taps = rows.shape
    groups = -(-taps // 4)
    padded = np.zeros((channels + channels % 2, 4 * groups), dtype=np.int16)
    padded[:channels, :taps] = rows
    grouped = padded.reshape(-1, 2, groups, 4)[..., [0, 2, 1, 3]]
    return np.ascontiguousarray(grouped.transpose(0, 2, 1, 3))


def _matrix_layer(
    lowering: Lowering,
    operator: Operator,
    source: Tensor,
    weights: Tensor,
    result: Tensor,
    geometry: dict[str, int],
) -> Layer:
    """A convolution or a fully connected layer: one row of weights per output channel."""
    channels = weights.shape[0]
    assert weights.data is not None
    rows = weights.data.reshape(channels, -1)
    totals = rows.astype(np.int64).sum(axis=1)
    bias = lowering.bias(operator, channels) - source.zero_point * totals
    bound = np.abs(bias) + 128 * np.abs(rows.astype(np.int64)).sum(axis=1)
    scales = _channel_scales(operator, source, weights, result, channels)
    _check_range(operator, bound, scales)
    prepared = _prepared(bound, scales)
    even = channels + channels % 2
    groups = -(-rows.shape[1] // 4)
    # Doubled sums save the device an instruction per output (requantise_prepared in firmware/engine/ecgseg_conv.c).
    factor = 2 if prepared else 1
    low, high = activation_range(operator, result)
    zero = result.zero_point
    return Layer(
        operator,
        "conv",
        (source.index,),
        result.index,
        {
            "window": geometry,
            "groups": groups,
            "input_zero_point": source.zero_point,
            "output_zero_point": zero,
            "activation_min": low,
            "activation_max": high,
            "prepared": int(prepared),
        },
        {
            "weights": factor * pack_weights(rows),
            "bias": np.pad(factor * bias, (0, even - channels)).astype(np.int32),
        },
        {
            "channels": [
                (scale.multiplier, scale.shift, (1 << (scale.shift - 1)) + (zero << scale.shift) if prepared else 0)
                for scale in scales
            ]
        },
        macs=geometry["out_height"] * geometry["out_width"] * rows.size,
        scratch=20 * groups + 8 * even,
    )


def _conv(lowering: Lowering, operator: Operator) -> Layer:
    source, result = lowering.activation(operator, 0), lowering.result(operator)
    weights = lowering.weights(operator, 4)
    geometry = window(operator, source, result, (weights.shape[1], weights.shape[2]), dilated=True)
    if weights.shape[3] != source.shape[3] or weights.shape[0] != result.shape[3]:
        raise _unsupported(operator, f"weights {list(weights.shape)} (a grouped convolution?).")
    return _matrix_layer(lowering, operator, source, weights, result, geometry)


def _fully_connected(lowering: Lowering, operator: Operator) -> Layer:
    source, result = lowering.activation(operator, 0), lowering.result(operator)
    weights = lowering.weights(operator, 2)
    outputs, inputs = weights.shape
    rows = source.size // inputs
    if rows * inputs != source.size or rows * outputs != result.size:
        raise _unsupported(operator, f"weights {list(weights.shape)} for input {list(source.shape)}.")
    geometry = dict.fromkeys(
        ("in_height", "out_height", "kernel_height", "kernel_width", "stride_height", "stride_width"), 1
    )
    geometry |= {"dilation_height": 1, "dilation_width": 1, "pad_top": 0, "pad_left": 0}
    geometry |= {"in_width": rows, "out_width": rows, "in_channels": inputs, "out_channels": outputs}
    return _matrix_layer(lowering, operator, source, weights, result, geometry)


def _depthwise(lowering: Lowering, operator: Operator) -> Layer:
    source, result = lowering.activation(operator, 0), lowering.result(operator)
    weights = lowering.weights(operator, 4)
    geometry = window(operator, source, result, (weights.shape[1], weights.shape[2]), dilated=True)
    channels = result.shape[3]
    multiplier = channels // source.shape[3]
    if weights.shape[0] != 1 or weights.shape[3] != channels or multiplier * source.shape[3] != channels:
        raise _unsupported(operator, f"weights {list(weights.shape)} for {source.shape[3]} input channels.")
    assert weights.data is not None
    bias = lowering.bias(operator, channels)
    bound = np.abs(bias) + 255 * np.abs(weights.data.astype(np.int64)).sum(axis=(0, 1, 2))
    scales = _channel_scales(operator, source, weights, result, channels)
    _check_range(operator, bound, scales)
    low, high = activation_range(operator, result)
    return Layer(
        operator,
        "depthwise",
        (source.index,),
        result.index,
        {
            "window": geometry,
            "depth_multiplier": multiplier,
            "input_zero_point": source.zero_point,
            "output_zero_point": result.zero_point,
            "activation_min": low,
            "activation_max": high,
        },
        {"weights": weights.data, "bias": bias.astype(np.int32)},
        {"scales": [(scale.multiplier, scale.shift) for scale in scales]},
        macs=result.size * weights.shape[1] * weights.shape[2],
    )


def _add(lowering: Lowering, operator: Operator) -> Layer:
    a, b, result = lowering.activation(operator, 0), lowering.activation(operator, 1), lowering.result(operator)
    if not a.shape == b.shape == result.shape:
        raise _unsupported(operator, f"shapes {list(a.shape)} and {list(b.shape)} differ (broadcasting).")
    scale_a, scale_b, scale_out = float(a.scale), float(b.scale), float(result.scale)
    twice = 2.0 * max(scale_a, scale_b)
    scales = [fixed_point(real) for real in (scale_a / twice, scale_b / twice, twice / ((1 << 20) * scale_out))]
    if any(scale.shift < 0 for scale in scales):
        raise _unsupported(operator, "its output scale is far too small for its inputs.")
    low, high = activation_range(operator, result)
    names = ("scale_a", "scale_b", "scale_out")
    return Layer(
        operator,
        "add",
        (a.index, b.index),
        result.index,
        {
            "count": result.size,
            "offset_a": -a.zero_point,
            "offset_b": -b.zero_point,
            **{name: {"multiplier": s.multiplier, "shift": s.shift} for name, s in zip(names, scales, strict=True)},
            "output_zero_point": result.zero_point,
            "activation_min": low,
            "activation_max": high,
        },
    )


_VIEWS = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
_LOWERINGS: dict[str, Callable[[Lowering, Operator], Layer]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _add,
}
SUPPORTED = (*sorted(_LOWERINGS), *_VIEWS)
