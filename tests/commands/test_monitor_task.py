"""`invoke monitor`: what it refuses before it starts, and what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.commands import monitor
from ecgseg.commands.monitor_keys import obey, typed, wish_of_key
from ecgseg.commands.task import start
from ecgseg.errors import DataError, ModelError, OutputError, UsageError
from ecgseg.monitor.noise import NOISES
from ecgseg.monitor.session import Session, Wanted
from ecgseg.monitor.state import Phase
from ecgseg.monitor.wishes import Wish
from support.delineator_model import delineator_model
from support.monitor_double import BenchDouble, Clock, ramp
from support.recordings import write_recording


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"speed": "0"}, "--speed 0 cannot be"),
        ({"speed": "fast"}, "--speed fast cannot be"),
        ({"speed": "nan"}, "--speed nan cannot be"),
        ({"speed": "1e9"}, "--speed 1e9 cannot be"),
        ({"seconds": "-3"}, "--seconds -3 cannot be"),
        ({"noise": "loud"}, "noise"),
        ({"target": "moon"}, "target"),
    ],
)
def test_what_makes_no_sense_is_refused(typed: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        start(monitor.run, **typed)


def test_a_recording_that_is_not_there_and_a_model_of_frames_are_told_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no recording"):
        start(monitor.run, record=[str(tmp_path / "nothing")], target="host")
    with pytest.raises(ModelError, match="finds no beats"):
        start(monitor.run, model="seg-4-tcn-sm", target="host")


@pytest.mark.slow
def test_beats_of_a_recording_on_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signals = np.zeros((60 * 100, 2))
    signals[50::100] = 1
    model = tmp_path / "levels.tflite"
    model.write_bytes(delineator_model())
    path = write_recording(tmp_path, "day", 100, signals, names=("I", "II"))
    start(
        monitor.run, record=[str(path)], tflite=str(model), target="host", text=True, speed="60", seconds="40",
        out=str(tmp_path / "out"),
    )  # fmt: skip
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert len(lines) > 20
    assert all(" beat " in line or " begins" in line or " ends" in line for line in lines)
    assert told.err.splitlines()[-1] == "The monitor has ended."


# Who starts the tests in the background ignores Ctrl-C, and so would what they start.
HEARING = ("env", "--default-signal=INT,TERM,HUP")
SESSION = """
import signal, sys
from pathlib import Path
from ecgseg import interruption
interruption.install()
from ecgseg import paths
from ecgseg.commands import monitor
from ecgseg.commands.guard import guard
from ecgseg.errors import OutputError
from ecgseg.monitor.recorder import Recorder
from ecgseg.monitor.session import Session, Wanted
from ecgseg.monitor.wishes import Wish
from support.monitor_double import BenchDouble, Clock, ramp

def broken(self):
    raise OutputError("The disk is full.", "", "Make room.")

def on_terminal(session):
    def on_step():
        if session.state.starts == before:
            session.wishes.put(Wish("write", True))
        if session.state.starts == before and session.tape.head in (0, 200):
            signal.raise_signal(number)
    session.run(on_step)

number, before, what, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
if what == "full":
    Recorder.end = broken
monitor._on_terminal = on_terminal
from ecgseg.monitor import session as module
module.Session = lambda bench, sources, wanted: Session(
    BenchDouble(), [ramp()], Wanted(1.0, "none", out), clock=Clock(), nap=0
)
with guard():
    monitor.run(monitor.Options(text=True, target="host"))
"""


def ended(number: int, folder: Path, *, starts: int = 1, what: str = "") -> subprocess.CompletedProcess[str]:
    """A session, of a target that is none, that a signal comes to as soon as it was started so often."""
    words = [*HEARING, sys.executable, "-c", SESSION, str(int(number)), str(starts), what, str(folder)]
    places = os.pathsep.join((str(paths.ROOT / "host"), str(paths.ROOT / "tests")))
    return subprocess.run(words, env={**os.environ, "PYTHONPATH": places}, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_monitor_well_and_tells_where_the_recording_is(number: int, tmp_path: Path) -> None:
    done = ended(number, tmp_path)
    (recorded,) = tmp_path.glob("*.hea")
    assert (done.returncode, done.stderr.splitlines()) == (0, ["The monitor has ended.", f"Recorded: {recorded}"])


@pytest.mark.parametrize(
    ("number", "code", "told"), [(signal.SIGINT, 130, "Interrupted."), (signal.SIGTERM, 143, "Stopped by SIGTERM.")]
)
def test_a_signal_before_the_target_has_started_interrupts(number: int, code: int, told: str, tmp_path: Path) -> None:
    done = ended(number, tmp_path, starts=0)
    assert (done.returncode, done.stderr.split(" What")[0].strip()) == (code, told)


def test_a_recording_that_cannot_be_ended_is_an_error_also_after_ctrl_c(tmp_path: Path) -> None:
    done = ended(signal.SIGINT, tmp_path, what="full")
    assert done.returncode == OutputError.exit_code
    assert "Error: The disk is full." in done.stderr
    assert "Interrupted" not in done.stderr


def test_keys_choose_the_next_of_each_and_the_first_behind_the_last(tmp_path: Path) -> None:
    session = Session(BenchDouble(), [ramp(), ramp()], Wanted(1.0, NOISES[-1], tmp_path))
    assert wish_of_key("l", session) == Wish("lead", 2)
    assert wish_of_key("n", session) == Wish("noise", NOISES[0])
    assert wish_of_key("r", session) == wish_of_key("R", session) == Wish("record", 1)
    assert wish_of_key("w", session) == Wish("write", True)
    for key in "qx \x1b[A\xff":
        assert wish_of_key(key, session) is None


def test_q_ends_a_session(tmp_path: Path) -> None:
    session = Session(BenchDouble(), [ramp()], Wanted(1.0, "none", tmp_path), clock=Clock(), nap=0)
    session.run(lambda: obey("xq" if session.tape.head == 100 else "", session))
    assert session.state.phase == Phase.ENDED
    assert session.tape.head == 100


def test_a_pipe_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with typed() as keys:
            assert keys() == ""
