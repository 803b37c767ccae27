"""Trainings for tests: of the smoke model, with outcomes that nobody trained."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest

from ecgseg import paths
from ecgseg.errors import EcgsegError
from ecgseg.zoo import apart
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.checkpoints import Look
from ecgseg.zoo.jobs import Job, Outcome, Results, job_of, versions_of_packages


def job(label: str, seed: int = 1, **changes: object) -> Job:
    """A training of the smoke model."""
    found = job_of(zoo.smoke().model_copy(update={"seed": seed}), label, f"jobs/{label.replace(' ', '-')}", None)
    return found.model_copy(update=changes)


def outcome_of(wanted: Job, **changes: object) -> Outcome:
    """What might come of a training."""
    return Outcome(
        tflite=wanted.label.encode(),
        digest=wanted.configuration.digest(),
        with_ludb=wanted.with_ludb,
        best=Look(150, 0.5, 0.9),
        int8_weighted_f1=0.8,
        source="nothing",
        versions=versions_of_packages(),
    ).model_copy(update=changes)


class Pretended:
    """Trainings that train nothing.

    Attributes:
        asked: labels of what was to be trained.
    """

    def __init__(self, answer: Callable[[Job], Outcome | EcgsegError] = outcome_of, *, backwards: bool = False) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self._backwards = backwards

    def __call__(self, jobs: Sequence[Job]) -> Results:
        order = list(enumerate(jobs))
        for index, wanted in reversed(order) if self._backwards else order:
            self.asked.append(wanted.label)
            yield index, self._answer(wanted)


def pretend_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `training_double` do what a label says in the place of each training's process."""
    monkeypatch.setattr(apart, "_MODULE", "support.training_double")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(paths.ROOT / part) for part in ("tests", "host")))
