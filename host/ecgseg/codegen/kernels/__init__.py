"""From layers to kernel calls: which kernels of firmware/engine compute a layer, with which constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecgseg.codegen.costs import cycles_of
from ecgseg.codegen.kernels import elementwise, shapes, windows
from ecgseg.codegen.kernels.kernel import Choice, Kernel
from ecgseg.graph.layers import (
    Binary,
    Concatenation,
    Convolution,
    Depthwise,
    Layer,
    Mean,
    Pad,
    Pick,
    Pool,
    Resize,
    Softmax,
    Table,
    TransposeConvolution,
)

__all__ = ["Choice", "Kernel", "choices_of", "kernel_of"]

_SEVERAL: dict[type[Layer], Callable[[Any], tuple[Choice, ...]]] = {
    Convolution: windows.convolution_choices,
    Depthwise: windows.depthwise_choices,
    TransposeConvolution: windows.transpose_convolution_choices,
}
_ONE: dict[type[Layer], Callable[[Any], Kernel]] = {
    Table: elementwise.table,
    Binary: elementwise.binary,
    Mean: elementwise.mean,
    Pool: windows.pool,
    Softmax: elementwise.softmax,
    Pad: shapes.pad,
    Concatenation: shapes.concatenation,
    Resize: shapes.resize,
    Pick: shapes.pick,
}


def choices_of(layer: Layer) -> tuple[Choice, ...]:
    """Every kernel that computes a layer; one at least.

    Raises:
        GraphError: the layer is valid but outside of what the kernels can hold.
    """
    if type(layer) in _SEVERAL:
        return _SEVERAL[type(layer)](layer)
    return (Choice(_ONE[type(layer)](layer)),)


def kernel_of(layer: Layer) -> Kernel:
    """The kernel that computes a layer fastest. Raises GraphError as `choices_of`."""
    return min(choices_of(layer), key=lambda choice: 0 if choice.work is None else cycles_of(choice.work)).kernel
