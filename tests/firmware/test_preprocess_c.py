"""The C preprocessor and segment rules, under ASan and UBSan, against the Python reference: every byte equal."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgseg.codegen.parameters import PREPROCESS_VERSION, render_c_header
from ecgseg.errors import BuildError
from ecgseg.image.programs import PIPELINE_PART
from ecgseg.pipeline import (
    LEAD_OFF,
    FrameStatus,
    PreprocessParameters,
    SegmentRules,
    class_mask,
    flush_samples,
    frames,
    segments,
)
from support import drivers

CASES = {
    "500 Hz, 4 classes": PreprocessParameters(scale=0.0521, zero_point=-3),
    "500 Hz, hop 100, 2 classes": PreprocessParameters(
        hop=100, scale=1 / 16, zero_point=11, rules=SegmentRules.for_classes(2)
    ),
    "200 Hz": PreprocessParameters(input_rate=200, scale=0.03, zero_point=0),
    "1000 Hz": PreprocessParameters(input_rate=1000, frame_length=180, hop=90, scale=0.05, zero_point=127),
    "100 Hz": PreprocessParameters(input_rate=100, frame_length=256, hop=256, scale=0.04, zero_point=-128),
}
Program = Callable[[npt.NDArray[np.int16], int], bytes]


@dataclass
class Case:
    parameters: PreprocessParameters
    program: Program


def build(folder: Path, parameters: PreprocessParameters, header: str) -> Path:
    (folder / "ecgseg_preprocess_params.h").write_text(header)
    model = (
        f"-DINPUT_SCALE={float(parameters.scale).hex()}f",
        f"-DINPUT_ZERO_POINT={parameters.zero_point}",
        f"-DMIN_LENGTHS={','.join(map(str, parameters.rules.min_length))}",
        f"-DMAX_GAP={parameters.rules.max_gap}",
    )
    target = folder / "preprocess_driver"
    return drivers.build_with(PIPELINE_PART, "preprocess_driver.c", target, folder, flags=model)


def runner(binary: Path) -> Program:
    def run(raw: npt.NDArray[np.int16], chunk: int) -> bytes:
        payload = struct.pack("<I", chunk) + raw.astype("<i2").tobytes()
        return subprocess.run([binary], input=payload, capture_output=True, check=True).stdout

    return run


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    parameters = CASES[request.param]
    binary = build(tmp_path_factory.mktemp("preprocess"), parameters, render_c_header(parameters, "test"))
    return Case(parameters, runner(binary))


def expected(raw: npt.NDArray[np.int16], parameters: PreprocessParameters) -> bytes:
    classes = len(parameters.rules.min_length)
    out = bytearray()
    padded = np.concatenate([raw, flush_samples(raw, parameters)])
    for index, frame in enumerate(frames(raw, parameters)):
        x = frame.data.astype(np.int32)[:, None]
        label = np.arange(classes)
        # The remainder of a division that truncates, as in C.
        scores = np.fmod(x * (label + 1) * 3 + label * label, 5).astype(np.int8)
        mask = class_mask(scores, frame)
        found = segments(mask, parameters.rules)
        counts = (frame.lead_off_samples, frame.saturated_samples, len(found))
        out += struct.pack("<5I", index, int(frame.status), *counts)
        valid = frame.valid if frame.status.usable else np.zeros_like(frame.valid)
        out += frame.data.tobytes() + valid.astype(np.uint8).tobytes() + mask.tobytes()
        for run in found:
            out += struct.pack("<3H", run.label, run.onset, run.offset)
    assert padded.size == raw.size + parameters.delay
    return bytes(out)


def check(case: Case, raw: npt.NDArray[np.int16], chunk: int = 256) -> None:
    padded = np.concatenate([raw, flush_samples(raw, case.parameters)])
    assert case.program(padded, chunk) == expected(raw, case.parameters)


def raw_length(parameters: PreprocessParameters, frame_count: int = 2) -> int:
    return parameters.factor * (parameters.frame_length + (frame_count - 1) * parameters.hop)


def noise(parameters: PreprocessParameters, seed: int, amplitude: float, frame_count: int = 4) -> npt.NDArray[np.int16]:
    rng = np.random.default_rng(seed)
    walk = rng.normal(size=raw_length(parameters, frame_count)).cumsum() * amplitude
    return np.clip(np.rint(walk), -32767, 32767).astype(np.int16)


@pytest.mark.parametrize("amplitude", [0.05, 1.0, 30.0, 3000.0])
def test_random_walks_of_every_size_are_equal(case: Case, amplitude: float) -> None:
    for seed in range(10):
        check(case, noise(case.parameters, seed, amplitude))


@pytest.mark.parametrize("chunk", [1, 7, 5000])
def test_chunk_size_does_not_matter(case: Case, chunk: int) -> None:
    check(case, noise(case.parameters, 99, 20.0), chunk)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_gaps_rails_and_steps_anywhere_are_equal(case: Case, data: st.DataObject) -> None:
    raw = noise(case.parameters, data.draw(st.integers(0, 1000)), data.draw(st.sampled_from([0.1, 10.0, 500.0])))
    special = st.sampled_from([LEAD_OFF, 32767, -32767, 0])
    for _ in range(data.draw(st.integers(0, 6))):
        start = data.draw(st.integers(0, raw.size - 1))
        raw[start : start + data.draw(st.integers(1, raw.size))] = data.draw(special)
    check(case, raw)


def test_flat_line_gives_zero_points_and_no_waves(case: Case) -> None:
    raw = np.full(raw_length(case.parameters), 700, dtype=np.int16)
    check(case, raw)
    for frame in frames(raw, case.parameters):
        assert frame.status == FrameStatus.FLAT
        assert set(frame.data.tolist()) == {case.parameters.zero_point}


def test_lead_off_gives_zero_points_and_no_waves(case: Case) -> None:
    raw = np.full(raw_length(case.parameters), LEAD_OFF, dtype=np.int16)
    check(case, raw)
    for frame in frames(raw, case.parameters):
        assert frame.status == FrameStatus.LEAD_OFF | FrameStatus.HAS_GAP
        assert not frame.status.usable
        assert set(frame.data.tolist()) == {case.parameters.zero_point}


def test_saturated_input_is_reported(case: Case) -> None:
    raw = noise(case.parameters, 5, 50.0)
    raw[raw.size // 2 :: 3] = 32767
    check(case, raw)
    assert any(frame.status & FrameStatus.SATURATED for frame in frames(raw, case.parameters))


def test_full_scale_square_wave_does_not_overflow(case: Case) -> None:
    period = 2 * case.parameters.delay + 2
    raw = np.where(np.arange(raw_length(case.parameters, 3)) % period < period // 2, 32767, -32767)
    check(case, raw.astype(np.int16))


def test_one_changed_tap_is_noticed(tmp_path: Path) -> None:
    parameters = PreprocessParameters()
    header = render_c_header(parameters, "test")
    assert header.count("5334") == 1
    program = runner(build(tmp_path, parameters, header.replace("5334", "5335")))
    raw = noise(parameters, 3, 30.0)
    assert program(np.concatenate([raw, flush_samples(raw, parameters)]), 256) != expected(raw, parameters)


def test_parameters_of_another_version_do_not_compile(tmp_path: Path) -> None:
    parameters = PreprocessParameters()
    header = render_c_header(parameters, "test")
    assert header.count(f"PARAMS_VERSION {PREPROCESS_VERSION}") == 1
    with pytest.raises(BuildError, match="rendered for another version"):
        build(tmp_path, parameters, header.replace("PARAMS_VERSION ", "PARAMS_VERSION 1"))
