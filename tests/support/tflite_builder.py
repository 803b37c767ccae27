"""Builds int8 .tflite files without TensorFlow, from the schema's own object API.

Quantisation is chosen by the caller; `random_network` draws whole networks for property-based tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int16): schema.TensorType.INT16,
    np.dtype(np.uint8): schema.TensorType.UINT8,
}
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID
ACTIVATIONS = {
    "NONE": schema.ActivationFunctionType.NONE,
    "RELU": schema.ActivationFunctionType.RELU,
    "RELU6": schema.ActivationFunctionType.RELU6,
    "RELU_N1_TO_1": schema.ActivationFunctionType.RELU_N1_TO_1,
}


class Builder:
    """One subgraph under construction; tensors and operators are numbered in the order they are added."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = b"test"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.graph.name = b"main"
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: Sequence[int],
        dtype: Any = np.int8,
        scales: Sequence[float] = (),
        zero_points: Sequence[int] = (),
        axis: int = 0,
        data: npt.NDArray[Any] | None = None,
    ) -> int:
        """Adds a tensor and returns its index."""
        tensor = schema.TensorT()
        tensor.shape = [int(size) for size in shape]
        tensor.type = _TYPES[np.dtype(dtype)]
        tensor.name = f"t{len(self.graph.tensors)}".encode()
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        if len(scales):
            quantisation = schema.QuantizationParametersT()
            quantisation.scale = [float(scale) for scale in scales]
            quantisation.zeroPoint = [int(point) for point in zero_points] or [0] * len(scales)
            quantisation.quantizedDimension = axis
            tensor.quantization = quantisation
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def int8(self, shape: Sequence[int], scale: float, zero_point: int, data: npt.NDArray[Any] | None = None) -> int:
        """Adds an int8 tensor with one scale."""
        return self.tensor(shape, np.int8, [scale], [zero_point], 0, data)

    def int32(self, values: Sequence[int] | npt.NDArray[Any]) -> int:
        """Adds a constant int32 vector."""
        data = np.asarray(values, np.int32)
        return self.tensor(data.shape, np.int32, data=data)

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: str | None = None, **values: Any
    ) -> int:
        """Adds an operator; `options` is the schema's class without its T, values its fields."""
        code = schema.OperatorCodeT()
        number = getattr(schema.BuiltinOperator, name)
        code.builtinCode = number
        code.deprecatedBuiltinCode = min(number, 127)
        code.version = 1
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes)
        self.model.operatorCodes.append(code)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")()
            for key, value in values.items():
                assert hasattr(operator.builtinOptions, key), key
                setattr(operator.builtinOptions, key, value)
        self.graph.operators.append(operator)
        return len(self.graph.operators) - 1

    def shape(self, index: int) -> list[int]:
        """Shape of a tensor."""
        return list(self.graph.tensors[index].shape)

    def quantisation(self, index: int) -> tuple[float, int]:
        """Scale (as stored) and zero point of a tensor."""
        parameters = self.graph.tensors[index].quantization
        return float(np.float32(parameters.scale[0])), int(parameters.zeroPoint[0])

    def finish(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file."""
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        packer = flatbuffers.Builder(1024)
        packer.Finish(self.model.Pack(packer), file_identifier=b"TFL3")
        return bytes(packer.Output())


def conv_options(stride: tuple[int, int], dilation: tuple[int, int], padding: int, activation: str) -> dict[str, Any]:
    """Fields that CONV_2D and DEPTHWISE_CONV_2D share."""
    return {
        "padding": padding,
        "strideH": stride[0],
        "strideW": stride[1],
        "dilationHFactor": dilation[0],
        "dilationWFactor": dilation[1],
        "fusedActivationFunction": ACTIVATIONS[activation],
    }
