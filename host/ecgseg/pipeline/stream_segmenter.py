"""A streaming network in Python: from a record's raw samples every class that the device answers for it."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from ecgseg.errors import ModelError
from ecgseg.graph import interpret
from ecgseg.graph.ir import Graph
from ecgseg.graph.layers import Network
from ecgseg.graph.lengths import at_length
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.reference import INTERPRETER
from ecgseg.graph.streaming import stream_of
from ecgseg.pipeline.faint import classes_of, faint_margin, labels_of
from ecgseg.pipeline.parameters import FRAME_LENGTH, RUNNING_WINDOW, PreprocessParameters
from ecgseg.pipeline.prediction import Prediction
from ecgseg.pipeline.preprocess import Decimated, decimate
from ecgseg.pipeline.rates import DEFAULT_INPUT_RATE
from ecgseg.pipeline.reported import CLASSES_OF_BEATS, reported_waves
from ecgseg.pipeline.running import normalise_running
from ecgseg.pipeline.segments import Mask, segments


class StreamSegmenter:
    """The twin of a stream: decimator, running normalisation, and the network at the length of the whole record.

    What a stream answers block by block is, to the bit, what its network answers at once (docs/architecture.md,
    section 10); so a record of hours takes seconds here.

    Args:
        model: bytes of a .tflite of int8 [1, time, 1] to int8 [1, time, classes] whose layers stream.
        input_rate: raw rate in Hz.

    Attributes:
        sha256: SHA-256 of the .tflite, hexadecimal.
        oracle: what computes the model, for results: on every computer the interpreter, which takes any length.
        class_count: classes of the network.
        look_ahead: samples at 100 Hz behind the one that is answered.
        faint_nats: how far a score of P may be below that of NONE to be a faint P wave's; 0 where nothing is faint.
        parameters: of the decimator and of the normalisation.

    Raises:
        GraphError: the file is damaged, or the network cannot run as a stream.
        ModelError: it is no segmenter.
        UsageError: the preprocessor does not take the input rate or the input's quantisation.
    """

    def __init__(self, model: bytes, input_rate: int = DEFAULT_INPUT_RATE) -> None:
        self.sha256 = hashlib.sha256(model).hexdigest()
        self.oracle = INTERPRETER
        self._graph = load_tflite(model)
        if not is_stream(self._graph):
            raise ModelError(
                "This model is no segmenter of a stream.",
                "A stream takes one value a sample at 100 Hz and answers the scores of its classes for each.",
                "Use one with int8 input [1, T, 1] and int8 output [1, T, classes], T above 256.",
            )
        self._networks: dict[int, Network] = {}
        stream = stream_of(self._graph)
        self.look_ahead = stream.lag
        self.class_count = stream.row_bytes
        self._margin = faint_margin(self._graph) if self.class_count == CLASSES_OF_BEATS else 0
        self.faint_nats = self._margin * float(stream.network.output.scale)
        source = stream.network.input
        self.parameters = PreprocessParameters.for_segmenter(
            RUNNING_WINDOW, self.class_count, float(source.scale), source.zero_point, input_rate
        )

    def normalised(self, signal: Decimated) -> npt.NDArray[np.int8]:
        """What the network gets, int8 [n], for a signal at 100 Hz."""
        (data,) = normalise_running(signal.samples[None], signal.valid[None], self.parameters)
        return np.asarray(data)

    def scores(self, data: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Scores int8 [n, classes] of a record's network input int8 [n]."""
        if not data.size:
            return np.empty((0, self.class_count), np.int8)
        found = interpret.run(self._network(data.size), data)
        # A stride makes whole groups of answers; those behind the record's last sample are nobody's.
        return found.reshape(-1, self.class_count)[: data.size]

    def classes(self, raw: npt.NDArray[np.int16]) -> Mask:
        """The class of every sample of a record, uint8 [n] at 100 Hz; the lowest class wins a tie.

        Args:
            raw: int16 [samples], 1 LSB = 1 microvolt, at the input rate.
        """
        return classes_of(self._labels(decimate(raw, self.parameters)))

    def predict(self, raw: npt.NDArray[np.int16]) -> Prediction:
        """Classes of a whole record, and the waves that the device reports of them.

        Args:
            raw: int16 [samples], 1 LSB = 1 microvolt, at the input rate.
        """
        signal = decimate(raw, self.parameters)
        return self.reported(self._labels(signal), signal)

    def reported(self, labels: Mask, signal: Decimated) -> Prediction:
        """What is told of a record: its classes, NONE without contact, and its waves.

        Of four classes those of its events, by the rules of beats; of other classes their runs, by those of segments.

        Args:
            labels: uint8 [n], of a network's answers (`ecgseg.pipeline.faint`).
            signal: the record at 100 Hz, n samples.
        """
        known = np.where(signal.valid, labels, 0).astype(np.uint8)
        if self.class_count != CLASSES_OF_BEATS:
            return Prediction(known, segments(known, self.parameters.rules))
        return Prediction(classes_of(known), reported_waves(known, signal))

    def _labels(self, signal: Decimated) -> Mask:
        return labels_of(self.scores(self.normalised(signal)), self._margin)

    def _network(self, length: int) -> Network:
        if length not in self._networks:
            self._networks[length] = lower(at_length(self._graph, length))
        return self._networks[length]


def is_stream(graph: Graph) -> bool:
    """True for a network of 8 bits, [1, .., T, 1] to [1, .., T, classes], that is no segmenter of frames."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    source, target = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    narrow = {source.dtype, target.dtype} <= {"int8", "uint8"}
    return narrow and source.size > FRAME_LENGTH and target.shape[-2:-1] == (source.size,)
