"""`invoke segment`: what it prints and writes, and its exit code, whatever comes in between."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import wfdb
from invoke.loader import FilesystemLoader

from ecgseg import paths
from ecgseg.commands import segment
from ecgseg.commands.command_line import check_command_line
from ecgseg.commands.task import declared, start, task_of
from ecgseg.errors import DataError, EcgsegError, LinkError, ModelError, OutputError, UsageError
from ecgseg.interruption import Stopped
from ecgseg.report import strips
from ecgseg.segment import runner
from ecgseg.segment.check import Difference
from ecgseg.segment.result import SegmentResult
from support.delineator_model import delineator_model
from support.lazily import Lazily, needs_pyarrow
from support.metronome import metronome
from support.recordings import write_recording

pq = Lazily("pyarrow.parquet")
RATE, SECONDS = 100, 60


@pytest.fixture
def day(tmp_path: Path) -> Path:
    signals = np.zeros((SECONDS * RATE, 3))
    signals[RATE // 2 :: RATE] = 1
    units = ["mV", "mV", "NU"]
    return write_recording(tmp_path, "day", RATE, signals, units=units, names=("I", "II", "Resp"))


def model(folder: Path) -> str:
    """A network that makes beats of much ECG."""
    path = folder / "levels.tflite"
    path.write_bytes(delineator_model())
    return str(path)


def run(day: Path, **typed: object) -> int:
    words: dict[str, object] = {
        "file": str(day),
        "tflite": model(day.parent),
        "out": str(day.parent / "out"),
        "target": "host",
    } | typed
    return start(segment.run, **words) or 0


def test_it_stands_in_the_menu_and_every_option_is_explained() -> None:
    menu, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    task = task_of(segment.run)
    assert task.name in menu.namespace.task_names
    assert (task.__doc__ or "").endswith(".")
    assert all(option.help.endswith(".") for option in declared(segment.Options))


def test_a_recording_ends_as_annotations_tables_and_a_picture(
    day: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, channel="all", json=str(day.parent / "day.json")) == 0
    told = capsys.readouterr()
    assert "Passed over: channel Resp, which is in 'NU', no voltage." in told.err
    assert "60-60-60" in told.out
    assert "25.0 %" in told.out
    out = day.parent / "out"
    assert {path.name for path in out.iterdir()} == {
        *("day.ecgseg", "day.events.csv", "day.signal.csv", "day.I.png", "day.II.png")
    }
    assert set(wfdb.rdann(str(out / "day"), "ecgseg").chan) == {0, 1}
    written = SegmentResult.model_validate_json((day.parent / "day.json").read_bytes())
    assert (written.complete, written.checked) == (True, False)
    assert [channel.beats for channel in written.channels] == [60, 60]
    assert {*written.files.values(), *(channel.picture for channel in written.channels)} == {
        path.name for path in out.iterdir()
    }


def test_rows_of_several_recordings_go_to_one_parquet_file(
    day: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_pyarrow()
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    monkeypatch.setattr(strips, "write_strips", lambda sheet, path: path.touch())
    night = write_recording(day.parent, "night", RATE, np.zeros((SECONDS * RATE, 1)))
    for file in (day, night, day.with_suffix(".hea")):
        assert run(file, parquet=str(day.parent / "all.parquet")) == 0
    assert "all.parquet: the rows of night" in capsys.readouterr().err
    rows = pq.read_table(day.parent / "all.parquet").to_pylist()
    assert [row["recording"] for row in rows] == ["night"] * 61 + ["day"] * 61
    assert {(row["file"], row["target"], row["model"]) for row in rows} == {
        (str(place.resolve()), "host", "levels") for place in (day, night)
    }


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(Stopped(signal.SIGINT), 130, "tells where"), (LinkError("The device is gone.", "", "Look."), 8, "is gone")],
)
def test_what_was_found_until_then_is_kept(
    error: BaseException,
    code: int,
    said: str,
    day: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def until(samples: int) -> None:
        if samples > 30 * RATE:
            raise error

    monkeypatch.setattr(runner, "opened", metronome(RATE, on_samples=until))
    assert run(day, json=str(day.parent / "day.json")) == code
    assert said in capsys.readouterr().err
    assert json.loads((day.parent / "day.json").read_text())["complete"] is False
    assert "II,stopped,0.000,30.000,30.000" in (day.parent / "out" / "day.signal.csv").read_text()
    assert (day.parent / "out" / "day.II.png").is_file()


def test_a_byte_that_differs_is_a_verdict(
    day: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    assert run(day, check=True) == 1
    told = capsys.readouterr().out
    assert "Channel II differs from Python: class 0 is not there" in told or "event 0" in told
    assert "every one equal" not in told
    assert Difference(what="class", number=0, expected="00", actual="").what == "class"


def test_results_that_cannot_be_written_take_no_others_away(
    day: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "opened", metronome(RATE))
    (day.parent / "out" / "day.events.csv").mkdir(parents=True)
    assert run(day) == OutputError.exit_code
    assert "day.events.csv" in capsys.readouterr().err
    assert (day.parent / "out" / "day.II.png").is_file()
    assert not (day.parent / "out" / "day.ecgseg").exists()


@pytest.mark.parametrize(
    ("typed", "error", "said"),
    [
        ({"file": None}, UsageError, "No recording was named"),
        ({"file": "nowhere"}, DataError, "There is no recording 'nowhere'"),
        ({"channel": "V7"}, UsageError, "no channel 'V7'"),
        ({"channel": "Resp"}, DataError, "in what unit"),
        ({"unit": "hPa"}, UsageError, "no unit of a voltage"),
        ({"model": "seg-4-tcn-sm", "tflite": None}, ModelError, "finds no beats"),
        ({"model": "stream-5", "tflite": None}, UsageError, "no model 'stream-5'"),
        ({"target": "hots"}, UsageError, "Did you mean 'host'"),
        ({"out": "/dev/null/x"}, OutputError, "/dev/null"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_work(
    typed: dict[str, str | None], error: type[EcgsegError], said: str, day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "opened", lambda *_: pytest.fail("the work was begun"))
    with pytest.raises(error, match=said):
        run(day, **typed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["segment"], "It needs a FILE"),
        (["segment", "--chanel", "II"], "Did you mean '--channel'?"),
        (["segment", "-x"], "no option '-x'"),
        (["segment", "day", "--chanel", "II"], "Did you mean '--channel'?"),
        (["segment", "day", "night"], "no task 'night'"),
    ],
)
def test_a_command_line_that_is_none_is_refused_in_words(words: list[str], said: str) -> None:
    menu, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    with pytest.raises(UsageError) as caught:
        check_command_line(menu.namespace, ["invoke", *words])
    assert said in str(caught.value)


@pytest.mark.parametrize("words", [["segment", "--help"], ["segment", "-h"]])
def test_help_is_given_in_the_place_of_the_file(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    menu, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    with pytest.raises(SystemExit) as caught:
        check_command_line(menu.namespace, ["invoke", *words])
    assert caught.value.code == 0
    assert "--channel" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("rate", [100, 200, 1000])
def test_the_real_firmware_is_equal_at_every_rate(
    rate: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    time = np.arange(20 * rate) / rate
    signal = np.exp(-((((time + 0.5) % 0.8 - 0.4) / 0.02) ** 2))
    signal[5 * rate : 6 * rate] = np.nan
    day = write_recording(tmp_path, "day", rate, signal[:, None])
    assert run(day, check=True, json=str(tmp_path / "day.json")) == 0
    assert "every one equal" in capsys.readouterr().out
    (channel,) = SegmentResult.model_validate_json((tmp_path / "day.json").read_bytes()).channels
    assert channel.beats > 10
    assert channel.compared_bytes == 20 * 100 + 48 * (channel.beats + 2)
    assert channel.seconds_of == pytest.approx({"lead_off": 1.0}, abs=0.1)


def started(day: Path) -> subprocess.Popen[str]:
    """The real task on the real firmware, as far as it has found something."""
    words = [sys.executable, "-m", "invoke", "segment", str(day), "--tflite", model(day.parent), "--target", "host"]
    return subprocess.Popen(
        [*words, "--out", str(day.parent / "out")],
        cwd=paths.ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def still_day(folder: Path, rate: int, channels: int = 1) -> Path:
    """A recording of a day in which nothing happens; its samples take no room on the disk."""
    samples = 86_400 * rate
    with (folder / "day.dat").open("wb") as file:
        file.truncate(samples * channels * 2)
    lines = [f"day {channels} {rate} {samples}", *(f"day.dat 16 1000/mV 16 0 0 0 0 {lead}" for lead in range(channels))]
    (folder / "day.hea").write_text("\n".join(lines) + "\n")
    return folder / "day"


def has_found_something(process: subprocess.Popen[str], out: Path) -> bool:
    """The file without a name to which the task writes events holds one."""
    for place in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(place.readlink()).startswith(f"{out}/") and place.stat().st_size:
                return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_what_it_found_or_what_was_there(number: signal.Signals, tmp_path: Path) -> None:
    day = still_day(tmp_path, 500)
    out = tmp_path / "out"
    out.mkdir()
    (out / "day.ecgseg").write_bytes(b"older")
    process = started(day)
    deadline = time.monotonic() + 300
    while not has_found_something(process, out):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    if number == signal.SIGKILL:
        assert (out / "day.ecgseg").read_bytes() == b"older"
        assert [path.name for path in out.iterdir()] == ["day.ecgseg"]
        return
    assert process.returncode == 128 + number, told
    assert "Traceback" not in told
    assert ",stopped,0.000," in (out / "day.signal.csv").read_text()
    assert wfdb.rdann(str(out / "day"), "ecgseg").fs == 500


_MEMORY = """
import resource, sys
from contextlib import ExitStack
from pathlib import Path
from ecgseg.data.opening import open_recording
from ecgseg.models import find_model
from ecgseg.report import strips
from ecgseg.segment import runner
from ecgseg.data.choice import choose_channels
from ecgseg.segment.files import result_files, write_results
from ecgseg.segment.result import channel_result
from ecgseg.segment.strips import sheet_of
from support.delineator_model import delineator_model
from support.lazily import Lazily, needs_pyarrow
from support.metronome import metronome

net, folder = find_model("seg-4-tcn-sm"), Path(sys.argv[1])
runner.opened = metronome(100)
for name in ("minute", "day"):
    recording = open_recording(folder / name)
    with ExitStack() as kept:
        options = runner.SegmentOptions("host", net, folder)
        found = runner.run(recording, choose_channels(recording, "all"), options, kept, lambda step: None)
        write_results(result_files(folder, name), found.done, 100)
        print(sum(channel_result(done).beats for done in found.done))
        sheet_of(recording, found.done[0], 100)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_a_day_takes_the_memory_of_a_minute(tmp_path: Path) -> None:
    still_day(tmp_path, RATE)
    write_recording(tmp_path, "minute", RATE, np.zeros((60 * RATE, 1)))
    environment = {"PYTHONPATH": f"{paths.ROOT / 'host'}:{paths.ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
    told = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(tmp_path)], capture_output=True, text=True, env=environment
    )
    assert told.returncode == 0, told.stderr
    minute_beats, minute, day_beats, day = map(int, told.stdout.split())
    assert (minute_beats, day_beats) == (60, 86_400)
    assert day - minute < 64 * 1024, "KiB"
