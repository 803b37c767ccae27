"""The twin of a stream: a whole record at once is what the stream answers block by block, and what TFLM computes."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.errors import GraphError, ModelError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.oracle import TflmOracle
from ecgseg.graph.stream_interpret import StreamingInterpreter
from ecgseg.graph.streaming import stream_of
from ecgseg.pipeline import LEAD_OFF, RUNNING_LEAST, Decimated, RunningNormaliser, SegmentRules, decimate, segments
from ecgseg.pipeline.delineator import Delineator
from ecgseg.pipeline.reported import waves_of
from ecgseg.pipeline.stream_segmenter import StreamSegmenter, is_stream
from ecgseg.scoring.evaluate import device_twin, look_ahead_ms
from support.small_models import segmenter
from support.stream_models import SAME, TimeModel
from support.streams_of_classes import beats

LENGTH = 1000


@pytest.fixture(scope="module")
def content():
    model = TimeModel(length=LENGTH, seed=4).causal(7, channels=6).causal(3, 8, channels=6).pad(2, 2)
    return model.conv(5, channels=6).causal(3, 2, channels=4).finish()


@pytest.fixture(scope="module")
def raw():
    return synthetic_records(1, ("ii",), seed=3)[0].samples


def test_a_whole_record_is_the_stream_block_by_block_and_tflm_in_one_piece(content, raw):
    twin = StreamSegmenter(content)
    signal = decimate(raw, twin.parameters)
    data = twin.normalised(signal)
    assert np.array_equal(data, RunningNormaliser(twin.parameters).push(signal.samples, signal.valid))
    scores = twin.scores(data)
    assert scores.shape == (LENGTH, 4)
    stream = StreamingInterpreter(stream_of(load_tflite(content)))
    assert np.array_equal(np.concatenate([stream.push(data), stream.end()]), scores)
    assert np.array_equal(TflmOracle(content).run(data).reshape(scores.shape), scores)
    assert np.array_equal(twin.classes(raw), scores.argmax(axis=1))


def test_the_length_of_the_record_is_any(content, raw):
    twin = StreamSegmenter(content)
    data = twin.normalised(decimate(raw, twin.parameters))
    assert twin.scores(data[:0]).shape == (0, 4)
    for length in (1, 37, 999):
        stream = StreamingInterpreter(stream_of(load_tflite(content)))
        answers = np.concatenate([stream.push(data[:length]), stream.end()])
        assert np.array_equal(twin.scores(data[:length]), answers[:length])
    whole = twin.scores(data)
    # What came before a sample decides; what comes more than the look-ahead behind it does not.
    assert np.array_equal(twin.scores(data[:700])[: 700 - twin.look_ahead], whole[: 700 - twin.look_ahead])


def test_where_there_is_no_contact_there_is_no_wave(content, raw):
    twin = StreamSegmenter(content)
    lost = raw.copy()
    lost[1000:2500] = LEAD_OFF
    found = twin.predict(lost)
    gap = slice(1000 // 5 + 4, 2500 // 5 - 4)
    assert not found.mask[gap].any()
    signal = decimate(lost, twin.parameters)
    assert not twin.normalised(signal)[gap.start : gap.stop + RUNNING_LEAST].any() or twin.parameters.zero_point
    assert all(run.offset < len(found.mask) for run in found.segments)


def test_waves_are_those_that_the_device_reports(raw):
    content = TimeModel(length=LENGTH, seed=4).causal(7, channels=6).causal(3, channels=4).finish()
    twin, device = StreamSegmenter(content), Delineator(content)
    found = device.record(raw)
    assert np.array_equal(twin.predict(raw).mask, found.classes)
    assert twin.predict(raw).segments == waves_of(found.events, found.classes.size)
    # Of what makes sense all is reported.
    wanted = beats(list(range(60, LENGTH - 60, 80)), LENGTH)
    always = np.ones(LENGTH, bool)
    told = twin.reported(wanted.labels, Decimated(wanted.samples, always, ~always))
    assert told.segments == segments(wanted.labels, SegmentRules.for_classes(4))
    assert len(told.segments) == 3 * 11


def test_an_evaluation_takes_streams_and_frames(content):
    twin = device_twin(content)
    assert isinstance(twin, StreamSegmenter)
    assert look_ahead_ms(twin) == 20
    frames = device_twin(segmenter(4))
    assert not isinstance(frames, StreamSegmenter)
    assert look_ahead_ms(frames) == 2500


def test_what_is_no_segmenter_of_a_stream_is_refused():
    with pytest.raises(ModelError, match="no segmenter of a stream"):
        StreamSegmenter(segmenter(4))
    assert not is_stream(load_tflite(segmenter(4)))
    same = TimeModel(length=LENGTH).conv(5, stride=2, padding=SAME).finish()
    with pytest.raises((GraphError, ModelError)):
        device_twin(same)


def test_classes_that_no_annotation_has_are_refused():
    with pytest.raises(ModelError, match="3 classes"):
        device_twin(TimeModel(length=LENGTH).causal(3, channels=3).finish())
