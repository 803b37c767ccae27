"""Records of a database that the user names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.data import inputs
from ecgseg.data.databases import ludb, qtdb
from ecgseg.data.databases.synthetic import database as synthetic
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.errors import DataError, UsageError


def test_synthetic_ecg_is_drawn_for_as_many_records_as_were_asked_for():
    found = inputs.inputs_of("synthetic", "3,17", "ii")
    assert (found.source, found.records, found.leads) == ("synthetic", (1, 2), ("ii",))


@pytest.mark.parametrize("database", ["ludb", "qtdb"])
def test_a_database_that_is_not_here_is_one_clear_error(database, monkeypatch):
    monkeypatch.setattr(ludb, "find_ludb", lambda option: None)
    monkeypatch.setattr(qtdb, "find_qtdb", lambda: None)
    with pytest.raises(DataError, match="is not here") as error:
        inputs.inputs_of(database)
    assert "invoke data" in error.value.remedy


def test_of_qtdb_the_given_records_are_read_when_nothing_else_is_asked_for(monkeypatch):
    asked = []

    def load(database, folder, name, leads):
        asked.append((database.key, folder, name, leads))
        return synthetic_records(1, ("ii",))

    def wanted(names, leads):
        return [("qtdb", Path("qtdb"), name, leads) for name in names]

    monkeypatch.setattr(qtdb, "find_qtdb", lambda: Path("qtdb"))
    monkeypatch.setattr(inputs, "load_record", load)
    found = inputs.inputs_of("qtdb")
    assert len(list(found)) == len(qtdb.given_records())
    assert asked == wanted(qtdb.given_records(), ("0", "1"))
    assert (found.source, found.records) == ("qtdb", tuple(map(qtdb.record_number, qtdb.given_records())))
    assert "QTDB" in found.statement
    asked.clear()
    assert list(inputs.inputs_of("qtdb", "fold-2", "1"))
    assert asked == wanted(qtdb.split()["fold-2"], ("1",))
    with pytest.raises(UsageError, match="no lead"):
        inputs.inputs_of("qtdb", "given", "ii")


def test_records_of_synthetic_ecg_are_those_that_are_drawn_together():
    found = list(inputs.inputs_of("synthetic", "1-5", "ii,v2"))
    together = synthetic_records(5, ("ii", "v2"), synthetic.SEED)
    assert [record.record_id for record in found] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    for one, other in zip(found, together, strict=True):
        assert np.array_equal(one.samples, other.samples)
        assert (one.lead, one.waves, one.rhythm) == (other.lead, other.waves, other.rhythm)
