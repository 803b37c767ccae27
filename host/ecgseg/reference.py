"""What the device must answer: from raw samples, or from an int8 input, every byte as Python computes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import ModelError
from ecgseg.graph.oracle import TflmOracle
from ecgseg.link import FrameResult, LayerInfo
from ecgseg.preprocess import (
    FRAME_LENGTH,
    FrameStatus,
    PreprocessParameters,
    Segment,
    SegmentRules,
    class_mask,
    flush_samples,
    frames,
    segments,
)

_SEGMENT = np.dtype([("label", "u1"), ("onset", "<u2"), ("offset", "<u2")])
_STATUS = np.dtype([("index", "<u4"), ("status", "<u2"), ("lead_off", "<u2"), ("saturated", "<u2")])

# What is compared, in the order in which one follows from the other.
STAGES = ("status", "input", "scores", "mask", "segments")


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


def stage_bytes(frame: ExpectedFrame | FrameResult) -> dict[str, bytes]:
    """The bytes of a frame by stage, little-endian as on the link; the status is that with number and counts."""
    rows = [(segment.label, segment.onset, segment.offset) for segment in frame.segments]
    status = (frame.index, int(frame.status), frame.lead_off_samples, frame.saturated_samples)
    return {
        "status": np.array([status], dtype=_STATUS).tobytes(),
        "input": frame.input.tobytes(),
        "scores": frame.scores.tobytes(),
        "mask": frame.mask.tobytes(),
        "segments": np.array(rows, dtype=_SEGMENT).tobytes(),
    }


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
        GraphError: TensorFlow Lite Micro does not take the model.
        ModelError: input or output is not int8.
    """

    def __init__(self, model: bytes, input_rate: int = 500) -> None:
        self.sha256 = hashlib.sha256(model).hexdigest()
        self._oracle = TflmOracle(model)
        inputs, outputs = self._oracle.input_details, self._oracle.output_details
        if inputs["dtype"] != np.int8 or outputs["dtype"] != np.int8:
            raise ModelError(
                "This model is not int8 at both ends.",
                f"Its input is {np.dtype(inputs['dtype']).name}, its output {np.dtype(outputs['dtype']).name}.",
                "Convert it with inference_input_type and inference_output_type int8.",
            )
        self.input_bytes = int(np.prod(inputs["shape"]))
        shape = [int(size) for size in outputs["shape"]]
        classes = _segmenter_classes(self.input_bytes, shape)
        self.class_count = classes
        self.parameters = _parameters(inputs, classes, input_rate) if classes else None

    def run(self, data: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """The model's output, flat int8, for an int8 input of any shape."""
        return np.asarray(self._oracle.run(data), dtype=np.int8).reshape(-1)

    def layer(self, data: npt.NDArray[np.int8], layer: LayerInfo) -> bytes:
        """What TensorFlow Lite Micro computes for the tensor of one layer."""
        return self._oracle.run_all(data, [layer.tensor_index])[layer.tensor_index].tobytes()

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
                "This model does not segment frames of 250 samples.",
                f"Its input has {self.input_bytes} values.",
                "Stream samples only to a model with input [1, 250, 1] and output [1, 250, classes].",
            )
        return self.parameters


def _segmenter_classes(input_bytes: int, output_shape: list[int]) -> int:
    """Classes per sample when the shapes are those of a segmenter, else 0."""
    classes = output_shape[-1] if output_shape else 0
    time_steps = int(np.prod(output_shape[:-1])) if output_shape else 0
    return classes if input_bytes == FRAME_LENGTH == time_steps and classes > 1 else 0


def _parameters(inputs: dict[str, Any], classes: int, input_rate: int) -> PreprocessParameters:
    quantisation = inputs["quantization_parameters"]
    return PreprocessParameters(
        input_rate=input_rate,
        scale=float(quantisation["scales"][0]),
        zero_point=int(quantisation["zero_points"][0]),
        rules=SegmentRules.for_classes(classes),
    )
