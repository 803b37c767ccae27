"""The delineator in Python: in pieces it is the record at once, and the classes are those of the stream."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.errors import ModelError
from ecgseg.graph.interpret import run
from ecgseg.graph.lengths import at_length
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import find_model
from ecgseg.pipeline import LEAD_OFF, PreprocessParameters, decimate, normalise_running
from ecgseg.pipeline.decimator import Decimator
from ecgseg.pipeline.delineator import Delineation, Delineator
from ecgseg.pipeline.events import EventKind
from support.stream_models import TimeModel, small_segmenter

MODEL = small_segmenter()
RATES = (50, 100, 200, 500, 512, 1000)


def record(rate: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 300, int(7.33 * rate)).astype(np.int16)
    raw[rate : rate + rate // 3] = LEAD_OFF
    raw[3 * rate : 3 * rate + 9] = 32767
    raw[: seed % 3] = raw[raw.size - seed % 4 :] = LEAD_OFF
    return raw


def pieces(raw: np.ndarray, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.split(raw, np.sort(rng.integers(0, raw.size, 40)))


def joined(found: list[Delineation]) -> tuple[bytes, list]:
    return b"".join(one.classes.tobytes() for one in found), [event for one in found for event in one.events]


@pytest.mark.parametrize("rate", RATES)
def test_a_decimator_gives_what_the_whole_record_gives(rate: int) -> None:
    parameters = PreprocessParameters(input_rate=rate)
    for seed in range(6):
        raw = record(rate, seed)
        decimator = Decimator(parameters)
        found = [*map(decimator.push, pieces(raw, seed)), decimator.end()]
        expected = decimate(raw, parameters)
        for name in ("samples", "valid", "saturated"):
            assert np.array_equal(np.concatenate([getattr(one, name) for one in found]), getattr(expected, name)), name


@pytest.mark.parametrize("rate", RATES)
def test_pieces_are_the_record_at_once(rate: int) -> None:
    raw = record(rate, rate)
    delineator = Delineator(MODEL, rate)
    expected = delineator.record(raw)
    found = [*map(delineator.push, pieces(raw, rate)), delineator.end()]
    assert joined(found) == joined([expected])
    # The next stream knows nothing of it.
    assert joined([delineator.push(raw), delineator.end()]) == joined([expected])


def test_classes_are_the_networks_on_the_whole_record_and_none_without_contact() -> None:
    raw = record(500)
    found = Delineator(MODEL, 500)
    signal = decimate(raw, found.parameters)
    (rows,) = normalise_running(signal.samples[None], signal.valid[None], found.parameters)
    network = lower(at_length(load_tflite(MODEL), rows.size))
    labels = np.argmax(run(network, rows).reshape(-1, 4)[: rows.size], axis=1)
    labels[~signal.valid] = 0
    assert found.record(raw).classes.tolist() == labels.tolist()


def test_a_network_that_exists_for_some_lengths_only_is_padded_at_the_end() -> None:
    model = TimeModel(64, 1).pad(6).conv(7, stride=2, channels=4)
    kept = model.current
    model = model.causal(3, channels=4).join(kept).conv(1, channels=8)
    shape = [1, 1, 64, 4]
    content = model.apply("RESHAPE", shape, "ReshapeOptions", constant=shape, newShape=shape).finish()
    delineator = Delineator(content, 100)
    for length in (1, 2, 33, 34):
        assert delineator.record(record(100)[:length]).classes.size == length


def test_an_empty_stream_has_no_events() -> None:
    delineator = Delineator(MODEL)
    assert joined([delineator.record(np.empty(0, np.int16))]) == (b"", [])
    assert joined([delineator.end()]) == (b"", [])


def test_a_loss_restarts_the_stream_at_its_time() -> None:
    raw = record(500)
    delineator = Delineator(MODEL, 500)
    first = [delineator.push(raw), delineator.gap(2500), delineator.overrun(5)]
    assert [(event.kind, event.tick, event.length) for event in first[1].events[-1:] + first[2].events] == [
        (EventKind.GAP, 2 * -(-raw.size // 5), 1000),
        (EventKind.OVERRUN, raw.size * 200 // 500 + 1000, 2),
    ]
    again = joined([delineator.push(raw), delineator.end()])
    assert again[0] == Delineator(MODEL, 500).record(raw).classes.tobytes()


def test_a_model_that_tells_no_beats_is_refused() -> None:
    with pytest.raises(ModelError, match="tells no beats"):
        Delineator(TimeModel(64, 1).causal(3, channels=2).finish())
    with pytest.raises(ModelError):
        Delineator(find_model("seg-2-tcn-sm").data)
