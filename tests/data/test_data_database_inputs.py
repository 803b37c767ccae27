"""Records of a database that the user names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.data import inputs
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.errors import DataError, UsageError


def test_synthetic_ecg_is_drawn_for_as_many_records_as_were_asked_for():
    found = inputs.inputs_of("synthetic", "3,17", "ii")
    assert (found.source, found.records, found.leads) == ("synthetic", (1, 2), ("ii",))


@pytest.mark.parametrize("database", ["ludb", "qtdb"])
def test_a_database_that_is_not_here_is_one_clear_error(database, monkeypatch):
    monkeypatch.setattr(inputs, "find_ludb", lambda option: None)
    monkeypatch.setattr(inputs.qtdb, "find_qtdb", lambda: None)
    with pytest.raises(DataError, match="is not here") as error:
        inputs.inputs_of(database)
    assert "invoke data" in error.value.remedy


def test_of_qtdb_the_given_records_are_read_when_nothing_else_is_asked_for(monkeypatch):
    asked = []

    def load(folder, names, leads):
        asked.append((names, leads))
        return synthetic_records(2, ("ii",))

    monkeypatch.setattr(inputs.qtdb, "find_qtdb", lambda: Path("qtdb"))
    monkeypatch.setattr(inputs.qtdb, "load_records", load)
    found = inputs.inputs_of("qtdb")
    assert asked == [(inputs.qtdb.given_records(), ("0", "1"))]
    assert (found.source, found.records) == ("qtdb", (1, 2))
    assert len(list(found)) == 2
    assert "QTDB" in found.statement
    inputs.inputs_of("qtdb", "fold-2", "1")
    assert asked[-1] == (inputs.qtdb.split()["fold-2"], ("1",))
    with pytest.raises(UsageError, match="no leads"):
        inputs.inputs_of("qtdb", "given", "ii")
