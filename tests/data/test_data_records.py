"""Label masks of records, whatever the database."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgseg.data.records import Record, Wave, excerpts, labels


def record_with(*waves: Wave, length: int = 5000) -> Record:
    return Record(1, "ii", 500, np.zeros(length, dtype=np.int16), waves, "Sinus rhythm", "ludb")


def test_labels_include_both_ends_of_a_wave() -> None:
    mask = labels(record_with(Wave("P", 100, 110, 120), Wave("QRS", 151, 160, 174)), 4, 5)
    assert mask[20:25].tolist() == [1] * 5
    # 151 rounds up to sample 31 (155), 174 down to sample 34 (170).
    assert mask[25:36].tolist() == [0] * 6 + [2] * 4 + [255]


def test_labels_of_any_rate_lie_at_the_place_of_each_sample() -> None:
    record = replace(record_with(Wave("P", 36, 40, 51), Wave("QRS", 72, 75, 83), length=360), rate=360)
    mask = labels(record, 4, record.step)
    # Sample n stands for place 3.6 n: 36 is that of sample 10, 51 lies in front of that of 15, 83 behind that of 23.
    assert mask.size == 100
    assert mask[:25].tolist() == [255] * 10 + [1] * 5 + [0] * 5 + [2] * 4 + [255]


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


def test_between_two_annotated_stretches_nothing_is_known() -> None:
    record = record_with(Wave("QRS", 100, 110, 120), Wave("QRS", 3000, 3010, 3020))
    assert record.spans == ((100, 3020),)
    parted = replace(record, annotated=((50, 200), (2900, 3100)))
    assert parted.span == (50, 3100)
    mask = labels(parted, 4, 5)
    assert set(mask[:10].tolist()) == set(mask[41:580].tolist()) == set(mask[621:].tolist()) == {255}
    assert mask[10:41].tolist() == [0] * 10 + [2] * 5 + [0] * 16


def test_a_record_without_waves_is_unknown_unless_it_says_that_nothing_is_there() -> None:
    record = record_with()
    assert record.span is None
    assert set(labels(record, 4, 5).tolist()) == {255}
    silent = replace(record, annotated=((0, 4999),))
    assert silent.span == (0, 4999)
    assert set(labels(silent, 4, 5).tolist()) == {0}


def test_a_t_wave_without_its_onset_alone_is_t_from_its_peak() -> None:
    waves = (Wave("QRS", 100, 110, 120), Wave("T", None, 200, 240), Wave("QRS", 400, 410, 420))
    mask = labels(record_with(*waves), 4, 5)
    assert set(mask[25:40].tolist()) == {255}
    assert mask[40:50].tolist() == [3] * 9 + [0]
    both = labels(record_with(waves[0], Wave("T", None, 200, None), waves[2]), 4, 5)
    assert 3 not in both


def test_excerpts_keep_marks_labels_and_samples_together() -> None:
    record = record_with(Wave("QRS", 1000, 1010, 1020), Wave("QRS", 1400, 1410, 1420), Wave("QRS", 4000, 4010, 4020))
    record = replace(
        record,
        samples=np.arange(5000, dtype=np.int16),
        annotated=((990, 1030), (1390, 1430), (3990, 4030)),
        name="one",
    )
    first, second = excerpts(record, 1.0, 0.1)
    assert (first.samples[0], first.samples[-1], second.samples[0], second.samples[-1]) == (490, 1480, 3490, 4080)
    assert first.spans == ((500, 540), (900, 940))
    assert second.waves == (Wave("QRS", 510, 520, 530),)
    assert (second.name, second.rate) == ("one", 500)
    for part in (first, second):
        start = int(part.samples[0])
        assert start % 5 == 0, "or the masks of part and whole are of other samples"
        assert (labels(part, 4, 5) == labels(record, 4, 5)[start // 5 :][: -(-part.samples.size // 5)]).all()
    assert excerpts(replace(record, waves=(), annotated=None), 1.0, 1.0) == []
