"""Trains in a process of its own: always the same environment, whatever process asks for it and what that has done.

numpy and TensorFlow read the environment once, and TensorFlow takes its threads once a process. So a training that is
to give the same bytes on every worker, after whatever the worker did before, has a process for itself.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from ecgseg import errors, paths
from ecgseg.errors import EcgsegError, TargetError, UsageError
from ecgseg.files import plain
from ecgseg.interruption import told_of_end
from ecgseg.zoo.jobs import Job, Outcome, versions_of_packages
from ecgseg.zoo.progress import Report, Tell

_MODULE = "ecgseg.zoo.training_process"
_TAIL = 2000
_SHOWN = 60
_KINDS = {
    kind.__name__: kind for kind in (UsageError, errors.DataError, errors.ModelError, errors.OutputError, TargetError)
}


class Order(BaseModel):
    """What a process is to train.

    Attributes:
        job: the training.
        work: folder for its checkpoints.
        environment: what decides the bytes; none of these variables is there but those that are named.
        identity: what has to be the same here as where the order was given; empty where that is the same computer.
    """

    model_config = ConfigDict(frozen=True)

    job: Job
    work: Path
    environment: dict[str, str]
    identity: dict[str, str] = {}


class Failure(BaseModel):
    """An error of the three parts, to be raised elsewhere."""

    kind: str
    what: str
    why: str
    remedy: str

    @staticmethod
    def of(error: EcgsegError) -> Failure:
        """What an error says."""
        return Failure(kind=type(error).__name__, what=error.what, why=error.why, remedy=error.remedy)

    def error(self) -> EcgsegError:
        """The error again."""
        return _KINDS.get(self.kind, TargetError)(self.what, self.why, self.remedy)


class Line(BaseModel):
    """What a training says: one of the three."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    report: Report | None = None
    outcome: Outcome | None = None
    failure: Failure | None = None


class _Runs:
    """The processes of each run, by its name, so that they can be ended from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: dict[str, set[subprocess.Popen[str]]] = {}
        self._ended: set[str] = set()

    def add(self, run: str, process: subprocess.Popen[str]) -> None:
        """A process of a run; it is ended at once where the run is."""
        with self._lock:
            self._processes.setdefault(run, set()).add(process)
            if run in self._ended:
                process.kill()

    def remove(self, run: str, process: subprocess.Popen[str]) -> None:
        """The process is gone."""
        with self._lock:
            self._processes[run].discard(process)

    def end(self, run: str) -> None:
        """Ends every process of a run, and those that it would start."""
        with self._lock:
            self._ended.add(run)
            for process in self._processes.get(run, ()):
                process.kill()


_RUNS = _Runs()


def end_run(run: str) -> None:
    """Ends the trainings of a run that this process looks after; when they are wanted again they go on."""
    _RUNS.end(run)


def train_apart(order: Order, tell: Tell, run: str) -> Outcome:
    """Trains in a process of its own and waits for it.

    Args:
        order: what to train.
        tell: is told where the training is, some times a second.
        run: names what the training belongs to, for :func:`end_run`.

    Raises:
        EcgsegError: the training's own error.
        TargetError: its process was ended, or ended without a result.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = _start(order.environment, said)
        _RUNS.add(run, process)
        try:
            return _followed(process, order, tell, said)
        finally:
            process.kill()
            process.wait()
            _RUNS.remove(run, process)


def _start(environment: dict[str, str], said: IO[str]) -> subprocess.Popen[str]:
    from ecgseg.zoo.instruction_set import DECISIVE

    inherited = {name: value for name, value in os.environ.items() if name not in DECISIVE}
    here = str(Path(errors.__file__).parents[1])
    path = os.pathsep.join(part for part in (here, inherited.get("PYTHONPATH")) if part)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        encoding="utf-8",
        cwd=paths.ROOT,
        env=inherited | environment | {"PYTHONPATH": path},
        # Ctrl-C reaches who started it, who tells where it was and ends it.
        start_new_session=True,
    )


def _followed(process: subprocess.Popen[str], order: Order, tell: Tell, said: IO[str]) -> Outcome:
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, process.stdin:
        try:
            process.stdin.write(order.model_dump_json() + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # It ended already, and says why below.
        for text in process.stdout:
            line = Line.model_validate_json(text)
            if line.report is not None:
                tell(line.report)
            if line.failure is not None:
                raise line.failure.error()
            if line.outcome is not None:
                return line.outcome
        raise _died(order.job.label, process.wait(), said)


def _died(label: str, code: int, said: IO[str]) -> TargetError:
    again = "Run the command again; it goes on from its last look."
    if code < 0:
        return TargetError(f"The training of {label} was cut off.", told_of_end(code), again)
    said.seek(0)
    lines = said.read().strip()[-_TAIL:].splitlines()
    return TargetError(
        f"The training of {label} ended without a result.",
        f"Its process ended with {code}. " + ("It said last: " + plain(lines[-1]) if lines else "It said nothing."),
        again,
    )


def identity(*, held: bool) -> dict[str, str]:
    """What decides the bytes of a training beside its order: packages, this package's sources, instructions of the CPU.

    Args:
        held: the instruction set is held still, so that the CPU's own decides nothing.
    """
    package = Path(errors.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    found = {name: version for name, version in versions_of_packages().items() if name != "python"}
    found["ecgseg"] = digest.hexdigest()[:12]
    if not held:
        features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
        found["instruction set"] = " ".join(sorted(name for name, there in features.items() if there))
    return found


def require_same(order: Order) -> None:
    """Refuses to train where other bytes would come of it.

    Raises:
        UsageError: something is not as it is where the order was given.
    """
    if not order.identity:
        return
    found = identity(held="instruction set" not in order.identity)
    for name, wanted in order.identity.items():
        if found.get(name) != wanted:
            raise UsageError(
                f"A worker of the cluster has another {name} than this computer.",
                f"There it is {plain(found.get(name, 'none'), _SHOWN)}, here {plain(wanted, _SHOWN)}. "
                "The result would depend on where it was trained.",
                "Give every worker the same packages, sources and kind of CPU, or train with --on local.",
            )
