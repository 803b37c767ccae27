"""Evaluates an int8 model as the device runs it: device preprocessor, TensorFlow Lite Micro, device segment rules."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ecgseg.data.records import Record, labels
from ecgseg.errors import ModelError
from ecgseg.graph.oracle import TflmOracle
from ecgseg.pipeline import (
    DEFAULT_INPUT_RATE,
    FRAME_LENGTH,
    MODEL_RATE,
    Frame,
    PreprocessParameters,
    Segment,
    SegmentRules,
    class_mask,
    cut,
    decimate,
    join,
    normalise,
    segments,
)
from ecgseg.scoring.metrics import (
    Confusion,
    FiducialScore,
    FiducialScorer,
    SampleScores,
    confusion_matrix,
    sample_scores,
)
from ecgseg.scoring.noise import SNR_LEVELS_DB, NoiseKind, add_noise

Mask = npt.NDArray[np.uint8]
Progress = Callable[[Iterable[Record], str], Iterable[Record]]


class Scores(BaseModel):
    """All scores of one group of leads."""

    leads: int
    samples: SampleScores
    fiducials: dict[str, FiducialScore]
    p_false_positives_per_minute: float | None = None


class Evaluation(BaseModel):
    """Result of `invoke evaluate`.

    Attributes:
        model: name of the model, or of the peer.
        sha256: of the .tflite file, empty for a peer.
        source: "ludb" or "synthetic".
        whole: scores over everything; by_rhythm, by_lead: over groups.
        by_noise: weighted F1 by kind of noise and signal-to-noise ratio in dB.
    """

    model: str
    sha256: str
    source: str
    records: list[int]
    leads: list[str]
    classes: int
    whole: Scores
    by_rhythm: dict[str, Scores]
    by_lead: dict[str, Scores]
    by_noise: dict[str, dict[str, float]] = {}


@dataclass(frozen=True)
class Prediction:
    """What was found in one lead: class mask uint8 [n] at 100 Hz and segments in samples of the record."""

    mask: Mask
    segments: list[Segment]


Segmenter = Callable[[Record], Prediction]


class DeviceSegmenter:
    """Segments records with an int8 .tflite exactly as the firmware does.

    Args:
        model: bytes of the .tflite; input [1, 250, 1] and output [1, 250, classes], both int8.
        input_rate: raw rate in Hz.

    Raises:
        ModelError: the model is no segmenter of 250 samples.
    """

    def __init__(self, model: bytes, input_rate: int = DEFAULT_INPUT_RATE) -> None:
        self._oracle = TflmOracle(model)
        inputs, outputs = self._oracle.input_details, self._oracle.output_details
        shape = [int(size) for size in outputs["shape"]]
        if np.prod(inputs["shape"]) != FRAME_LENGTH or shape[-2:-1] != [FRAME_LENGTH] or inputs["dtype"] != np.int8:
            raise ModelError(
                "This model does not segment frames of 250 samples.",
                f"Its input is {list(inputs['shape'])} {np.dtype(inputs['dtype']).name}, its output {shape}.",
                "Evaluate a model with int8 input [1, 250, 1] and int8 output [1, 250, classes].",
            )
        self.class_count = shape[-1]
        quantisation = inputs["quantization_parameters"]
        self.parameters = PreprocessParameters(
            input_rate=input_rate,
            scale=float(quantisation["scales"][0]),
            zero_point=int(quantisation["zero_points"][0]),
            rules=SegmentRules.for_classes(self.class_count),
        )

    def scores(self, frame: Frame) -> npt.NDArray[np.int8]:
        """Scores int8 [250, classes] of one frame."""
        return self._oracle.run(frame.data).reshape(FRAME_LENGTH, self.class_count)

    def __call__(self, record: Record) -> Prediction:
        """Mask and segments of a record; one shorter than a frame is all NONE."""
        masks = [class_mask(self.scores(frame), frame) for frame in whole_record(record, self.parameters)]
        return assemble(masks, -(-record.samples.size // self.parameters.factor), self.parameters.rules)


def whole_record(record: Record, parameters: PreprocessParameters) -> list[Frame]:
    """Frames one after the other from the record's start; if they leave a rest, one more that ends where it ends."""
    signal = decimate(record.samples, parameters)
    last = signal.samples.size - FRAME_LENGTH
    starts = [*range(0, last, FRAME_LENGTH), last] if last >= 0 else []
    return [normalise(cut(signal, start, FRAME_LENGTH), parameters) for start in starts]


def assemble(masks: Sequence[Mask], length: int, rules: SegmentRules) -> Prediction:
    """Prediction of a record from the masks of its frames, as from :func:`whole_record`.

    Of the last frame counts what the one before it does not cover.
    """
    mask = np.zeros(length, dtype=np.uint8)
    parts = []
    for index, frame in enumerate(masks):
        first = index * FRAME_LENGTH
        part = frame[max(0, first + FRAME_LENGTH - length) :]
        mask[first : first + FRAME_LENGTH] = part
        parts.append((first, segments(part, rules)))
    return Prediction(mask, join(parts, rules))


class _Group:
    def __init__(self, class_count: int) -> None:
        self.class_count = class_count
        self.leads = 0
        self.confusion: Confusion = np.zeros((class_count, class_count), dtype=np.int64)
        self.fiducials = FiducialScorer(class_count)
        self.minutes = 0.0

    def add(self, record: Record, prediction: Prediction, truth: Mask) -> None:
        self.leads += 1
        self.confusion += confusion_matrix(prediction.mask, truth, self.class_count)
        self.fiducials.add(record, prediction.segments)
        self.minutes += int(np.count_nonzero(truth != 255)) / MODEL_RATE / 60

    def scores(self) -> Scores:
        fiducials = self.fiducials.scores()
        p_onset = fiducials.get("P onset")
        rate = p_onset.false_positives / self.minutes if p_onset and self.minutes else None
        return Scores(
            leads=self.leads,
            samples=sample_scores(self.confusion),
            fiducials=fiducials,
            p_false_positives_per_minute=rate,
        )


def score(
    segmenter: Segmenter, records: Sequence[Record], class_count: int, progress: Progress | None = None
) -> tuple[Scores, dict[str, Scores], dict[str, Scores]]:
    """Score any segmenter.

    Args:
        segmenter: from a record to its prediction.
        records: leads to score.
        class_count: 2 or 4.
        progress: wraps the records to show progress.

    Returns:
        Scores of everything, by rhythm and by lead.
    """
    whole = _Group(class_count)
    rhythms: dict[str, _Group] = {}
    leads: dict[str, _Group] = {}
    for record in progress(records, "evaluate") if progress else records:
        truth = labels(record, class_count, record.rate // MODEL_RATE)
        prediction = segmenter(record)
        for group in (
            whole,
            rhythms.setdefault(record.rhythm, _Group(class_count)),
            leads.setdefault(record.lead, _Group(class_count)),
        ):
            group.add(record, prediction, truth)
    return whole.scores(), _finish(rhythms), _finish(leads)


def _finish(groups: Mapping[str, _Group]) -> dict[str, Scores]:
    return {name: group.scores() for name, group in groups.items()}


def score_noise(
    segmenter: Segmenter, records: Sequence[Record], class_count: int, progress: Progress | None = None
) -> dict[str, dict[str, float]]:
    """Weighted F1 by kind of noise and signal-to-noise ratio (24 to -6 dB)."""
    result: dict[str, dict[str, float]] = {}
    for kind in NoiseKind:
        result[kind.value] = {}
        for level in SNR_LEVELS_DB:
            noisy = [add_noise(record, kind, level) for record in records]
            confusion: Confusion = np.zeros((class_count, class_count), dtype=np.int64)
            for record in progress(noisy, f"{kind.value} {level:g} dB") if progress else noisy:
                truth = labels(record, class_count, record.rate // MODEL_RATE)
                confusion += confusion_matrix(segmenter(record).mask, truth, class_count)
            result[kind.value][f"{level:g}"] = sample_scores(confusion).weighted_f1
    return result


def evaluate(
    name: str,
    tflite: Path,
    records: Sequence[Record],
    *,
    noise: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate an int8 .tflite.

    Args:
        name: for the result.
        tflite: the file.
        records: leads to score, all of one rate.
        noise: also score under noise (eighteen more passes).
        progress: wraps the records to show progress.

    Raises:
        ModelError: the file cannot be read or is no segmenter.
    """
    model = read_model(tflite)
    segmenter = DeviceSegmenter(model, records[0].rate)
    whole, by_rhythm, by_lead = score(segmenter, records, segmenter.class_count, progress)
    return Evaluation(
        model=name,
        sha256=hashlib.sha256(model).hexdigest(),
        source=records[0].source,
        records=sorted({record.record_id for record in records}),
        leads=list(dict.fromkeys(record.lead for record in records)),
        classes=segmenter.class_count,
        whole=whole,
        by_rhythm=by_rhythm,
        by_lead=by_lead,
        by_noise=score_noise(segmenter, records, segmenter.class_count, progress) if noise else {},
    )


def read_model(tflite: Path) -> bytes:
    """Bytes of a .tflite file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return tflite.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The model file {tflite} cannot be read.",
            str(error.strerror or error),
            "Check the path; `invoke train --model NAME` makes the zoo's models.",
        ) from error


AF = "Atrial fibrillation"


class Comparison(BaseModel):
    """What `invoke evaluate --json` writes.

    Attributes:
        results: the model first, then the float model and the peers that were asked for.
        int8_loss: weighted F1 of the float model minus that of the int8 model; None without --float.
    """

    results: list[Evaluation]
    int8_loss: float | None = None
