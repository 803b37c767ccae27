"""LUDB's marks, label masks, and the selection of records and leads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.data.databases.ludb import ENVIRONMENT, find_ludb, load_record, parse_waves
from ecgseg.data.records import LEADS, Record, Wave, labels, parse_leads, parse_records, split
from ecgseg.errors import DataError, UsageError


def record_with(*waves: Wave, length: int = 5000) -> Record:
    return Record(1, "ii", 500, np.zeros(length, dtype=np.int16), waves, "Sinus rhythm", "ludb")


def test_labels_include_both_ends_of_a_wave() -> None:
    mask = labels(record_with(Wave("P", 100, 110, 120), Wave("QRS", 151, 160, 174)), 4, 5)
    assert mask[20:25].tolist() == [1] * 5
    # 151 rounds up to sample 31 (155), 174 down to sample 34 (170).
    assert mask[25:36].tolist() == [0] * 6 + [2] * 4 + [255]


def test_outside_of_the_annotated_span_is_not_none() -> None:
    mask = labels(record_with(Wave("QRS", 1000, 1020, 1040), Wave("T", 1200, 1250, 1300)), 4, 5)
    assert set(mask[:200].tolist()) == {255}
    assert set(mask[261:].tolist()) == {255}
    assert 255 not in mask[200:261]


def test_two_classes_know_qrs_alone() -> None:
    mask = labels(record_with(Wave("P", 100, 110, 120), Wave("QRS", 150, 160, 170), Wave("T", 200, 210, 220)), 2, 5)
    assert mask[20:25].tolist() == [0] * 5
    assert mask[30:35].tolist() == [1] * 5


def test_a_wave_without_onset_is_masked_up_to_its_neighbour() -> None:
    waves = (Wave("P", 100, 110, 120), Wave("QRS", None, 160, 175), Wave("T", 300, 320, 340))
    mask = labels(record_with(*waves), 4, 5)
    assert mask[24] == 1
    assert set(mask[25:36].tolist()) == {255}
    assert mask[36] == 0


def test_a_wave_without_offset_is_masked_for_its_longest_half_width() -> None:
    waves = (Wave("QRS", 500, 520, None), Wave("T", 2000, 2020, 2040))
    mask = labels(record_with(*waves), 4, 5)
    assert set(mask[100 : (520 + 75) // 5 + 1].tolist()) == {255}
    assert mask[(520 + 75) // 5 + 1] == 0


def test_marks_without_a_peak_are_masked() -> None:
    waves = parse_waves([10, 30, 50, 60, 70], ["(", ")", "(", "N", ")"])
    assert waves == (Wave("?", 10, None, 30), Wave("QRS", 50, 60, 70))
    assert set(labels(record_with(*waves), 4, 5)[2:7].tolist()) == {255}


def test_missing_marks_are_none_not_invented() -> None:
    assert parse_waves([5, 9, 20, 25, 40, 45], ["N", ")", "(", "t", "p", ")"]) == (
        Wave("QRS", None, 5, 9),
        Wave("T", 20, 25, None),
        Wave("P", None, 40, 45),
    )
    assert parse_waves([5, 9], ["(", "t"]) == (Wave("T", 5, 9, None),)
    assert parse_waves([5], ["("]) == (Wave("?", 5, None, None),)


def test_several_annotators_marks_of_one_point_become_their_median() -> None:
    samples = [10, 12, 20, 30, 31, 35, 50, 52, 60]
    assert parse_waves(samples, list("(((ttt)))")) == (Wave("T", 12, 31, 52),)


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


@pytest.mark.parametrize("text", ["", "tset", "0", "201", "9-3", "1-", "-4", "1;2"])
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
