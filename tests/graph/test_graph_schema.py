"""The project's own reader of .tflite files against the code that is generated from their schema."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as generated

from ecgseg.graph import schema
from ecgseg.graph.flatbuffer import Table
from ecgseg.models import find_model, model_names, stream_names


def names(enumeration: type) -> list[str]:
    numbers = {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}
    return [numbers[number] for number in range(len(numbers))]


def test_operators_and_types_have_the_numbers_of_the_schema() -> None:
    assert list(schema.OPERATORS) == names(generated.BuiltinOperator)
    assert list(schema.TYPES) == names(generated.TensorType)


CLASSES = {value: name for name, value in vars(generated.BuiltinOptions).items() if isinstance(value, int)}
FIELDS = [(name, field) for name, options in schema.OPTIONS.items() for field in options.fields]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda word: word)
def test_options_lie_where_the_schema_has_them(name: str, field: str) -> None:
    """A table that holds this field alone, or nothing, read by both."""
    option = schema.OPTIONS[name].fields[field]
    reader = getattr(generated, CLASSES[schema.OPTIONS[name].number])
    getter = "".join(part.capitalize() for part in field.split("_"))
    value = {"?": True, "f": 0.25}.get(option.kind, 3)
    for content, told in ((table({option.field: (option.kind, value)}), value), (table({}), option.default)):
        assert Table.root(content).number(option.field, option.kind, option.default) == told
        assert getattr(reader.GetRootAs(content, 0), getter)() == told


def table(fields: dict[int, tuple[str, object]]) -> bytes:
    """A flatbuffer of one table of numbers, each in eight bytes of its own."""
    slots = 1 + max(fields, default=-1)
    vtable = struct.pack("<HH", 4 + 2 * slots, 8 + 8 * slots)
    places = (8 + 8 * slot if slot in fields else 0 for slot in range(slots))
    vtable += b"".join(struct.pack("<H", place) for place in places)
    vtable += bytes(-len(vtable) % 8)
    body = b"".join(
        struct.pack(f"<{fields[slot][0]}", fields[slot][1]).ljust(8, b"\0") if slot in fields else bytes(8)
        for slot in range(slots)
    )
    return struct.pack("<II", 8 + len(vtable), 0) + vtable + struct.pack("<ii", len(vtable), 0) + body


@pytest.mark.parametrize("name", [*model_names(), *stream_names()])
def test_a_model_is_read_as_the_generated_code_reads_it(name: str) -> None:
    content = find_model(name).data
    model, theirs = Table.root(content), generated.ModelT.InitFromObj(generated.Model.GetRootAs(content, 0))
    graph, told = model.element(schema.Model.SUBGRAPHS, 0), theirs.subgraphs[0]
    assert model.number(schema.Model.VERSION, "I") == theirs.version == schema.VERSION
    assert graph.length(schema.SubGraph.TENSORS) == len(told.tensors)
    for index, tensor in enumerate(told.tensors):
        check_tensor(graph.element(schema.SubGraph.TENSORS, index), tensor)
    for index, buffer in enumerate(theirs.buffers):
        mine = model.element(schema.Model.BUFFERS, index)
        content_of = b"" if buffer.data is None else bytes(buffer.data)
        assert mine.raw(schema.Buffer.DATA, mine.length(schema.Buffer.DATA)) == content_of


def check_tensor(mine: Table, tensor: SimpleNamespace) -> None:
    assert mine.text(schema.Tensor.NAME) == tensor.name
    assert mine.number(schema.Tensor.TYPE, "b") == tensor.type
    assert mine.number(schema.Tensor.BUFFER, "I") == tensor.buffer
    assert list(mine.numbers(schema.Tensor.SHAPE, "i", mine.length(schema.Tensor.SHAPE))) == list(tensor.shape)
    quantisation = mine.table(schema.Tensor.QUANTISATION)
    assert (quantisation is None) == (tensor.quantization is None)
    if quantisation is not None and tensor.quantization.scale is not None:
        count = quantisation.length(schema.Quantisation.SCALE)
        assert list(quantisation.numbers(schema.Quantisation.SCALE, "f", count)) == list(tensor.quantization.scale)
        points = quantisation.numbers(schema.Quantisation.ZERO_POINT, "q", count)
        assert list(points) == list(tensor.quantization.zeroPoint)
        dimension = quantisation.number(schema.Quantisation.DIMENSION, "i")
        assert dimension == tensor.quantization.quantizedDimension


def test_references_that_lead_out_of_the_file_are_errors() -> None:
    vtable_far_behind = struct.pack("<Ii", 4, -(1 << 20))
    vtable_far_before = struct.pack("<Ii", 4, 1 << 20)
    for content in (b"", b"\4\0\0", struct.pack("<I", 1 << 31), vtable_far_behind, vtable_far_before):
        with pytest.raises((IndexError, struct.error)):
            Table.root(content)
    vector = table({0: ("i", 1 << 20)})
    with pytest.raises((IndexError, struct.error)):
        Table.root(vector).length(0)
    whole = Table.root(table({0: ("i", 4)}) + b"\xff" * 4)
    with pytest.raises(IndexError):
        whole.raw(0, 100)
