"""Label masks of records, whatever the database."""

from __future__ import annotations

import numpy as np

from ecgseg.data.records import Record, Wave, labels


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
    waves = (Wave("?", 10, None, 30), Wave("QRS", 50, 60, 70))
    assert set(labels(record_with(*waves), 4, 5)[2:7].tolist()) == {255}
