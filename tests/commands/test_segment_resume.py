"""`invoke segment --resume`: a run that was stopped goes on, and ends with the bytes of one that was not."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.commands import segment
from ecgseg.commands.task import start
from ecgseg.errors import DataError, LinkError, OutputError, UsageError
from ecgseg.interruption import Stopped
from ecgseg.report import strips
from ecgseg.segment import progress, runner, sections
from support.delineator_model import delineator_model
from support.metronome import metronome
from support.recordings import write_recording

RATE, SECONDS = 100, 150
# Samples that the device hears of both channels, what sections overlap included.
HEARD = 2 * (70 + 90 + 50) * RATE


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, seconds in (("SECTION_SECONDS", 60), ("LEAD_SECONDS", 20), ("TAIL_SECONDS", 10)):
        monkeypatch.setattr(sections, name, seconds)
    # What is drawn is compared, which is faster than drawing it.
    monkeypatch.setattr(strips, "write_strips", lambda sheet, path: path.write_bytes(pickle.dumps(sheet)))
    signals = np.random.default_rng(3).normal(size=(SECONDS * RATE, 2))
    return write_recording(tmp_path, "day", RATE, signals, names=("I", "II"))


def run(day: Path, out: str, **typed: object) -> int:
    tflite = day.parent / "levels.tflite"
    tflite.write_bytes(delineator_model())
    folder = day.parent / out
    words: dict[str, object] = {"file": str(day), "tflite": str(tflite), "out": str(folder), "target": "host"}
    words |= {"channel": "all", "json": str(folder / "day.json")}
    return start(segment.run, **(words | typed)) or 0


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def stopping(at: int, error: BaseException | None = None) -> Callable[[int], None]:
    """Stops when so many samples were heard in all sections together."""
    heard = last = 0

    def on_samples(count: int) -> None:
        nonlocal heard, last
        heard += count - last if count > last else count
        last = count
        if heard > at:
            raise error or Stopped(signal.SIGINT)

    return on_samples


@pytest.mark.parametrize("at", [0.1, 0.25, 0.36, 0.5, 0.55, 0.7, 0.95])
def test_a_run_that_goes_on_ends_with_the_same_bytes(
    at: float, day: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, "whole") == 0
    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=stopping(int(at * HEARD))))
    assert run(day, "stopped") == 130
    assert ("--resume goes on" in capsys.readouterr().err) == (at > 70 / 420)
    heard = 0

    def count(samples: int) -> None:
        nonlocal heard
        heard += 2 * RATE

    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=count))
    assert run(day, "stopped", resume=True) == 0
    # Nothing that was finished is sent again.
    assert heard <= HEARD - at * HEARD + 90 * RATE
    assert results(day.parent / "stopped") == results(day.parent / "whole")


def test_it_may_be_stopped_again_and_again(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, "whole") == 0
    code, runs = 8, 0
    while code == 8:
        lost = stopping(100 * RATE, LinkError("The device is gone."))
        monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=lost))
        code = run(day, "stopped", resume=True)
        runs += 1
    assert (code, runs) == (0, 6)
    assert results(day.parent / "stopped") == results(day.parent / "whole")


def test_until_it_goes_on_the_results_are_those_of_what_was_sent(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=stopping(130 * RATE)))
    assert run(day, "out") == 130
    out = day.parent / "out"
    assert (out / "day.signal.csv").read_text().splitlines()[1:] == ["I,stopped,0.000,100.000,100.000"]
    assert len((out / "day.events.csv").read_text().splitlines()) == 101
    assert json.loads((out / "day.json").read_text())["complete"] is False
    assert (out / "day.progress").is_file()


def test_of_a_file_that_was_cut_off_what_is_whole_counts(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, "whole") == 0
    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=stopping(HEARD - 1)))
    assert run(day, "stopped") == 130
    kept = (day.parent / "stopped" / "day.progress").read_bytes()
    for size in (len(kept) - 1, len(kept) - 3000, len(kept) // 3, kept.index(b"\n") + 1):
        (day.parent / "stopped" / "day.progress").write_bytes(kept[:size])
        monkeypatch.setattr(runner, "opened", metronome(RATE))
        assert run(day, "stopped", resume=True) == 0
        assert results(day.parent / "stopped") == results(day.parent / "whole")


def test_a_section_without_events_whose_line_lacks_its_end_is_sent_again(tmp_path: Path) -> None:
    kind = {"recording": "day", "rate": 100, "channels": [], "target": "host", "model_sha256": "ab", "bazett": False}
    run = progress.Run.model_validate(kind | {"check": False})
    path = tmp_path / "day.progress"

    def resumed() -> progress.Progress:
        return progress.Progress(path, run, resumes=True)

    for number in range(2):
        resumed().add(progress.finished((0, number), 0, b"", 0, None), b"")
    path.write_bytes(path.read_bytes()[:-1])
    assert [section.section for section, _ in resumed().earlier] == [0]
    resumed().add(progress.finished((0, 1), 0, b"", 0, None), b"")
    assert [section.section for section, _ in resumed().earlier] == [0, 1]


def test_a_file_that_is_none_is_refused(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", lambda *_: pytest.fail("the work was begun"))
    (day.parent / "out").mkdir()
    for data in (b"", b"notes\n", b"{}\n", b"[" * 100_000):
        (day.parent / "out" / "day.progress").write_bytes(data)
        with pytest.raises(DataError, match="no run that was stopped"):
            run(day, "out", resume=True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"bazett": True}, "formula"),
        ({"target": "qemu"}, "target"),
        ({"unit": "uV"}, "channels"),
        ({"check": True}, "check"),
    ],
)
def test_only_the_same_run_goes_on(
    typed: dict[str, object], said: str, day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=stopping(HEARD // 2)))
    assert run(day, "out") == 130
    with pytest.raises(UsageError, match=said) as caught:
        run(day, "out", resume=True, **typed)
    assert "leave out --resume" in caught.value.remedy


def test_words_of_the_file_command_no_terminal(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=stopping(HEARD - 1)))
    assert run(day, "out") == 130
    place = day.parent / "out" / "day.progress"
    kept = place.read_bytes()
    place.write_bytes(kept.replace(b'"target":"host"', b'"target":"\\u001b[2J"'))
    with pytest.raises(UsageError) as caught:
        run(day, "out", resume=True)
    assert "It was ?[2J, and is host now" in caught.value.why
    told = b'"difference":{"what":"class","number":0,"expected":"[red]","actual":""}'
    place.write_bytes(kept.replace(b'"difference":null', told))
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, "out", resume=True) == 0


def test_a_recording_that_changed_is_refused(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=stopping(HEARD // 2)))
    assert run(day, "out") == 130
    data = bytearray(day.with_suffix(".dat").read_bytes())
    data[4000] ^= 1
    day.with_suffix(".dat").write_bytes(data)
    with pytest.raises(DataError, match="not what it was"):
        run(day, "out", resume=True)


def test_results_that_could_not_be_written_need_nothing_sent_again(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, "whole") == 0
    (day.parent / "out" / "day.events.csv").mkdir(parents=True)
    assert run(day, "out") == OutputError.exit_code
    (day.parent / "out" / "day.events.csv").rmdir()
    monkeypatch.setattr(runner, "opened", lambda *_: pytest.fail("a device was opened"))
    assert run(day, "out", resume=True) == 0
    assert results(day.parent / "out") == results(day.parent / "whole")


def test_without_resume_it_begins_anew(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=stopping(HEARD // 2)))
    assert run(day, "out") == 130
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, "out") == 0
    assert run(day, "whole", resume=True) == 0
    assert results(day.parent / "out") == results(day.parent / "whole")
    assert progress.Run.model_fields["sections"].default == (1800, 120, 30)


def started(base: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    """The real task on the real firmware."""
    tflite = base.parent / "levels.tflite"
    tflite.write_bytes(delineator_model())
    command = [sys.executable, "-m", "invoke", "segment", str(base), "--tflite", str(tflite), "--target", "host"]
    command += ["--out", str(out), "--json", str(out / "day.json"), *words]
    return subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    seconds = np.arange(2500 * RATE) / RATE
    ecg = np.exp(-((((seconds + 0.5) % 0.81 - 0.4) / 0.02) ** 2))
    ecg[1795 * RATE : 1810 * RATE] = np.nan
    base = write_recording(tmp_path, "day", RATE, ecg[:, None])
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = started(base, killed)
    deadline = time.monotonic() + 300
    while not (killed / "day.progress").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert [path.name for path in killed.iterdir()] == ["day.progress"]
    for process in (started(base, whole), started(base, killed, "--resume")):
        _, told = process.communicate(timeout=300)
        assert process.returncode == 0, told
    assert "Goes on behind" in told
    assert results(killed) == results(whole)
    assert len(results(whole)) == 5
