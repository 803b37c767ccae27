"""Cross-validation over QTDB: a model is tested on a fold that it saw nothing of, and only what has folds is asked."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from ecgseg.commands import evaluate
from ecgseg.commands.task import start
from ecgseg.data.databases import qtdb
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import labels
from ecgseg.errors import UsageError
from ecgseg.models import stream_names
from ecgseg.scoring.delineation import classes_alone
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.recipe import qtdb_names
from support.lazily import Lazily, needs_tensorflow

needs_tensorflow()
cross_validation = Lazily("ecgseg.zoo.cross_validation")

pytestmark = pytest.mark.train


@pytest.mark.parametrize("name", stream_names())
def test_no_record_of_a_fold_is_in_its_training(name):
    configuration = zoo.load(name)
    for fold, held_out in qtdb.split().items():
        settings = cross_validation.qtdb_fold(configuration, fold, 1000)
        seen = set(qtdb_names(settings.data.qtdb_training))
        assert not seen & set(held_out)
        assert seen | set(held_out) == set(qtdb.given_records())
        assert settings.data.training_records == configuration.data.training_records
        assert settings.schedule.steps == 1000


def test_each_fold_is_told_for_itself_and_all_of_them_together(monkeypatch):
    """One model finds all, two find nothing."""
    [record] = synthetic_records(1, ["ii"], 7)
    truth = classes_alone(np.minimum(labels(record, 4, record.step), 3).astype(np.uint8))
    nothing = classes_alone(np.zeros_like(truth.mask))

    def twin(model):
        return SimpleNamespace(predict=lambda _: truth if model == b"1" else nothing)

    monkeypatch.setattr("ecgseg.zoo.cross_validation.device_twin", twin)
    monkeypatch.setattr(qtdb, "load_records", lambda folder, names: [record])
    outcomes = [SimpleNamespace(tflite=str(number).encode()) for number in range(3)]
    jobs = [SimpleNamespace(label=name, configuration=zoo.load("stream-4-tcn-sm")) for name in qtdb.split()]
    told = StringIO()
    scores = cross_validation.score_on_qtdb(outcomes, jobs, None, Console(file=told, width=100))
    lines = told.getvalue().splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["0.0000", "1.0000", "0.0000"]
    assert scores.fiducials["P onset"].sensitivity == pytest.approx(1 / 3)


@pytest.mark.parametrize(("database", "folds", "named"), [("qtdb", 5, "5 folds"), ("synthetic", 5, "no patients")])
def test_a_database_without_such_folds_is_refused(database, folds, named):
    with pytest.raises(UsageError, match=named):
        start(evaluate.run, model="seg-4-tcn-sm", database=database, cv=folds)
