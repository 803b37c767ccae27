"""`invoke hil-test` around its test: what was compared is written whatever comes, and then the exit code is told."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecgseg import interruption
from ecgseg.commands import hil_perform
from ecgseg.errors import ModelError
from ecgseg.hil import runner
from ecgseg.hil.inject import parse_faults
from ecgseg.hil.judge import Judge
from ecgseg.hil.result import HilResult, HilRun
from ecgseg.hil.runner import HilOptions, OnStep
from ecgseg.interruption import Stopped
from ecgseg.link.transport import OnWait
from ecgseg.report import progress
from ecgseg.runs import folder as runs
from support.report_pages import lead, result


@pytest.fixture
def hearing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Signals are heard as in a task, and forgotten at the end."""
    before = {number: signal.getsignal(number) for number in interruption.SIGNALS}
    for number in interruption.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(interruption._State, "stopped", None)
    interruption.install()
    with interruption.guarded():
        yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    return {"json": tmp_path / "result.json", "html": tmp_path / "report.html"}


def finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that has compared everything."""
    monkeypatch.setattr(runner, "run", lambda *_, **__: HilRun(result(), [lead()]))


def test_a_picture_that_cannot_be_drawn_takes_no_other_result_away(
    places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(monkeypatch)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code = hil_perform.perform(HilOptions("host"), hil_perform.Places(picture=tmp_path / "lead.png", **places))
    assert code == 9
    assert json.loads(places["json"].read_text())["verdict"] == "pass"
    assert "Every byte equal" in places["html"].read_text()
    shown = capsys.readouterr()
    assert "PASS" in shown.out
    assert "lead.png' could not be drawn" in shown.err
    assert "What to do" in shown.err


@pytest.mark.usefixtures("hearing")
def test_a_signal_while_the_bar_is_taken_down_takes_no_result_away(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(monkeypatch)

    @contextmanager
    def bar(target: str) -> Iterator[OnStep]:
        yield lambda step: None
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(progress, "hil_bar", bar)
    hil_perform.perform(HilOptions("host"), hil_perform.Places(**places))
    assert json.loads(places["json"].read_text())["verdict"] == "pass"
    assert places["html"].exists()
    with pytest.raises(Stopped):
        interruption.check()


@pytest.mark.slow
@pytest.mark.usefixtures("hearing")
def test_a_signal_while_scores_are_worked_out_takes_no_result_away(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    work_out: Callable[[Judge, str | None], HilResult] = Judge.result

    def interrupted(judge: Judge, error: str | None = None) -> HilResult:
        os.kill(os.getpid(), signal.SIGTERM)
        return work_out(judge, error)

    monkeypatch.setattr(Judge, "result", interrupted)
    code = hil_perform.perform(HilOptions("host", records=(1,), leads=("ii",)), hil_perform.Places(**places))
    assert code == 143
    told = json.loads(places["json"].read_text())
    assert (told["verdict"], told["frames"]) == ("pass", told["planned_frames"])


def test_a_run_is_kept_with_its_result_its_page_and_where_it_comes_from(
    places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECGSEG_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(sys, "argv", ["/some/where/invoke", "hil-test", "--records", "a b"])
    finished(monkeypatch)
    assert hil_perform.perform(HilOptions("host"), hil_perform.Places(**places, junit=tmp_path / "junit.xml")) == 0
    (run,) = runs.kept()
    told = HilResult.model_validate_json(run.result.read_bytes())
    assert told.provenance is not None
    assert told.provenance.command == "invoke hil-test --records 'a b'"
    assert told.provenance == run.about.provenance
    assert run.about.verdict == "pass"
    assert places["json"].read_bytes() == run.result.read_bytes()
    assert places["html"].read_bytes() == run.report.read_bytes()
    assert "invoke hil-test --records &#39;a b&#39;" in run.report.read_text()
    assert (tmp_path / "junit.xml").read_text().count("<testcase") == 2
    assert f"Run: {run.path}" in capsys.readouterr().err


def test_a_run_that_came_to_nothing_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECGSEG_RUNS", str(tmp_path / "runs"))
    with pytest.raises(ModelError):
        hil_perform.perform(HilOptions("host", tflite=tmp_path / "none.tflite"))
    assert not runs.kept()


def test_what_differs_is_kept_in_the_folder_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []

    def run(tested: HilOptions, *_: object, **__: object) -> HilRun:
        reached.append(tested.vectors)
        return HilRun(result())

    monkeypatch.setattr(runner, "run", run)
    hil_perform.perform(HilOptions("host"))
    assert reached == [runs.kept()[0].vectors]
    hil_perform.perform(HilOptions("host", vectors=tmp_path))
    assert reached[1] == tmp_path


@pytest.mark.parametrize(("inject", "lines"), [("drop=1e-3", 3), (None, 2)])
def test_waiting_for_answers_that_faults_take_is_explained_and_told_once(
    inject: str | None,
    lines: int,
    places: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(options: HilOptions, on_step: OnStep, on_wait: OnWait, **_: object) -> HilRun:
        for _number in range(2):
            on_wait("Waiting for the device's answer to PUSH.")
        return HilRun(result(), [lead()])

    monkeypatch.setattr(runner, "run", run)
    asked = parse_faults(inject) if inject else None
    assert hil_perform.perform(HilOptions("host", inject=asked), hil_perform.Places(**places)) == 0
    told = capsys.readouterr().err.split("Run: ")[0].splitlines()
    assert len(told) == lines
    assert max(map(len, told)) <= 80
    assert told[0] == "Waiting for the device's answer to PUSH."
    assert told[1].startswith("  --inject loses") if inject else told[1] == told[0]
