"""An int8 interpreter in numpy: a second oracle beside TensorFlow Lite Micro, and equal to it to the bit.

Where the package tflite-micro cannot be installed it is the only one (`ecgseg.graph.reference`). It is written for
clarity: windows become index arrays, sums are exact in int64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import UsageError
from ecgseg.graph.fixed_point import apply_each, doubling_high_multiply, reciprocal_of_one_plus, rounding_shift
from ecgseg.graph.layers import (
    Alias,
    Binary,
    Concatenation,
    Convolution,
    Depthwise,
    Int8Array,
    Layer,
    Mean,
    Network,
    Pad,
    Pick,
    Pool,
    Rescale,
    Resize,
    Softmax,
    Table,
    TransposeConvolution,
    Window,
)
from ecgseg.graph.lower.elementwise import apply_rule

Accumulators = npt.NDArray[np.int64]
_ALONE = 4 * 65536  # Multiplications that one thread of OpenBLAS does (its interface/gemm.c).


def run(network: Network, data: npt.NDArray[Any]) -> Int8Array:
    """Output (int8, the output's shape) of the network for an int8 input of its input's size."""
    return run_all(network, data)[network.output.index].reshape(network.output.shape)


def run_all(network: Network, data: npt.NDArray[Any]) -> dict[int, Int8Array]:
    """Every computed tensor, flat int8, by tensor index.

    Raises:
        UsageError: the input has another size than the network's.
    """
    if data.size != network.input.size:
        raise UsageError(
            f"The input has {data.size} values, the model takes {network.input.size}.", "", "Pass one whole frame."
        )
    values: dict[int, Int8Array] = {network.input.index: np.asarray(data, np.int8).reshape(-1)}
    for layer in network.layers:
        values[layer.output] = compute(layer, [values[index] for index in layer.inputs])
    return values


def compute(layer: Layer, operands: list[Int8Array]) -> Int8Array:
    """Result of one layer, flat int8, from its computed inputs in order."""
    return _KERNELS[type(layer)](layer, operands).reshape(-1)


def rescale(accumulators: Accumulators, rule: Rescale) -> Int8Array:
    """int32 accumulators [..., channels] to int8."""
    result = apply_each(rule.multipliers, accumulators)
    return np.clip(result + rule.zero_point, rule.low, rule.high).astype(np.int8)


def _windows(x: npt.NDArray[np.int64], window: Window) -> npt.NDArray[np.int64]:
    """Input [h, w, c] as [out h, out w, kernel h, kernel w, c], zero where the window leaves the input."""
    grids, inside = [], []
    for axis in (0, 1):
        places = (
            np.arange(window.out_size[axis])[:, None] * window.stride[axis]
            - window.pad[axis]
            + np.arange(window.kernel[axis])[None, :] * window.dilation[axis]
        )
        inside.append((places >= 0) & (places < window.in_size[axis]))
        grids.append(np.clip(places, 0, window.in_size[axis] - 1))
    gathered = x[grids[0][:, None, :, None], grids[1][None, :, None, :]]
    mask = inside[0][:, None, :, None] & inside[1][None, :, None, :]
    return np.where(mask[..., None], gathered, 0)


def _image(layer: Convolution | Depthwise | TransposeConvolution, data: Int8Array) -> npt.NDArray[np.int64]:
    return data.reshape(*layer.window.in_size, layer.in_channels).astype(np.int64) - layer.in_zero_point


def _convolution(layer: Convolution, operands: list[Int8Array]) -> Int8Array:
    x = _windows(_image(layer, operands[0]), layer.window)
    depth, per_group = layer.weights.shape[3], layer.out_channels // layer.groups
    parts = []
    for group in range(layer.groups):
        weights = layer.weights[group * per_group : (group + 1) * per_group].reshape(per_group, -1)
        mine = x[..., group * depth : (group + 1) * depth].reshape(-1, weights.shape[1])
        parts.append(_product(mine, weights.T).reshape(*layer.window.out_size, per_group))
    return rescale(np.concatenate(parts, axis=-1) + layer.bias, layer.rescale)


def _product(rows: npt.NDArray[np.int64], weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Rows [n, k] times weights [k, o].

    Sums of whole numbers below 2^53 are exact in float64, in whatever order. A large product OpenBLAS divides between
    threads, which wait for each other: on a busy computer a hundred times as long as the work takes. So it gets pieces
    that it takes alone, and none of one row, which it divides earlier.
    """
    left, right = rows.astype(np.float64), np.ascontiguousarray(weights, np.float64)
    step = max(2, _ALONE // right.size)
    pieces = (left[start : start + step] for start in range(0, len(left), step))
    return np.concatenate(
        [
            piece @ right
            if len(piece) > 1 and len(piece) * right.size <= _ALONE
            else np.einsum("nk,ko->no", piece, right)
            for piece in pieces
        ]
    ).astype(np.int64)


def _depthwise(layer: Depthwise, operands: list[Int8Array]) -> Int8Array:
    x = np.repeat(_windows(_image(layer, operands[0]), layer.window), layer.multiplier, axis=-1)
    return rescale((x * layer.weights.astype(np.int64)).sum(axis=(2, 3)) + layer.bias, layer.rescale)


def _transpose_convolution(layer: TransposeConvolution, operands: list[Int8Array]) -> Int8Array:
    x, window = _image(layer, operands[0]), layer.window
    reach = [(window.in_size[axis] - 1) * window.stride[axis] + window.kernel[axis] for axis in (0, 1)]
    canvas = np.zeros(
        (*(max(reach[a], window.pad[a] + window.out_size[a]) for a in (0, 1)), layer.out_channels), np.int64
    )
    spread = np.tensordot(x, layer.weights.astype(np.int64), axes=((2,), (3,)))  # [h, w, out, kh, kw]
    for row in range(window.kernel[0]):
        for column in range(window.kernel[1]):
            rows = slice(row, row + (window.in_size[0] - 1) * window.stride[0] + 1, window.stride[0])
            columns = slice(column, column + (window.in_size[1] - 1) * window.stride[1] + 1, window.stride[1])
            canvas[rows, columns] += spread[..., row, column]
    top, left = window.pad
    kept = canvas[top : top + window.out_size[0], left : left + window.out_size[1]]
    return rescale(kept + layer.bias, layer.rescale)


def _table(layer: Table, operands: list[Int8Array]) -> Int8Array:
    result: Int8Array = layer.table[operands[0].astype(np.int64) + 128]
    return result


def _binary(layer: Binary, operands: list[Int8Array]) -> Int8Array:
    values = list(operands)
    if layer.constant is not None:
        values.insert(layer.constant[0], layer.constant[1])
    shaped = [
        np.broadcast_to(value.reshape(shape), layer.shape).astype(np.int64)
        for value, shape in zip(values, layer.shapes, strict=True)
    ]
    return apply_rule(layer.rule, shaped[0], shaped[1])


def _mean(layer: Mean, operands: list[Int8Array]) -> Int8Array:
    x = operands[0].reshape(layer.outer, layer.count, layer.inner).astype(np.int64) - layer.in_zero_point
    return rescale(x.sum(axis=1)[..., None], layer.rescale)


def _pool(layer: Pool, operands: list[Int8Array]) -> Int8Array:
    x = operands[0].reshape(*layer.window.in_size, layer.channels).astype(np.int64)
    if layer.average:
        total = _windows(x, layer.window).sum(axis=(2, 3))
        count = _windows(np.ones_like(x), layer.window).sum(axis=(2, 3))
        # Rounded half away from zero; C's division truncates.
        pooled: Accumulators = np.sign(total) * ((np.abs(total) + count // 2) // count)
    else:
        pooled = _windows(x + 128, layer.window).max(axis=(2, 3)) - 128
    return np.clip(pooled, layer.low, layer.high).astype(np.int8)


def _softmax(layer: Softmax, operands: list[Int8Array]) -> Int8Array:
    x = operands[0].reshape(layer.rows, layer.depth).astype(np.int64)
    differences = x.max(axis=1, keepdims=True) - x
    counted = differences < len(layer.exponentials)
    table = np.array(layer.exponentials, np.int64)
    exponentials = np.where(counted, table[np.minimum(differences, len(table) - 1)], 0)
    total = rounding_shift(exponentials, 12).sum(axis=1, keepdims=True)
    # total is Q12.19; normalise it to [1, 2) and take the reciprocal.
    headroom = 32 - np.frompyfunc(lambda value: int(value).bit_length(), 1, 1)(total).astype(np.int64)
    scale = reciprocal_of_one_plus((total << headroom) - (1 << 31))
    exponent = 12 - headroom + 31 - 8
    product = doubling_high_multiply(scale, exponentials)
    half = np.int64(1) << np.maximum(exponent - 1, 0)
    rounded = np.where(exponent > 0, (product + half) >> exponent, product)
    return np.where(counted, np.clip(rounded - 128, -128, 127), -128).astype(np.int8)


def _pad(layer: Pad, operands: list[Int8Array]) -> Int8Array:
    x = operands[0].reshape(layer.shape)
    result: Int8Array = np.pad(x, list(zip(layer.before, layer.after, strict=True)), constant_values=layer.value)
    return result


def _concatenation(layer: Concatenation, operands: list[Int8Array]) -> Int8Array:
    computed = iter(operands)
    parts = []
    for position, chunk in enumerate(layer.chunks):
        values = layer.constants[position] if position in layer.constants else next(computed)
        parts.append(values.reshape(layer.outer, chunk))
    return np.concatenate(parts, axis=1)


def _resize(layer: Resize, operands: list[Int8Array]) -> Int8Array:
    x = operands[0].reshape(*layer.in_size, layer.channels)
    result: Int8Array = x[np.array(layer.rows)[:, None], np.array(layer.columns)[None, :]]
    return result


def _pick(layer: Pick, operands: list[Int8Array]) -> Int8Array:
    places = np.full(layer.shape, layer.start, np.int64)
    for axis, (size, stride) in enumerate(zip(layer.shape, layer.strides, strict=True)):
        places += (np.arange(size) * stride).reshape(-1, *[1] * (len(layer.shape) - 1 - axis))
    result: Int8Array = operands[0][places]
    return result


def _alias(layer: Alias, operands: list[Int8Array]) -> Int8Array:
    return operands[0]


_KERNELS: Mapping[type[Layer], Callable[[Any, list[Int8Array]], Int8Array]] = {
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
    Pick: _pick,
    Alias: _alias,
}
