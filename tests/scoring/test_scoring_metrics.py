"""Scores against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.data.records import Record, Wave, labels
from ecgseg.pipeline import UNANNOTATED, Segment
from ecgseg.scoring.metrics import FiducialScorer, confusion_matrix, match, sample_scores, weighted_f1


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
    # First QRS from 1005 to 1065 ms, 5 ms late at its onset and 15 ms early at its offset, second missed, third from
    # 2995 to 3085 ms, 5 ms outside of both ends, one invented.
    scorer.add(record, [Segment(2, 101, 106), Segment(2, 300, 308), Segment(2, 260, 265)])
    onset, offset = scorer.scores()["QRS onset"], scorer.scores()["QRS offset"]
    assert (onset.true_positives, onset.false_negatives, onset.false_positives) == (2, 1, 1)
    assert onset.sensitivity == pytest.approx(2 / 3)
    assert onset.ppv == pytest.approx(2 / 3)
    assert onset.f1 == pytest.approx(2 / 3)
    assert (onset.mean_ms, onset.sd_ms) == (0.0, 5.0)
    assert (offset.mean_ms, offset.sd_ms) == (-5.0, 10.0)
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
    assert scorer.scores()["QRS onset"].mean_ms == -25.0


def test_a_nearest_pair_is_kept_though_another_choice_would_give_more_pairs() -> None:
    # 90 belongs to the annotation at 100, 10 away; that this leaves 0 and 245 alone, who could have had 90 and 100,
    # is no reason to call a point found that lies nearer to another one.
    assert match([0.0, 100.0], [90.0, 245.0], 150.0) == [(1, 0)]


def test_of_equally_near_points_the_earliest_is_taken() -> None:
    assert match([0.0, 20.0], [10.0], 150.0) == [(0, 0)]
    assert match([10.0], [0.0, 20.0], 150.0) == [(0, 0)]
    assert match([10.0, 30.0], [20.0, 40.0], 150.0) == [(0, 0), (1, 1)]


def test_nothing_matches_nothing() -> None:
    assert match([], [10.0], 150.0) == []
    assert match([10.0], [], 150.0) == []


def test_a_detection_150_ms_away_is_found_and_one_160_ms_away_is_missed_and_invented() -> None:
    # Onset at 995 ms, in a span from 200 to 3000 ms; waves from samples 115 and 116 on begin at 1145 and 1155 ms.
    waves = (Wave("T", 40, 48, 56), Wave("QRS", 199, 208, 216), Wave("T", 560, 580, 600))
    record = Record(1, "ii", 200, np.zeros(2000, dtype=np.int16), waves, "Sinus rhythm", "ludb")
    counts = {}
    for onset in (115, 116):
        scorer = FiducialScorer(2)
        scorer.add(record, [Segment(1, onset, 122)])
        score = scorer.scores()["QRS onset"]
        counts[onset] = (score.true_positives, score.false_negatives, score.false_positives)
    assert counts == {115: (1, 0, 0), 116: (0, 1, 1)}


def test_the_first_and_last_sample_of_the_span_count_and_their_neighbours_do_not() -> None:
    # Span 1003..1997 at 500 Hz: at 100 Hz the samples 201 (index 1005) to 399 (index 1995).
    record = lead(Wave("T", 1003, 1030, 1060), Wave("QRS", 1500, 1520, 1540), Wave("T", 1900, 1950, 1997))
    mask = labels(record, 2, 5)
    assert (np.flatnonzero(mask != 255)[0], np.flatnonzero(mask != 255)[-1]) == (201, 399)
    for sample, false_positives in ((200, 0), (201, 1), (399, 1), (400, 0)):
        scorer = FiducialScorer(2)
        scorer.add(record, [Segment(1, sample, sample)])
        assert scorer.scores()["QRS onset"].false_positives == false_positives
    # A wave that only ends inside of it has no onset that counts, but an offset.
    scorer = FiducialScorer(2)
    scorer.add(record, [Segment(1, 195, 210)])
    assert scorer.scores()["QRS onset"].false_positives == 0
    assert scorer.scores()["QRS offset"].false_positives == 1


def test_with_two_classes_p_and_t_are_none_and_their_points_are_not_scored() -> None:
    record = lead(Wave("P", 400, 420, 440), Wave("QRS", 500, 520, 540), Wave("T", 700, 750, 800))
    truth = labels(record, 2, 5)
    # Samples 80..160: 81 in the span, 9 of them (100..108) QRS.
    predicted = np.zeros_like(truth)
    predicted[100:105] = 1
    assert confusion_matrix(predicted, truth, 2).tolist() == [[72, 0], [4, 5]]
    scorer = FiducialScorer(2)
    scorer.add(record, [Segment(1, 100, 104)])
    assert list(scorer.scores()) == ["QRS onset", "QRS offset"]
    assert scorer.scores()["QRS offset"].mean_ms == -35.0


def test_a_mask_without_waves_misses_everything_and_invents_nothing() -> None:
    record = lead(Wave("P", 400, 420, 440), Wave("QRS", 500, 520, 540), Wave("T", 700, 750, 800))
    truth = labels(record, 4, 5)
    scores = sample_scores(confusion_matrix(np.zeros_like(truth), truth, 4))
    # 81 samples: 9 P (80..88), 9 QRS (100..108), 21 T (140..160), 42 NONE: F1 of NONE 2*42/(42+81), the others 0.
    assert scores.confusion == [[42, 0, 0, 0], [9, 0, 0, 0], [9, 0, 0, 0], [21, 0, 0, 0]]
    assert scores.weighted_f1 == pytest.approx(42 / 81 * 84 / 123)
    scorer = FiducialScorer(4)
    scorer.add(record, [])
    for point in scorer.scores().values():
        assert (point.true_positives, point.false_negatives, point.false_positives) == (0, 1, 0)
        assert (point.sensitivity, point.ppv, point.f1, point.mean_ms, point.sd_ms) == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_lead_without_annotation_scores_nothing() -> None:
    truth = labels(lead(), 4, 5)
    predicted = np.full_like(truth, 2)
    confusion = confusion_matrix(predicted, truth, 4)
    assert not confusion.any()
    assert sample_scores(confusion).weighted_f1 == 0.0
    scorer = FiducialScorer(4)
    scorer.add(lead(), [Segment(2, 100, 108)])
    assert {(p.true_positives, p.false_negatives, p.false_positives) for p in scorer.scores().values()} == {(0, 0, 0)}


def test_weighted_f1_of_a_hand_worked_case():
    counts = confusion_matrix(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, UNANNOTATED]), 2)
    assert counts.tolist() == [[1, 0], [1, 2]]
    # F1 of class 0: 2*1/(1+2) = 2/3 over 1 sample; of class 1: 2*2/(3+2) = 4/5 over 3 samples.
    assert weighted_f1(counts) == pytest.approx((2 / 3 + 3 * 4 / 5) / 4)
