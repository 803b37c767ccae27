"""Kernels of layers that move bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecgseg.codegen.kernels.kernel import LARGEST_SIDE, Kernel, Operand, operands_of, refuse
from ecgseg.graph.layers import Concatenation, Pad, Resize


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
