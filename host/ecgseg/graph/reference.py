"""The oracle of this computer: TensorFlow Lite Micro, or where it is not installed this project's own interpreter.

The package tflite-micro exists for Linux on x86-64 alone, and the host of a rig is often another computer. Both compute
the same bytes (tests/graph/test_graph_interpret.py), and results name the one that did.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ecgseg.errors import ModelError
from ecgseg.graph.ends import Ends, ends_of, int8_of
from ecgseg.graph.interpret import run, run_all
from ecgseg.graph.ir import Graph
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle, is_available

Int8 = npt.NDArray[np.int8]

INTERPRETER = "ecgseg's interpreter"


class Oracle(Protocol):
    """What computes the bytes that a device must answer, in int8 as the device speaks it.

    Attributes:
        name: for results.
        graph, ends: of the model.
    """

    name: str
    graph: Graph
    ends: Ends

    def output(self, data: Int8) -> Int8:
        """The model's output, flat, for an input of any shape."""
        ...

    def tensor(self, data: Int8, index: int) -> bytes:
        """What is computed for a tensor, by its index in the .tflite.

        Raises:
            ModelError: the tensor is not computed.
        """
        ...


def oracle_of(model: bytes) -> Oracle:
    """A model in the oracle of this computer.

    Args:
        model: bytes of a .tflite file.

    Raises:
        GraphError: the file is damaged, the oracle does not take the model, or its ends are not int8.
    """
    return _Micro(model) if is_available() else _Interpreter(model)


def oracle_name() -> str:
    """The oracle of this computer, for results."""
    return _micro_name() if is_available() else INTERPRETER


def _micro_name() -> str:
    try:
        return f"TensorFlow Lite Micro {version('tflite-micro')}"
    except PackageNotFoundError:
        return "TensorFlow Lite Micro"


class _Micro:
    def __init__(self, model: bytes) -> None:
        self.name = _micro_name()
        self._oracle = TflmOracle(model)
        self.graph = self._oracle.graph
        self.ends = ends_of(self.graph)

    def output(self, data: Int8) -> Int8:
        """Of a model with float32 ends the int8 tensor in front of its DEQUANTIZE."""
        if self.ends.float_output:
            index = self.ends.output.index
            return int8_of(self._oracle.run_all(self.ends.to_file(data), [index])[index])
        return int8_of(self._oracle.run(self.ends.to_file(data)))

    def tensor(self, data: Int8, index: int) -> bytes:
        """Of any tensor of the file."""
        if index not in range(len(self.graph.tensors)):
            # The runtime would take the index as it is and read behind its list.
            raise ModelError(f"The model has no tensor {index}.", f"It has {len(self.graph.tensors)}, counted from 0.")
        values = self._oracle.run_all(self.ends.to_file(data), [index])[index]
        return (int8_of(values) if values.dtype == np.uint8 else values).tobytes()


class _Interpreter:
    def __init__(self, model: bytes) -> None:
        self.name = INTERPRETER
        self.graph = load_tflite(model)
        self._network = lower(self.graph)
        self.ends = self._network.ends

    def output(self, data: Int8) -> Int8:
        """Between the int8 ends nothing else is computed."""
        return run(self._network, data).reshape(-1)

    def tensor(self, data: Int8, index: int) -> bytes:
        """Of the input and of every tensor that a layer computes."""
        values = run_all(self._network, data)
        if index not in values:
            raise ModelError(f"The model computes no tensor {index}.", f"It computes {len(values)}, input included.")
        return values[index].tobytes()
