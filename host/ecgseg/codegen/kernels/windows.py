"""Kernels of layers with a sliding window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecgseg.codegen import phases
from ecgseg.codegen.costs import cycles_of
from ecgseg.codegen.kernels.kernel import INT32, LARGEST_SIDE, Array, Choice, Kernel, operands_of, refuse
from ecgseg.codegen.packing import conv_stream, depthwise_words
from ecgseg.codegen.reform import depthwise_as_convolution, transpose_as_convolution
from ecgseg.codegen.threes import ThreesLayer
from ecgseg.codegen.work import conv_work, phases_work
from ecgseg.errors import GraphError
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.layers import Convolution, Depthwise, Layer, Pool, Rescale, TransposeConvolution, Window

# Largest shift for which half a step and the zero point, shifted, leave room beside a 30-bit product.
_LARGEST_FINISHED_SHIFT = 22
# ECGSEG_CONV_SHIFT, and the bits that an int8 leaves in the int16 of a weight.
_CONV_SHIFT = 12
_MOST_ROOM = 8


def _scale_rows(multipliers: Sequence[Multiplier]) -> tuple[str, list[tuple[int, ...]]]:
    """Rows of an array of ecgseg_scale_t."""
    return "ecgseg_scale_t", [(multiplier.mantissa, -multiplier.shift) for multiplier in multipliers]


def _window_fields(layer: Layer, window: Window, channels: tuple[int, int]) -> dict[str, int]:
    """Fields of an ecgseg_window_t; channels are those of (input, output)."""
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
    if max(abs(value) for value in values.values()) > LARGEST_SIDE:
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
    if np.any(bound >= INT32):
        raise refuse(layer, "Its sums could leave 32 bits", "weights and biases whose worst case stays inside 32 bits")
    return folded, bound


def _may_finish(rescale: Rescale, bound: Array) -> bool:
    """Whether doubled sums and the short form of requantisation are exact."""
    shifts = [-multiplier.shift for multiplier in rescale.multipliers]
    return all(1 <= shift <= _LARGEST_FINISHED_SHIFT for shift in shifts) and bool(np.all(2 * bound < INT32))


def _channels(rescale: Rescale) -> list[tuple[int, int, int]]:
    """(multiplier, rounding, shift) per channel; see ecgseg_channel_t."""
    zero = rescale.zero_point
    shifts = [-multiplier.shift for multiplier in rescale.multipliers]
    return [
        (multiplier.mantissa, (1 << (shift - 1)) + (zero << shift), shift)
        for multiplier, shift in zip(rescale.multipliers, shifts, strict=True)
    ]


def _brief(rescale: Rescale, bound: Array) -> tuple[Array, list[tuple[int, ...]]] | None:
    """(factors 2^s of weights and biases, (multiplier, rounding) per channel) of the short form, None where it is not
    exact; see ecgseg_conv_core.h."""
    shifts = np.array([_CONV_SHIFT + 1 + multiplier.shift for multiplier in rescale.multipliers], np.int64)
    if rescale.zero_point != -128 or np.any(shifts < 2) or np.any(shifts > _MOST_ROOM):
        return None
    factors = np.left_shift(1, shifts)
    if np.any(factors * bound >= INT32):
        return None
    constant = (1 << (_CONV_SHIFT - 1)) + rescale.zero_point * (1 << _CONV_SHIFT)
    return factors, [
        (multiplier.mantissa, (1 << (shift - 2)) + constant)
        for multiplier, shift in zip(rescale.multipliers, shifts.tolist(), strict=True)
    ]


def _finish(layer: Convolution, bound: Array) -> tuple[bool, bool, Array, list[tuple[int, ...]]]:
    """(the core may finish, and in its short form, factors of weights and biases, constants per channel)."""
    full = (layer.rescale.low, layer.rescale.high) == (-128, 127)
    if not full or layer.out_channels % 2 or not _may_finish(layer.rescale, bound):
        return False, False, np.full(layer.out_channels, 1, np.int64), []
    brief = _brief(layer.rescale, bound)
    if brief is not None:
        return True, True, *brief
    return True, False, np.full(layer.out_channels, 2, np.int64), list(_channels(layer.rescale))


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


def convolution(layer: Convolution, *, along_time: bool = True) -> Kernel:
    """ecgseg_phases in its fastest form where it is proved exact and wanted (`along_time`), else ecgseg_conv."""
    found = _phases_choices(layer) if along_time else ()
    return min(found, key=_cycles).kernel if found else _conv_choice(layer).kernel


def convolution_choices(layer: Convolution) -> tuple[Choice, ...]:
    """Every form of ecgseg_phases where it is proved exact, and ecgseg_conv where it can hold the layer."""
    found = _phases_choices(layer)
    try:
        return (*found, _conv_choice(layer))
    except GraphError:
        if not found:
            raise
        return found


def _cycles(choice: Choice) -> int:
    return 0 if choice.work is None else cycles_of(choice.work)


def _phases_choices(layer: Convolution) -> tuple[Choice, ...]:
    prepared = phases.prepare(layer)
    if prepared is None:
        return ()
    return tuple(Choice(_phases(layer, prepared, form), phases_work(prepared, form)) for form in prepared.forms)


def _conv_choice(layer: Convolution) -> Choice:
    """ecgseg_conv."""
    rows = _dense(layer)
    folded, bound = _folded_bias(layer, rows, layer.bias, layer.in_zero_point)
    finished, brief, factors, channels = _finish(layer, bound)
    groups = -(-rows.shape[1] // 4)
    window = layer.window
    single = window.kernel == (1, 1) and window.stride == (1, 1) and window.pad == (0, 0)
    kernel = Kernel(
        layer,
        "conv",
        operands_of(layer),
        {
            "window": _window_fields(layer, window, (layer.in_channels, layer.out_channels)),
            "groups": groups,
            "finished": int(finished),
            "brief": int(brief),
            "input_zero_point": layer.in_zero_point,
            **_output(layer.rescale),
        },
        {"stream": conv_stream(rows, folded, factors, channels)},
        {} if finished else {"scales": _scale_rows(layer.rescale.multipliers)},
        scratch=5 * groups + (0 if finished else 2 * (layer.out_channels + layer.out_channels % 2)),
        overwrites=layer.inputs if single and layer.out_channels <= layer.in_channels else (),
    )
    return Choice(kernel, conv_work(layer, finished=finished, brief=brief))


def _phases(layer: Convolution, prepared: phases.PhasesLayer, form: str) -> Kernel:
    """A convolution along time with stride 1, four multiplications an instruction."""
    names = ("in_length", "in_channels", "out_length", "out_channels", "dilation", "pad", "gap")
    values = {name: getattr(prepared, name) for name in names}
    if max(values.values()) > LARGEST_SIDE // 2:
        raise refuse(layer, "A size is above 32767", "sizes up to 32767")
    return Kernel(
        layer,
        "phases",
        operands_of(layer),
        {
            **values,
            "input_zero_point": layer.in_zero_point,
            "parts": prepared.parts,
            "form": f"&ecgseg_phases_{form}",
        },
        {"stream": prepared.stream},
        {"ends": ("ecgseg_phases_end_t", list(prepared.ends))} if prepared.ends else {},
        scratch=prepared.scratch_bytes // 4,
        overwrites=layer.inputs if prepared.in_place else (),
    )


def threes(layer: Convolution, prepared: ThreesLayer) -> Kernel:
    """A convolution along time with stride 1 and without padding, three multiplications an instruction."""
    names = ("positions", "taps", "dilation", "in_channels", "out_channels")
    values = {name: getattr(prepared, name) for name in names}
    if max(values.values()) > LARGEST_SIDE // 2:
        raise refuse(layer, "A size is above 32767", "sizes up to 32767")
    arrays: dict[str, Array] = {"stream": prepared.stream}
    return Kernel(layer, "threes", operands_of(layer), values, arrays, scratch=prepared.scratch)


def _reformed(layer: Layer, form: Convolution) -> tuple[Choice, ...]:
    """The kernels of another layer that gives the same bytes."""
    return tuple(
        replace(choice, kernel=replace(choice.kernel, layer=layer, form=form)) for choice in convolution_choices(form)
    )


def depthwise_choices(layer: Depthwise) -> tuple[Choice, ...]:
    """As a convolution where that is faster, else ecgseg_depthwise."""
    form = depthwise_as_convolution(layer)
    return (Choice(_depthwise(layer)),) if form is None else _reformed(layer, form)


def _depthwise(layer: Depthwise) -> Kernel:
    rows = layer.weights.reshape(-1, layer.out_channels).T
    folded, bound = _folded_bias(layer, rows, layer.bias, layer.in_zero_point)
    values: dict[str, Any] = {
        "window": _window_fields(layer, layer.window, (layer.in_channels, layer.out_channels)),
        "multiplier": layer.multiplier,
        "input_zero_point": layer.in_zero_point,
        **_output(layer.rescale),
    }
    if layer.multiplier == 1 and layer.out_channels % 4 == 0 and _may_finish(layer.rescale, bound):
        arrays: dict[str, Array] = {"packed": depthwise_words(rows), "bias": (2 * folded).astype(np.int32)}
        channels: list[tuple[int, ...]] = list(_channels(layer.rescale))
        return Kernel(
            layer, "depthwise", operands_of(layer), values, arrays, {"channels": ("ecgseg_channel_t", channels)}
        )
    plain: dict[str, Array] = {"weights": layer.weights, "bias": folded.astype(np.int32)}
    return Kernel(
        layer, "depthwise", operands_of(layer), values, plain, {"scales": _scale_rows(layer.rescale.multipliers)}
    )


def transpose_convolution_choices(layer: TransposeConvolution) -> tuple[Choice, ...]:
    """As a convolution of its phases where that is possible, else ecgseg_transpose_conv."""
    form = transpose_as_convolution(layer)
    return (Choice(_transpose_convolution(layer)),) if form is None else _reformed(layer, form)


def _transpose_convolution(layer: TransposeConvolution) -> Kernel:
    return Kernel(
        layer,
        "transpose_conv",
        operands_of(layer),
        {
            "window": _window_fields(layer, layer.window, (layer.in_channels, layer.out_channels)),
            "input_zero_point": layer.in_zero_point,
            **_output(layer.rescale),
        },
        {"weights": layer.weights, "bias": layer.bias.astype(np.int32)},
        {"scales": _scale_rows(layer.rescale.multipliers)},
    )


def pool(layer: Pool) -> Kernel:
    """ecgseg_pool."""
    return Kernel(
        layer,
        "pool",
        operands_of(layer),
        {
            "window": _window_fields(layer, layer.window, (layer.channels, layer.channels)),
            "average": int(layer.average),
            "activation_min": layer.low,
            "activation_max": layer.high,
        },
    )
