"""The chain on the native firmware under sanitizers: equal over every test record, and every break is found."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgseg.data.databases.ludb import LEADS, split
from ecgseg.data.inputs import choose_inputs
from ecgseg.errors import LinkError, ModelError
from ecgseg.hil import vectors
from ecgseg.hil.faults import FaultPlan, FaultyPort
from ecgseg.hil.identity import identify
from ecgseg.hil.judge import Judge, Subject
from ecgseg.hil.result import HilRun
from ecgseg.hil.runner import RANDOM_INPUTS, HilOptions, run
from ecgseg.hil.tally import MAX_DETAILS
from ecgseg.image.backends import generate
from ecgseg.image.build import Image, build
from ecgseg.link import DeviceClient
from ecgseg.link.ports import open_port
from ecgseg.models import DEFAULT_MODEL, find_model, model_names
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.targets import open_target
from support.random_network import RandomNetwork

FEW = (181, 4)
FRAMES_PER_LEAD = 4


def run_few(folder: Path, **options: object) -> HilRun:
    """Two leads of two records."""
    return run(HilOptions("host", records=FEW, leads=("ii", "v1"), vectors=folder, **options))  # type: ignore[arg-type]


def broken_copy(folder: Path, file: str, pattern: str, change: str, whole: Path | None = None) -> Path:
    """A model's generated C, the zoo's unless told otherwise, with one number changed."""
    whole = whole or generate(find_model())
    folder.mkdir()
    for path in whole.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    text = (folder / file).read_text()
    changed, count = re.subn(pattern, change, text, count=1)
    assert count == 1
    assert changed != text
    (folder / file).write_text(changed)
    return folder


@pytest.mark.parametrize(
    "model", [pytest.param(name, marks=[pytest.mark.slow] * (name != DEFAULT_MODEL)) for name in model_names()]
)
def test_every_byte_is_equal_over_all_test_records_and_leads(tmp_path: Path, model: str) -> None:
    finished = run(HilOptions("host", model=model, vectors=tmp_path))
    result = finished.result
    assert (result.verdict, result.mismatched_bytes, result.mismatches, result.error) == ("pass", 0, [], None)
    assert (result.target, result.board, result.model) == ("host", "host", model)
    assert result.frames == result.expected_frames == 40 * len(LEADS) * FRAMES_PER_LEAD
    # Status, frame, scores and mask of each frame, and its segments.
    assert result.compared_bytes > result.frames * (10 + 250 + 2 * 250 + 250)
    # Retries are left out: a busy machine may answer late.
    assert result.crc_errors == result.device_crc_errors == result.device_overruns == 0
    assert result.model_sha256 == find_model(model).sha256
    assert len(result.records) == len(split()["test"])
    assert result.leads == list(LEADS)
    assert [lead.equal for lead in finished.shown] == [True] * 40 * len(LEADS)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_weight_is_found_named_and_can_be_replayed(tmp_path: Path) -> None:
    generated = broken_copy(
        tmp_path / "broken-weight",
        "ecgseg_model.c",
        # Past bias and multipliers: the high half of a word is a weight.
        r"(layer2_stream\[\d+\][^{]*\{(?:\s*0x\w+,){40}\s*)(0x\w+)",
        r"\1~\2",
    )
    finished = run_few(tmp_path / "vectors", generated=generated)
    result = finished.result
    assert result.verdict == "fail"
    assert result.mismatched_bytes > 0
    assert result.differing_frames > 0
    first = result.mismatches[0]
    assert first.stage.startswith("layer 2 CONV_2D")
    assert first.expected != first.actual
    assert len(result.mismatches) <= MAX_DETAILS
    assert (first.vector, first.replay) == (first.vector, f"invoke hil-test --replay {first.vector} --target host")
    assert not finished.shown[0].equal

    again = run(HilOptions("host", replay=Path(str(first.vector)), generated=generated, vectors=tmp_path / "again"))
    frames = [item for item in again.result.mismatches if item.frame == first.frame]
    assert [(item.stage, item.offset, item.expected, item.actual) for item in frames] == [
        (first.stage, first.offset, first.expected, first.actual)
    ]
    assert again.result.source == "replay"
    mended = run(HilOptions("host", replay=Path(str(first.vector)), vectors=tmp_path / "mended"))
    assert mended.result.verdict == "pass"
    assert mended.result.frames == FRAMES_PER_LEAD


def test_a_broken_tap_of_the_filter_accuses_the_preprocessor(tmp_path: Path) -> None:
    generated = broken_copy(
        tmp_path / "broken-tap", "ecgseg_preprocess_params.h", r"(ECGSEG_TAPS \{ \\\n\s*0, -?\d+, )(-?\d+)", r"\1 -(\2)"
    )
    result = run_few(tmp_path / "vectors", generated=generated).result
    assert result.verdict == "fail"
    assert {item.stage for item in result.mismatches} == {"preprocessor"}
    assert result.mismatches[0].compared == "input"
    kept = vectors.load(Path(str(result.mismatches[0].vector)))
    assert kept.expected["input"] != kept.actual["input"]
    assert kept.expected["input"][result.mismatches[0].offset] == result.mismatches[0].expected


@pytest.fixture(scope="module")
def image() -> Image:
    return build("host", generate(find_model()))


def judged(image: Image, to_device: FaultPlan, to_host: FaultPlan, folder: Path) -> tuple[Judge, FaultyPort]:
    """A run over one record behind a faulty wire."""
    with open_target("host", image) as running:
        port = FaultyPort(open_port(running.port_url), to_device=to_device, to_host=to_host, seed=3)
        with DeviceClient(port, answer_seconds=0.2, attempts=8) as device:
            subject = Subject("host", "seg-4-tcn-sm", device, Segmenter(find_model().data), vectors=folder)
            judge = Judge(subject, identify(device, subject.reference), "ludb")
            judge.run(choose_inputs((181,), ("ii", "v1")), lambda done, equal: None)
    return judge, port


def test_one_damaged_byte_on_the_wire_is_retried_and_changes_nothing(image: Image, tmp_path: Path) -> None:
    judge, port = judged(
        image, FaultPlan(flip_at=frozenset({700})), FaultPlan(flip_at=frozenset({900, 3000})), tmp_path
    )
    result = judge.result()
    assert (port.to_device_faults.flipped, port.to_host_faults.flipped) == (1, 2)
    assert (result.verdict, result.mismatched_bytes) == ("pass", 0)
    assert result.frames == result.expected_frames == 2 * FRAMES_PER_LEAD
    assert result.retries >= 3
    assert result.device_crc_errors + result.crc_errors >= 1


def test_a_wire_that_keeps_losing_bytes_gives_the_same_verdict(image: Image, tmp_path: Path) -> None:
    plan = FaultPlan(drop=2e-4, flip=2e-4, duplicate=2e-4)
    judge, port = judged(image, plan, plan, tmp_path)
    result = judge.result()
    assert port.to_device_faults.total + port.to_host_faults.total > 0
    assert (result.verdict, result.mismatched_bytes) == ("pass", 0)
    assert result.retries > 0


def test_a_target_that_dies_leaves_an_incomplete_result_with_what_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes = 0
    push = DeviceClient.push

    def failing(self: DeviceClient, first_index: int, samples: np.ndarray) -> object:
        nonlocal pushes
        pushes += 1
        if pushes > 30:
            raise LinkError("The port is gone.", "Pulled out.", "Plug it in.")
        return push(self, first_index, samples)

    monkeypatch.setattr(DeviceClient, "push", failing)
    finished = run_few(tmp_path)
    assert isinstance(finished.error, LinkError)
    assert (finished.result.verdict, finished.result.error) == ("incomplete", "The port is gone.")
    assert FRAMES_PER_LEAD <= finished.result.frames < finished.result.expected_frames + FRAMES_PER_LEAD
    assert finished.result.mismatched_bytes == 0


def test_a_frame_that_the_device_swallows_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push = DeviceClient.push

    def swallowing(self: DeviceClient, first_index: int, samples: np.ndarray) -> object:
        answer = push(self, first_index, samples)
        return replace(answer, frame_ready=answer.frame_ready and answer.frames_done != 2)

    monkeypatch.setattr(DeviceClient, "push", swallowing)
    result = run_few(tmp_path).result
    assert result.verdict == "fail"
    assert result.mismatched_bytes > 0


def test_a_device_with_another_model_is_refused(image: Image) -> None:
    data = bytearray(find_model().data)
    data += b"\0"
    other = Segmenter(bytes(data))
    with (
        open_target("host", image) as running,
        running.connect() as device,
        pytest.raises(LinkError, match="another model"),
    ):
        identify(device, other)


@pytest.mark.parametrize(("number", "field", "value"), [("FLAT_UV", "flat_uv", 5), ("HOP", "hop", 125)])
def test_a_device_with_another_preprocessor_differs(tmp_path: Path, number: str, field: str, value: int) -> None:
    generated = broken_copy(
        tmp_path / "other", "ecgseg_preprocess_params.h", rf"(ECGSEG_{number}) \d+", rf"\g<1> {value}"
    )
    result = run_few(tmp_path / "vectors", generated=generated).result
    assert result.verdict == "fail"
    assert result.mismatches[0].stage.startswith(f"HELLO: {field} is {value}, known is ")


def test_a_vector_of_a_changed_model_is_not_replayed(tmp_path: Path) -> None:
    model = find_model()
    stale = vectors.Vector(
        "host", model.name, "00" * 32, 1, "ii", 0, 500, np.zeros(5000, dtype=np.int16), {"mask": b""}, {"mask": b""}
    )
    with pytest.raises(ModelError, match="has changed"):
        run(HilOptions("host", replay=vectors.save(stale, tmp_path)))


@pytest.mark.parametrize(("seed", "float_ends"), [(14, False), (11, True)])
def test_any_other_model_is_fed_directly(tmp_path: Path, seed: int, float_ends: bool) -> None:
    network = RandomNetwork(seed, 4, ("CONV_2D", "DEPTHWISE_CONV_2D"))
    assert network.float_ends == float_ends
    path = tmp_path / "foreign.tflite"
    path.write_bytes(network.content)
    result = run(HilOptions("host", tflite=path, vectors=tmp_path / "vectors")).result
    assert (result.verdict, result.source, result.frames) == ("pass", "random", RANDOM_INPUTS)
    assert result.mismatched_bytes == 0
    assert result.segmentation is None


def test_a_broken_weight_of_another_model_is_found_and_can_be_replayed(tmp_path: Path) -> None:
    path = tmp_path / "foreign.tflite"
    path.write_bytes(RandomNetwork(14, 4, ("CONV_2D", "DEPTHWISE_CONV_2D")).content)
    generated = broken_copy(
        tmp_path / "broken-foreign",
        "ecgseg_model.c",
        r"(layer0_bias\[\d+\][^{]*\{\s*)(-?\d+)",
        r"\g<1>70000",
        generate(find_model(tflite=path)),
    )
    result = run(HilOptions("host", tflite=path, generated=generated, vectors=tmp_path / "vectors")).result
    assert result.verdict == "fail"
    assert result.mismatches[0].stage.startswith("layer 0")
    again = run(HilOptions("host", replay=Path(str(result.mismatches[0].vector)), vectors=tmp_path / "again")).result
    assert (again.verdict, again.source, again.frames) == ("pass", "replay", 1)
