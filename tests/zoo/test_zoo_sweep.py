"""A sweep trains what its file or folder says, once, and tells what each came to, the best first."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ecgseg import paths
from ecgseg.commands import sweep as task
from ecgseg.commands.task import start
from ecgseg.errors import DataError, EcgsegError, ModelError, ToolMissingError, UsageError
from ecgseg.models import find_model
from ecgseg.zoo import cluster
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo import sweep as sweeps
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.jobs import Job, Outcome
from ecgseg.zoo.sweep import Sweep, configurations, sweep
from support.jobs import Pretended, outcome_of

QUIET = Console(quiet=True)
GRID = """
base = "smoke"

[grid]
schedule.p_weight = [0.8, 0.9]
seed = [1, 2]
"""


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    return tmp_path / "build"


@pytest.fixture
def grid(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "grid.toml"
        path.write_text(text)
        return path

    return write


def by_weight_and_seed(wanted: Job) -> Outcome | EcgsegError:
    """The figure of a training is made of its values; the seed 2 diverges at a weight of 0.8."""
    weight, seed = wanted.configuration.schedule.p_weight, wanted.configuration.seed
    if (weight, seed) == (0.8, 2):
        return ModelError("It diverged.", "So it is.")
    return outcome_of(wanted, int8_weighted_f1=weight - 0.01 * seed)


def test_a_base_without_a_fine_tuning_is_swept_over_some(grid: Callable[[str], Path]) -> None:
    text = """
base = "smoke"
[grid.fine_tuning]
steps = [300, 400]
augmentation.interval_probability = [0.0, 0.1]
"""
    found = list(configurations(grid(text)).values())
    tunings = [one.fine_tuning for one in found if one.fine_tuning is not None]
    assert [(one.steps, one.augmentation) for one in tunings] == [
        (steps, {"interval_probability": share}) for steps in (300, 400) for share in (0.0, 0.1)
    ]
    assert len({one.without_fine_tuning().digest() for one in found}) == 1
    assert all(ModelConfiguration.model_validate_json(one.model_dump_json()) == one for one in found)


def test_a_fine_tuning_without_steps_is_refused_by_name(grid: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError) as caught:
        configurations(grid('base = "smoke"\n[grid]\nfine_tuning.learning_rate = [0.1]\n'))
    assert "fine_tuning.steps" in caught.value.why


def test_every_combination_of_values_is_a_configuration(grid: Callable[[str], Path]) -> None:
    found = configurations(grid(GRID))
    assert list(found) == [
        f"schedule.p_weight={weight}, seed={seed}" for weight in ("0.8", "0.9") for seed in ("1", "2")
    ]
    base = zoo.smoke()
    for (weight, seed), one in zip([(0.8, 1), (0.8, 2), (0.9, 1), (0.9, 2)], found.values(), strict=True):
        schedule = base.schedule.model_copy(update={"p_weight": weight})
        assert one == base.model_copy(update={"seed": seed, "schedule": schedule})


def test_a_folder_is_its_configuration_files(tmp_path: Path) -> None:
    for seed in (2, 1):
        zoo.write(zoo.smoke().model_copy(update={"seed": seed}), tmp_path / f"seed-{seed}.json")
    (tmp_path / "notes.txt").write_text("x")
    assert {name: one.seed for name, one in configurations(tmp_path).items()} == {"seed-1": 1, "seed-2": 2}


def test_a_base_is_looked_for_beside_the_file(tmp_path: Path, grid: Callable[[str], Path]) -> None:
    zoo.write(zoo.smoke().model_copy(update={"seed": 7}), tmp_path / "mine.json")
    (found,) = configurations(grid('base = "./mine.json"\n[grid]\nclasses = [2]\n')).values()
    assert (found.seed, found.classes) == (7, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base", "TOML"),
        ('base = "smoke"', "grid"),
        ('base = "smoke"\ncolour = 1\n[grid]\nseed = [1]', "colour"),
        ('base = "smoke"\n[grid]', "0 configurations"),
        ('base = "smoke"\n[grid]\nseed = 1', "grid.seed is no list"),
        ('base = "smoke"\n[grid]\nseed = []', "grid.seed is no list"),
        ('base = "smoke"\n[grid]\nsead = [1]', "sead"),
        ('base = "smoke"\n[grid]\nschedule.p_weight = [0.9, -1]', "schedule.p_weight"),
        ('base = "smoke"\n[grid]\nteacher.weight = [0.9]', "grid.teacher.weight"),
        ('base = "smoke"\n[grid]\nseed = [1, 1]', "seed=1 twice"),
        ('base = "smoke"\n[grid]\nseed = [1, 1.0]', "same configuration"),
        (f'base = "smoke"\n[grid]\nseed = {list(range(sweeps.MOST + 1))}', "257 configurations"),
        (f'base = "smoke"\n[grid]\nseed = {"[" * 5000}', "nested"),
        ('base = "no-model"\n[grid]\nseed = [1]', "no-model"),
        ('base = "./none.json"\n[grid]\nseed = [1]', "none.json"),
        ('base = "smoke"\n[grid]\nseed = [2020-01-01]', "seed"),
        ('base = "smoke"\n[grid]\nschedule.learning_rate = [nan]', "schedule.learning_rate"),
    ],
)
def test_a_file_that_says_nothing_of_use_is_refused(grid: Callable[[str], Path], text: str, said: str) -> None:
    with pytest.raises((ModelError, UsageError)) as caught:
        configurations(grid(text))
    assert said in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["none.toml", "none", "empty", "file.csv"])
def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.csv").write_text("")
    with pytest.raises(UsageError) as caught:
        configurations(tmp_path / name)
    assert name in caught.value.what


def test_the_best_comes_first_and_what_failed_last(grid: Callable[[str], Path]) -> None:
    path, kept = grid(GRID), []
    table = sweep(path, configurations(path), Pretended(by_weight_and_seed), QUIET, kept.append)
    assert [row.name for row in table.rows] == [
        f"schedule.p_weight={values}" for values in ("0.9, seed=1", "0.9, seed=2", "0.8, seed=1", "0.8, seed=2")
    ]
    assert [row.int8_weighted_f1 for row in table.rows[:3]] == [0.89, 0.88, 0.79]
    assert (table.rows[3].int8_weighted_f1, table.rows[3].error) == (None, "It diverged. So it is.")
    assert [len(one.rows) for one in kept] == [1, 2, 3, 4]
    assert find_model(table.rows[0].folder).data == b"schedule.p_weight=0.9, seed=1"


def test_values_that_are_added_are_all_that_is_trained(grid: Callable[[str], Path]) -> None:
    path = grid(GRID)
    sweep(path, configurations(path), Pretended(), QUIET, lambda table: None)
    path, again = grid(GRID.replace("[1, 2]", "[1, 2, 3]")), Pretended()
    table = sweep(path, configurations(path), again, QUIET, lambda table: None)
    assert again.asked == ["schedule.p_weight=0.8, seed=3", "schedule.p_weight=0.9, seed=3"]
    assert len(table.rows) == 6


def test_what_ends_all_trainings_and_a_sweep_of_nothing_but_failures_are_errors(grid: Callable[[str], Path]) -> None:
    path = grid(GRID)
    for error in (DataError("LUDB is gone."), ModelError("All diverged.")):
        with pytest.raises(type(error), match=error.what):
            sweep(path, configurations(path), Pretended(lambda one, error=error: error), QUIET, lambda table: None)


def test_the_task_writes_and_shows_the_table(
    grid: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "on_dask", lambda on, console: Pretended(by_weight_and_seed))
    monkeypatch.setattr(task, "require_tensorflow", lambda: None)
    monkeypatch.setattr(task, "require_dask", lambda: None)
    out, result = tmp_path / "out", tmp_path / "result.json"
    start(task.run, file=str(grid(GRID)), out=str(out), json=str(result))
    table = Sweep.model_validate_json(result.read_text())
    assert json.loads((out / "table.json").read_text()) == json.loads(result.read_text())
    with (out / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["int8_weighted_f1"]) for row in rows] == [
        (row.name, "" if row.int8_weighted_f1 is None else str(row.int8_weighted_f1)) for row in table.rows
    ]
    printed = capsys.readouterr().out
    assert "It diverged" in printed
    assert "Best: schedule.p_weight=0.9, seed=1" in printed


def test_the_task_tells_before_it_trains(grid: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "on_dask", lambda on, console: pytest.fail("it was trained"))
    path = str(grid(GRID))
    with pytest.raises(UsageError, match="is no place to train"):
        start(task.run, file=path, on="host:8786")
    with pytest.raises(UsageError, match="nothing to sweep over"):
        start(task.run)
    monkeypatch.setattr("ecgseg.extras.find_spec", lambda module: None)
    with pytest.raises(ToolMissingError, match="is not installed"):
        start(task.run, file=path)
