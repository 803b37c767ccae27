"""Patient-wise cross-validation of a model's recipe: `invoke evaluate --model M --cv 5`.

Every patient of LUDB is tested on once, by a model that was neither trained nor chosen on him. The model, its teacher
included, is trained anew in each fold, so this takes as many trainings as there are folds; they may run at once and
anywhere (`ecgseg.zoo.cluster`). It judges the recipe; the committed model is judged on the test patients alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from ecgseg.data.databases import ludb, qtdb
from ecgseg.data.records import excerpts
from ecgseg.errors import DataError, EcgsegError, UsageError
from ecgseg.scoring.collector import ScoreCollector, Scores
from ecgseg.scoring.evaluate import device_twin
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.figures import CrossValidation, QtdbCrossValidation, require_folds
from ecgseg.zoo.jobs import Job, Outcome, Trainings, in_turn, job_of, train_all
from ecgseg.zoo.model_folder import int8_weighted_f1

_VALIDATION_SHARE = 8


@dataclass(frozen=True)
class Fold:
    """Record numbers of one fold; no patient is in two of the three."""

    training: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def folds(count: int, seed: int) -> list[Fold]:
    """Splits the 200 patients; an eighth of each fold's other patients chooses the checkpoint.

    Raises:
        UsageError: fewer than 2 or more than 20 folds.
    """
    require_folds(count)
    order = np.random.default_rng(seed).permutation(ludb.parse_records("all")).tolist()
    result = []
    for index in range(count):
        test = order[index::count]
        others = [record for record in order if record not in set(test)]
        size = len(others) // _VALIDATION_SHARE
        result.append(Fold(tuple(sorted(others[size:])), tuple(sorted(others[:size])), tuple(sorted(test))))
    return result


def fold_configuration(configuration: ModelConfiguration, fold: Fold, steps: int) -> ModelConfiguration:
    """The recipe with the patients of one fold and that many steps in front of its fine-tuning."""
    data = configuration.data.model_copy(update={"training": fold.training, "validation": fold.validation})
    schedule = configuration.schedule.model_copy(update={"steps": steps})
    return configuration.model_copy(update={"data": data, "schedule": schedule})


def _fold_jobs(name: str, parts: Sequence[ModelConfiguration], ludb_option: str | Path | None) -> list[Job]:
    """The trainings of a cross-validation over LUDB."""
    whole = zoo.load(name)
    place = f"cv/{zoo.work_folder(name, whole).name}"
    return [
        job_of(part, f"{whole.name}, fold {number} of {len(parts)}", f"{place}-{number}-of-{len(parts)}", ludb_option)
        for number, part in enumerate(parts, start=1)
    ]


def cross_validate(
    name: str,
    console: Console,
    count: int = 5,
    *,
    steps: int = 0,
    ludb_option: str | Path | None = None,
    trainings: Trainings | None = None,
) -> CrossValidation:
    """Trains and tests one model for each fold. A killed run goes on where it was; no fold is trained twice.

    Args:
        name: of the model, or its path.
        console: where it is told what the folds come to.
        count: folds.
        steps: of each training, 0 for those of the configuration. Fewer still tell how an architecture does on other
            patients.
        ludb_option: folder of LUDB.
        trainings: trains the folds; None: in this process, one after the other.

    Raises:
        DataError: there is no LUDB; synthetic ECG has no patients.
        UsageError, ModelError, OutputError: as from training.
    """
    configuration = zoo.load(name)
    folder = ludb.find_ludb(ludb_option)
    if folder is None:
        raise DataError(
            "Cross-validation needs LUDB.", "Synthetic ECG has no patients to hold out.", "Run `invoke data` first."
        )
    whole = configuration.schedule.steps
    steps = _checked_steps(configuration, steps or whole)
    parts = folds(count, configuration.seed)
    jobs = _fold_jobs(name, [fold_configuration(configuration, fold, steps) for fold in parts], ludb_option)
    scores = [0.0] * count

    def judge(index: int, outcome: Outcome) -> None:
        held_out = ludb.load_records(folder, parts[index].test, configuration.data.leads)
        scores[index] = int8_weighted_f1(outcome.tflite, jobs[index].configuration, held_out)
        told = f"int8 weighted F1 {scores[index]:.4f} on {len(parts[index].test)} patients"
        console.print(f"{jobs[index].label}: {told}")

    _train_folds(jobs, trainings, console, judge)
    command = f"invoke evaluate --cv {count} --model {name}" + (f" --steps {steps}" if steps < whole else "")
    return CrossValidation(
        model=configuration.name, digest=configuration.digest(), command=command, steps=steps, weighted_f1=tuple(scores)
    )


def cross_validate_qtdb(
    name: str,
    console: Console,
    *,
    steps: int = 0,
    ludb_option: str | Path | None = None,
    trainings: Trainings | None = None,
) -> QtdbCrossValidation:
    """Trains a model anew for each fold of QTDB and tests it on that fold's records. A killed run goes on where it was.

    LUDB's training and validation patients stay what they are; only QTDB's records are held out.

    Args:
        name: of a model that learns from QTDB, or its path.
        console: where it is told what the folds come to.
        steps: of each training, 0 for those of the configuration.
        ludb_option: folder of LUDB.
        trainings: trains the folds; None: in this process, one after the other.

    Raises:
        DataError: LUDB or QTDB is not here.
        UsageError, ModelError, OutputError: as from training.
    """
    configuration = zoo.load(name)
    qtdb_folder = _qtdb_folder(configuration, ludb_option)
    whole = configuration.schedule.steps
    steps = _checked_steps(configuration, steps or whole)
    parts = qtdb.split()
    place = f"cv/{zoo.work_folder(name, configuration).name}-qtdb"
    jobs = [
        job_of(
            qtdb_fold(configuration, fold, steps),
            f"{configuration.name}, {fold}",
            f"{place}-{fold}-{steps}",
            ludb_option,
        )
        for fold in parts
    ]
    models: dict[int, Outcome] = {}
    _train_folds(jobs, trainings, console, models.__setitem__)
    found = score_on_qtdb([models[index] for index in range(len(jobs))], jobs, qtdb_folder, console)
    command = f"invoke evaluate --cv 3 --database qtdb --model {name}" + (f" --steps {steps}" if steps < whole else "")
    return QtdbCrossValidation(
        model=configuration.name,
        digest=configuration.digest(),
        command=command,
        steps=steps,
        weighted_f1=found.samples.weighted_f1,
        fiducials=found.fiducials,
    )


def _qtdb_folder(configuration: ModelConfiguration, ludb_option: str | Path | None) -> Path:
    if not configuration.data.qtdb_weight:
        raise UsageError(
            f"{configuration.name} learns nothing from QTDB.", "There is nothing to hold out.", "Name a stream."
        )
    folder = qtdb.find_qtdb()
    if ludb.find_ludb(ludb_option) is None or folder is None:
        raise DataError("Cross-validation on QTDB needs LUDB and QTDB.", "One is not here.", "Run `invoke data` first.")
    return folder


def score_on_qtdb(models: Sequence[Outcome], jobs: Sequence[Job], folder: Path, console: Console) -> Scores:
    """Scores of all folds together, each by its own model, which says how it does.

    Args:
        models: what the trainings came to, in the order of the folds.
        jobs: of them.
        folder: of QTDB.
        console: that is told.
    """
    classes = jobs[0].configuration.classes
    scores = ScoreCollector(classes)
    for model, job, held_out in zip(models, jobs, qtdb.split().values(), strict=True):
        device, own = device_twin(model.tflite), ScoreCollector(classes)
        for record in qtdb.load_records(folder, held_out):
            for part in excerpts(record, 10.0, 1.0):
                predicted = device.predict(part.samples)
                scores.add(part, predicted)
                own.add(part, predicted)
        sensitivity = own.scores().fiducials["P onset"].sensitivity
        console.print(f"{job.label}: P onset sensitivity {sensitivity:.4f}")
    return scores.scores()


def qtdb_fold(configuration: ModelConfiguration, fold: str, steps: int) -> ModelConfiguration:
    """The recipe with the records of the other folds of QTDB and that many steps in front of its fine-tuning."""
    others = tuple(name for name in qtdb.split() if name != fold)
    data = configuration.data.model_copy(update={"qtdb_training": others})
    schedule = configuration.schedule.model_copy(update={"steps": steps})
    return configuration.model_copy(update={"data": data, "schedule": schedule})


def _train_folds(
    jobs: Sequence[Job], trainings: Trainings | None, console: Console, use: Callable[[int, Outcome], None]
) -> None:
    """Trains the folds and hands on what each comes to, as they end; the first error ends all of them.

    Raises:
        EcgsegError: of a training.
    """
    with closing(train_all(jobs, trainings or in_turn(console), console)) as results:
        for index, outcome in results:
            if isinstance(outcome, EcgsegError):
                raise outcome
            use(index, outcome)


def _checked_steps(configuration: ModelConfiguration, steps: int) -> int:
    schedule = configuration.schedule
    if not schedule.warmup_steps < steps <= schedule.steps:
        raise UsageError(
            f"--steps {steps} makes no sense for {configuration.name}.",
            f"Its schedule warms up for {schedule.warmup_steps} steps and ends at {schedule.steps}.",
            "Choose a number between them.",
        )
    return steps
