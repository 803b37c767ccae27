"""What the device must answer: from raw samples, or from an int8 input, every byte as Python computes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import ModelError
from ecgseg.graph.layers import Network
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from ecgseg.graph.shape import segmenter_shape
from ecgseg.pipeline import (
    DEFAULT_INPUT_RATE,
    FrameStatus,
    PreprocessParameters,
    Segment,
    SegmentRules,
    class_mask,
    flush_samples,
    frames,
    segments,
)


@dataclass(frozen=True)
class ExpectedFrame:
    """One frame as the device must answer it.

    Attributes:
        index: number of the frame in its record.
        status: status bits.
        lead_off_samples, saturated_samples: counts at 100 Hz.
        input: int8 [frame_length], what the model gets.
        scores: int8 [frame_length, classes].
        mask: uint8 [frame_length].
        segments: in samples of the frame, both ends inclusive.
    """

    index: int
    status: FrameStatus
    lead_off_samples: int
    saturated_samples: int
    input: npt.NDArray[np.int8]
    scores: npt.NDArray[np.int8]
    mask: npt.NDArray[np.uint8]
    segments: list[Segment]


class Reference:
    """A model's answers on the host: the reference preprocessor, TensorFlow Lite Micro, the reference segment rules.

    Args:
        model: bytes of an int8 .tflite.
        input_rate: raw rate in Hz.

    Attributes:
        sha256: SHA-256 of the .tflite, hexadecimal.
        class_count: classes of a segmenter, 0 for any other model.
        parameters: the preprocessor's parameters; None for a model that is no segmenter.

    Raises:
        GraphError: TensorFlow Lite Micro or the code generator does not take the model.
    """

    def __init__(self, model: bytes, input_rate: int = DEFAULT_INPUT_RATE) -> None:
        self.sha256 = hashlib.sha256(model).hexdigest()
        self._oracle = TflmOracle(model)
        self._network = lower(load_tflite(model))
        self.input_bytes = self._network.input.size
        frame_length, self.class_count = segmenter_shape(self._network)
        self.parameters = _parameters(self._network, frame_length, self.class_count, input_rate)

    def run(self, data: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """The model's output, flat int8, for an int8 input of any shape.

        Of a model with float32 ends it is the int8 tensor in front of its DEQUANTIZE, as on the device.
        """
        if self._network.float_output:
            index = self._network.output.index
            output = self._oracle.run_all(self._fed(data), [index])[index]
        else:
            output = self._oracle.run(self._fed(data))
        return np.asarray(output, dtype=np.int8).reshape(-1)

    def _fed(self, data: npt.NDArray[np.int8]) -> npt.NDArray[Any]:
        """What TensorFlow Lite Micro is fed: the int8 input, or the values that its QUANTIZE turns into it."""
        if not self._network.float_input:
            return data
        start = self._network.input
        return (data.astype(np.float32) - np.float32(start.zero_point)) * np.float32(start.scale)

    def layer(self, data: npt.NDArray[np.int8], tensor: int) -> bytes:
        """What TensorFlow Lite Micro computes for a tensor, by its index in the .tflite."""
        return self._oracle.run_all(self._fed(data), [tensor])[tensor].tobytes()

    def stream(self, raw: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """What is sent for a record: its samples and those that flush the filter."""
        return np.concatenate((raw, flush_samples(raw, self._segmenter())))

    def expect(self, raw: npt.NDArray[np.int16]) -> list[ExpectedFrame]:
        """Every frame of a record.

        Args:
            raw: int16 [samples], 1 LSB = 1 microvolt, at the input rate.

        Raises:
            ModelError: the model is no segmenter.
        """
        parameters = self._segmenter()
        expected = []
        for index, frame in enumerate(frames(raw, parameters)):
            scores = self.run(frame.data).reshape(parameters.frame_length, self.class_count)
            mask = class_mask(scores, frame)
            expected.append(
                ExpectedFrame(
                    index,
                    frame.status,
                    frame.lead_off_samples,
                    frame.saturated_samples,
                    frame.data,
                    scores,
                    mask,
                    segments(mask, parameters.rules),
                )
            )
        return expected

    def _segmenter(self) -> PreprocessParameters:
        if self.parameters is None:
            raise ModelError(
                "This model does not segment.",
                f"Its input has {self.input_bytes} values, its output {self._network.output.size}.",
                "Stream samples only to a model with input [1, T, 1] and output [1, T, classes].",
            )
        return self.parameters


def _parameters(network: Network, frame_length: int, classes: int, input_rate: int) -> PreprocessParameters | None:
    if not classes:
        return None
    return PreprocessParameters(
        input_rate=input_rate,
        frame_length=frame_length,
        hop=frame_length,
        scale=float(network.input.scale),
        zero_point=network.input.zero_point,
        rules=SegmentRules.for_classes(classes),
    )
