"""The oracle of a computer: TensorFlow Lite Micro, or the project's own interpreter with the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.errors import GraphError, ModelError, ToolMissingError
from ecgseg.extras import require_micro
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle, is_available
from ecgseg.graph.reference import INTERPRETER, oracle_name, oracle_of
from ecgseg.models import find_model, model_names
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.pipeline.stream_segmenter import StreamSegmenter
from support.random_network import KINDS, RandomNetwork
from support.without_tflm import hide_tflm


def both(content: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Segmenter, Segmenter]:
    """A model in both oracles."""
    micro = Segmenter(content)
    with monkeypatch.context() as hidden:
        hide_tflm(hidden)
        own = Segmenter(content)
    assert (micro.oracle.partition(" 0")[0], own.oracle) == ("TensorFlow Lite Micro", INTERPRETER)
    return micro, own


def check_equal(content: bytes, micro: Segmenter, own: Segmenter) -> None:
    """Output and every layer that a device can be asked for."""
    assert own.ends.input.index == micro.ends.input.index
    assert own.ends.output.index == micro.ends.output.index
    assert (own.parameters is None) == (micro.parameters is None)
    data = np.random.default_rng(5).integers(-128, 128, own.input_bytes, dtype=np.int8)
    assert np.array_equal(own.run(data), micro.run(data))
    for layer in lower(load_tflite(content)).layers:
        assert own.layer(data, layer.output) == micro.layer(data, layer.output), layer


@pytest.mark.parametrize("name", model_names())
def test_both_oracles_compute_the_same_bytes_of_models(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = find_model(name).data
    check_equal(content, *both(content, monkeypatch))


@pytest.mark.parametrize("seed", range(6))
def test_both_oracles_compute_the_same_bytes_of_random_networks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content = RandomNetwork(seed, operators=6, names=KINDS).content
    check_equal(content, *both(content, monkeypatch))


def test_without_the_package_the_interpreter_is_the_oracle_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_available()
    assert oracle_name().startswith("TensorFlow Lite Micro 0.")
    content = find_model().data
    assert oracle_of(content).name == oracle_name()
    hide_tflm(monkeypatch)
    assert not is_available()
    assert oracle_name() == INTERPRETER
    assert oracle_of(content).name == INTERPRETER
    with pytest.raises(ToolMissingError, match="TensorFlow Lite Micro is not installed"):
        TflmOracle(content)
    with pytest.raises(ToolMissingError, match="TensorFlow Lite Micro is not installed") as told:
        require_micro()
    assert "x86-64" in told.value.why


def test_a_stream_is_computed_by_the_interpreter_on_every_computer() -> None:
    assert StreamSegmenter(find_model("stream-4-tcn-sm").data).oracle == INTERPRETER


def test_the_interpreter_refuses_what_is_no_model_and_tensors_that_it_does_not_compute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = find_model().data
    hide_tflm(monkeypatch)
    with pytest.raises(GraphError):
        oracle_of(content[:5000])
    with pytest.raises(ModelError, match="computes no tensor 4000"):
        Segmenter(content).layer(np.zeros(250, np.int8), 4000)
