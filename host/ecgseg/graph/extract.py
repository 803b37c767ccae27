"""Cuts one operator out of a .tflite file, as a model of its own."""

from __future__ import annotations

from typing import Any


def single_operator(data: bytes, index: int) -> bytes:
    """A .tflite file with one operator of another and what it reads.

    Args:
        data: a .tflite file that `ecgseg.graph.load.load_tflite` took.
        index: of the operator in the file; its first input is computed, all others are constants.

    Returns:
        The file: int8 input and output as they are inside the whole model.
    """
    import flatbuffers
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    graph = model.subgraphs[0]
    operator = graph.operators[index]
    kept = [tensor for tensor in (*operator.inputs, *operator.outputs) if tensor >= 0]
    place = {tensor: position for position, tensor in enumerate(dict.fromkeys(kept))}
    graph.tensors = [graph.tensors[tensor] for tensor in place]
    model.buffers = [schema.BufferT(), *(_buffer_of(model, tensor) for tensor in graph.tensors)]
    for position, tensor in enumerate(graph.tensors):
        tensor.buffer = position + 1
    operator.inputs = [place.get(tensor, -1) for tensor in operator.inputs]
    operator.outputs = [place[tensor] for tensor in operator.outputs]
    model.operatorCodes = [model.operatorCodes[operator.opcodeIndex]]
    operator.opcodeIndex = 0
    graph.operators = [operator]
    graph.inputs, graph.outputs = operator.inputs[:1], operator.outputs
    # What speaks of the whole model says nothing of a part of it.
    model.metadata = model.metadataBuffer = model.signatureDefs = None
    packer = flatbuffers.Builder(len(data))
    packer.Finish(model.Pack(packer), file_identifier=b"TFL3")
    return bytes(packer.Output())


def _buffer_of(model: Any, tensor: Any) -> Any:
    return model.buffers[tensor.buffer]
