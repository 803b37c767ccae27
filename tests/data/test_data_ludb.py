"""LUDB: where it is found, its split, and the selection of records and leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.data.databases.ludb import ENVIRONMENT, LEADS, find_ludb, load_record, parse_leads, parse_records, split
from ecgseg.data.databases.synthetic import LEADS as SYNTHETIC_LEADS
from ecgseg.errors import DataError, UsageError


def test_split_holds_every_patient_once() -> None:
    sets = split()
    together = [*sets["train"], *sets["val"], *sets["test"]]
    assert sorted(together) == list(range(1, 201))
    assert set(sets["test_heartkit"]) <= set(sets["test"])


def test_record_selection() -> None:
    assert parse_records("181-183,4") == (181, 182, 183, 4)
    assert len(parse_records("all")) == 200
    assert parse_records("test") == split()["test"]
    assert parse_leads("all") == LEADS
    assert parse_leads("II,v2") == ("ii", "v2")


@pytest.mark.parametrize("text", ["", "tset", "0", "201", "9-3", "1-", "-4", "1;2", "1-99999999999999", "4,9-3", "²"])
def test_nonsense_records_are_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_records(text)
    assert error.value.remedy


def test_an_unknown_lead_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no lead 'v7'"):
        parse_leads("ii,v7")


def test_a_folder_without_ludb_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no LUDB"):
        find_ludb(tmp_path)
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    with pytest.raises(DataError, match="no LUDB"):
        find_ludb()


def test_a_damaged_record_names_itself(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "7.hea").write_text("7 12 500 5000\nnonsense\n")
    with pytest.raises(DataError, match="Record 7"):
        load_record(tmp_path, 7)
    with pytest.raises(DataError, match="Record 8"):
        load_record(tmp_path, 8)


def test_synthetic_ecg_has_the_leads_of_ludb_in_their_order() -> None:
    assert SYNTHETIC_LEADS == LEADS


@pytest.mark.parametrize("text", ["1-99999999999", "9" * 5000, "1-" + "9" * 5000, "1,\x1b[2J", "0-3", "201"])
def test_absurd_record_numbers_are_one_short_printable_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_records(text)
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 100
