"""The graph of a .tflite file as plain data: what is in the file, checked for form but not for meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

_WITHOUT_WEIGHTS = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "SHAPE", "STRIDED_SLICE", "PACK", "TRANSPOSE")


def shape_text(shape: Sequence[int]) -> str:
    """A shape as people read it: `250 × 16` for [1, 1, 250, 16]."""
    sizes = list(shape)
    while len(sizes) > 1 and sizes[0] == 1:
        del sizes[0]
    return " × ".join(map(str, sizes))


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the file.

    Attributes:
        index: position in the subgraph's tensor list.
        name: name in the file, for messages.
        shape: sizes, all at least 1; () is a scalar.
        dtype: numpy name of the element type ("int8", "int32", "float32", ...).
        scales, zero_points: quantisation, one entry per tensor or per channel; empty when not quantised.
        quantised_dimension: axis of the per-channel scales.
        data: contents of a constant tensor, read-only, else None.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantised_dimension: int
    data: npt.NDArray[Any] | None

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def scale(self) -> np.float32:
        """Scale of a tensor that is quantised as a whole."""
        return np.float32(self.scales[0])

    @property
    def zero_point(self) -> int:
        """Zero point of a tensor that is quantised as a whole."""
        return self.zero_points[0]


@dataclass(frozen=True)
class Operator:
    """An operator of the file.

    Attributes:
        index: position in the subgraph's operator list, which is the order of execution.
        name: name in the TensorFlow Lite schema, "CONV_2D".
        inputs: tensor indices; -1 stands for an optional input that is not there.
        outputs: tensor indices.
        options: the builtin options under their schema names in lower snake case.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.name} (operator {self.index})"


@dataclass(frozen=True, eq=False)
class Graph:
    """The one subgraph of a .tflite file.

    Attributes:
        name: name of the model (the file's stem unless told otherwise).
        sha256: digest of the whole file, hexadecimal.
        tensors, operators: as they stand in the file.
        inputs, outputs: tensor indices of the graph's inputs and outputs.
    """

    name: str
    sha256: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def operator(self, index: int) -> Operator:
        """The operator with this index in the file; those that are folded into constants are gone from the list."""
        return next(operator for operator in self.operators if operator.index == index)

    @property
    def parameter_count(self) -> int:
        """Weights and biases: elements of the constants that an operator other than those of shapes and views reads."""
        used = {
            index
            for operator in self.operators
            for position, index in enumerate(operator.inputs)
            if position > 0 and operator.name not in _WITHOUT_WEIGHTS
        }
        return sum(self.tensors[i].size for i in used if i >= 0 and self.tensors[i].data is not None)
