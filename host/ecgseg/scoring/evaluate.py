"""Evaluates an int8 model as the device runs it: device preprocessor, oracle, device segment rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from pydantic import BaseModel

from ecgseg.data.records import WAVE_LABELS, Record, labels
from ecgseg.errors import ModelError
from ecgseg.graph.ends import as_seen, ends_in_file
from ecgseg.graph.ir import Tensor
from ecgseg.graph.load import load_tflite
from ecgseg.models import ModelFile
from ecgseg.pipeline import DEFAULT_INPUT_RATE, FRAME_LENGTH, MODEL_RATE, Prediction
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.pipeline.stream_segmenter import StreamSegmenter, is_stream
from ecgseg.scoring.collector import ScoreCollector, Scores
from ecgseg.scoring.metrics import Confusion, confusion_matrix, weighted_f1
from ecgseg.scoring.noise import SNR_LEVELS_DB, NoiseKind, add_noise

Progress = Callable[[Iterable[Record], str], Iterable[Record]]


class Evaluation(BaseModel):
    """Result of `invoke evaluate`.

    Attributes:
        model: name of the model, or of the peer.
        sha256: of the .tflite file, empty for a peer.
        oracle: what computed the model, such as "TensorFlow Lite Micro" with its version; "" of what is no .tflite.
        source: "ludb", "qtdb", "synthetic", or the name of a database of the user's own.
        names: of the records, in the order of `records`, where a database calls them more than their number.
        look_ahead_ms: how long the first sample of an answer waits for it; None where nobody knows.
        whole: scores over everything; by_rhythm, by_lead: over groups.
        by_noise: weighted F1 by kind of noise and signal-to-noise ratio in dB.
    """

    model: str
    sha256: str
    oracle: str = ""
    source: str
    records: list[int]
    names: list[str] = []
    leads: list[str]
    classes: int
    whole: Scores
    by_rhythm: dict[str, Scores]
    by_lead: dict[str, Scores]
    by_noise: dict[str, dict[str, float]] = {}
    look_ahead_ms: int | None = None


Delineator = Callable[[Record], Prediction]
# The device's twin of a model: of frames, or of a stream.
Twin = Segmenter | StreamSegmenter


def device_twin(model: bytes, input_rate: int = DEFAULT_INPUT_RATE) -> Twin:
    """The device's twin of a model that can be evaluated: of a stream, or of frames.

    Args:
        model: bytes of a .tflite; input [1, T, 1] and output [1, T, classes], both int8; T above 250 for a stream.
        input_rate: raw rate in Hz.

    Raises:
        ModelError, GraphError: as :func:`device_segmenter`, or the network cannot run as a stream.
    """
    if not is_stream(load_tflite(model)):
        return device_segmenter(model, input_rate)
    twin = StreamSegmenter(model, input_rate)
    _require_classes(twin.class_count)
    return twin


def look_ahead_ms(twin: Twin) -> int:
    """How long the first sample of an answer waits: for the end of its frame, or for what a stream looks ahead."""
    samples = twin.look_ahead if isinstance(twin, StreamSegmenter) else FRAME_LENGTH
    return 1000 * samples // MODEL_RATE


def device_segmenter(model: bytes, input_rate: int = DEFAULT_INPUT_RATE) -> Segmenter:
    """The device's twin of a model that can be evaluated.

    Args:
        model: bytes of a .tflite; input [1, 250, 1] and output [1, 250, classes], both int8.
        input_rate: raw rate in Hz.

    Raises:
        ModelError: the model is no segmenter of 250 samples, or of classes that no annotation has.
        GraphError: the file is damaged, or the oracle does not take it.
    """
    source, target = ends_in_file(as_seen(load_tflite(model)))
    # Looked at first: of a model that is no segmenter, it is of no interest what else the device would not take.
    if source.size != FRAME_LENGTH or target.shape[-2:-1] != (FRAME_LENGTH,) or source.dtype != "int8":
        raise _no_segmenter(source, target)
    segmenter = Segmenter(model, input_rate)
    if segmenter.parameters is None:
        raise _no_segmenter(source, target)
    _require_classes(segmenter.class_count)
    return segmenter


def _require_classes(count: int) -> None:
    if count not in WAVE_LABELS:
        raise ModelError(
            f"This model has {count} classes.",
            "What is annotated can be told apart as 2 (NONE, QRS) or 4 (NONE, PWAVE, QRS, TWAVE).",
            "Evaluate a model of 2 or 4 classes.",
        )


def _no_segmenter(source: Tensor, target: Tensor) -> ModelError:
    return ModelError(
        "This model does not segment frames of 250 samples.",
        f"Its input is {list(source.shape)} {source.dtype}, its output {list(target.shape)}.",
        "Evaluate a model with int8 input [1, 250, 1] and int8 output [1, 250, classes].",
    )


def by_device(twin: Twin) -> Delineator:
    """What the device finds in a record."""
    return lambda record: twin.predict(record.samples)


def score(
    delineator: Delineator, records: Sequence[Record], class_count: int, progress: Progress | None = None
) -> tuple[Scores, dict[str, Scores], dict[str, Scores]]:
    """Score whatever finds segments.

    Args:
        delineator: from a record to what it finds there.
        records: leads to score.
        class_count: 2 or 4.
        progress: wraps the records to show progress.

    Returns:
        Scores of everything, by rhythm and by lead.
    """
    whole = ScoreCollector(class_count)
    rhythms: dict[str, ScoreCollector] = {}
    leads: dict[str, ScoreCollector] = {}
    for record in progress(records, "evaluate") if progress else records:
        truth = labels(record, class_count, record.step)
        prediction = delineator(record)
        for group in (
            whole,
            rhythms.setdefault(record.rhythm, ScoreCollector(class_count)),
            leads.setdefault(record.lead, ScoreCollector(class_count)),
        ):
            group.add(record, prediction, truth)
    return whole.scores(), _finish(rhythms), _finish(leads)


def _finish(groups: Mapping[str, ScoreCollector]) -> dict[str, Scores]:
    return {name: group.scores() for name, group in groups.items()}


def score_noise(
    delineator: Delineator, records: Sequence[Record], class_count: int, progress: Progress | None = None
) -> dict[str, dict[str, float]]:
    """Weighted F1 by kind of noise and signal-to-noise ratio (24 to -6 dB)."""
    result: dict[str, dict[str, float]] = {}
    for kind in NoiseKind:
        result[kind.value] = {}
        for level in SNR_LEVELS_DB:
            noisy = [add_noise(record, kind, level) for record in records]
            confusion: Confusion = np.zeros((class_count, class_count), dtype=np.int64)
            for record in progress(noisy, f"{kind.value} {level:g} dB") if progress else noisy:
                truth = labels(record, class_count, record.step)
                confusion += confusion_matrix(delineator(record).mask, truth, class_count)
            result[kind.value][f"{level:g}"] = weighted_f1(confusion)
    return result


def evaluate(
    model: ModelFile,
    records: Sequence[Record],
    *,
    noise: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate an int8 .tflite as the device runs it.

    Args:
        model: the file.
        records: leads to score, all of one rate.
        noise: also score under noise (eighteen more passes).
        progress: wraps the records to show progress.

    Raises:
        ModelError, GraphError: as :func:`device_twin`.
    """
    twin = device_twin(model.data, records[0].rate)
    found = evaluate_other(model.name, by_device(twin), records, twin.class_count, progress)
    found.sha256 = twin.sha256
    found.oracle = twin.oracle
    found.look_ahead_ms = look_ahead_ms(twin)
    if noise:
        found.by_noise = score_noise(by_device(twin), records, twin.class_count, progress)
    return found


def evaluate_other(
    name: str, delineator: Delineator, records: Sequence[Record], class_count: int, progress: Progress | None = None
) -> Evaluation:
    """Evaluate anything that finds segments, such as a peer or a float model.

    Args:
        name: for the result.
        delineator: from a record to what it finds there.
        records: leads to score.
        class_count: 2 or 4.
        progress: wraps the records to show progress.
    """
    whole, by_rhythm, by_lead = score(delineator, records, class_count, progress)
    names = {record.record_id: record.name for record in records}
    return Evaluation(
        model=name,
        sha256="",
        source=records[0].source,
        records=sorted(names),
        names=[names[number] for number in sorted(names)] if any(names.values()) else [],
        leads=list(dict.fromkeys(record.lead for record in records)),
        classes=class_count,
        whole=whole,
        by_rhythm=by_rhythm,
        by_lead=by_lead,
    )


AF = "Atrial fibrillation"


class Comparison(BaseModel):
    """What `invoke evaluate --json` writes.

    Attributes:
        results: the model first, then the float model and the peers that were asked for.
        int8_loss: weighted F1 of the float model minus that of the int8 model; None without --float.
    """

    results: list[Evaluation]
    int8_loss: float | None = None
