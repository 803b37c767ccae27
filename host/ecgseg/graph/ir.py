"""The graph as the code generator sees it: tensors and operators of one .tflite, checked and immutable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes:
        index: in the .tflite.
        name: as stored.
        shape: all dimensions known and positive; () for a scalar.
        dtype: "int8", "int16", "int32", "int64", "float32", "bool" or "uint8".
        scales, zero_points: quantisation, empty when there is none; one entry or one per channel.
        quantised_dimension: the channel dimension of per-channel scales.
        data: constant value, or None for an activation.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    quantised_dimension: int = 0
    data: npt.NDArray[Any] | None = field(default=None, compare=False)

    @property
    def elements(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def scale(self) -> float:
        """The per-tensor scale."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The per-tensor zero point."""
        return self.zero_points[0]


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        index: in the .tflite's list.
        name: e.g. "CONV_2D".
        inputs, outputs: tensor indices, -1 for an optional input that is absent.
        options: the operator's own options by their schema names.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A whole model: exactly one input and one output."""

    name: str
    sha256: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int

    @property
    def input_tensor(self) -> Tensor:
        """The input."""
        return self.tensors[self.input]

    @property
    def output_tensor(self) -> Tensor:
        """The output."""
        return self.tensors[self.output]
