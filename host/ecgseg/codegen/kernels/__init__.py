"""From layers to kernel calls: which kernel of firmware/engine computes a layer, with which constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecgseg.codegen.kernels import elementwise, shapes, windows
from ecgseg.codegen.kernels.kernel import Kernel
from ecgseg.graph.layers import (
    Binary,
    Concatenation,
    Convolution,
    Depthwise,
    Layer,
    Mean,
    Pad,
    Pool,
    Resize,
    Softmax,
    Table,
    TransposeConvolution,
)

__all__ = ["Kernel", "kernel_of"]

_KERNELS: dict[type[Layer], Callable[[Any], Kernel]] = {
    Convolution: windows.convolution,
    Depthwise: windows.depthwise,
    TransposeConvolution: windows.transpose_convolution,
    Table: elementwise.table,
    Binary: elementwise.binary,
    Mean: elementwise.mean,
    Pool: windows.pool,
    Softmax: elementwise.softmax,
    Pad: shapes.pad,
    Concatenation: shapes.concatenation,
    Resize: shapes.resize,
}


def kernel_of(layer: Layer) -> Kernel:
    """The kernel of a layer.

    Raises:
        GraphError: the layer is valid but outside of what the kernels can hold.
    """
    return _KERNELS[type(layer)](layer)
