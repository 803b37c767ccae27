"""Kernels of layers that move bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecgseg.codegen.kernels.kernel import LARGEST_SIDE, Kernel, Operand, operands_of, refuse
from ecgseg.graph.layers import Concatenation, Pad, Pick, Resize


def pad(layer: Pad) -> Kernel:
    """ecgseg_pad."""
    values = {"shape": layer.shape, "before": layer.before, "after": layer.after, "value": layer.value}
    return Kernel(layer, "pad", operands_of(layer), {name: _listed(value) for name, value in values.items()})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def concatenation(layer: Concatenation) -> Kernel:
    """One ecgseg_concatenate for each operand."""
    computed = iter(layer.inputs)
    operands = tuple(
        Operand(None, f"constant{position}") if position in layer.constants else Operand(next(computed))
        for position in range(len(layer.chunks))
    )
    loose = {f"constant{position}": values for position, values in layer.constants.items()}
    values = {"outer": layer.outer, "chunks": list(layer.chunks)}
    return Kernel(layer, "concatenate", operands, values, loose=loose)


def pick(layer: Pick) -> Kernel:
    """ecgseg_pick, over as few axes as there can be."""
    axes: list[tuple[int, int]] = []
    for size, stride in zip(layer.shape, layer.strides, strict=True):
        if size == 1:
            continue
        if axes and axes[-1][1] == stride * size:
            axes[-1] = (axes[-1][0] * size, stride)
        else:
            axes.append((size, stride))
    if len(axes) > 4:
        raise refuse(layer, f"It orders {len(axes)} axes that do not lie side by side", "at most 4 axes")
    axes = [(1, 0)] * (4 - len(axes)) + axes
    values = {
        "start": layer.start,
        "shape": [size for size, _ in axes],
        "stride": [stride for _, stride in axes],
    }
    return Kernel(layer, "pick", operands_of(layer), values)


def resize(layer: Resize) -> Kernel:
    """ecgseg_resize, with the input's row and column of every output."""
    if max(layer.in_size) > LARGEST_SIDE:
        raise refuse(layer, "A side is above 65535", "sides up to 65535")
    values = {
        "in_width": layer.in_size[1],
        "channels": layer.channels,
        "out_height": len(layer.rows),
        "out_width": len(layer.columns),
    }
    arrays = {"rows": np.array(layer.rows, np.uint16), "columns": np.array(layer.columns, np.uint16)}
    return Kernel(layer, "resize", operands_of(layer), values, arrays)
