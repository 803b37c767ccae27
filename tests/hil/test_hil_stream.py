"""`invoke hil-test` with a model of a stream, from the .tflite to the verdict, on the targets of this computer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.inputs import Inputs
from ecgseg.hil.inject import parse_faults
from ecgseg.hil.runner import HilOptions
from ecgseg.hil.stream_result import StreamResult, StreamRun
from ecgseg.hil.stream_runner import run
from ecgseg.targets.names import QEMU
from support.delineator_model import AHEAD, delineator_model
from support.drivers import HAS_QEMU
from support.stream_images import NAME

FAULTS = "drop=3e-4,flip=3e-4,dup=3e-4"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / f"{NAME}.tflite"  # whose objects other tests have made
    path.write_bytes(delineator_model())
    return path


def two_leads() -> Inputs:
    records = synthetic_records(3, ("ii", "v2"), seed=5)[-2:]
    return Inputs("synthetic", (3,), ("ii", "v2"), ready=tuple(records))


def streamed(target: str, model: Path, **options: object) -> StreamRun:
    return run(HilOptions(target, tflite=model, **options), inputs=two_leads())  # type: ignore[arg-type]


def assert_passed(result: StreamResult) -> None:
    assert (result.verdict, result.error, result.mismatches) == ("pass", None, [])
    assert (result.streams, result.samples, result.signal_seconds) == (2, 2000, 20.0)
    assert result.samples == result.expected_samples
    assert result.events == result.expected_events > 4
    assert result.compared_bytes == result.samples + 48 * result.events
    assert result.scores is not None
    assert result.scores.intervals["QRS"].beats > 4
    assert result.stream is not None
    assert result.stream.look_ahead_ms == 10 * AHEAD
    assert StreamResult.model_validate(json.loads(result.model_dump_json())) == result


def test_a_stream_on_the_host_is_equal_and_scored(model: Path) -> None:
    finished = streamed("host", model)
    assert_passed(finished.result)
    assert [shown.record.lead for shown in finished.shown] == ["ii", "v2"]


@pytest.mark.slow
def test_a_stream_over_a_line_that_loses_bytes_is_equal(model: Path) -> None:
    result = streamed("host", model, inject=parse_faults(FAULTS)).result
    assert_passed(result)
    assert result.injected is not None
    assert result.injected.to_device + result.injected.to_host > 0


@pytest.mark.slow
@pytest.mark.skipif(not HAS_QEMU, reason="needs arm-none-eabi-gcc and QEMU")
def test_a_stream_in_qemu_is_equal_and_counts_instructions(model: Path) -> None:
    result = streamed(QEMU, model).result
    assert_passed(result)
    assert result.timing.unit == "instructions"
    assert result.stream is not None
    assert 0 < result.memory.stack_bytes < result.stream.memory_bytes < result.memory.ram_bytes


@pytest.mark.slow
def test_a_stream_in_the_simulated_board_is_equal(model: Path) -> None:
    result = streamed("apollo4p-sim", model).result
    assert_passed(result)
    assert result.image_sha256
