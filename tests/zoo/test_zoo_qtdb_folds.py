"""Cross-validation over QTDB: a model is tested on a fold that it saw nothing of, and only what has folds is asked."""

from __future__ import annotations

import pytest

from ecgseg.commands import evaluate
from ecgseg.commands.task import start
from ecgseg.data.databases import qtdb
from ecgseg.errors import UsageError
from ecgseg.models import stream_names
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


@pytest.mark.parametrize(("database", "folds", "named"), [("qtdb", 5, "5 folds"), ("synthetic", 5, "no patients")])
def test_a_database_without_such_folds_is_refused(database, folds, named):
    with pytest.raises(UsageError, match=named):
        start(evaluate.run, model="seg-4-tcn-sm", database=database, cv=folds)
