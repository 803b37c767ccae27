"""The stream of a device in Python: what it has to answer to a record, every class and every event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.graph.ends import ends_of
from ecgseg.graph.ir import Tensor
from ecgseg.graph.load import load_tflite
from ecgseg.graph.streaming import stream_of
from ecgseg.pipeline import DEFAULT_INPUT_RATE, MODEL_RATE
from ecgseg.pipeline.delineator import Delineator
from ecgseg.pipeline.reported import CLASSES_OF_BEATS


@dataclass(frozen=True)
class Answers:
    """Everything that a stream answers to a record: class of every sample uint8 [n], and the events' bytes."""

    classes: npt.NDArray[np.uint8]
    events: bytes


class StreamReference:
    """The twin of the device, and what HELLO has to tell of its model.

    Args:
        model: bytes of the .tflite.
        input_rate: raw rate in Hz.

    Attributes:
        sha256: SHA-256 of the .tflite, hexadecimal.
        oracle: what computes the model, for results.
        parameters: of the decimator and of the normalisation.
        class_count: classes of the network.
        block: samples at 100 Hz that the network takes at a time.
        ends: its int8 input and output.

    Raises:
        GraphError, ModelError, UsageError: as Delineator.
    """

    class_count = CLASSES_OF_BEATS

    def __init__(self, model: bytes, input_rate: int = DEFAULT_INPUT_RATE) -> None:
        self._twin = Delineator(model, input_rate)
        self.sha256 = self._twin.sha256
        self.oracle = self._twin.oracle
        self.parameters = self._twin.parameters
        graph = load_tflite(model)
        self.block = stream_of(graph).block
        ends = ends_of(graph)
        self.ends: tuple[Tensor, Tensor] = ends.input, ends.output

    def expect(self, raw: npt.NDArray[np.int16]) -> Answers:
        """What a right device answers to a record that is streamed from its start to its end.

        Args:
            raw: int16 [samples], 1 LSB = 1 microvolt, at the input rate, LEAD_OFF for no contact.
        """
        found = self._twin.record(raw)
        return Answers(found.classes, b"".join(event.pack() for event in found.events))

    def seconds(self, raw_samples: int) -> float:
        """Length of so many raw samples."""
        return self.parameters.samples_of(raw_samples) / MODEL_RATE
