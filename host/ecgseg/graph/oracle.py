"""TensorFlow Lite Micro on the host: the truth that every other implementation has to equal."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import GraphError, ToolMissingError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower.context import check_softmax

Int8 = npt.NDArray[np.int8]
ARENA_BYTES = 4 << 20
ORACLE_BUFFERS = 1024

_REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, struct.error)


def is_available() -> bool:
    """Whether TensorFlow Lite Micro's package can be imported here."""
    return _runtime() is not None


def _runtime() -> Any:
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        return None
    return runtime


class TflmOracle:
    """A model in TensorFlow Lite Micro's reference kernels, from the tflite-micro package.

    Args:
        model: bytes of a .tflite file.

    Attributes:
        graph: what is in the file.

    Raises:
        GraphError: the file is damaged, or TensorFlow Lite Micro does not take the model.
        ToolMissingError: the package is not installed.
    """

    def __init__(self, model: bytes) -> None:
        # The runtime trusts what it is given: whatever is damaged has to be refused before it sees it.
        self.graph = load_tflite(model)
        for operator in self.graph.operators:
            if operator.name == "SOFTMAX" and operator.inputs:
                check_softmax(operator, self.graph.tensors[operator.inputs[0]])
        self._model = model
        self._interpreter = self._start(preserve=False)
        self._preserving: Any = None

    def _start(self, preserve: bool) -> Any:
        # The package's own guess, ten times the file, is too small for small files with large activations.
        size = ARENA_BYTES + 10 * len(self._model)
        try:
            return self._interpreter_in(size, preserve)
        except _REFUSALS as error:
            if self._fits(16 * size, preserve):
                raise GraphError(
                    "The model needs more working memory than the oracle on this host has.",
                    f"TensorFlow Lite Micro is given {size} bytes ({ARENA_BYTES >> 20} MiB and ten times the file) "
                    "here, far more than the device has.",
                    "Give a model with smaller activations; this one fits no device.",
                ) from error
            if len(self.graph.tensors) > ORACLE_BUFFERS:
                raise GraphError(
                    f"The model has {len(self.graph.tensors)} tensors, more than the oracle on this host takes.",
                    f"TensorFlow Lite Micro plans at most {ORACLE_BUFFERS} buffers here.",
                    "Give a model with fewer operators.",
                ) from error
            raise GraphError(
                "TensorFlow Lite Micro does not take this model.",
                "What it printed above names the operator and the cause.",
                "Export the model for TensorFlow Lite Micro again, with int8 quantisation and fixed shapes.",
            ) from error

    def _fits(self, arena_bytes: int, preserve: bool) -> bool:
        try:
            self._interpreter_in(arena_bytes, preserve)
        except _REFUSALS:
            return False
        return True

    def _interpreter_in(self, arena_bytes: int, preserve: bool) -> Any:
        runtime = _runtime()
        if runtime is None:
            raise ToolMissingError(
                "TensorFlow Lite Micro is not installed.",
                "The Python package tflite-micro exists for Linux on x86-64 alone.",
                "Run this on such a computer, where `make setup` installs it.",
            )
        options: dict[str, Any] = {"arena_size": arena_bytes}
        if preserve:
            options["intrepreter_config"] = runtime.InterpreterConfig.kPreserveAllTensors
        return runtime.Interpreter.from_bytes(self._model, **options)

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
                "TensorFlow Lite Micro could not run this model.",
                "What it printed above names the operator and the cause.",
                "Check the model and the input's shape.",
            ) from error
        return np.array(interpreter.get_output(0))
