"""A soak with a double in the target's place: what it counts, what ends it, what it says of growth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecgseg import paths
from ecgseg.commands import soak_perform
from ecgseg.commands.hil_perform import Places
from ecgseg.data.inputs import Inputs
from ecgseg.errors import LinkError, ModelError
from ecgseg.hil.runner import HilOptions
from ecgseg.hil.soak import judge, process, ready, session
from ecgseg.hil.soak.journal import SoakJournal
from ecgseg.hil.soak.ready import SoakOptions
from ecgseg.hil.soak.result import SoakResult
from ecgseg.hil.soak.runner import SoakRun, run
from ecgseg.image.build import Image
from ecgseg.link.numbers import Command, ReadKind
from ecgseg.models import ModelFile
from ecgseg.runs.folder import kept
from ecgseg.targets import TargetOptions
from hil.rogue_cli import Running
from hil.rogue_device import BUILD_ID, MODEL_NAME, Answer, RogueDevice, flipped
from support.random_network import RandomNetwork

MIB = 1 << 20
FRAMES = 120
"""Two of a lead, four leads of a window: 15 windows."""
OPTIONS = SoakOptions(HilOptions("host"), hours=None, frames=FRAMES, window=4, faulty=0, restarts=0, seed=1)


class _Running(Running):
    process = None


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> RogueDevice:
    """Right in all; it is there instead of what would be rendered, built and started."""
    device = RogueDevice()
    known = device.known
    path = known.folder / f"{MODEL_NAME}.tflite"
    inputs = Inputs("synthetic", (known.record.record_id,), (known.record.lead,), ready=(known.record,))
    image = Image(path, None, path, "host", BUILD_ID, {"flash": 1, "ram": 1})

    @contextmanager
    def opened(name: str, image: Image, options: TargetOptions) -> Iterator[Running]:
        yield _Running(device)

    monkeypatch.setattr(ready, "find_model", lambda *_: ModelFile(MODEL_NAME, path, known.model, False))
    monkeypatch.setattr(soak_perform, "find_model", lambda *_: ModelFile(MODEL_NAME, path, known.model, False))
    monkeypatch.setattr(ready, "choose_inputs", lambda *_: inputs)
    monkeypatch.setattr(ready, "generate", lambda *_, **__: known.folder)
    monkeypatch.setattr(ready, "build_image", lambda *_, **__: image)
    monkeypatch.setattr(session, "open_target", opened)
    return device


def wrong_from(frame: int) -> RogueDevice:
    """Counts the frames that it is asked for; the scores of that one and of all behind it have a wrong byte."""

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        is_scores = answer.command == Command.READ and answer.request["kind"] == ReadKind.SCORES
        if is_scores and device.asked.get(Command.FRAME, 0) >= frame:
            return replace(answer, values={"data": flipped(answer.values["data"], 7)})
        return answer

    return RogueDevice(hook)


def outcome(result: SoakResult, name: str) -> str:
    return next(trend.outcome for trend in result.trends if trend.name == name)


def soaked(path: Path | None = None, options: SoakOptions = OPTIONS, *, resumes: bool = False) -> SoakRun:
    journal = SoakJournal(path, resumes)
    try:
        return run(options, journal)
    finally:
        journal.close()


@pytest.mark.usefixtures("device")
def test_a_right_device_passes_and_every_frame_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy computer an answer takes its time, and no request is repeated for that.
    monkeypatch.setattr(Running, "answer_seconds", 60.0)
    finished = soaked(tmp_path / "journal")
    result, counts = finished.result, finished.result.counts
    assert (finished.error, result.verdict, result.mismatches) == (None, "pass", [])
    assert (counts.frames, counts.expected_frames, counts.leads) == (FRAMES, FRAMES, FRAMES // 2)
    assert (counts.mismatched_bytes, counts.differing_frames, counts.faults, counts.retries) == (0, 0, 0, 0)
    assert [window.window for window in result.windows] == list(range(15))
    assert sum(window.frames for window in result.windows) == FRAMES
    assert {window.answers.frames for window in result.windows if window.answers} == {8}
    assert all(window.host_rss_bytes and window.target_rss_bytes is None for window in result.windows)
    assert not any(trend.name.startswith("memory of the target") for trend in result.trends)


@pytest.mark.parametrize(
    ("model", "what"),
    [
        ({"model": "stream-4-tcn-sm"}, "stream-4-tcn-sm is one of a stream."),
        ({"tflite": paths.ROOT / "models" / "stream-4-tcn-lg" / "model.tflite"}, "model is one of a stream."),
    ],
)
def test_a_model_of_a_stream_is_refused_before_anything_is_made(
    model: dict[str, Any], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("An earlier one.")
    before = kept()
    with pytest.raises(ModelError, match=re.escape(what)) as caught:
        soak_perform.perform_soak(replace(OPTIONS, tested=HilOptions("host", **model)), Places(html=page))
    assert "seg-2-tcn-sm, seg-4-tcn-sm, seg-4-tcn-lg" in caught.value.remedy
    assert capsys.readouterr() == ("", "")
    assert kept() == before
    assert page.exists()


def test_a_model_that_segments_nothing_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "other.tflite"
    path.write_bytes(RandomNetwork(14, 4, ("CONV_2D", "DEPTHWISE_CONV_2D")).content)
    with pytest.raises(ModelError, match="and other is none"):
        ready.require_frames(ModelFile("other", path, path.read_bytes(), False))


@pytest.mark.usefixtures("device")
def test_what_a_soak_says_of_its_folder_stands_in_lines_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soak_perform.perform_soak(replace(OPTIONS, frames=8), Places(html=tmp_path / "page.html"))
    folder, end, *_ = capsys.readouterr().err.splitlines()
    assert folder == f"Kept in {kept()[0].path}"
    assert end == "Ctrl-C ends it and tells what came of it so far."


@pytest.mark.usefixtures("device")
def test_memory_that_grows_is_drift_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = iter(range(100 * MIB, 10_000 * MIB, MIB))
    monkeypatch.setattr(session, "rss_bytes", lambda pid: next(sizes) if pid else None)
    options = replace(OPTIONS, frames=2 * FRAMES)
    page, json = tmp_path / "page.html", tmp_path / "soak.json"
    assert soak_perform.perform_soak(options, Places(html=page, json=json)) == 1
    result = SoakResult.model_validate_json(json.read_text())
    assert (result.verdict, outcome(result, "memory of this program")) == ("drift", "grows")
    assert result.counts.mismatched_bytes == 0
    assert "Something grows" in page.read_text()
    assert "DRIFT" in capsys.readouterr().out
    assert kept()[0].about.verdict == "drift"
    assert kept()[0].about.compared == 2 * FRAMES
    assert not kept()[0].journal.exists()


@pytest.mark.usefixtures("device")
def test_answers_that_take_longer_and_longer_are_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.001 + now / 500
        return now

    monkeypatch.setattr(judge, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(process.Cores, "ran", lambda cores: clock())
    monkeypatch.setattr(process.Cores, "waited", lambda cores: 0.0)
    result = soaked(None, replace(OPTIONS, frames=2 * FRAMES)).result
    assert (result.verdict, result.counts.mismatched_bytes) == ("drift", 0)
    for name in ("answer time, fastest tenth", "answer time, median", "time on a core, median"):
        assert outcome(result, name) == "grows"


@pytest.mark.usefixtures("device")
def test_a_computer_that_gets_busy_makes_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.001 + now / 500
        return now

    monkeypatch.setattr(judge, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(process.Cores, "ran", lambda cores: 0.0)
    monkeypatch.setattr(process.Cores, "waited", lambda cores: clock())
    result = soaked(None, replace(OPTIONS, frames=2 * FRAMES)).result
    assert result.verdict == "pass"
    assert outcome(result, "answer time, median") == "too short"


def test_a_wrong_byte_fails_and_ends_it_with_its_window(
    tmp_path: Path, device: RogueDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    device.hook = wrong_from(51).hook
    json = tmp_path / "soak.json"
    assert soak_perform.perform_soak(OPTIONS, Places(json=json, html=tmp_path / "page.html")) == 1
    result = SoakResult.model_validate_json(json.read_text())
    assert (result.verdict, result.counts.frames) == ("fail", 52)
    assert (result.counts.differing_frames, result.counts.mismatched_bytes) == (2, 2)
    assert (result.mismatches[0].compared, result.mismatches[0].offset) == ("scores", 7)
    assert "FAIL" in capsys.readouterr().out
    assert list(kept()[0].vectors.glob("*.npz"))


def test_what_differed_before_a_kill_stays_a_difference(tmp_path: Path, device: RogueDevice) -> None:
    device.hook = wrong_from(51).hook
    before = soaked(tmp_path / "journal").result
    device.hook = RogueDevice().hook
    asked = device.asked.get(Command.FRAME)
    after = soaked(tmp_path / "journal", resumes=True).result
    assert (after.verdict, after.mismatches) == ("fail", before.mismatches)
    assert after.counts.model_dump(exclude={"seconds"}) == before.counts.model_dump(exclude={"seconds"})
    assert device.asked.get(Command.FRAME) == asked


def test_a_frame_that_is_lost_fails(device: RogueDevice) -> None:
    def hook(device: RogueDevice, answer: Answer) -> Answer:
        if answer.command == Command.PUSH and device.asked[Command.PUSH] > 100:
            return replace(answer, values=answer.values | {"frames_done": 0, "flags": 0})
        return answer

    device.hook = hook
    result = soaked().result
    assert (result.verdict, result.counts.mismatched_bytes > 0) == ("fail", True)


def test_a_device_that_falls_silent_leaves_what_was_compared_and_another_goes_on(
    tmp_path: Path, device: RogueDevice
) -> None:
    device.hook = lambda device, answer: answer if device.asked.get(Command.FRAME, 0) <= 51 else None
    stopped = soaked(tmp_path / "journal")
    assert isinstance(stopped.error, LinkError)
    assert (stopped.result.verdict, stopped.result.counts.frames) == ("incomplete", 51)
    device.hook = RogueDevice().hook
    device.frame = device.seen = 0
    whole = soaked(tmp_path / "journal", resumes=True).result
    undisturbed = soaked().result
    assert whole.verdict == "pass"
    assert whole.sessions == 2
    for name in ("leads", "frames", "expected_frames", "compared_bytes", "mismatched_bytes"):
        assert getattr(whole.counts, name) == getattr(undisturbed.counts, name)
    assert [window.session for window in whole.windows] == [1] * 6 + [2] * 9


@pytest.mark.usefixtures("device")
def test_it_can_be_made_longer_when_it_was_stopped(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert soaked(path, replace(OPTIONS, frames=40)).result.counts.frames == 40
    assert soaked(path, replace(OPTIONS, frames=80), resumes=True).result.counts.frames == 80


@pytest.mark.usefixtures("device")
def test_hours_end_it_as_well(tmp_path: Path) -> None:
    result = soaked(None, replace(OPTIONS, frames=None, hours=1e-9)).result
    assert (result.verdict, result.counts.frames) == ("pass", 2)


@pytest.mark.usefixtures("device")
def test_one_that_is_too_short_does_not_say_that_nothing_grows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert soak_perform.perform_soak(replace(OPTIONS, frames=16), Places(html=page)) == 0
    assert "too short to tell what grows" in capsys.readouterr().out
    assert "too short to tell what grows" in page.read_text()
