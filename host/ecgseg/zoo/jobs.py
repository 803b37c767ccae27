"""Trainings that belong together, such as the folds of a cross-validation: what each is, and what is kept of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from ecgseg import paths
from ecgseg.errors import EcgsegError, ModelError
from ecgseg.files import read_text
from ecgseg.graph.load import read_model
from ecgseg.models import CONFIGURATION_FILE, MODEL_FILE
from ecgseg.output import replacing
from ecgseg.terminal import data
from ecgseg.zoo.checkpoints import Look
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.corpus import ludb_for
from ecgseg.zoo.model_folder import versions

OUTCOME_FILE = "trained.json"
_LARGEST_BYTES = 1 << 20


class Job(BaseModel):
    """A training that may run anywhere: it says everything that decides its result.

    Attributes:
        label: what it is, for people.
        configuration: what is trained.
        work: folder of its checkpoints and of what is kept of it, below `build/zoo`.
        ludb: folder of LUDB that was named, which has to be there wherever it runs; None: the usual places.
        with_ludb: LUDB is part of its data; where it is not found, nothing is trained.
        judge: also the int8 model is judged on the validation patients.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    configuration: ModelConfiguration
    work: str
    ludb: str | None = None
    with_ludb: bool
    judge: bool = False

    @property
    def folder(self) -> Path:
        """Where its checkpoints are on this computer."""
        return paths.BUILD / "zoo" / self.work


class Outcome(BaseModel):
    """What a training made.

    Attributes:
        tflite: the int8 model.
        digest: of the configuration.
        with_ludb: LUDB was part of its data.
        best: the look at the validation patients that its weights are of (float).
        int8_weighted_f1: the same figure of the int8 model, if it was asked for.
        source: its data, for people.
        versions: of what decides the numbers.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    tflite: bytes
    digest: str
    with_ludb: bool
    best: Look
    int8_weighted_f1: float | None = None
    source: str
    versions: dict[str, str]

    @property
    def packages(self) -> dict[str, str]:
        """Its versions, whatever instruction set was held."""
        return _without_instruction_set(self.versions)


def job_of(
    configuration: ModelConfiguration,
    label: str,
    work: str,
    ludb_option: str | Path | None,
    *,
    judge: bool = False,
) -> Job:
    """A training of a configuration on what is here.

    Args:
        configuration, label, work, judge: as in :class:`Job`.
        ludb_option: folder of LUDB, None for the usual places.

    Raises:
        DataError: there is no LUDB in the folder.
    """
    return Job(
        label=label,
        configuration=configuration,
        work=work,
        ludb=str(Path(ludb_option).absolute()) if ludb_option is not None else None,
        with_ludb=ludb_for(configuration, ludb_option) is not None,
        judge=judge,
    )


class _Kept(BaseModel):
    """The file trained.json: an outcome and the hash of the model beside it."""

    sha256: str
    outcome: Outcome


Results = Generator[tuple[int, Outcome | EcgsegError], None, None]
"""Of each job its number and what came of it, in the order in which they end."""
Trainings = Callable[[Sequence[Job]], Results]


def train_all(jobs: Sequence[Job], trainings: Trainings, console: Console) -> Results:
    """Trains what was not trained before, and keeps what comes of it.

    Args:
        jobs: what is wanted.
        trainings: trains those that are left.
        console: where it is told that a job was done before.

    Raises:
        OutputError: an outcome cannot be kept.
    """
    left = []
    for index, job in enumerate(jobs):
        found = kept(job)
        if found is None:
            left.append(index)
            continue
        console.print(data(f"{job.label}: trained before"), highlight=False, soft_wrap=True)
        yield index, found
    with closing(trainings([jobs[index] for index in left])) as results:
        for place, outcome in results:
            if isinstance(outcome, Outcome):
                _keep(jobs[left[place]], outcome)
            yield left[place], outcome


def kept(job: Job) -> Outcome | None:
    """What an earlier run kept of the very same training; None where there is nothing of use.

    Files of a database of the user's own change without the configuration: such a training looks at them first, and
    goes on from its checkpoint, which tells them apart.
    """
    if job.configuration.data.databases:
        return None
    try:
        said = _Kept.model_validate_json(read_text(job.folder / OUTCOME_FILE, _LARGEST_BYTES))
        content = read_model(job.folder / MODEL_FILE)
    except (OSError, ValidationError, ModelError):
        return None
    outcome = said.outcome.model_copy(update={"tflite": content})
    wanted = (hashlib.sha256(content).hexdigest(), job.configuration.digest(), job.with_ludb)
    if (said.sha256, outcome.digest, outcome.with_ludb) != wanted or outcome.packages != versions_of_packages():
        return None
    return None if job.judge and outcome.int8_weighted_f1 is None else outcome


def versions_of_packages() -> dict[str, str]:
    """Versions of what decides the numbers, whatever the instruction set."""
    return _without_instruction_set(versions())


def _without_instruction_set(found: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in found.items() if name != "instruction set"}


def _keep(job: Job, outcome: Outcome) -> None:
    """Model, configuration and outcome take their places together; the folder is one that --model takes."""
    told = _Kept(sha256=hashlib.sha256(outcome.tflite).hexdigest(), outcome=outcome.model_copy(update={"tflite": b""}))
    settings = job.configuration.model_copy(update={"versions": outcome.versions})
    names = (MODEL_FILE, CONFIGURATION_FILE, OUTCOME_FILE)
    with replacing(*(job.folder / name for name in names)) as (model, configuration, kept_outcome):
        model.write_bytes(outcome.tflite)
        configuration.write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")
        kept_outcome.write_text(told.model_dump_json(indent=2) + "\n", encoding="utf-8")


def in_turn(console: Console) -> Trainings:
    """Trains in this process, one after the other.

    Args:
        console: where progress goes.
    """

    def run(jobs: Sequence[Job]) -> Results:
        from ecgseg.zoo.progress import Shown, bars
        from ecgseg.zoo.training_process import train_job

        for index, job in enumerate(jobs):
            with bars(console) as progress:
                outcome = train_job(job, job.folder, Shown(progress))
            yield index, outcome

    return run
