"""One twin of the device: the HIL test and the evaluation ask the same object, fed by the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.codegen.render import render
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.errors import ModelError, UsageError
from ecgseg.graph.ends import ends_of
from ecgseg.graph.load import load_tflite
from ecgseg.models import find_model, model_names
from ecgseg.pipeline import FRAME_LENGTH, PreprocessParameters, class_mask, segments, whole_record
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.scoring.evaluate import by_device, device_segmenter
from ecgseg.zoo import configuration
from support.small_models import scaled, segmenter


@pytest.mark.parametrize("rate", [100, 500, 1000])
@pytest.mark.parametrize("name", model_names())
def test_configuration_file_and_generated_code_feed_a_model_by_the_same_numbers(
    tmp_path: Path, name: str, rate: int
) -> None:
    model = find_model(name)
    manifest = render(model.path, tmp_path, input_rate=rate)
    expected = configuration.load(name).preprocess(rate)
    assert Segmenter(model.data, rate).parameters == expected
    assert PreprocessParameters.for_model(ends_of(load_tflite(model.data)), rate) == expected
    assert expected == PreprocessParameters.for_segmenter(
        manifest.frame_length,
        manifest.class_count,
        manifest.input_scale,
        manifest.input_zero_point,
        manifest.input_rate,
    )
    stream = (tmp_path / "ecgseg_preprocess_params.h").read_text()
    assert f"ECGSEG_INPUT_RATE {rate}\n" in stream
    assert f"ECGSEG_FRAME_LENGTH {expected.frame_length}\n" in stream
    of_model = (tmp_path / "ecgseg_model.h").read_text()
    assert f"ECGSEG_MODEL_INPUT_SCALE {expected.scale.hex()}f\n" in of_model
    assert f"ECGSEG_MODEL_INPUT_ZERO_POINT ({expected.zero_point})\n" in of_model


@pytest.mark.parametrize("name", model_names())
def test_what_is_evaluated_is_what_the_device_must_answer(name: str) -> None:
    twin = device_segmenter(find_model(name).data)
    assert type(twin) is Segmenter
    for record in synthetic_records(3, ("ii",), seed=8):
        expected = twin.expect(record.samples)
        found = by_device(twin)(record)
        assert np.array_equal(found.mask, np.concatenate([frame.mask for frame in expected]))
        assert len(found.segments) > 5


def test_of_a_record_with_a_rest_the_last_frame_is_the_device_s_answer_to_its_end() -> None:
    twin = Segmenter(find_model().data)
    raw = synthetic_records(1, ("ii",), seed=8)[0].samples[:4200]
    parameters = twin.require_parameters()
    last = whole_record(raw, parameters)[-1]
    answer = class_mask(twin.scores(last), last)
    found = twin.predict(raw)
    assert found.mask.size == 840
    assert np.array_equal(found.mask[: 3 * FRAME_LENGTH], np.concatenate([f.mask for f in twin.expect(raw)]))
    assert np.array_equal(found.mask[3 * FRAME_LENGTH :], answer[-90:])
    assert [s.offset + 750 for s in segments(answer[-90:], parameters.rules)][-1] == found.segments[-1].offset


def test_a_record_shorter_than_a_frame_holds_nothing() -> None:
    found = Segmenter(find_model().data).predict(np.arange(700, dtype=np.int16))
    assert found.mask.tolist() == [0] * 140
    assert found.segments == []


def test_a_model_that_is_no_segmenter_has_no_preprocessor_and_streams_nothing() -> None:
    twin = Segmenter(segmenter(classes=1))
    assert (twin.parameters, twin.class_count, twin.input_bytes) == (None, 0, FRAME_LENGTH)
    raw = np.zeros(5000, dtype=np.int16)
    for ask in (twin.expect, twin.stream, twin.predict):
        with pytest.raises(ModelError, match="does not segment"):
            ask(raw)
    assert twin.run(np.zeros(FRAME_LENGTH, dtype=np.int8)).size == FRAME_LENGTH


def test_float_ends_are_the_int8_tensors_behind_them() -> None:
    plain, wrapped = Segmenter(segmenter(classes=4)), Segmenter(segmenter(classes=4, float_ends=True))
    assert wrapped.parameters == plain.parameters
    raw = synthetic_records(1, ("ii",), seed=8)[0].samples
    assert [f.scores.tobytes() for f in wrapped.expect(raw)] == [f.scores.tobytes() for f in plain.expect(raw)]


def test_a_quantisation_that_the_preprocessor_cannot_reach_is_refused_by_twin_and_generator(tmp_path: Path) -> None:
    content = scaled(1e-6)
    for use in (Segmenter, lambda model: render(model, tmp_path, name="scaled")):
        with pytest.raises(UsageError, match="quantisation"):
            use(content)
