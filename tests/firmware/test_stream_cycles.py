"""What a stream costs: modelled cycles of a second of signal, state and arena, of the zoo's shapes and models."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.graph.streaming import BLOCK
from ecgseg.models import STREAMS
from support import stream_harness as harness
from support.drivers import HAS_ARM_COMPILER
from support.stream_shapes import stream_shape

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import profile_stream

CHANNELS = {"stream-4-tcn-sm": 12, "stream-4-tcn-lg": 20}
# Modelled cycles a second at 100 Hz, bytes of state and arena together, both of the network alone.
MOST = {"stream-4-tcn-sm": (340_000, 3_700), "stream-4-tcn-lg": (690_000, 6_500)}
# Modelled cycles a second from raw samples at 500 Hz to events.
MOST_OF_ALL = {"stream-4-tcn-sm": 400_000, "stream-4-tcn-lg": 750_000}
needs_model = pytest.mark.skipif(
    not HAS_ARM_COMPILER or importlib.util.find_spec("unicorn") is None, reason="needs arm-none-eabi-gcc and unicorn"
)


def check(name: str, tflite: Path) -> None:
    manifest, found = profile_stream.measure(tflite, BLOCK)
    most_cycles, most_bytes = MOST[name]
    assert found.cycles * 100 / manifest.block <= most_cycles
    assert manifest.state_bytes + manifest.arena_bytes <= most_bytes


@needs_model
@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_a_second_of_the_zoos_shapes_costs_no_more(name: str, tmp_path: Path) -> None:
    tflite = tmp_path / "model.tflite"
    tflite.write_bytes(stream_shape(CHANNELS[name]))
    check(name, tflite)


@needs_model
@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_a_second_of_the_zoos_models_costs_no_more(name: str) -> None:
    check(name, paths.MODELS / name / "model.tflite")


@needs_model
@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_a_second_from_raw_samples_to_events_costs_no_more(name: str) -> None:
    found, events = profile_stream.measure_chain(paths.MODELS / name / "model.tflite")
    assert events > 0
    assert found.total() / profile_stream.SECONDS <= MOST_OF_ALL[name]


@pytest.mark.slow
@pytest.mark.parametrize("channels", [12, 20])
def test_the_zoos_shapes_equal_tflm(channels: int, tmp_path: Path) -> None:
    model = harness.rendered_stream(stream_shape(channels), tmp_path, BLOCK)
    # The stem has one channel of input, and the head's results may be negative.
    *blocks, fives, head = [layer.kernel for layer in model.manifest.layers]
    assert blocks == ["conv", *["threes"] * 8]
    assert fives in ("threes", "phases")
    assert head == "conv"
    assert sum(layer.in_place for layer in model.manifest.layers) == 9
    records = harness.draw_records(model, [1, 250, 1001], channels)
    assert harness.differences(model, records, harness.run_native(model, records)) == []
