"""A stream that differs is kept and runs again from its file; neither that nor scores change a verdict."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from ecgseg.commands import hil_test
from ecgseg.errors import DataError, OutputError
from ecgseg.hil import stream_judge, stream_runner, vectors
from ecgseg.hil.inject import parse_faults
from ecgseg.hil.runner import HilOptions
from ecgseg.hil.stream_scores import StreamScores
from ecgseg.link.numbers import Command
from ecgseg.report import html
from ecgseg.scoring.delineation import Delineation, DelineationCollector
from hil.rogue_cli import HilTest, Outcome
from hil.rogue_rows import DIFFERS, PASSES, changed
from hil.rogue_stream import RogueStream, stream_truth


@pytest.fixture
def hil(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> HilTest:
    return HilTest(monkeypatch, capsys, tmp_path, is_stream=True)


def right() -> RogueStream:
    return RogueStream()


def wrong() -> RogueStream:
    """One class and one byte of an event are others."""
    device = RogueStream()
    classes = stream_truth().answers.classes.copy()
    classes[137] = (classes[137] + 2) % 4
    device.classes = classes.tobytes()
    device.events = device.events[:60] + bytes([device.events[60] ^ 1]) + device.events[61:]
    return device


DEVICES = pytest.mark.parametrize(("device", "ends"), [(right, PASSES), (wrong, DIFFERS)], ids=["right", "wrong"])
Device = Callable[[], RogueStream]


def fail(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError("no such thing")


def mismatches(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.result is not None
    return outcome.result["mismatches"]  # type: ignore[return-value]


def again(hil: HilTest, device: RogueStream, **options: Any) -> stream_runner.StreamRun:
    """The same test as a library runs it, with other options."""
    hil._put_in_place(device)
    return stream_runner.run(HilOptions("host", vectors=hil.folder / "again", **options))


def test_a_stream_that_differs_is_kept_with_what_was_sent_and_both_results(hil: HilTest) -> None:
    outcome = hil(wrong())
    first, second = mismatches(outcome)
    assert (first["compared"], second["compared"]) == ("class", "event")
    assert first["vector"] == second["vector"]
    kept = vectors.load(Path(first["vector"]))
    known = stream_truth()
    assert (kept.record, kept.lead, kept.rate, kept.target) == (3, "ii", 500, "host")
    assert np.array_equal(kept.samples, known.record.samples)
    assert kept.expected == {"classes": known.answers.classes.tobytes(), "events": known.answers.events}
    assert kept.actual == {"classes": wrong().classes, "events": wrong().events}
    assert shlex.split(first["replay"]) == ["invoke", "hil-test", "--replay", first["vector"], "--target", "host"]
    assert f"Run the first of them again: {first['replay']}" in outcome.text
    assert first["replay"] in outcome.page


def test_a_kept_stream_runs_again_and_fails_as_before_until_the_device_is_right(hil: HilTest) -> None:
    before = mismatches(hil(wrong()))
    vector = Path(before[0]["vector"])
    failed = again(hil, wrong(), replay=vector).result
    assert (failed.verdict, failed.source, failed.records, failed.leads) == ("fail", "replay", [3], ["ii"])
    assert [item.what for item in failed.mismatches] == [item["what"] for item in before]
    assert [item.again for item in failed.mismatches] == [None, None]
    assert failed.mismatches[0].vector is not None
    passed = again(hil, right(), replay=vector)
    assert (passed.result.verdict, passed.result.scores, passed.result.not_scored) == ("pass", None, None)
    assert [shown.equal for shown in passed.shown] == [True]


def test_a_lead_that_ends_in_a_wrong_answer_is_kept_too(hil: HilTest) -> None:
    def ends_early() -> RogueStream:
        return RogueStream(hook=changed(Command.FEED, at=8, events_made=1 << 20))

    (found,) = mismatches(hil(ends_early()))
    assert found["compared"] == "answer"
    kept = vectors.load(Path(found["vector"]))
    assert np.array_equal(kept.samples, stream_truth().record.samples)
    assert kept.expected["classes"].startswith(kept.actual["classes"])
    assert 0 < len(kept.actual["classes"]) < len(kept.expected["classes"])
    assert found["replay"].endswith(f"--replay {found['vector']} --target host")
    failed = again(hil, ends_early(), replay=Path(found["vector"])).result
    assert [item.what for item in failed.mismatches] == [found["what"]]


def test_the_task_sees_by_the_model_that_a_kept_vector_is_of_a_stream(hil: HilTest) -> None:
    tested = HilOptions("host", replay=Path(mismatches(hil(wrong()))[0]["vector"]))
    assert hil_test._is_stream(tested, hil_test.Options(replay=tested.replay))


def test_the_commands_that_run_it_again_name_line_and_target(hil: HilTest) -> None:
    first = again(hil, wrong(), inject=parse_faults("drop=1e-3", 7)).result.mismatches[0]
    for command in (first.replay, first.again):
        assert command is not None
        assert "--target host --inject=drop=1e-3 --seed=7" in command


def test_a_vector_at_another_rate_is_refused_before_anything_is_built(hil: HilTest) -> None:
    kept = vectors.load(Path(mismatches(hil(wrong()))[0]["vector"]))
    path = vectors.save(replace(kept, rate=1000), hil.folder / "other")
    with pytest.raises(DataError, match="does not fit its model") as caught:
        again(hil, right(), replay=path)
    assert "raw samples at 1000 Hz, the model takes raw samples at 500 Hz" in caught.value.why


def test_a_lead_that_is_too_long_to_be_read_again_is_not_kept(hil: HilTest) -> None:
    kept = vectors.load(Path(mismatches(hil(wrong()))[0]["vector"]))
    long = np.zeros(vectors.MAX_ARRAY_BYTES // 2 + 1, np.int16)
    with pytest.raises(OutputError, match="record 3, lead ii is too long"):
        vectors.save(replace(kept, samples=long), hil.folder / "long")
    assert not (hil.folder / "long").exists()


def test_a_vectors_folder_that_cannot_be_written_does_not_change_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hil.folder / "f").write_text("in the way")
    monkeypatch.setattr(HilTest, "vectors", hil.folder / "f")
    outcome = hil(wrong())
    assert (outcome.code, outcome.verdict) == DIFFERS
    assert [(item["vector"], item["replay"]) for item in mismatches(outcome)] == [(None, None)] * 2
    assert "--records 3 --leads ii" in mismatches(outcome)[0]["again"]
    assert outcome.result is not None
    assert str(hil.folder / "f") in str(outcome.result["notes"])
    assert hil(right()).code == 0


@DEVICES
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Delineation, "of_events"),
        (StreamScores, "add"),
        (DelineationCollector, "add"),
        (DelineationCollector, "scores"),
        (stream_judge, "ShownLead"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_scoring_that_raises_does_not_change_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, device: Device, ends: tuple[int, str], owner: object, name: str
) -> None:
    monkeypatch.setattr(owner, name, fail)
    outcome = hil(device())
    assert (outcome.code, outcome.verdict) == ends
    assert outcome.result is not None
    assert "no such thing" in str(outcome.result["not_scored"])
    assert "Not scored" in outcome.page


@DEVICES
def test_a_figure_that_raises_leaves_page_and_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, device: Device, ends: tuple[int, str]
) -> None:
    monkeypatch.setattr(html, "lead_figure", fail)
    outcome = hil(device())
    assert (outcome.code, outcome.verdict) == ends
    assert "no such thing" in outcome.page
