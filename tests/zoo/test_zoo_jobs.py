"""What was trained before is kept and not trained again, unless something that decides the result is another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ecgseg import paths
from ecgseg.data.databases import ludb
from ecgseg.errors import EcgsegError, ModelError
from ecgseg.models import find_model
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo import cross_validation as cv
from ecgseg.zoo import jobs
from ecgseg.zoo.jobs import Job, Outcome, train_all
from support.jobs import Pretended, job, outcome_of

QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    return tmp_path / "build"


def trained(wanted: Sequence[Job], trainings: Pretended) -> dict[int, Outcome | EcgsegError]:
    return dict(train_all(wanted, trainings, QUIET))


def test_only_what_is_left_is_trained_and_gives_what_it_gave() -> None:
    wanted = [job("one", 1), job("two", 2), job("three", 3)]
    first = Pretended()
    trained(wanted[:2], first)
    second = Pretended()
    found = trained(wanted, second)
    assert (first.asked, second.asked) == (["one", "two"], ["three"])
    assert found == {index: outcome_of(one) for index, one in enumerate(wanted)}


def test_an_order_and_an_outcome_say_the_same_when_they_were_sent() -> None:
    wanted = job("one")
    assert Job.model_validate_json(wanted.model_dump_json()) == wanted
    content = np.arange(256, dtype=np.uint8).tobytes()
    found = outcome_of(wanted, tflite=content)
    assert Outcome.model_validate_json(found.model_dump_json()) == found


def test_what_is_kept_is_a_model_that_every_task_takes(build: Path) -> None:
    trained([job("one")], Pretended())
    folder = build / "zoo" / "jobs" / "one"
    assert find_model(str(folder)).data == b"one"
    assert zoo.load(str(folder)).digest() == job("one").configuration.digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"configuration": zoo.smoke().model_copy(update={"seed": 9})},
        {"with_ludb": True},
        {"configuration": zoo.smoke().model_copy(update={"description": "The same."})},
    ],
)
def test_another_training_in_the_same_folder_is_none(changes: dict[str, object]) -> None:
    trained([job("one", 2026)], Pretended())
    again = Pretended()
    trained([job("one", 2026, **changes)], again)
    same = "configuration" in changes and getattr(changes["configuration"], "seed", 0) == 2026
    assert again.asked == ([] if same else ["one"])


@pytest.mark.parametrize("file", [jobs.OUTCOME_FILE, "model.tflite"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_what_is_damaged_is_trained_again(build: Path, file: str, content: bytes | None) -> None:
    trained([job("one")], Pretended())
    path = build / "zoo" / "jobs" / "one" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    again = Pretended()
    trained([job("one")], again)
    assert again.asked == ["one"]


def test_other_packages_and_a_figure_that_is_missing_are_seen() -> None:
    trained([job("one"), job("two")], Pretended(lambda one: outcome_of(one, versions={}, int8_weighted_f1=None)))
    again = Pretended(lambda one: outcome_of(one, int8_weighted_f1=None))
    trained([job("one"), job("two")], again)
    judged = Pretended()
    trained([job("one"), job("two", judge=True)], judged)
    assert (again.asked, judged.asked) == (["one", "two"], ["two"])


def test_an_error_is_handed_on_and_not_kept(build: Path) -> None:
    wrong = Pretended(lambda one: ModelError(f"{one.label} diverged."))
    (found,) = trained([job("one")], wrong).values()
    assert isinstance(found, ModelError)
    assert not (build / "zoo" / "jobs" / "one").exists()


@pytest.fixture
def patients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fold's figure is the mean of its test patients' numbers: no model is asked."""
    monkeypatch.setattr(ludb, "find_ludb", lambda option: tmp_path)
    monkeypatch.setattr(ludb, "load_records", lambda folder, ids, leads: list(ids))
    monkeypatch.setattr(cv, "int8_weighted_f1", lambda content, configuration, records: float(np.mean(records)) / 200)


@pytest.mark.usefixtures("patients")
def test_folds_that_end_in_any_order_give_the_same_and_go_on() -> None:
    forwards = cv.cross_validate(zoo.SMOKE, QUIET, 4, trainings=Pretended())
    again = Pretended()
    assert cv.cross_validate(zoo.SMOKE, QUIET, 4, trainings=again) == forwards
    assert again.asked == []
    fewer = zoo.smoke().schedule.steps - 1
    backwards = cv.cross_validate(zoo.SMOKE, QUIET, 4, steps=fewer, trainings=Pretended(backwards=True))
    assert backwards.weighted_f1 == forwards.weighted_f1
    parts = cv.folds(4, zoo.smoke().seed)
    assert forwards.weighted_f1 == tuple(float(np.mean(fold.test)) / 200 for fold in parts)


@pytest.mark.usefixtures("patients")
def test_the_error_of_a_fold_ends_the_cross_validation_and_the_other_folds_stay() -> None:
    def second_diverges(one: Job) -> Outcome | EcgsegError:
        return ModelError("It diverged.") if "fold 2" in one.label else outcome_of(one)

    with pytest.raises(ModelError, match="It diverged"):
        cv.cross_validate(zoo.SMOKE, QUIET, 3, trainings=Pretended(second_diverges))
    again = Pretended()
    cv.cross_validate(zoo.SMOKE, QUIET, 3, trainings=again)
    assert again.asked == ["smoke, fold 2 of 3", "smoke, fold 3 of 3"]
