"""What is scored: every sample of a record once, in groups, under noise; and what a user is shown of it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import Record, Wave, labels
from ecgseg.errors import GraphError, ModelError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import ModelFile
from ecgseg.pipeline import MODEL_RATE, Prediction, Segment
from ecgseg.pipeline.segments import runs
from ecgseg.report import evaluation as report
from ecgseg.scoring.evaluate import Evaluation, device_segmenter, evaluate, score, score_noise
from support.report_pages import ORIGIN
from support.small_models import segmenter

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
    return terminal.getvalue(), re.sub("<style>.*</style>", "", report.page(found, ORIGIN), flags=re.DOTALL)


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


def test_a_rhythm_that_looks_like_markup_is_shown_as_it_is() -> None:
    """It comes from the comment line of a record's header."""
    found = comparison()
    model = found.results[0]
    rhythms = {f"{name} [/nope]\x1b[2J": scores for name, scores in model.by_rhythm.items()}
    terminal = io.StringIO()
    results = [model.model_copy(update={"by_rhythm": rhythms}), *found.results[1:]]
    report.show(found.model_copy(update={"results": results}), Console(file=terminal, width=200))
    assert "Atrial fibrillation [/nope]\\x1b[2J" in terminal.getvalue()


def test_the_result_for_machines_holds_rhythms_leads_noise_and_float_against_int8() -> None:
    found = report.Comparison.model_validate_json(comparison().model_dump_json())
    assert found.int8_loss == 0.0123
    for result in found.results:
        assert set(result.by_lead) == {"ii", "v1"}
        assert "Atrial fibrillation" in result.by_rhythm
        assert {kind: list(levels) for kind, levels in result.by_noise.items()} == dict.fromkeys(KINDS, LEVELS)


@pytest.mark.parametrize(
    "content",
    [segmenter(4, length=200), segmenter(4, float_ends=True), segmenter(1), segmenter(17)],
    ids=["other length", "float32 input", "one class", "too many classes"],
)
def test_a_model_that_is_no_segmenter_of_250_samples_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match="does not segment frames of 250 samples") as caught:
        device_segmenter(content)
    assert "Its input is [1, 1, " in caught.value.why
    assert "[1, 250, classes]" in caught.value.remedy


def test_a_model_of_classes_that_nobody_annotates_is_refused() -> None:
    with pytest.raises(ModelError, match="has 3 classes"):
        device_segmenter(segmenter(3))


def test_a_segmenter_that_the_code_generator_does_not_know_can_be_evaluated() -> None:
    content = segmenter(4, last="ABS")
    with pytest.raises(GraphError, match="ABS"):
        lower(load_tflite(content))
    model = ModelFile("abs", Path("abs.tflite"), content, from_zoo=False)
    found = evaluate(model, synthetic_records(2, ["ii"]))
    assert (found.model, found.sha256, found.classes) == ("abs", model.sha256, 4)
    assert found.whole.leads == 2
