"""Patient-wise cross-validation of a model's recipe: `invoke evaluate --model M --cv 5`.

Every patient of LUDB is tested on once, by a model that was neither trained nor chosen on him. The model, its teacher
included, is trained anew in each fold, so this takes as many trainings as there are folds. It judges the recipe; the
committed model is judged on the test patients alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from ecgseg import paths
from ecgseg.data.databases import ludb, qtdb
from ecgseg.data.records import excerpts
from ecgseg.errors import DataError, UsageError
from ecgseg.scoring.collector import ScoreCollector
from ecgseg.scoring.evaluate import device_twin
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.corpus import calibration_frames, load_corpus
from ecgseg.zoo.figures import CrossValidation, QtdbCrossValidation, require_folds
from ecgseg.zoo.model_folder import int8_weighted_f1
from ecgseg.zoo.quantise import quantise
from ecgseg.zoo.train import fit, work_folder

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
    """The recipe with the patients of one fold and that many steps."""
    data = configuration.data.model_copy(update={"training": fold.training, "validation": fold.validation})
    schedule = configuration.schedule.model_copy(update={"steps": steps})
    return configuration.model_copy(update={"data": data, "schedule": schedule})


def cross_validate(
    name: str,
    console: Console,
    count: int = 5,
    *,
    steps: int = 0,
    ludb_option: str | Path | None = None,
) -> CrossValidation:
    """Trains and tests one model for each fold. A killed run goes on where it was.

    Args:
        name: of the model, or its path.
        console: where progress goes.
        count: folds.
        steps: of each training, 0 for those of the configuration. Fewer still tell how an architecture does on other
            patients.
        ludb_option: folder of LUDB.

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
    scores = []
    for number, fold in enumerate(folds(count, configuration.seed), start=1):
        work = paths.BUILD / "zoo" / "cv" / f"{work_folder(name, configuration).name}-{number}-of-{count}"
        scores.append(_score_fold(fold_configuration(configuration, fold, steps), fold, folder, work, console))
        told = f"int8 weighted F1 {scores[-1]:.4f} on {len(fold.test)} patients"
        console.print(f"{configuration.name}, fold {number} of {count}: {told}")
    command = f"invoke evaluate --cv {count} --model {name}" + (f" --steps {steps}" if steps < whole else "")
    return CrossValidation(
        model=configuration.name, digest=configuration.digest(), command=command, steps=steps, weighted_f1=tuple(scores)
    )


def cross_validate_qtdb(
    name: str, console: Console, *, steps: int = 0, ludb_option: str | Path | None = None
) -> QtdbCrossValidation:
    """Trains a model anew for each fold of QTDB and tests it on that fold's records. A killed run goes on where it was.

    LUDB's training and validation patients stay what they are; only QTDB's records are held out.

    Args:
        name: of a model that learns from QTDB, or its path.
        console: where progress goes.
        steps: of each training, 0 for those of the configuration.
        ludb_option: folder of LUDB.

    Raises:
        DataError: LUDB or QTDB is not here.
        UsageError, ModelError, OutputError: as from training.
    """
    configuration = zoo.load(name)
    ludb_folder, qtdb_folder = ludb.find_ludb(ludb_option), qtdb.find_qtdb()
    if not configuration.data.qtdb_weight:
        raise UsageError(
            f"{configuration.name} learns nothing from QTDB.", "There is nothing to hold out.", "Name a stream."
        )
    if ludb_folder is None or qtdb_folder is None:
        raise DataError("Cross-validation on QTDB needs LUDB and QTDB.", "One is not here.", "Run `invoke data` first.")
    whole = configuration.schedule.steps
    steps = _checked_steps(configuration, steps or whole)
    scores = ScoreCollector(configuration.classes)
    for fold, held_out in qtdb.split().items():
        work = paths.BUILD / "zoo" / "cv" / f"{work_folder(name, configuration).name}-qtdb-{fold}-{steps}"
        device = device_twin(_trained(qtdb_fold(configuration, fold, steps), ludb_folder, work, console))
        for record in qtdb.load_records(qtdb_folder, held_out):
            for part in excerpts(record, 10.0, 1.0):
                scores.add(part, device.predict(part.samples))
        console.print(
            f"{configuration.name}, {fold}: P onset sensitivity {scores.scores().fiducials['P onset'].sensitivity:.4f}"
        )
    found = scores.scores()
    command = f"invoke evaluate --cv 3 --database qtdb --model {name}" + (f" --steps {steps}" if steps < whole else "")
    return QtdbCrossValidation(
        model=configuration.name,
        digest=configuration.digest(),
        command=command,
        steps=steps,
        weighted_f1=found.samples.weighted_f1,
        fiducials=found.fiducials,
    )


def qtdb_fold(configuration: ModelConfiguration, fold: str, steps: int) -> ModelConfiguration:
    """The recipe with the records of the other folds of QTDB and that many steps."""
    others = tuple(name for name in qtdb.split() if name != fold)
    data = configuration.data.model_copy(update={"qtdb_training": others})
    schedule = configuration.schedule.model_copy(update={"steps": steps})
    return configuration.model_copy(update={"data": data, "schedule": schedule})


def _trained(configuration: ModelConfiguration, folder: Path, work: Path, console: Console) -> bytes:
    """The int8 model of one fold."""
    corpus = load_corpus(configuration, folder)
    trained = fit(configuration, corpus, work, console)
    return quantise(trained.model, calibration_frames(configuration, corpus), configuration.preprocess())


def _checked_steps(configuration: ModelConfiguration, steps: int) -> int:
    schedule = configuration.schedule
    if not schedule.warmup_steps < steps <= schedule.steps:
        raise UsageError(
            f"--steps {steps} makes no sense for {configuration.name}.",
            f"Its schedule warms up for {schedule.warmup_steps} steps and ends at {schedule.steps}.",
            "Choose a number between them.",
        )
    return steps


def _score_fold(configuration: ModelConfiguration, fold: Fold, folder: Path, work: Path, console: Console) -> float:
    """Weighted F1 of the int8 model of one fold on the patients that it never saw."""
    content = _trained(configuration, folder, work, console)
    held_out = ludb.load_records(folder, fold.test, configuration.data.leads)
    return int8_weighted_f1(content, configuration, held_out)
