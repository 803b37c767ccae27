"""C text of kernel calls and of their constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.kernels import Kernel
from ecgseg.codegen.program import Call, Program
from ecgseg.codegen.streams import ROWS, Group

_C_TYPES = {"int8": "int8_t", "uint16": "uint16_t", "int32": "int32_t", "uint32": "uint32_t"}


@dataclass(frozen=True)
class CallText:
    """A layer's constants and function as the template prints them.

    Attributes:
        number: of the layer.
        comment: what it is.
        definitions: constants.
        structure: C type of the layer's structure, "" for none.
        fields: its initialiser.
        parameters: of the layer's function.
        statements: its body.
        output: offset of the result in the arena; of a result that is only ever there in part, the largest uint32.
    """

    number: int
    comment: str
    definitions: tuple[str, ...]
    structure: str
    fields: str
    parameters: str
    statements: tuple[str, ...]
    output: str

    @staticmethod
    def of(number: int, call: Call, *, ring: bool = False) -> CallText:
        """The text of one layer, whose kept rows may lie in a ring."""
        kernel = call.kernel
        prefix = f"layer{number}"
        structure = "" if kernel.function == "concatenate" else f"ecgseg_{kernel.function}_t"
        fields = _fields(kernel, prefix, kernel.values)
        body = _statements(kernel, call, prefix, ring=ring)
        definitions = _definitions(kernel, prefix)
        parameters = [f"{kind}{name}" for kind, name in _memory(call, "input", "output", "scratch")]
        if ring:
            parameters += ["int8_t *ring", "uint32_t first"]
        if call.view is not None:
            # The layer's structure is a local one: its geometry is that of the rows.
            sliced = _fields(kernel, prefix, {**kernel.values, **call.view.values}).replace("\n", "\n    ")
            body = [f"const {structure} {prefix} = {{\n        {sliced}\n    }};", *body]
            definitions.append(f"static const ecgseg_axis_t {prefix}_axis = {{{c_struct(asdict(call.view.axis))}}};")
            parameters.append("ecgseg_slice_t slice")
            structure = ""
        return CallText(
            number=number,
            comment=f"{kernel.layer.name}, operator {kernel.layer.operator}, tensor {kernel.layer.output}",
            definitions=tuple(definitions),
            structure=structure,
            fields=fields,
            parameters=", ".join(parameters),
            statements=tuple(body),
            output="UINT32_MAX" if call.group and number < call.group.last else str(call.output),
        )


@dataclass(frozen=True)
class PartText:
    """A layer of a group as the template prints it.

    Attributes:
        number: of the layer.
        row_bytes: of its result.
        in_end: C expression, rows of its input that exist.
        inputs: C expressions, where the rows of its inputs lie.
        scratch: name of its scratch, "" for none.
    """

    number: int
    row_bytes: int
    in_end: str
    inputs: tuple[str, ...]
    scratch: str


@dataclass(frozen=True)
class StepText:
    """What `run_layers` calls: a layer, or the function of a group.

    Attributes:
        name, arguments: the call.
        last: number of its last layer.
        parameters: of a group's function.
        parts: the layers of a group; none for a single layer.
        held: per layer of a group but the last, how many rows of its result exist at once.
        rows, step: rows of a group's result, in all and at a time.
    """

    name: str
    arguments: str
    last: int
    parameters: str = ""
    parts: tuple[PartText, ...] = ()
    held: tuple[int, ...] = ()
    rows: int = 0
    step: int = ROWS


def step_texts(program: Program) -> list[StepText]:
    """The calls of a program in order, those of a group as one."""
    texts = []
    for number, call in enumerate(program.calls):
        if call.group is None:
            texts.append(StepText(f"layer{number}_run", ", ".join(_arguments(program, number)), number))
        elif number == call.group.last:
            texts.append(_group_text(program, call.group))
    return texts


def _memory(call: Call, source: str, target: str, scratch: str) -> list[tuple[str, str]]:
    """C type and name of each piece of memory that a call takes.

    They are passed, not named in the body: a body that sees two places of one array leads gcc 12 (ivopts, then
    ipa-modref and ipa-pure-const) to take it for a function without effect.
    """
    names = [
        ("const int8_t *", f"{source}{position}")
        for position, operand in enumerate(call.kernel.operands)
        if not operand.constant
    ]
    names.append(("int8_t *", target))
    return names if call.scratch is None else [*names, ("int32_t *", scratch)]


def _arguments(program: Program, number: int) -> list[str]:
    """Addresses for :func:`_memory`."""
    call = program.calls[number]
    last = program.direct and number == len(program.calls) - 1
    arguments = [
        "input" if offset is None else f"arena.bytes + {offset}"
        for operand, offset in zip(call.kernel.operands, call.inputs, strict=True)
        if not operand.constant
    ]
    arguments.append("output" if last else f"arena.bytes + {call.output}")
    return arguments if call.scratch is None else [*arguments, f"arena.words + {call.scratch // 4}"]


def _group_text(program: Program, group: Group) -> StepText:
    numbers = range(group.first, group.last + 1)
    memory = [
        (f"{kind}{name}", argument)
        for number in numbers
        for (kind, name), argument in zip(
            _memory(program.calls[number], f"input{number}_", f"memory{number}", f"scratch{number}"),
            _arguments(program, number),
            strict=True,
        )
        if not (name.startswith("input") and program.calls[number].streamed[int(name.rpartition("_")[2])])
    ]
    if len(numbers) > 1:
        # A run may end within the group.
        memory.append(("uint32_t last", "last"))
    return StepText(
        f"layers{group.first}_to_{group.last}_run",
        ", ".join(argument for _, argument in memory),
        group.last,
        ", ".join(parameter for parameter, _ in memory),
        tuple(_part_text(program, group, number) for number in numbers),
        group.held_rows[:-1],
        group.views[-1].axis.out_rows,
    )


def _part_text(program: Program, group: Group, number: int) -> PartText:
    call = program.calls[number]
    view = group.views[number - group.first]
    inputs = []
    for position, operand in enumerate(call.kernel.operands):
        name, row_bytes = f"input{number}_{position}", view.operand_row_bytes[position]
        if operand.constant:
            continue
        if call.streamed[position]:
            inputs.append(f"ecgseg_rows_at(&rows{number - 1}, slice{number}.first)")
        else:
            inputs.append(f"{name} + slice{number}.first * {row_bytes}" if row_bytes else name)
    return PartText(
        number,
        view.row_bytes,
        str(view.axis.in_rows) if number == group.first else f"rows{number - 1}.end",
        tuple(inputs),
        f"scratch{number}" if call.scratch is not None else "",
    )


def _statements(kernel: Kernel, call: Call, prefix: str, *, ring: bool) -> list[str]:
    inputs = [
        _constant(call, prefix, position) if operand.constant else f"input{position}"
        for position, operand in enumerate(kernel.operands)
    ]
    if kernel.function == "concatenate":
        return _concatenation(kernel, inputs)
    scratch = [] if call.scratch is None else ["scratch"]
    if kernel.function == "threes":
        scratch += ["ring", "first"] if ring else ["NULL", "0"]
    return [f"ecgseg_{kernel.function}({', '.join([f'&{prefix}', *inputs, 'output', *scratch])});"]


def _constant(call: Call, prefix: str, position: int) -> str:
    """A constant operand; of a streamed layer from the slice's first row on."""
    name = f"{prefix}_{call.kernel.operands[position].constant}"
    row_bytes = call.view.operand_row_bytes[position] if call.view else 0
    return f"{name} + slice.first * {row_bytes}" if row_bytes else name


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


def _fields(kernel: Kernel, prefix: str, values: Mapping[str, Any]) -> str:
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
        return "{" + ", ".join(_c_value(item) for item in value) + "}"
    return value if isinstance(value, str) else c_integer(value)
