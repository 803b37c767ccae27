"""A .tflite for an input of another length, for TensorFlow Lite Micro to run it."""

from __future__ import annotations

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from ecgseg.graph.lengths import at_length
from ecgseg.graph.load import load_tflite


def tflite_at_length(content: bytes, length: int) -> bytes:
    """The same file but for the shapes, and the constants that hold some.

    Args:
        content: a .tflite file whose operators can be at any length.
        length: rows of the input.

    Raises:
        GraphError: they cannot, or not at this one.
    """
    graph = at_length(load_tflite(content), length)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    subgraph = model.subgraphs[0]
    for tensor in graph.tensors:
        if tensor.index == len(subgraph.tensors):
            assert tensor.data is not None
            added, buffer = schema.TensorT(), schema.BufferT()
            added.type, added.name, added.buffer = schema.TensorType.INT32, b"shape", len(model.buffers)
            buffer.data = np.frombuffer(tensor.data.astype("<i4").tobytes(), np.uint8)
            model.buffers.append(buffer)
            subgraph.tensors.append(added)
        subgraph.tensors[tensor.index].shape = list(tensor.shape)
        subgraph.tensors[tensor.index].shapeSignature = None
    for changed in graph.operators:
        operator = subgraph.operators[changed.index]
        operator.inputs = list(changed.inputs)
        if changed.name == "RESHAPE" and operator.builtinOptions is not None:
            operator.builtinOptions.newShape = list(graph.tensors[changed.outputs[0]].shape)
    packer = flatbuffers.Builder(len(content))
    packer.Finish(model.Pack(packer), file_identifier=b"TFL3")
    return bytes(packer.Output())
