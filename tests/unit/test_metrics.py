"""Scores against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.data.records import Record, Wave
from ecgseg.preprocess import Segment
from ecgseg.zoo.metrics import FiducialScorer, confusion_matrix, match, sample_scores


def lead(*waves: Wave) -> Record:
    return Record(1, "ii", 500, np.zeros(5000, dtype=np.int16), waves, "Sinus rhythm", "ludb")


def test_scores_of_a_confusion_matrix_worked_by_hand() -> None:
    truth = np.array([0, 0, 0, 0, 1, 1, 255, 255])
    predicted = np.array([0, 0, 0, 1, 1, 0, 1, 0])
    confusion = confusion_matrix(predicted, truth, 2)
    assert confusion.tolist() == [[3, 1], [1, 1]]
    scores = sample_scores(confusion)
    # NONE: 2*3/(4+4) = 0.75; QRS: 2*1/(2+2) = 0.5; weighted by 4 and 2 of 6 samples.
    assert scores.per_class_f1 == {"NONE": 0.75, "QRS": 0.5}
    assert scores.weighted_f1 == pytest.approx((4 * 0.75 + 2 * 0.5) / 6)
    assert scores.macro_f1 == 0.625
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.miou == pytest.approx((3 / 5 + 1 / 3) / 2)


def test_a_class_that_does_not_occur_scores_zero_and_weighs_nothing() -> None:
    scores = sample_scores(confusion_matrix(np.array([0, 2, 2]), np.array([0, 2, 2]), 4))
    assert scores.weighted_f1 == 1.0
    assert scores.per_class_f1["PWAVE"] == 0.0


def test_matching_takes_the_nearest_pair_first_and_each_point_once() -> None:
    # 100 could take 90, but 90 is nearer to 88.
    assert match([100.0, 88.0], [90.0, 240.0], 150.0) == [(1, 0), (0, 1)]
    assert match([0.0], [150.0], 150.0) == [(0, 0)]
    assert match([0.0], [150.1], 150.0) == []


def test_fiducials_worked_by_hand() -> None:
    scorer = FiducialScorer(4)
    record = lead(Wave("QRS", 500, 520, 540), Wave("QRS", 1000, 1020, 1040), Wave("QRS", 1500, 1520, 1540))
    # First QRS 10 ms late at its onset and 20 ms early at its offset, second missed, third exact, one invented.
    scorer.add(record, [Segment(2, 101, 106), Segment(2, 300, 308), Segment(2, 260, 265)])
    onset, offset = scorer.scores()["QRS onset"], scorer.scores()["QRS offset"]
    assert (onset.true_positives, onset.false_negatives, onset.false_positives) == (2, 1, 1)
    assert onset.sensitivity == pytest.approx(2 / 3)
    assert onset.ppv == pytest.approx(2 / 3)
    assert onset.f1 == pytest.approx(2 / 3)
    assert (onset.mean_ms, onset.sd_ms) == (5.0, 5.0)
    assert (offset.mean_ms, offset.sd_ms) == (-10.0, 10.0)
    assert scorer.scores()["P onset"].f1 == 0.0


def test_a_detection_outside_the_annotated_span_is_no_false_positive() -> None:
    scorer = FiducialScorer(2)
    record = lead(Wave("QRS", 1000, 1020, 1040), Wave("T", 1200, 1250, 1300))
    scorer.add(record, [Segment(1, 20, 28), Segment(1, 200, 208), Segment(1, 900, 909)])
    assert scorer.scores()["QRS onset"].ppv == 1.0
    scorer.add(record, [Segment(1, 240, 248)])
    assert scorer.scores()["QRS onset"].ppv == 0.5


def test_a_point_that_was_not_annotated_is_neither_found_nor_missed() -> None:
    scorer = FiducialScorer(2)
    record = lead(Wave("T", 500, 520, 540), Wave("QRS", None, 1020, 1040), Wave("T", 1300, 1350, 1400))
    scorer.add(record, [Segment(1, 200, 208)])
    onset, offset = scorer.scores()["QRS onset"], scorer.scores()["QRS offset"]
    assert (onset.true_positives, onset.false_negatives, onset.false_positives) == (0, 0, 0)
    assert (offset.true_positives, offset.false_negatives, offset.false_positives) == (1, 0, 0)


def test_a_wave_that_starts_before_the_span_can_still_match() -> None:
    scorer = FiducialScorer(2)
    scorer.add(lead(Wave("QRS", 1000, 1020, 1040), Wave("T", 1200, 1250, 1300)), [Segment(1, 198, 209)])
    assert scorer.scores()["QRS onset"].mean_ms == -20.0
