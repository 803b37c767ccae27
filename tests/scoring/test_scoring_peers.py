"""Classical delineators behind the interface of a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import Record
from ecgseg.pipeline import LEAD_OFF, Segment
from ecgseg.scoring.evaluate import score
from ecgseg.scoring.peers import NEUROKIT_METHODS, NeuroKit, PhysioKit, pairs, peers, prediction, runs_of
from support.lazily import needs_neurokit

PEERS = [*NEUROKIT_METHODS, "physiokit"]


def peer(name: str, class_count: int) -> NeuroKit | PhysioKit:
    if name == "physiokit":
        return PhysioKit(class_count)
    needs_neurokit()
    return NeuroKit(name, class_count)


def clean_leads() -> list[Record]:
    return synthetic_records(1, ["ii", "v5"])


@pytest.mark.parametrize("class_count", [2, 4])
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_finds_the_beats_of_clean_ecg_and_prints_nothing(
    name: str, class_count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    records = clean_leads()
    segmenter = peer(name, class_count)
    whole, _, _ = score(segmenter, records, class_count)
    assert whole.fiducials["QRS onset"].sensitivity > 0.5
    found = segmenter(records[0])
    assert found.mask.size == records[0].samples.size // 5
    assert found.mask.max() < class_count
    assert found.segments == sorted(found.segments, key=lambda segment: segment.onset)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_that_gives_up_has_found_nothing(name: str) -> None:
    record = clean_leads()[0]
    for value in (0, LEAD_OFF):
        flat = replace(record, samples=np.full(5000, value, dtype=np.int16))
        found = peer(name, 4)(flat)
        assert found.segments == []
        assert not found.mask.any()


def test_every_peer_has_a_name_of_its_own_with_its_version() -> None:
    needs_neurokit()
    names = [one.name for one in peers(4)]
    assert len(set(names)) == len(PEERS)
    assert all(any(part[0].isdigit() for part in name.split()) for name in names)


def test_ends_at_500_hz_become_the_samples_at_100_hz_between_them() -> None:
    # 501..544 holds the raw indices 505..540 of the samples 101..108; 496..499 holds none.
    found = {"P": [(496.0, 499.0)], "QRS": [(501.0, 544.0)], "T": [(520.0, 600.0)]}
    made = prediction(found, clean_leads()[0], 4)
    assert made.segments == [Segment(2, 101, 108), Segment(3, 104, 120)]
    assert made.mask[101:121].tolist() == [2] * 8 + [3] * 12
    assert prediction(found, clean_leads()[0], 2).segments == [Segment(1, 101, 108)]


def test_ends_that_do_not_belong_together_are_left_out() -> None:
    nan = float("nan")
    assert pairs([10, nan, 30, 50, -1], [20, 25, nan, 40, 5]) == [(10.0, 20.0)]


def test_runs_of_a_value_include_both_ends_of_the_record() -> None:
    classes = np.array([2, 2, 0, 2, 1, 1, 2])
    assert runs_of(classes, 2) == [(0.0, 1.0), (3.0, 3.0), (6.0, 6.0)]
    assert runs_of(classes, 3) == []
