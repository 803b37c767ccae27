"""From layers to kernel calls: which kernel of firmware/engine computes a layer, with which constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.codegen import phases
from ecgseg.codegen.packing import conv_stream, depthwise_words
from ecgseg.codegen.reform import depthwise_as_convolution, transpose_as_convolution
from ecgseg.errors import GraphError
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.layers import (
    AddRule,
    Binary,
    Concatenation,
    Convolution,
    Depthwise,
    ExtremeRule,
    Layer,
    Mean,
    Pad,
    Pool,
    Rescale,
    Resize,
    Softmax,
    Table,
    TransposeConvolution,
    Window,
)

Array = npt.NDArray[Any]
_INT32 = 1 << 31
# Largest shift for which half a step and the zero point, shifted, leave room beside a 30-bit product.
_LARGEST_FINISHED_SHIFT = 22
_LARGEST_SIDE = 0xFFFF
_STRUCT_BYTES = {"ecgseg_scale_t": 8, "ecgseg_channel_t": 12, "ecgseg_phases_channel_t": 24}


@dataclass(frozen=True)
class Operand:
    """An input of a kernel: a computed tensor, or a constant array of the kernel by its name."""

    tensor: int | None
    constant: str = ""


@dataclass(frozen=True)
class Kernel:
    """One kernel call.

    Attributes:
        layer: what it computes.
        function: C function without its prefix, such as "conv".
        operands: its activations.
        values: scalar fields of its C structure, by name; a dict is a nested structure, a list an array.
        arrays: constant arrays by field name.
        structs: arrays of structures by field name: the C type and rows of ints.
        loose: constant arrays that are no field.
        scratch: words of scratch, 0 for none.
        overwrites: tensors at whose very place the output may lie, because every byte is read before it is replaced.
        form: the layer as the kernel computes it: another one that gives the same bytes, or `layer` itself.
    """

    layer: Layer
    function: str
    operands: tuple[Operand, ...]
    values: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)
    structs: dict[str, tuple[str, list[tuple[int, ...]]]] = field(default_factory=dict)
    loose: dict[str, Array] = field(default_factory=dict)
    scratch: int = 0
    overwrites: tuple[int, ...] = ()
    form: Layer | None = None

    @property
    def constant_bytes(self) -> int:
        """Bytes of weights and tables in flash."""
        arrays = sum(array.nbytes for part in (self.arrays, self.loose) for array in part.values())
        return arrays + sum(_STRUCT_BYTES[kind] * len(rows) for kind, rows in self.structs.values())


def kernel_of(layer: Layer) -> Kernel:
    """The kernel of a layer.

    Raises:
        GraphError: the layer is valid but outside of what the kernels can hold.
    """
    return _KERNELS[type(layer)](layer)


def refuse(layer: Layer, why: str, supported: str) -> GraphError:
    """The error for a layer that no kernel holds."""
    return GraphError(
        f"{layer.name} (operator {layer.operator}) is not supported as it stands.",
        f"{why}.",
        f"Supported: {supported}.",
    )


def _scale(multiplier: Multiplier) -> dict[str, int]:
    return {"multiplier": multiplier.mantissa, "shift": -multiplier.shift}


def _scales(multipliers: Sequence[Multiplier]) -> tuple[str, list[tuple[int, ...]]]:
    return "ecgseg_scale_t", [(multiplier.mantissa, -multiplier.shift) for multiplier in multipliers]


def _own(layer: Layer) -> tuple[Operand, ...]:
    return tuple(Operand(tensor) for tensor in layer.inputs)


def _window(layer: Layer, window: Window, channels: tuple[int, int]) -> dict[str, int]:
    values = {"in_channels": channels[0], "out_channels": channels[1]}
    for name, pair in (
        ("in", window.in_size),
        ("out", window.out_size),
        ("kernel", window.kernel),
        ("stride", window.stride),
        ("dilation", window.dilation),
    ):
        values[f"{name}_height"], values[f"{name}_width"] = pair
    values["pad_top"], values["pad_left"] = window.pad
    if max(abs(value) for value in values.values()) > _LARGEST_SIDE:
        raise refuse(layer, "A size is above 65535", "sizes up to 65535")
    return values


def _output(rescale: Rescale) -> dict[str, int]:
    return {
        "output_zero_point": rescale.zero_point,
        "activation_min": rescale.low,
        "activation_max": rescale.high,
    }


def _folded_bias(layer: Layer, rows: Array, bias: Array, zero_point: int) -> tuple[Array, Array]:
    """(bias with the zero point in it, largest absolute sum per channel) for rows [channels, taps]."""
    wide = rows.astype(np.int64)
    folded = bias - zero_point * wide.sum(axis=1)
    bound = np.abs(folded) + 128 * np.abs(wide).sum(axis=1)
    if np.any(bound >= _INT32):
        raise refuse(layer, "Its sums could leave 32 bits", "weights and biases whose worst case stays inside 32 bits")
    return folded, bound


def _may_finish(rescale: Rescale, bound: Array) -> bool:
    """Whether doubled sums and the short form of requantisation are exact."""
    shifts = [-multiplier.shift for multiplier in rescale.multipliers]
    return all(1 <= shift <= _LARGEST_FINISHED_SHIFT for shift in shifts) and bool(np.all(2 * bound < _INT32))


def _channels(rescale: Rescale) -> list[tuple[int, int, int]]:
    """(multiplier, rounding, shift) per channel; see ecgseg_channel_t."""
    zero = rescale.zero_point
    shifts = [-multiplier.shift for multiplier in rescale.multipliers]
    return [
        (multiplier.mantissa, (1 << (shift - 1)) + (zero << shift), shift)
        for multiplier, shift in zip(rescale.multipliers, shifts, strict=True)
    ]


def _dense(layer: Convolution) -> Array:
    """Weights [out_channels, taps] over all input channels; those of other groups are zero."""
    if layer.groups == 1:
        return layer.weights.reshape(layer.out_channels, -1)
    depth, per_group = layer.weights.shape[3], layer.out_channels // layer.groups
    dense = np.zeros((*layer.weights.shape[:3], layer.in_channels), np.int8)
    for channel in range(layer.out_channels):
        start = channel // per_group * depth
        dense[channel, :, :, start : start + depth] = layer.weights[channel]
    return dense.reshape(layer.out_channels, -1)


def _convolution(layer: Convolution) -> Kernel:
    prepared = phases.prepare(layer)
    if prepared is not None:
        return _phases(layer, prepared)
    rows = _dense(layer)
    folded, bound = _folded_bias(layer, rows, layer.bias, layer.in_zero_point)
    full = (layer.rescale.low, layer.rescale.high) == (-128, 127)
    finished = full and layer.out_channels % 2 == 0 and _may_finish(layer.rescale, bound)
    groups = -(-rows.shape[1] // 4)
    window = layer.window
    single = window.kernel == (1, 1) and window.stride == (1, 1) and window.pad == (0, 0)
    return Kernel(
        layer,
        "conv",
        _own(layer),
        {
            "window": _window(layer, window, (layer.in_channels, layer.out_channels)),
            "groups": groups,
            "finished": int(finished),
            "input_zero_point": layer.in_zero_point,
            **_output(layer.rescale),
        },
        {"stream": conv_stream(rows, folded, _channels(layer.rescale) if finished else None)},
        {} if finished else {"scales": _scales(layer.rescale.multipliers)},
        scratch=5 * groups + (0 if finished else 2 * (layer.out_channels + layer.out_channels % 2)),
        overwrites=layer.inputs if single and layer.out_channels <= layer.in_channels else (),
    )


def _phases(layer: Convolution, prepared: phases.PhasesLayer) -> Kernel:
    """A convolution along time with stride 1, four multiplications an instruction."""
    names = ("in_length", "in_channels", "out_length", "out_channels", "dilation", "pad")
    values = {name: getattr(prepared, name) for name in names}
    if max(values.values()) > _LARGEST_SIDE // 2:
        raise refuse(layer, "A size is above 32767", "sizes up to 32767")
    channels: list[tuple[int, ...]] = [(*channel, 0) for channel in prepared.channels]
    return Kernel(
        layer,
        "phases",
        _own(layer),
        {**values, "input_zero_point": layer.in_zero_point, "form": f"&{prepared.form}"},
        {"weights": prepared.weights},
        {"channels": ("ecgseg_phases_channel_t", channels)},
        scratch=prepared.scratch_bytes // 4,
        overwrites=layer.inputs if prepared.in_place else (),
    )


def _depthwise(layer: Depthwise) -> Kernel:
    form = depthwise_as_convolution(layer)
    if form is not None:
        return replace(_convolution(form), layer=layer, form=form)
    rows = layer.weights.reshape(-1, layer.out_channels).T
    folded, bound = _folded_bias(layer, rows, layer.bias, layer.in_zero_point)
    values: dict[str, Any] = {
        "window": _window(layer, layer.window, (layer.in_channels, layer.out_channels)),
        "multiplier": layer.multiplier,
        "input_zero_point": layer.in_zero_point,
        **_output(layer.rescale),
    }
    if layer.multiplier == 1 and layer.out_channels % 4 == 0 and _may_finish(layer.rescale, bound):
        arrays: dict[str, Array] = {"packed": depthwise_words(rows), "bias": (2 * folded).astype(np.int32)}
        channels: list[tuple[int, ...]] = list(_channels(layer.rescale))
        return Kernel(layer, "depthwise", _own(layer), values, arrays, {"channels": ("ecgseg_channel_t", channels)})
    plain: dict[str, Array] = {"weights": layer.weights, "bias": folded.astype(np.int32)}
    return Kernel(layer, "depthwise", _own(layer), values, plain, {"scales": _scales(layer.rescale.multipliers)})


def _transpose_convolution(layer: TransposeConvolution) -> Kernel:
    form = transpose_as_convolution(layer)
    if form is not None:
        return replace(_convolution(form), layer=layer, form=form)
    return Kernel(
        layer,
        "transpose_conv",
        _own(layer),
        {
            "window": _window(layer, layer.window, (layer.in_channels, layer.out_channels)),
            "input_zero_point": layer.in_zero_point,
            **_output(layer.rescale),
        },
        {"weights": layer.weights, "bias": layer.bias.astype(np.int32)},
        {"scales": _scales(layer.rescale.multipliers)},
    )


def _table(layer: Table) -> Kernel:
    return Kernel(
        layer, "table", _own(layer), {"count": layer.output_size}, {"table": layer.table}, overwrites=layer.inputs
    )


def merge_axes(shape: Sequence[int], strides: tuple[Sequence[int], Sequence[int]]) -> list[tuple[int, int, int]]:
    """Axes (size, stride of a, stride of b) without those of size 1, neighbours joined where both operands allow."""
    axes: list[tuple[int, int, int]] = []
    for size, a, b in zip(shape, *strides, strict=True):
        if size == 1:
            continue
        if axes and axes[-1][1] == a * size and axes[-1][2] == b * size:
            axes[-1] = (axes[-1][0] * size, a, b)
        else:
            axes.append((size, a, b))
    return axes


def _arithmetic(layer: Binary) -> dict[str, Any]:
    rule = layer.rule
    if isinstance(rule, ExtremeRule):
        return {"kind": "ECGSEG_MAXIMUM" if rule.maximum else "ECGSEG_MINIMUM"}
    # |sum| on the common grid stays below 2^28, a product below 2^16; a shift to the left must stay inside 32 bits.
    reach = 1 << 28 if isinstance(rule, AddRule) else 1 << 16
    if reach << max(rule.output.shift, 0) >= _INT32:
        raise refuse(layer, "Its output scale is far too small for its inputs", "scales of the same order of magnitude")
    values: dict[str, Any] = {
        "kind": "ECGSEG_ADD" if isinstance(rule, AddRule) else "ECGSEG_MUL",
        "zero_point_a": rule.zero_points[0],
        "zero_point_b": rule.zero_points[1],
        "scale_out": _scale(rule.output),
        "small": int(rule.output.shift <= 0),
        "output_zero_point": rule.out_zero_point,
        "activation_min": rule.low,
        "activation_max": rule.high,
    }
    if isinstance(rule, AddRule):
        values |= {"scale_a": _scale(rule.multipliers[0]), "scale_b": _scale(rule.multipliers[1])}
    return values


def _binary(layer: Binary) -> Kernel:
    axes = merge_axes(layer.shape, (layer.strides(0), layer.strides(1)))
    if len(axes) > 4:
        raise refuse(layer, f"Broadcasting over {len(axes)} separate axes", "at most 4 axes")
    axes = [(1, 0, 0)] * (4 - len(axes)) + axes
    operands = list(_own(layer))
    loose = {}
    if layer.constant is not None:
        operands.insert(layer.constant[0], Operand(None, "constant"))
        loose["constant"] = layer.constant[1].reshape(-1)
    whole = [operands[i].tensor for i in (0, 1) if np.prod(layer.shapes[i]) == layer.output_size]
    # An operand that is broadcast must not be the one that is overwritten, also not under two names.
    spread = {operands[i].tensor for i in (0, 1) if np.prod(layer.shapes[i]) != layer.output_size}
    values = {
        "shape": [axis[0] for axis in axes],
        "stride_a": [axis[1] for axis in axes],
        "stride_b": [axis[2] for axis in axes],
        "across": int(axes[2][0] > 1 and 0 in axes[2][1:]),
        **_arithmetic(layer),
    }
    overwrites = tuple(tensor for tensor in whole if tensor is not None and tensor not in spread)
    return Kernel(layer, "binary", tuple(operands), values, loose=loose, overwrites=overwrites)


def _mean(layer: Mean) -> Kernel:
    return Kernel(
        layer,
        "mean",
        _own(layer),
        {
            "outer": layer.outer,
            "count": layer.count,
            "inner": layer.inner,
            "input_zero_point": layer.in_zero_point,
            "output_zero_point": layer.rescale.zero_point,
            "scale": _scale(layer.rescale.multipliers[0]),
        },
    )


def _pool(layer: Pool) -> Kernel:
    return Kernel(
        layer,
        "pool",
        _own(layer),
        {
            "window": _window(layer, layer.window, (layer.channels, layer.channels)),
            "average": int(layer.average),
            "activation_min": layer.low,
            "activation_max": layer.high,
        },
    )


def _softmax(layer: Softmax) -> Kernel:
    exponentials = np.array(layer.exponentials, np.int32)
    values = {"rows": layer.rows, "depth": layer.depth, "entries": len(exponentials)}
    return Kernel(layer, "softmax", _own(layer), values, {"exponentials": exponentials})


def _pad(layer: Pad) -> Kernel:
    values = {"shape": layer.shape, "before": layer.before, "after": layer.after, "value": layer.value}
    return Kernel(layer, "pad", _own(layer), {name: _listed(value) for name, value in values.items()})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _concatenation(layer: Concatenation) -> Kernel:
    computed = iter(layer.inputs)
    operands = tuple(
        Operand(None, f"constant{position}") if position in layer.constants else Operand(next(computed))
        for position in range(len(layer.chunks))
    )
    loose = {f"constant{position}": values for position, values in layer.constants.items()}
    values = {"outer": layer.outer, "chunks": list(layer.chunks)}
    return Kernel(layer, "concatenate", operands, values, loose=loose)


def _resize(layer: Resize) -> Kernel:
    if max(layer.in_size) > _LARGEST_SIDE:
        raise refuse(layer, "A side is above 65535", "sides up to 65535")
    values = {
        "in_width": layer.in_size[1],
        "channels": layer.channels,
        "out_height": len(layer.rows),
        "out_width": len(layer.columns),
    }
    arrays = {"rows": np.array(layer.rows, np.uint16), "columns": np.array(layer.columns, np.uint16)}
    return Kernel(layer, "resize", _own(layer), values, arrays)


_KERNELS: dict[type[Layer], Callable[[Any], Kernel]] = {
    Convolution: _convolution,
    Depthwise: _depthwise,
    TransposeConvolution: _transpose_convolution,
    Table: _table,
    Binary: _binary,
    Mean: _mean,
    Pool: _pool,
    Softmax: _softmax,
    Pad: _pad,
    Concatenation: _concatenation,
    Resize: _resize,
}
