"""Template of a database's tests. It guards LUDB as it stands, on a recording that is made here; copy it to
tests/data/test_data_<database>.py and replace the imports, the constants and `made`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgseg.data.databases.ludb import (
    ENVIRONMENT,
    LEADS,
    PATIENTS,
    find_ludb,
    load_records,
    parse_leads,
    parse_records,
    split,
)
from ecgseg.data.records import Wave
from ecgseg.errors import DataError, UsageError

NAME, OPTION = "ludb", "--ludb"


def made(folder: Path) -> Path:
    """A copy of the form of the database, with record 1 alone."""
    data = folder / "data"
    data.mkdir(parents=True)
    form = {"units": ["mV"] * 12, "sig_name": list(LEADS), "fmt": ["16"] * 12, "adc_gain": [1000] * 12}
    signal = np.tile(np.arange(12) / 10, (1000, 1))
    about = {"baseline": [0] * 12, "comments": ["Rhythm: Sinus rhythm."], "write_dir": str(data)}
    wfdb.wrsamp("1", 500, p_signal=signal, **form, **about)
    for lead in LEADS:
        wfdb.wrann("1", "marks", np.array([100, 120, 140]), symbol=["(", "N", ")"], write_dir=str(data))
        (data / "1.marks").rename(data / f"1.{lead}")
    return folder


def test_it_is_found_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path / "copy")
    assert find_ludb(folder) == folder
    monkeypatch.setenv(ENVIRONMENT, str(folder))
    assert find_ludb() == folder


def test_a_folder_without_it_is_told_with_the_option_that_named_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        find_ludb(tmp_path)
    assert str(tmp_path) in told.value.what
    assert OPTION in told.value.remedy


def test_records_carry_what_the_database_says_of_them(tmp_path: Path) -> None:
    v1, ii = load_records(made(tmp_path), (1,), ("v1", "ii"))
    assert (v1.record_id, v1.lead, v1.rate, v1.source, v1.rhythm) == (1, "v1", 500, NAME, "Sinus rhythm")
    assert (v1.samples[0], ii.samples[0]) == (600, 100)
    assert ii.waves == (Wave("QRS", 100, 120, 140),)


def test_a_record_that_is_missing_or_damaged_names_itself(tmp_path: Path) -> None:
    folder = made(tmp_path)
    (folder / "data" / "1.dat").write_bytes(b"")
    for number in (1, 2):
        with pytest.raises(DataError) as told:
            load_records(folder, (number,))
        assert f"Record {number} " in told.value.what
        assert told.value.remedy


def test_no_patient_is_trained_on_and_scored_and_none_is_left_out() -> None:
    sets = split()
    assert sorted([*sets["train"], *sets["val"], *sets["test"]]) == list(range(1, PATIENTS + 1))


def test_what_a_user_types_selects_records_and_leads() -> None:
    assert parse_records("test") == split()["test"]
    assert parse_records("3-5,1") == (3, 4, 5, 1)
    assert parse_leads("II,v2") == ("ii", "v2")


@pytest.mark.parametrize("text", ["", "tset", "0", str(PATIENTS + 1), "9-3", "1-", "-4", "1;2"])
def test_nonsense_records_are_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as told:
        parse_records(text)
    assert "--records" in told.value.remedy
