"""Runs the tests of a rig at once: a crash or a hang of one is nobody else's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from ecgseg import interruption
from ecgseg.errors import LinkError, OutputError, TargetError, cause
from ecgseg.hil.rig.jobs import STEPS, Job
from ecgseg.hil.rig.result import DIFFERS, RigRun
from ecgseg.interruption import Stopped, told_of_end
from ecgseg.printable import printable

_POLL_SECONDS = 0.1
# A test that is told to stop writes what it has compared; one that does not is killed.
_STOP_SECONDS = 15.0
_SIGNALLED = 128
_NOT_INHERITED = ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE")


@dataclass
class RunState:
    """Where a test is.

    Attributes:
        job: which one.
        done, total, equal: leads that are compared, how many there are, whether no byte differed.
        seconds: since its start.
        pid: of its process, None when none runs.
        run: what came of it, None before its end.
    """

    job: Job
    done: int = 0
    total: int = 0
    equal: bool = True
    seconds: float = 0.0
    pid: int | None = None
    run: RigRun | None = None


OnChange = Callable[[Sequence[RunState]], None]


@dataclass(frozen=True)
class RigRuns:
    """What came of all tests.

    Attributes:
        runs: in the order of the jobs.
        seconds: that all took.
        stopped: the signal that ended them before their time.
    """

    runs: list[RigRun]
    seconds: float
    stopped: Stopped | None = None


def run_jobs(jobs: Sequence[Job], on_change: OnChange, stop_seconds: float = _STOP_SECONDS) -> RigRuns:
    """Runs tests, those of one target one after the other, targets side by side; waits for all of them.

    A signal (`ecgseg.interruption`) tells every test to stop, waits for what it writes, and is handed back with what
    was finished.

    Args:
        jobs: the tests.
        on_change: is told where they are, ten times a second, in the order of the jobs.
        stop_seconds: how long a test that is told to stop may take for it.
    """
    states = [RunState(job) for job in jobs]
    lanes = _lanes(states, stop_seconds)
    begun = time.monotonic()
    stopped: Stopped | None = None
    try:
        try:
            # Every lane is looked at: one whose test ended begins the next one at once.
            while [lane for lane in lanes if lane.goes_on()]:
                on_change(states)
                time.sleep(_POLL_SECONDS)
                interruption.check()
        finally:
            with interruption.held():
                _end(lanes, stop_seconds)
    except KeyboardInterrupt as caught:
        ended_by = interruption.ended_by(caught)
        assert isinstance(ended_by, Stopped)
        stopped = ended_by
        # Whoever insists does not wait for what still writes.
        _end(lanes, 0.0)
    on_change(states)
    return RigRuns([state.run for state in states if state.run is not None], time.monotonic() - begun, stopped)


def _lanes(states: Sequence[RunState], stop_seconds: float) -> list[_Lane]:
    names = dict.fromkeys(state.job.name for state in states)
    return [_Lane([state for state in states if state.job.name == name], stop_seconds) for name in names]


def _end(lanes: Sequence[_Lane], seconds: float) -> None:
    """Tells all tests to stop, at once, and settles them; one that takes longer is killed."""
    for lane in lanes:
        lane.stop()
    deadline = time.monotonic() + seconds
    for lane in lanes:
        lane.close(deadline)


class _Lane:
    """The tests of one target, one after the other.

    Args:
        states: of its tests.
        stop_seconds: how long one that is told to stop may take for it.
    """

    def __init__(self, states: Sequence[RunState], stop_seconds: float) -> None:
        self._waiting = list(states)
        self._stop_seconds = stop_seconds
        self._running: tuple[RunState, subprocess.Popen[bytes]] | None = None
        self._commands: list[tuple[str, ...]] = []
        self._begun = 0.0
        self._kill_at: float | None = None

    def goes_on(self) -> bool:
        """Looks at the test that runs and starts the next one; False when there is none left."""
        if self._running is not None:
            self._look(*self._running)
        while self._running is None and self._waiting:
            state = self._waiting.pop(0)
            self._commands, self._begun, self._kill_at = list(state.job.commands), time.monotonic(), None
            self._start(state)
        return self._running is not None

    def stop(self) -> None:
        """Tells the test that runs to stop; it looks after what it started."""
        if self._running is not None:
            _send(self._running[1], signal.SIGTERM)

    def close(self, deadline: float) -> None:
        """Waits for the test that was told to stop, kills it at the deadline, and settles those that never began."""
        if self._running is not None:
            state, process = self._running
            while not _has_ended(process) and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
            self._settle(state, process, "")
        for state in self._waiting:
            state.run = _run_of(state, "incomplete", TargetError.exit_code, "The rig was stopped before it began.")
        self._waiting = []

    def _start(self, state: RunState) -> None:
        try:
            with open(state.job.log, "ab") as log:
                process = _started(self._commands.pop(0), state.job, log)
        except OSError as error:
            why = cause(error, "The system does not say.")
            state.run = _run_of(state, "incomplete", OutputError.exit_code, f"It could not be started. {why}")
            return
        self._running, state.pid = (state, process), process.pid

    def _look(self, state: RunState, process: subprocess.Popen[bytes]) -> None:
        now = time.monotonic()
        state.seconds = now - self._begun
        state.done, state.total, state.equal = state.job.progress()
        is_late = self._kill_at is not None
        if _has_ended(process) or (self._kill_at is not None and now > self._kill_at):
            late = f"It did not end within {state.job.seconds:,.0f} s, which `seconds` of the rig allows."
            self._settle(state, process, late if is_late else "")
        elif not is_late and state.seconds > state.job.seconds:
            self._kill_at = now + self._stop_seconds
            self.stop()

    def _settle(self, state: RunState, process: subprocess.Popen[bytes], late: str) -> None:
        """Goes on to the test's next command, or judges what came of it."""
        # Before the process is waited for, its number is nobody else's.
        _kill_group(process)
        code = process.wait()
        self._running, state.pid = None, None
        state.seconds = time.monotonic() - self._begun
        if code == 0 and not late and self._commands:
            self._start(state)
            return
        state.done, state.total, state.equal = state.job.progress()
        state.run = _judged(state, code, late)
        with suppress(OSError):
            state.job.steps.unlink(missing_ok=True)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has, without letting go of its number."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of a process and of what it started in its session, such as compilers."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _started(command: Sequence[str], job: Job, log: IO[bytes]) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    # The kernel tells the test to stop when this process is killed and cannot.
    setpriv = shutil.which("setpriv")
    guarded = [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)
    # A session of its own: Ctrl-C reaches this process, which tells each test once.
    return subprocess.Popen(
        guarded,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=inherited | {STEPS: str(job.steps.absolute())},
        start_new_session=True,
    )


def _judged(state: RunState, code: int, late: str) -> RigRun:
    """What came of a test: its own verdict where it left a result, else how its process ended."""
    found = state.job.result()
    if found is not None and found.verdict == "fail":
        return _run_of(state, "fail", DIFFERS, found.error)
    if found is not None and found.verdict == "pass":
        # All was compared; what else went wrong, such as a page that was not written, is told beside it.
        wrong = code if 0 < code < _SIGNALLED else 0
        return _run_of(state, "pass", wrong, state.job.said() if wrong else None)
    said = late or (found.error if found is not None and found.error else _ending(state.job, code))
    return _run_of(state, "incomplete", LinkError.exit_code if late else _without_verdict(code), said)


def _without_verdict(code: int) -> int:
    """The exit code of a test without a verdict: 1 stands for a difference, though a traceback ends with it, too."""
    return code if DIFFERS < code < _SIGNALLED else TargetError.exit_code


def _ending(job: Job, code: int) -> str:
    if code < 0:
        return told_of_end(code)
    return job.said() if code else "Its process ended with 0, but left no result."


def _run_of(state: RunState, verdict: str, code: int, error: str | None) -> RigRun:
    job, found = state.job, state.job.result()
    return RigRun.model_validate(
        {
            "name": job.name,
            "target": job.target,
            "model": job.model,
            "verdict": verdict,
            "exit_code": code,
            "done": state.done,
            "total": state.total,
            "compared_bytes": found.compared_bytes if found else 0,
            "mismatched_bytes": found.mismatched_bytes if found else 0,
            "seconds": round(state.seconds, 3),
            "error": None if error is None else printable(error),
            "result": job.place_of(job.json) if found else None,
            "report": job.place_of(job.html) if job.html.exists() else None,
            "log": job.place_of(job.log) if job.log.exists() else None,
        }
    )
