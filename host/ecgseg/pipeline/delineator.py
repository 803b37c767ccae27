"""A stream from raw samples to events in Python: the twin of firmware/pipeline/ecgseg_delineator.c."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.errors import ModelError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.reference import INTERPRETER
from ecgseg.graph.stream_interpret import StreamingInterpreter
from ecgseg.graph.streaming import BLOCK, MOST_ROWS, stream_of
from ecgseg.pipeline.beats import BeatFinder
from ecgseg.pipeline.decimator import Decimator
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.pipeline.faint import classes_of, faint_margin, labels_of
from ecgseg.pipeline.parameters import LEAD_OFF, RUNNING_WINDOW, PreprocessParameters
from ecgseg.pipeline.preprocess import Decimated, decimate
from ecgseg.pipeline.rates import DEFAULT_INPUT_RATE
from ecgseg.pipeline.reported import CLASSES_OF_BEATS, samples_with_gaps
from ecgseg.pipeline.running import RunningNormaliser, normalise_running
from ecgseg.pipeline.times import TICK_RATE

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Delineation:
    """What the device finds in a record.

    Attributes:
        classes: uint8 [n] at 100 Hz, 0 where there is no contact.
        events: in the order in which they come.
    """

    classes: Mask
    events: list[Event]


class Delineator:
    """Decimator, running normalisation, streaming network, classes and beats, in pieces or a record at once.

    Args:
        model: bytes of a .tflite of int8 [1, time, 1] to int8 [1, time, 4] whose layers stream.
        input_rate: raw rate in Hz.
        first_tick: where the stream begins.
        after_bazett: QTc after Bazett instead of Fridericia.
        block: input rows that the network computes at once; no byte depends on it.

    Attributes:
        sha256: SHA-256 of the .tflite, hexadecimal.
        oracle: what computes the model, for results.
        parameters: of the decimator and of the normalisation.
        look_ahead: samples at 100 Hz behind the one that is answered.

    Raises:
        GraphError: the file is damaged, or the network cannot run as a stream.
        ModelError: it is no segmenter of a stream into 4 classes.
        UsageError: the preprocessor does not take the input rate or the input's quantisation.
    """

    def __init__(
        self,
        model: bytes,
        input_rate: int = DEFAULT_INPUT_RATE,
        *,
        first_tick: int = 0,
        after_bazett: bool = False,
        block: int = BLOCK,
    ) -> None:
        self.sha256 = hashlib.sha256(model).hexdigest()
        self.oracle = INTERPRETER
        self._graph = load_tflite(model)
        self._stream = stream_of(self._graph, block)
        if self._stream.input.row_bytes != 1 or self._stream.row_bytes != CLASSES_OF_BEATS:
            raise ModelError(
                "This model tells no beats.",
                f"Of {self._stream.input.row_bytes} values a sample it makes {self._stream.row_bytes}.",
                "Use a stream of one int8 a sample to the scores of NONE, PWAVE, QRS and TWAVE.",
            )
        self.look_ahead = self._stream.lag
        self._margin = faint_margin(self._graph)
        source = self._stream.network.input
        self.parameters = PreprocessParameters.for_segmenter(
            RUNNING_WINDOW, CLASSES_OF_BEATS, float(source.scale), source.zero_point, input_rate
        )
        self._first_tick = first_tick
        self._after_bazett = after_bazett
        self._decimator = Decimator(self.parameters)
        self._running = RunningNormaliser(self.parameters)
        self._network = StreamingInterpreter(self._stream)
        self.start()

    def start(self) -> None:
        """Begins a stream."""
        self._finder = BeatFinder(self._first_tick, after_bazett=self._after_bazett)
        self._raw = 0
        self._restart()

    def _restart(self) -> None:
        self._decimator.start()
        self._running.start()
        self._network.start()
        self._waiting: list[int] = []
        self._has_signal = False

    def push(self, raw: npt.NDArray[np.int16]) -> Delineation:
        """Classes and events that these raw samples bring.

        Args:
            raw: int16 [any], 1 LSB = 1 microvolt, at the input rate, LEAD_OFF where there is no contact.
        """
        self._raw += raw.size
        self._has_signal = self._has_signal or raw.size > 0
        return self._told(self._labelled(self._decimator.push(raw)))

    def gap(self, samples: int) -> Delineation:
        """So many raw samples were lost on their way."""
        return self._lose(EventKind.GAP, samples)

    def overrun(self, samples: int) -> Delineation:
        """So many raw samples came faster than they were taken."""
        return self._lose(EventKind.OVERRUN, samples)

    def end(self) -> Delineation:
        """The stream ends: the classes and events that are left. Then the next one begins."""
        told = self._told(self._finish())
        self._finder.end()
        found = Delineation(told.classes, [*told.events, *self._fetched()])
        self.start()
        return found

    def record(self, raw: npt.NDArray[np.int16]) -> Delineation:
        """A whole stream at once; the same as in pieces, and much faster.

        Args:
            raw: int16 [samples], 1 LSB = 1 microvolt, at the input rate.
        """
        self.start()
        signal = decimate(raw, self.parameters)
        network = StreamingInterpreter(stream_of(self._graph, MOST_ROWS))
        (rows,) = normalise_running(signal.samples[None], signal.valid[None], self.parameters)
        self._waiting = samples_with_gaps(signal)
        answers = network.push(rows)
        if signal.samples.size:
            answers = np.concatenate((answers, self._ended(network)))
        told = self._told(self._labels(answers))
        self._finder.end()
        found = Delineation(told.classes, [*told.events, *self._fetched()])
        self.start()
        return found

    def _lose(self, kind: EventKind, samples: int) -> Delineation:
        told = self._told(self._finish())
        self._raw += samples
        self._finder.lose(kind, self._ticks(samples), self._first_tick + self._ticks(self._raw))
        self._restart()
        return Delineation(told.classes, [*told.events, *self._fetched()])

    def _ticks(self, samples: int) -> int:
        """Ticks of so many raw samples, rounded."""
        rate = self.parameters.input_rate
        return (samples * TICK_RATE + rate // 2) // rate

    def _labelled(self, signal: Decimated) -> list[tuple[int, int]]:
        """Label and sample of what the network answers to new samples."""
        self._waiting += samples_with_gaps(signal)
        return self._labels(self._network.push(self._running.push(signal.samples, signal.valid)))

    def _finish(self) -> list[tuple[int, int]]:
        """Label and sample of what is still in filter and network."""
        if not self._has_signal:
            return []
        found = self._labelled(self._decimator.end())
        return found + self._labels(self._ended(self._network))

    def _ended(self, network: StreamingInterpreter) -> npt.NDArray[np.int8]:
        """Answers at the end, behind a padding for a network that exists for records of some lengths only."""
        stream = self._stream
        length = max(network.positions, stream.least)
        length += -length % stream.granule
        padding = np.full(length - network.positions, stream.network.input.zero_point, np.int8)
        return np.concatenate((network.push(padding), network.end()))

    def _labels(self, answers: npt.NDArray[np.int8]) -> list[tuple[int, int]]:
        """Answers [n, 4] with the samples that waited for them; those of padding are nobody's."""
        labels = labels_of(answers, self._margin).tolist() if len(answers) else []
        samples, self._waiting = self._waiting[: len(labels)], self._waiting[len(labels) :]
        return [(0 if sample == LEAD_OFF else label, sample) for label, sample in zip(labels, samples, strict=False)]

    def _told(self, found: list[tuple[int, int]]) -> Delineation:
        events = []
        for label, sample in found:
            self._finder.push(label, sample)
            events += self._fetched()
        return Delineation(classes_of(np.array([label for label, _ in found], np.uint8)), events)

    def _fetched(self) -> list[Event]:
        return list(iter(self._finder.next, None))
