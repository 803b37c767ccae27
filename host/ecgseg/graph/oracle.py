"""TensorFlow Lite Micro on the host: the truth that every other implementation has to equal."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import GraphError
from ecgseg.graph.load import load_tflite

Int8 = npt.NDArray[np.int8]
ARENA_BYTES = 4 << 20


class TflmOracle:
    """A model in TensorFlow Lite Micro's reference kernels, from the tflite-micro package.

    Args:
        model: bytes of a .tflite file.

    Attributes:
        graph: what is in the file.

    Raises:
        GraphError: the file is damaged, or TensorFlow Lite Micro does not take the model.
    """

    def __init__(self, model: bytes) -> None:
        # The runtime trusts what it is given: whatever is damaged has to be refused before it sees it.
        self.graph = load_tflite(model)
        self._model = model
        self._interpreter = self._start(preserve=False)
        self._preserving: Any = None

    def _start(self, preserve: bool) -> Any:
        from tflite_micro.python.tflite_micro import runtime

        config = runtime.InterpreterConfig.kPreserveAllTensors if preserve else None
        # The package's own guess, ten times the file, is too small for small files with large activations.
        options: dict[str, Any] = {"arena_size": ARENA_BYTES + 10 * len(self._model)}
        if preserve:
            options["intrepreter_config"] = config
        try:
            return runtime.Interpreter.from_bytes(self._model, **options)
        except (RuntimeError, ValueError, TypeError, IndexError, struct.error) as error:
            raise GraphError(
                "TensorFlow Lite Micro does not take this model.",
                str(error),
                "Check that the file is a whole int8 .tflite whose operators TensorFlow Lite Micro knows.",
            ) from error

    @property
    def input_details(self) -> dict[str, Any]:
        """Shape, dtype and quantisation of the input as TensorFlow Lite Micro reports them."""
        details: dict[str, Any] = self._interpreter.get_input_details(0)
        return details

    @property
    def output_details(self) -> dict[str, Any]:
        """Shape, dtype and quantisation of the output."""
        details: dict[str, Any] = self._interpreter.get_output_details(0)
        return details

    def run(self, data: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Output for one input; the input is reshaped to the model's shape."""
        return self._invoke(self._interpreter, data)

    def run_all(self, data: npt.NDArray[Any], tensors: list[int]) -> dict[int, npt.NDArray[Any]]:
        """Values of the named tensors (subgraph 0) after one run that keeps all of them."""
        if self._preserving is None:
            self._preserving = self._start(preserve=True)
        self._invoke(self._preserving, data)
        return {index: np.array(self._preserving.GetTensor(index, 0)["tensor_data"]) for index in tensors}

    def _invoke(self, interpreter: Any, data: npt.NDArray[Any]) -> npt.NDArray[Any]:
        shape = tuple(int(size) for size in self.input_details["shape"])
        try:
            interpreter.set_input(np.ascontiguousarray(data).reshape(shape), 0)
            interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise GraphError(
                "TensorFlow Lite Micro could not run this model.", str(error), "Check the model and the input's shape."
            ) from error
        return np.array(interpreter.get_output(0))
