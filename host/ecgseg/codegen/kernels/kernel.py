"""What a kernel call is, and the fields that many kernels have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from ecgseg.codegen.work import Work
from ecgseg.errors import GraphError
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.layers import Layer

Array = npt.NDArray[Any]
INT32 = 1 << 31
LARGEST_SIDE = 0xFFFF
_STRUCT_BYTES = {"ecgseg_scale_t": 8, "ecgseg_channel_t": 12, "ecgseg_phases_end_t": 16}


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


@dataclass(frozen=True, eq=False)
class Choice:
    """A kernel that computes a layer, among others that may.

    Attributes:
        kernel: the call.
        work: what it does, where the table of costs knows its form.
    """

    kernel: Kernel
    work: Work | None = None


def refuse(layer: Layer, why: str, supported: str) -> GraphError:
    """The error for a layer that no kernel holds."""
    return GraphError(
        f"{layer.name} (operator {layer.operator}) is not supported as it stands.",
        f"{why}.",
        f"Supported: {supported}.",
    )


def scale_fields(multiplier: Multiplier) -> dict[str, int]:
    """Fields of an ecgseg_scale_t."""
    return {"multiplier": multiplier.mantissa, "shift": -multiplier.shift}


def operands_of(layer: Layer) -> tuple[Operand, ...]:
    """The computed tensors that a layer reads."""
    return tuple(Operand(tensor) for tensor in layer.inputs)
