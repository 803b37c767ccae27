"""`invoke hil-test --resume`: goes on after any kill with the result of a test that nobody disturbed."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecgseg import paths
from ecgseg.commands import hil_perform
from ecgseg.errors import DataError, UsageError
from ecgseg.hil import journal, runner
from ecgseg.hil.journal import Head, Journal
from ecgseg.hil.runner import HilOptions
from ecgseg.link import LinkCounters
from ecgseg.link.numbers import ReadKind
from ecgseg.runs import folder as runs
from hil.rogue_cli import HilTest
from hil.rogue_device import RogueDevice, flipped
from hil.rogue_rows import read
from hil.rogue_stream import RogueStream
from support.report_pages import outcome, result

sys.path.insert(0, str(paths.ROOT / "tools"))
from kill_at_random import undated

LEADS = 6
MOMENTS = {
    "seg-2-tcn-sm": (("frame", "7"), ("line", "2"), ("lead", "2"), ("result", "1")),
    "stream-4-tcn-sm": (("lead", "3"), ("frame", "12")),
}
HEAD = Head(
    target="host",
    backend="aot",
    model_sha256="ab" * 32,
    build_id="0123456789abcdef",
    source="ludb",
    records=(181,),
    leads=("ii", "v1"),
    rate=500,
)
LINK = LinkCounters(requests=7, retries=1, crc_errors=2)


def child(place: Path, *words: str) -> int:
    """Exit code of a test that may kill itself; its runs are kept in `place`."""
    environment = os.environ | {"ECGSEG_RUNS": str(place), "PYTHONPATH": str(paths.ROOT / "host")}
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def told(place: Path) -> dict[str, Any]:
    """The one result of a place without dates, durations and what a clock of this computer measured."""
    (run,) = place.iterdir()
    assert {path.name for path in run.iterdir()} == {"run.json", "result.json", "report.html"}
    return undated(json.loads((run / "result.json").read_text()))


@pytest.fixture(scope="module", params=list(MOMENTS))
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """A model, and what a test of it tells that nobody disturbed."""
    place = tmp_path_factory.mktemp("undisturbed") / "runs"
    assert child(place, "never", "0", request.param) == 0
    found = told(place)
    assert (found["verdict"], len(found["by_lead"])) == ("pass", LEADS)
    return request.param, found


@pytest.mark.slow
def test_after_kills_at_all_kinds_of_moments_the_result_is_that_of_a_test_without_one(
    undisturbed: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    model, wanted = undisturbed
    # One after the other, each on what the one before has left.
    for number, moment in enumerate(MOMENTS[model]):
        resume = ("--resume",) if number else ()
        assert child(tmp_path / "runs", *moment, model, *resume) == -signal.SIGKILL, moment
    assert child(tmp_path / "runs", "never", "0", model, "--resume") == 0
    assert told(tmp_path / "runs") == wanted


def begun(path: Path, head: Head = HEAD, *, leads: int = 3) -> Path:
    """A journal with that many leads, of a process that has ended."""
    kept = Journal(path)
    kept.begin(head)
    for index in range(leads):
        kept.keep(index, f"digest {index}", [[1, 2, 3]] * 4, LINK)
    kept.close()
    return path


def resumed(path: Path, head: Head = HEAD) -> Journal:
    kept = Journal(path, resumes=True)
    kept.begin(head)
    return kept


def test_all_but_the_last_lead_need_not_be_sent_again(tmp_path: Path) -> None:
    kept = resumed(begun(tmp_path / "j"))
    assert kept.earlier(0, "digest 0", 4, 3) == [[1, 2, 3]] * 4
    assert kept.earlier(1, "digest 1", 4, 3) is not None
    assert (kept.counters.requests, kept.counters.retries, kept.counters.crc_errors) == (14, 2, 4)
    assert kept.earlier(2, "digest 2", 4, 3) is None
    kept.keep(2, "digest 2", [[4, 5, 6]], LINK)
    kept.keep(3, "digest 3", [[4, 5, 6]], LINK)
    kept.close()
    assert resumed(tmp_path / "j").earlier(2, "digest 2", 1, 3) == [[4, 5, 6]]


@pytest.mark.parametrize(
    ("digest", "rows", "parts"), [("another", 4, 3), ("digest 0", 5, 3), ("digest 0", 4, 1), ("digest 0", 0, 3)]
)
def test_a_lead_that_is_not_what_it_was_is_sent_again(digest: str, rows: int, parts: int, tmp_path: Path) -> None:
    kept = resumed(begun(tmp_path / "j"))
    assert kept.earlier(0, digest, rows, parts) is None
    assert kept.counters == LinkCounters()


def test_a_file_that_was_cut_off_anywhere_counts_as_far_as_it_is_whole(tmp_path: Path) -> None:
    data = begun(tmp_path / "j").read_bytes()
    first = data.index(b"\n") + 1
    for end in range(first, len(data), 7):
        (tmp_path / "cut").write_bytes(data[:end])
        kept = resumed(tmp_path / "cut")
        whole = data[:end].count(b"\n") - 1
        found = [kept.earlier(index, f"digest {index}", 4, 3) is not None for index in range(3)]
        assert found == [index < whole - 1 for index in range(3)]
        kept.close()


def test_a_lead_that_differs_is_marked_once_and_sent_again(tmp_path: Path) -> None:
    kept = resumed(begun(tmp_path / "j"))
    kept.mark(0)
    kept.mark(0)
    kept.close()
    assert (tmp_path / "j").read_bytes().count(b"differs") == 1
    kept = resumed(tmp_path / "j")
    assert [kept.differed(index) for index in range(3)] == [True, False, False]
    assert kept.earlier(0, "digest 0", 4, 3) is None
    assert kept.earlier(1, "digest 1", 4, 3) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"{}\n", b"\xff\n", b"[]\n" * 3])
def test_a_file_that_is_no_journal_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(DataError, match="no test that was stopped"):
        resumed(tmp_path / "j")


@pytest.mark.parametrize(("name", "value"), [("build_id", "other"), ("records", (182,)), ("model_sha256", "cd" * 32)])
def test_another_test_is_refused_by_what_is_another(name: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tested something else") as caught:
        resumed(begun(tmp_path / "j"), HEAD.model_copy(update={name: value}))
    assert journal.HEAD_WORDS[name] in caught.value.why
    assert "--resume" in caught.value.remedy


def test_a_test_that_goes_on_is_not_taken_over(tmp_path: Path) -> None:
    kept = resumed(begun(tmp_path / "j"))
    with pytest.raises(UsageError, match="still goes on"):
        resumed(tmp_path / "j")
    kept.remove()
    kept.close()
    assert not (tmp_path / "j").exists()


def test_a_disk_that_takes_no_line_takes_no_test_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = resumed(begun(tmp_path / "j"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    kept.keep(2, "digest 2", [[1]], LINK)
    assert "cannot be resumed" in kept.not_kept


def test_a_disk_that_is_full_is_told_once_and_leaves_what_was_whole(tmp_path: Path) -> None:
    kept = resumed(begun(tmp_path / "j"))
    before = (tmp_path / "j").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
    try:
        kept.keep(3, "digest 3", [[4, 5, 6]] * 100, LINK)
        kept.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot be resumed" in kept.not_kept
    assert resumed(tmp_path / "j").earlier(1, "digest 1", 4, 3) is not None
    assert (tmp_path / "j").read_bytes().startswith(before)


@pytest.fixture
def kept_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[HilOptions]:
    """Runs are kept in a place of their own, and tests do not come to their end; what each was asked."""
    monkeypatch.setenv("ECGSEG_RUNS", str(tmp_path / "runs"))
    asked: list[HilOptions] = []

    def run(tested: HilOptions, *_: object, **__: object) -> runner.HilRun:
        asked.append(tested)
        tested.journal.begin(HEAD)
        return runner.HilRun(result(verdict="incomplete", by_lead=[outcome()]), error=DataError("Stopped."))

    monkeypatch.setattr(runner, "run", run)
    return asked


def test_the_same_command_goes_on_in_the_same_folder_and_another_does_not(
    kept_runs: list[HilOptions], capsys: pytest.CaptureFixture[str]
) -> None:
    perform: Callable[..., int] = hil_perform.perform
    perform(HilOptions("host"), resume=True)
    assert "nothing to go on with" in (said := capsys.readouterr().err)
    assert "The same command with --resume goes on." in said
    (first,) = runs.kept()
    perform(HilOptions("host"), resume=True)
    assert f"Goes on with {first.path}" in capsys.readouterr().err.replace("\n", "")
    assert [run.path for run in runs.kept()] == [first.path]
    assert runs.opened(first.path).about.provenance == first.about.provenance
    for other in (HilOptions("host", leads=("ii",)), HilOptions("qemu")):
        perform(other, resume=True)
    perform(HilOptions("host"))
    assert len(runs.kept()) == 4
    assert [tested.journal.resumes for tested in kept_runs] == [False, True, False, False, False]


@pytest.mark.parametrize("is_stream", [False, True])
def test_what_differed_once_stays_a_difference_however_it_is_answered_then(
    is_stream: bool, hil: HilTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECGSEG_RUNS", str(tmp_path / "runs"))

    def device(*, wrong: bool) -> RogueDevice:
        if not is_stream:
            return RogueDevice(read(ReadKind.SCORES, lambda data: flipped(data, 17))) if wrong else RogueDevice()
        stream = RogueStream()
        stream.classes = flipped(stream.classes, 40) if wrong else stream.classes
        return stream

    hil = replace(hil, is_stream=is_stream)
    with monkeypatch.context() as stopping:
        # As if it had been killed before its end.
        stopping.setattr(hil_perform, "_is_settled", lambda _: False)
        first = hil(device(wrong=True))
    again = replace(hil, resume=True)(device(wrong=False))
    assert (first.code, first.verdict, again.code, again.verdict) == (1, "fail", 1, "fail")
    assert journal.OTHERWISE in json.dumps(again.result)
    assert "Goes on with" in again.text
