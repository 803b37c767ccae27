"""The device in Python: from raw samples, or from an int8 input, every byte that it must answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.errors import ModelError
from ecgseg.graph.reference import oracle_of
from ecgseg.pipeline.parameters import PreprocessParameters
from ecgseg.pipeline.prediction import Prediction, assemble, whole_record
from ecgseg.pipeline.preprocess import Frame, FrameStatus, flush_samples, frames
from ecgseg.pipeline.rates import DEFAULT_INPUT_RATE
from ecgseg.pipeline.segments import Segment, class_mask, segments


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


class Segmenter:
    """The one twin of the device: preprocessor, oracle (`ecgseg.graph.reference`), class mask and segment rules.

    What a HIL test expects and what an evaluation scores come from it.

    Args:
        model: bytes of a .tflite whose ends are int8, or float32 next to QUANTIZE and DEQUANTIZE.
        input_rate: raw rate in Hz.

    Attributes:
        sha256: SHA-256 of the .tflite, hexadecimal.
        oracle: what computes the model, for results.
        ends: the int8 tensors that the device takes and answers.
        input_bytes: size of the model's int8 input.
        class_count: classes of a segmenter, 0 for any other model.
        parameters: the preprocessor's parameters; None for a model that is no segmenter.

    Raises:
        GraphError: the file is damaged, the oracle does not take it, or its ends are not int8.
        UsageError: the preprocessor does not take the input rate or the input's quantisation.
    """

    def __init__(self, model: bytes, input_rate: int = DEFAULT_INPUT_RATE) -> None:
        self.sha256 = hashlib.sha256(model).hexdigest()
        self._oracle = oracle_of(model)
        self.oracle = self._oracle.name
        self.ends = self._oracle.ends
        self.input_bytes = self.ends.input.size
        _, self.class_count = self.ends.segmenter_shape
        self.parameters = PreprocessParameters.for_model(self.ends, input_rate)

    def run(self, data: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """The model's output, flat int8, for an int8 input of any shape.

        Of a model with float32 ends it is the int8 tensor in front of its DEQUANTIZE, of one with uint8 ends 128 less,
        as on the device.
        """
        return self._oracle.output(data)

    def layer(self, data: npt.NDArray[np.int8], tensor: int) -> bytes:
        """What the oracle computes for a tensor, by its index in the .tflite.

        Raises:
            ModelError: the model has no such tensor, or does not compute it.
        """
        return self._oracle.tensor(data, tensor)

    def stream(self, raw: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """What is sent for a record: its samples int16 [samples] and those that flush the filter.

        Raises:
            ModelError: the model is no segmenter.
        """
        return np.concatenate((raw, flush_samples(raw, self.require_parameters())))

    def expect(self, raw: npt.NDArray[np.int16]) -> list[ExpectedFrame]:
        """Every frame of a record that the device completes.

        Args:
            raw: int16 [samples], 1 LSB = 1 microvolt, at the input rate.

        Raises:
            ModelError: the model is no segmenter.
        """
        parameters = self.require_parameters()
        return [self._expected(index, frame, parameters) for index, frame in enumerate(frames(raw, parameters))]

    def _expected(self, index: int, frame: Frame, parameters: PreprocessParameters) -> ExpectedFrame:
        scores = self.scores(frame)
        mask = class_mask(scores, frame)
        return ExpectedFrame(
            index,
            frame.status,
            frame.lead_off_samples,
            frame.saturated_samples,
            frame.data,
            scores,
            mask,
            segments(mask, parameters.rules),
        )

    def predict(self, raw: npt.NDArray[np.int16]) -> Prediction:
        """Mask and segments of a whole record, with one more frame that ends where it ends if there is a rest.

        Args:
            raw: int16 [samples], 1 LSB = 1 microvolt, at the input rate; if shorter than a frame, all is NONE.

        Raises:
            ModelError: the model is no segmenter.
        """
        parameters = self.require_parameters()
        masks = [class_mask(self.scores(frame), frame) for frame in whole_record(raw, parameters)]
        return assemble(masks, parameters.samples_of(raw.size), parameters.rules)

    def scores(self, frame: Frame) -> npt.NDArray[np.int8]:
        """Scores int8 [frame_length, classes] of one preprocessed frame."""
        return self.run(frame.data).reshape(frame.data.size, self.class_count)

    def require_parameters(self) -> PreprocessParameters:
        """The preprocessor's parameters.

        Raises:
            ModelError: the model is no segmenter.
        """
        if self.parameters is None:
            raise ModelError(
                "This model does not segment.",
                f"Its input has {self.input_bytes} values, its output {self.ends.output.size}.",
                "Stream samples only to a model with input [1, T, 1] and output [1, T, classes].",
            )
        return self.parameters
