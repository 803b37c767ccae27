"""Guards the cross-validation: no patient is trained on and tested on, and every patient is tested once."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from ecgseg import paths
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.errors import DataError, UsageError
from ecgseg.zoo import configuration as zoo
from support.lazily import Lazily, needs_tensorflow

needs_tensorflow()
cv = Lazily("ecgseg.zoo.cross_validation")

pytestmark = pytest.mark.train


@pytest.mark.parametrize("count", [2, 5, 20])
def test_every_patient_is_tested_once_and_never_trained_on_in_that_fold(count):
    parts = cv.folds(count, 1)
    assert sorted(record for fold in parts for record in fold.test) == list(range(1, 201))
    for fold in parts:
        everyone = [*fold.training, *fold.validation, *fold.test]
        assert sorted(everyone) == list(range(1, 201))
        assert fold.validation


def test_the_folds_repeat_and_follow_the_seed():
    assert cv.folds(5, 1) == cv.folds(5, 1)
    assert cv.folds(5, 1) != cv.folds(5, 2)


@pytest.mark.parametrize("count", [0, 1, 21])
def test_a_senseless_number_of_folds_is_refused(count):
    with pytest.raises(UsageError):
        cv.folds(count, 1)


@pytest.mark.parametrize("steps", [1, 10**6])
def test_a_senseless_number_of_steps_is_refused(monkeypatch, tmp_path, steps):
    monkeypatch.setattr(cv.ludb, "find_ludb", lambda option: tmp_path)
    with pytest.raises(UsageError, match="--steps"):
        cv.cross_validate(zoo.SMOKE, Console(quiet=True), 2, steps=steps)


def test_without_ludb_there_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(cv.ludb, "find_ludb", lambda option: None)
    with pytest.raises(DataError) as error:
        cv.cross_validate(zoo.SMOKE, Console(quiet=True))
    assert "invoke data" in error.value.remedy


@pytest.mark.slow
def test_each_fold_is_scored_on_its_own_patients(monkeypatch, tmp_path):
    """Synthetic recordings stand in for LUDB's patients."""
    stock = synthetic_records(24, ("ii",), seed=4)
    asked = []

    def load(folder, ids, leads):
        asked.append(tuple(ids))
        return [stock[number % len(stock)] for number in list(ids)[:12]]

    monkeypatch.setattr(cv.ludb, "find_ludb", lambda option: tmp_path)
    monkeypatch.setattr(cv.ludb, "load_records", load)
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    smoke = zoo.smoke()
    schedule = smoke.schedule.model_copy(update={"steps": 60, "evaluate_every": 30})
    recipe = smoke.model_copy(
        update={"schedule": schedule, "data": smoke.data.model_copy(update={"synthetic_weight": 0.0})}
    )
    monkeypatch.setattr(cv.zoo, "load", lambda name: recipe)
    result = cv.cross_validate(zoo.SMOKE, Console(quiet=True), 2, steps=50)
    assert (result.steps, result.command) == (50, "invoke evaluate --cv 2 --model smoke --steps 50")
    assert result.digest == recipe.digest()
    expected = [part for fold in cv.folds(2, recipe.seed) for part in (fold.training, fold.validation, fold.test)]
    assert asked == expected
    assert len(result.weighted_f1) == 2
    assert all(0.3 < score < 1.0 for score in result.weighted_f1)
    assert result.mean == pytest.approx(np.mean(result.weighted_f1))
