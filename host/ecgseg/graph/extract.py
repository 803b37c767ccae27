"""Cuts one operator out of a .tflite file, as a model of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecgseg.graph import schema
from ecgseg.graph.flatbuffer import Table
from ecgseg.graph.load import IDENTIFIER


def single_operator(data: bytes, index: int) -> bytes:
    """A .tflite file with one operator of another and what it reads.

    Args:
        data: a .tflite file that `ecgseg.graph.load.load_tflite` took.
        index: of the operator in the file; its first input is computed, all others are constants.

    Returns:
        The file: int8 input and output as they are inside the whole model. What speaks of the whole model, such as its
        description, is left out, and so are options that no operator of int8 is computed by.
    """
    model = Table.root(data)
    graph = model.element(schema.Model.SUBGRAPHS, 0)
    operator = graph.element(schema.SubGraph.OPERATORS, index)
    edges = [
        operator.numbers(field, "i", operator.length(field))
        for field in (schema.Operator.INPUTS, schema.Operator.OUTPUTS)
    ]
    kept = list(dict.fromkeys(tensor for tensor in (*edges[0], *edges[1]) if tensor >= 0))
    tensors = [graph.element(schema.SubGraph.TENSORS, tensor) for tensor in kept]
    inputs, outputs = ([kept.index(tensor) if tensor >= 0 else -1 for tensor in those] for those in edges)
    code = model.element(schema.Model.OPERATOR_CODES, operator.number(schema.Operator.CODE, "I"))
    return _Writer(model).file(tensors, _Call(operator, code, inputs, outputs))


class _Call:
    """An operator, its code, and its edges among the tensors that are kept."""

    def __init__(self, operator: Table, code: Table, inputs: list[int], outputs: list[int]) -> None:
        self.operator, self.code, self.inputs, self.outputs = operator, code, inputs, outputs


class _Writer:
    """Writes from the leaves to the root, as a flatbuffer is built."""

    def __init__(self, model: Table) -> None:
        import flatbuffers

        self._model = model
        self._builder = flatbuffers.Builder(1024)

    def file(self, tensors: Sequence[Table], call: _Call) -> bytes:
        """The file of these tensors and this operator."""
        empty = self._table({})
        buffers = self._tables([empty, *(self._contents(tensor) for tensor in tensors)])
        written = self._tables([self._tensor(tensor, 1 + place) for place, tensor in enumerate(tensors)])
        edges = [self._numbers(np.array(those, "<i4")) for those in (call.inputs[:1], call.outputs)]
        graph = self._table(
            {
                schema.SubGraph.TENSORS: (_REFERENCE, written),
                schema.SubGraph.INPUTS: (_REFERENCE, edges[0]),
                schema.SubGraph.OUTPUTS: (_REFERENCE, edges[1]),
                schema.SubGraph.OPERATORS: (_REFERENCE, self._tables([self._operator(call)])),
            }
        )
        codes, graphs = self._tables([self._code(call.code)]), self._tables([graph])
        root = self._table(
            {
                schema.Model.VERSION: ("Uint32", schema.VERSION),
                schema.Model.OPERATOR_CODES: (_REFERENCE, codes),
                schema.Model.SUBGRAPHS: (_REFERENCE, graphs),
                schema.Model.BUFFERS: (_REFERENCE, buffers),
            }
        )
        self._builder.Finish(root, file_identifier=IDENTIFIER)
        return bytes(self._builder.Output())

    def _contents(self, tensor: Table) -> int:
        buffer = self._model.element(schema.Model.BUFFERS, tensor.number(schema.Tensor.BUFFER, "I"))
        content = buffer.raw(schema.Buffer.DATA, buffer.length(schema.Buffer.DATA))
        if not content:
            return self._table({})
        # The runtime reads constants where they lie: they are aligned as the converter aligns them.
        self._builder.StartVector(1, len(content), 16)
        self._builder.head -= len(content)
        self._builder.Bytes[self._builder.head : self._builder.head + len(content)] = content
        return self._table({schema.Buffer.DATA: (_REFERENCE, self._builder.EndVector())})

    def _tensor(self, tensor: Table, buffer: int) -> int:
        name = self._builder.CreateString(tensor.text(schema.Tensor.NAME))
        shape = self._copied(tensor, schema.Tensor.SHAPE, "i")
        quantisation = tensor.table(schema.Tensor.QUANTISATION)
        fields = {
            schema.Tensor.SHAPE: (_REFERENCE, shape),
            schema.Tensor.TYPE: ("Int8", tensor.number(schema.Tensor.TYPE, "b")),
            schema.Tensor.BUFFER: ("Uint32", buffer),
            schema.Tensor.NAME: (_REFERENCE, name),
        }
        if quantisation is not None:
            fields[schema.Tensor.QUANTISATION] = (_REFERENCE, self._quantisation(quantisation))
        return self._table(fields)

    def _quantisation(self, quantisation: Table) -> int:
        scale = self._copied(quantisation, schema.Quantisation.SCALE, "f")
        point = self._copied(quantisation, schema.Quantisation.ZERO_POINT, "q")
        dimension = quantisation.number(schema.Quantisation.DIMENSION, "i")
        return self._table(
            {
                schema.Quantisation.SCALE: (_REFERENCE, scale),
                schema.Quantisation.ZERO_POINT: (_REFERENCE, point),
                schema.Quantisation.DIMENSION: ("Int32", dimension),
            }
        )

    def _operator(self, call: _Call) -> int:
        inputs, outputs = (self._numbers(np.array(those, "<i4")) for those in (call.inputs, call.outputs))
        fields = {
            schema.Operator.INPUTS: (_REFERENCE, inputs),
            schema.Operator.OUTPUTS: (_REFERENCE, outputs),
        }
        number = call.operator.number(schema.Operator.OPTIONS_TYPE, "B")
        options = call.operator.table(schema.Operator.OPTIONS)
        known = next((one for one in schema.OPTIONS.values() if one.number == number), None)
        if options is not None and known is not None:
            told = {
                one.field: (_SLOTS[one.kind], options.number(one.field, one.kind, one.default))
                for one in known.fields.values()
            }
            fields[schema.Operator.OPTIONS_TYPE] = ("Uint8", number)
            fields[schema.Operator.OPTIONS] = (_REFERENCE, self._table(told))
        return self._table(fields)

    def _code(self, code: Table) -> int:
        return self._table(
            {
                schema.Code.DEPRECATED: ("Int8", code.number(schema.Code.DEPRECATED, "b")),
                schema.Code.VERSION: ("Int32", code.number(schema.Code.VERSION, "i", 1)),
                schema.Code.BUILTIN: ("Int32", code.number(schema.Code.BUILTIN, "i")),
            }
        )

    def _copied(self, table: Table, field: int, kind: str) -> int:
        return self._numbers(np.array(table.numbers(field, kind, table.length(field)), f"<{kind}"))

    def _numbers(self, values: Any) -> int:
        return int(self._builder.CreateNumpyVector(values))

    def _tables(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())

    def _table(self, fields: dict[Any, tuple[str, Any]]) -> int:
        """A table of fields by number: kind and value, which is written even where it is the default."""
        self._builder.StartObject(1 + max(fields, default=-1))
        for field, (kind, value) in fields.items():
            getattr(self._builder, f"Prepend{kind}")(value)
            self._builder.Slot(int(field))
        return int(self._builder.EndObject())


_REFERENCE = "UOffsetTRelative"
_SLOTS = {"b": "Int8", "i": "Int32", "?": "Bool", "f": "Float32"}
