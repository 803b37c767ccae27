"""One collector scores for the evaluation and for the HIL test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.hil.result import Segmentation
from ecgseg.models import find_model
from ecgseg.pipeline import Prediction, Segment
from ecgseg.scoring.collector import ScoreCollector
from ecgseg.scoring.evaluate import by_device, device_segmenter, score


def test_a_hil_test_scores_a_device_like_the_evaluation_scores_its_twin() -> None:
    records = synthetic_records(4, ("ii", "v5"), seed=3)
    twin = device_segmenter(find_model().data)
    collector = ScoreCollector(twin.class_count)
    for record in records:
        collector.add(record, twin.predict(record.samples))
    whole, _, _ = score(by_device(twin), records, twin.class_count)
    assert collector.scores() == whole
    found = Segmentation.of(collector)
    assert found is not None
    assert (found.samples, found.fiducials) == (whole.samples, whole.fiducials)


def test_where_nothing_is_annotated_a_hil_test_says_nothing_about_quality() -> None:
    record = replace(synthetic_records(1, ("ii",))[0], waves=())
    collector = ScoreCollector(4)
    collector.add(record, Prediction(np.full(1000, 2, dtype=np.uint8), [Segment(2, 100, 108)]))
    assert collector.minutes == 0
    assert Segmentation.of(collector) is None
    assert Segmentation.of(None) is None
