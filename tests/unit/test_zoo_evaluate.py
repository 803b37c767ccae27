"""What is scored: every sample of a record once, in groups, under noise; and what a user is shown of it."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import Record, Wave, labels
from ecgseg.pipeline import MODEL_RATE, PreprocessParameters, Segment, SegmentRules, frames
from ecgseg.pipeline.segments import runs
from ecgseg.report import evaluation as report
from ecgseg.scoring.evaluate import Evaluation, Prediction, assemble, score, score_noise, whole_record

PARAMETERS = PreprocessParameters(input_rate=500, scale=1 / 32, zero_point=0, rules=SegmentRules.for_classes(4))
LEVELS = ["24", "18", "12", "6", "0", "-6"]
KINDS = ["baseline wander", "muscle artefact", "electrode motion"]


def ramp(samples: int) -> Record:
    """A record whose every frame differs."""
    signal = (100 * np.sin(np.arange(samples) ** 1.5 / 500)).astype(np.int16)
    return Record(1, "ii", 500, signal, (), "Sinus rhythm", "synthetic")


def annotation(record: Record) -> Prediction:
    """What a perfect segmenter finds."""
    mask = labels(record, 4, record.rate // MODEL_RATE)
    mask[mask == 255] = 0
    return Prediction(mask, runs(mask))


def test_a_record_of_whole_frames_is_cut_as_the_device_cuts_it() -> None:
    record = ramp(5000)
    expected = frames(record.samples, PARAMETERS)
    found = whole_record(record, PARAMETERS)
    assert len(found) == len(expected) == 4
    assert all(np.array_equal(a.data, b.data) for a, b in zip(found, expected, strict=True))


def test_the_last_frame_is_aligned_to_the_end_of_the_record() -> None:
    record = ramp(5500)
    found = whole_record(record, PARAMETERS)
    assert len(found) == 5
    # 1100 samples at 100 Hz: the last frame starts at 850, raw sample 4250. The filter's edge is left out.
    alone = frames(record.samples[4250:], PARAMETERS)[0]
    difference = np.abs(found[-1].data.astype(int) - alone.data.astype(int))
    assert difference[10:].max() <= 1
    assert [len(whole_record(ramp(size), PARAMETERS)) for size in (1245, 1250, 1255)] == [0, 1, 2]


def test_of_the_last_frame_counts_only_what_the_one_before_does_not_cover() -> None:
    masks = [np.zeros(250, dtype=np.uint8) for _ in range(5)]
    # Frame 3 ends in a QRS, samples 990..999. The last one starts at 850: 100..119 are covered by frame 3 and do not
    # count, 150..154 go on with the QRS (1000..1004), 200..219 are a T wave at 1050..1069.
    masks[3][240:250] = 2
    masks[4][100:120] = 1
    masks[4][150:155] = 2
    masks[4][200:220] = 3
    found = assemble(masks, 1100, PARAMETERS.rules)
    assert found.segments == [Segment(2, 990, 1004), Segment(3, 1050, 1069)]
    assert runs(found.mask) == found.segments
    assert found.mask.size == 1100


def test_groups_of_rhythm_and_lead_add_up_to_the_whole() -> None:
    waves = (Wave("P", 400, 420, 440), Wave("QRS", 500, 520, 540), Wave("T", 700, 750, 800))
    first = replace(ramp(5000), waves=waves)
    second = replace(first, record_id=2, lead="v1", rhythm="Atrial fibrillation", waves=waves[1:])
    whole, by_rhythm, by_lead = score(annotation, [first, second, replace(second, record_id=3)], 4)
    assert (whole.leads, whole.samples.weighted_f1) == (3, 1.0)
    assert {name: scores.leads for name, scores in by_rhythm.items()} == {"Sinus rhythm": 1, "Atrial fibrillation": 2}
    assert {name: scores.leads for name, scores in by_lead.items()} == {"ii": 1, "v1": 2}
    for groups in (by_rhythm, by_lead):
        total = sum(np.array(scores.samples.confusion) for scores in groups.values())
        assert np.array_equal(total, whole.samples.confusion)


def test_p_waves_invented_a_minute_count_the_annotated_time() -> None:
    waves = (Wave("QRS", 500, 520, 540), Wave("T", 700, 750, 800), Wave("QRS", 3000, 3020, 3499))
    record = replace(ramp(5000), waves=waves)
    # 600 annotated samples (100..699) are a tenth of a minute; one of the two P waves lies outside of them.
    invented = Prediction(np.zeros(1000, dtype=np.uint8), [Segment(1, 300, 308), Segment(1, 900, 908)])
    whole, _, _ = score(lambda _: invented, [record], 4)
    assert whole.p_false_positives_per_minute == pytest.approx(10.0)
    assert score(annotation, [replace(record, waves=())], 4)[0].p_false_positives_per_minute is None


def comparison() -> report.Comparison:
    records = synthetic_records(3, ["ii", "v1"])
    records = [replace(record, rhythm="Atrial fibrillation") if record.record_id == 2 else record for record in records]
    results = []
    for name in ("model", "model, float"):
        whole, by_rhythm, by_lead = score(annotation, records, 4)
        results.append(
            Evaluation(
                model=name,
                sha256="",
                source="synthetic",
                records=[1, 2, 3],
                leads=["ii", "v1"],
                classes=4,
                whole=whole,
                by_rhythm=by_rhythm,
                by_lead=by_lead,
                by_noise=score_noise(annotation, records, 4),
            )
        )
    return report.Comparison(results=results, int8_loss=0.0123)


def shown_to_a_user() -> tuple[str, str]:
    """Text of the terminal, 80 characters wide, and of the page."""
    found = comparison()
    terminal = io.StringIO()
    report.show(found, Console(width=80, file=terminal))
    return terminal.getvalue(), re.sub("<style>.*</style>", "", report.page(found), flags=re.DOTALL)


def test_terminal_and_page_hold_rhythms_leads_noise_and_float_against_int8() -> None:
    rhythms = set(comparison().results[0].by_rhythm)
    assert "Atrial fibrillation" in rhythms
    for text in shown_to_a_user():
        for name in (*rhythms, "ii", "v1", *KINDS, "model, float", "P onset", "T offset"):
            assert name in text
        for level in LEVELS:
            assert f"{level} dB" in text
        assert "1.23 points of weighted F1" in text
        assert "nan" not in text
        assert "…" not in text


def test_the_result_for_machines_holds_rhythms_leads_noise_and_float_against_int8() -> None:
    found = report.Comparison.model_validate_json(comparison().model_dump_json())
    assert found.int8_loss == 0.0123
    for result in found.results:
        assert set(result.by_lead) == {"ii", "v1"}
        assert "Atrial fibrillation" in result.by_rhythm
        assert {kind: list(levels) for kind, levels in result.by_noise.items()} == dict.fromkeys(KINDS, LEVELS)
