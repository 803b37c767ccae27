"""The figures beside a model of the zoo: metrics.json and cross_validation.json, measured and read."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from ecgseg.data.databases.ludb import find_ludb, load_records, split
from ecgseg.data.records import Record
from ecgseg.errors import DataError, ModelError, UsageError, cause
from ecgseg.extras import require_tensorflow
from ecgseg.files import read_text
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import find_model
from ecgseg.pipeline import Prediction, assemble, class_mask, whole_record
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.scoring.collector import Scores
from ecgseg.scoring.evaluate import (
    AF,
    Evaluation,
    Progress,
    by_device,
    device_segmenter,
    evaluate,
    score,
)
from ecgseg.scoring.metrics import FiducialScore
from ecgseg.zoo import configuration
from ecgseg.zoo.dataset import model_input

Figures = TypeVar("Figures", bound=BaseModel)
_LARGEST_BYTES = 1 << 20


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


class CrossValidation(BaseModel):
    """Result: weighted F1 of the int8 model of each fold on that fold's patients, all leads of the configuration.

    Attributes:
        digest: of the configuration, the recipe that was judged.
        command: what makes this file again.
        steps: of each training; fewer than the configuration's where only the architecture was to be judged.
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


def require_folds(count: int) -> None:
    """Refuses a number of folds that the patients of LUDB cannot be split into.

    Raises:
        UsageError: fewer than 2 or more than 20.
    """
    if not 2 <= count <= 20:
        raise UsageError(
            f"{count} folds make no sense.", "Each holds out a part of the 200 patients.", "Use --cv with 2 to 20."
        )


class FloatSegmenter:
    """The float model behind the device's preprocessor: what int8 is compared with. Needs TensorFlow.

    Args:
        path: model.keras.
        device: the int8 model's twin, for the preprocessor and the rules.

    Raises:
        ToolMissingError: TensorFlow is not installed.
        ModelError: the file is missing or damaged.
    """

    def __init__(self, path: Path, device: Segmenter) -> None:
        require_tensorflow()
        import keras

        try:
            self._model = keras.models.load_model(path, compile=False)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The float model {path} cannot be read.",
                cause(error, "It is no Keras model, or one of another version of Keras."),
                "Train it again with `invoke train`.",
            ) from error
        self._parameters = device.require_parameters()

    def __call__(self, record: Record) -> Prediction:
        """Mask and segments of a record."""
        parameters = self._parameters
        parts = whole_record(record.samples, parameters)
        quantised = np.stack([frame.data for frame in parts])
        logits = np.asarray(self._model(model_input(quantised, parameters), training=False))
        masks = [class_mask(scores, frame) for scores, frame in zip(logits, parts, strict=True)]
        return assemble(masks, parameters.samples_of(record.samples.size), parameters.rules)


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
    device = device_segmenter(model.data)
    model_float = FloatSegmenter(model.path.with_name("model.keras"), device)
    float_scores, _, _ = score(model_float, records, device.class_count, progress)
    heartkit = [record for record in records if record.record_id in split()["test_heartkit"]]
    held_out, _, _ = score(by_device(device), heartkit, device.class_count, progress)
    lead_ii = [record for record in records if record.lead == "ii"]
    noisy = evaluate(model, lead_ii, noise=True, progress=progress)
    return _metrics(result, noisy, held_out, float_scores, model.data)


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
        macs=lower(graph).macs,
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
    return _read(Metrics, name, "metrics.json", f"invoke zoo --measure --model {name}")


def read_cross_validation(name: str) -> CrossValidation:
    """The committed cross-validation of a model.

    Raises:
        ModelError: cross_validation.json is missing or damaged.
    """
    return _read(CrossValidation, name, "cross_validation.json", f"invoke evaluate --cv 5 --model {name}")


def _read(kind: type[Figures], name: str, file: str, command: str) -> Figures:
    path = configuration.folder(name) / file
    try:
        return kind.model_validate_json(read_text(path, _LARGEST_BYTES))
    except (OSError, ValidationError) as error:
        why = configuration.broken_rules(error) if isinstance(error, ValidationError) else cause(error, "")
        raise ModelError(f"The figures of {name} cannot be read ({path}).", why, f"Run `{command}`.") from error
