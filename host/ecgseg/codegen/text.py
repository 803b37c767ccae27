"""C text of kernel calls and of their constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.kernels import Kernel
from ecgseg.codegen.program import Call, Program

_C_TYPES = {"int8": "int8_t", "uint16": "uint16_t", "int32": "int32_t", "uint32": "uint32_t"}


@dataclass(frozen=True)
class CallText:
    """A call as the template prints it.

    Attributes:
        number: of the layer.
        comment: what it is.
        definitions: constants.
        structure: C type of the layer's structure, "" for none.
        fields: its initialiser.
        parameters, arguments: of the layer's function.
        statements: its body.
        output: offset of the result in the arena.
    """

    number: int
    comment: str
    definitions: tuple[str, ...]
    structure: str
    fields: str
    parameters: str
    arguments: str
    statements: tuple[str, ...]
    output: int

    @staticmethod
    def of(number: int, call: Call, program: Program) -> CallText:
        """The text of one call."""
        kernel = call.kernel
        prefix = f"layer{number}"
        last = program.direct and number == len(program.calls) - 1
        # Places in the arena are passed, not named: a body that sees two places of one array leads gcc 12 (ivopts, then
        # ipa-modref and ipa-pure-const) to take it for a function without effect.
        parameters, arguments, inputs = [], [], []
        for position, (operand, offset) in enumerate(zip(kernel.operands, call.inputs, strict=True)):
            if operand.constant:
                inputs.append(f"{prefix}_{operand.constant}")
                continue
            inputs.append(f"input{position}")
            parameters.append(f"const int8_t *input{position}")
            arguments.append("input" if offset is None else f"arena.bytes + {offset}")
        parameters.append("int8_t *output")
        arguments.append("output" if last else f"arena.bytes + {call.output}")
        if call.scratch is not None:
            parameters.append("int32_t *scratch")
            arguments.append(f"arena.words + {call.scratch // 4}")
        return CallText(
            number=number,
            comment=f"{kernel.layer.name}, operator {kernel.layer.operator}, tensor {kernel.layer.output}",
            definitions=tuple(_definitions(kernel, prefix)),
            structure="" if kernel.function == "concatenate" else f"ecgseg_{kernel.function}_t",
            fields=_fields(kernel, call, prefix),
            parameters=", ".join(parameters),
            arguments=", ".join(arguments),
            statements=tuple(_statements(kernel, call, prefix, inputs)),
            output=call.output,
        )


def _statements(kernel: Kernel, call: Call, prefix: str, inputs: list[str]) -> list[str]:
    if kernel.function == "concatenate":
        return _concatenation(kernel, inputs)
    scratch = [] if call.scratch is None else ["scratch"]
    return [f"ecgseg_{kernel.function}({', '.join([f'&{prefix}', *inputs, 'output', *scratch])});"]


def _concatenation(kernel: Kernel, inputs: list[str]) -> list[str]:
    chunks: list[int] = kernel.values["chunks"]
    starts = np.cumsum([0, *chunks[:-1]])
    return [
        f"ecgseg_concatenate({kernel.values['outer']}, {chunk}, {sum(chunks)}, {source}, output + {start});"
        for chunk, source, start in zip(chunks, inputs, starts, strict=True)
    ]


def _definitions(kernel: Kernel, prefix: str) -> list[str]:
    result = []
    for name, array in {**kernel.arrays, **kernel.loose}.items():
        c_type = _C_TYPES[str(array.dtype)]
        head = f"static const {c_type} {prefix}_{name}[{array.size}] __attribute__((aligned(4)))"
        result.append(f"{head} = {{\n    {c_array(array)}\n}};")
    for name, (c_type, rows) in kernel.structs.items():
        lines = ",\n".join("    {" + ", ".join(c_integer(value) for value in row) + "}" for row in rows)
        result.append(f"static const {c_type} {prefix}_{name}[{len(rows)}] = {{\n{lines}\n}};")
    return result


def _fields(kernel: Kernel, call: Call, prefix: str) -> str:
    values = dict(kernel.values)
    if kernel.function == "conv":
        # Only what lies in the arena is known to be aligned; the model's input is the caller's.
        values["aligned"] = int(call.inputs[0] is not None)
    parts = [c_struct(values), *(f".{name} = {prefix}_{name}" for name in (*kernel.arrays, *kernel.structs))]
    return ",\n    ".join(parts)


def c_integer(value: Any) -> str:
    """An integer constant; the lowest int32 has no literal of its own in C, above int32 only unsigned 64 bits occur."""
    number = int(value)
    if number > 0x7FFFFFFF:
        return f"{number}u"
    return "(-2147483647 - 1)" if number == -(1 << 31) else str(number)


def c_array(values: npt.NDArray[Any]) -> str:
    """Initialiser of a flat array, sixteen numbers a line (eight words in hexadecimal)."""
    if values.dtype == np.uint32:
        flat, width = [f"0x{int(value):08x}u" for value in values.reshape(-1)], 8
    else:
        flat, width = [c_integer(value) for value in values.reshape(-1)], 16
    return ",\n    ".join(", ".join(flat[start : start + width]) for start in range(0, len(flat), width))


def c_struct(values: Mapping[str, Any]) -> str:
    """Designated initialisers of a structure."""
    return ", ".join(f".{name} = {_c_value(value)}" for name, value in values.items())


def _c_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + c_struct(value) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(c_integer(item) for item in value) + "}"
    return value if isinstance(value, str) else c_integer(value)
