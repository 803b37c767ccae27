"""Stops `invoke hil-test` at random moments and looks at what each run leaves behind.

    python tools/stop_at_random.py --target host --moments 100 --seed 1 --json tests/vectors/stopped-runs.json

SIGTERM goes to invoke alone, as from a CI system, SIGINT and SIGHUP to its whole group, as from a terminal. Every run
finds an older result that says "pass" at its places. It has to leave a result of its own or none, to end with the
signal's exit code, and to leave no process, no temporary file and no traceback. Moments are uniform over a run, which
is timed first; a third of the runs begin with nothing built, so that compilers are stopped too. All this happens in a
copy of the repository. The file is written after every run. The exit code is 1 when a run left what it must not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host")]

from ecgseg.data.databases.ludb import ENVIRONMENT, find_ludb  # noqa: E402
from ecgseg.interruption import Stopped  # noqa: E402
from ecgseg.output import write_text  # noqa: E402

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
# What a background shell starts ignores SIGINT, which a child would inherit.
HEARING = ("env", "--default-signal=INT,TERM,HUP")
INVOKE = (sys.executable, "-m", "invoke")
OLDER = "pass, of an older run"
_PARTS = ("host", "firmware", "models", "tasks.py", "pyproject.toml")
_END_SECONDS = 60.0
_GRACE_SECONDS = 2.0
_MARK = "ECGSEG_STOPPED_RUN"


@dataclass(frozen=True)
class Left:
    """What a run left when it was stopped.

    Attributes:
        number: of the signal.
        heard: the run had installed its handlers before the signal came.
        code: exit code of the process; that of a signal that killed it is below zero.
        told: what it printed.
        seconds: from the signal to its end.
        result: its own JSON; None where there is none.
        has_page: its own HTML is there.
        older: results of an older run that are still there.
        processes: command lines of those that outlived it.
        files: temporary files.
    """

    number: int
    heard: bool
    code: int
    told: str
    seconds: float
    result: dict[str, object] | None
    has_page: bool
    older: list[str]
    processes: list[str]
    files: list[str]

    def faults(self) -> Iterator[str]:
        """What it must not have left."""
        # What Python does before it reads anything of this repository is its own.
        if self.heard:
            yield from self._wrong_end()
            yield from (f"older result {name}" for name in self.older)
        if self.result is not None:
            yield from self._wrong_result(self.result)
        if (self.result is not None) != self.has_page:
            yield "one of JSON and HTML is missing"
        yield from (f"process {line}" for line in self.processes)
        yield from (f"temporary file {name}" for name in self.files)

    def _wrong_end(self) -> Iterator[str]:
        # What comes when everything is done and written changes nothing any more.
        whole = self.result is not None and self.result["verdict"] == "pass" and self.has_page
        if not (self.code == 128 + self.number or (self.code == 0 and whole)):
            yield f"exit code {self.code}"
        if "Traceback" in self.told or "Exception ignored" in self.told:
            yield f"traceback: {self.told[-600:]}"

    def _wrong_result(self, result: dict[str, object]) -> Iterator[str]:
        frames, expected = int(str(result["frames"])), int(str(result["expected_frames"]))
        if result["mismatched_bytes"] != 0 or not 0 <= frames <= expected:
            yield f"a result of {frames} of {expected} frames, {result['mismatched_bytes']} bytes different"
        if result["verdict"] == "pass":
            if result["frames"] != result["planned_frames"]:
                yield "pass, though not everything was compared"
        elif (result["verdict"], result["error"]) != ("incomplete", str(Stopped(self.number))):
            yield f"verdict {result['verdict']}, {result['error']}"


class EndedError(Exception):
    """A run came to its end before it was to be stopped; `seconds` after it had been started."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def stopped(
    options: Sequence[str], number: int, seconds: float, folder: Path, *, root: Path = ROOT, heard_first: bool = False
) -> Left:
    """Starts a HIL test and stops it.

    Args:
        options: of `hil-test`, without places for results.
        number: of the signal.
        seconds: after which it is sent.
        folder: an empty one for its results.
        root: repository in which it runs.
        heard_first: the seconds count from when it hears signals, not from its start.

    Raises:
        EndedError: it came to its end before.
    """
    places = {"--json": folder / "results" / "result.json", "--html": folder / "results" / "report.html"}
    for place in places.values():
        write_text(place, OLDER)
    (folder / "tmp").mkdir()
    words = ["hil-test", *options, *(str(word) for pair in places.items() for word in pair)]
    with _started(words, root, folder) as process:
        if heard_first:
            _wait_until_it_hears(process.pid)
        _wait(process, seconds)
        heard = _hears(process.pid)
        sent = time.monotonic()
        (os.kill if number == signal.SIGTERM else os.killpg)(process.pid, number)
        told = process.communicate(timeout=_END_SECONDS)[0]
        took = time.monotonic() - sent
    own, older = _results(places.values())
    return Left(
        number=number,
        heard=heard,
        code=process.returncode,
        told=told,
        seconds=round(took, 3),
        result=json.loads(own[places["--json"]]) if places["--json"] in own else None,
        has_page=places["--html"] in own,
        older=older,
        processes=left_behind(f"{_MARK}={folder}"),
        files=sorted(str(path.relative_to(folder)) for path in _others(folder, tuple(places.values()))),
    )


def _wait(process: subprocess.Popen[str], seconds: float) -> None:
    started = time.monotonic()
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        process.communicate()
        raise EndedError(time.monotonic() - started)


def _results(places: Iterable[Path]) -> tuple[dict[Path, str], list[str]]:
    """What a run has written where, and the names of what it has left of an older one."""
    contents = {place: place.read_text() for place in places if place.exists()}
    older = {place for place, text in contents.items() if text == OLDER}
    return {place: contents[place] for place in contents.keys() - older}, sorted(place.name for place in older)


def _started(words: Sequence[str], root: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*HEARING, *INVOKE, *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "host"), "TMPDIR": str(folder / "tmp"), _MARK: str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _others(folder: Path, places: Sequence[Path]) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path not in (*places, places[0].parent, folder / "tmp"))


def _hears(pid: int) -> bool:
    """All signals are caught by the process; one that has ended hears nothing."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = status.partition("SigCgt:")[2].split()
    return bool(found) and all(int(found[0], 16) >> number - 1 & 1 for number in SIGNALS)


def _wait_until_it_hears(pid: int) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while not _hears(pid):
        if time.monotonic() > deadline:
            raise TimeoutError("invoke does not start")
        time.sleep(0.01)


def left_behind(mark: str) -> list[str]:
    """Command lines of this machine's processes that have a mark in their environment and do not end soon."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while found := [line for folder in Path("/proc").iterdir() if (line := _marked(folder, mark.encode()))]:
        if time.monotonic() > deadline:
            return found
        time.sleep(0.05)
    return []


def _marked(process: Path, mark: bytes) -> str:
    try:
        if process.name.isdigit() and mark in (process / "environ").read_bytes():
            return (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ") or process.name
    except OSError:
        # It has ended, or is not ours.
        pass
    return ""


def unfinished(root: Path) -> list[str]:
    """Files and folders in `build` of a repository that only work which goes on may have there."""
    names = (path.relative_to(root) for path in (root / "build").rglob("*"))
    return sorted(str(name) for name in names if ".part" in name.name or name.name.startswith("tmp"))


@dataclass(frozen=True)
class Row:
    """One run; `moment` and `whole` in seconds, the latter of a run that nobody stops."""

    signal: str
    target: str
    built: bool
    moment: float
    whole: float
    left: str
    code: int
    seconds: float
    faults: tuple[str, ...]


class House:
    """A copy of the repository that runs one HIL test after the other.

    Args:
        root: an empty folder for it.
        options: of `hil-test`.
    """

    def __init__(self, root: Path, options: Sequence[str]) -> None:
        self.root = root
        self._options = options
        self._runs = 0
        for part in _PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, root / part)
        self._run()  # Python compiles its modules now, not later.

    def _run(self) -> float:
        started = time.monotonic()
        done = subprocess.run(
            [*INVOKE, "hil-test", *self._options],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root / "host")},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"A run that nobody stops ends with {done.returncode}: {done.stderr}")
        return time.monotonic() - started

    def _clear(self) -> None:
        shutil.rmtree(self.root / "build", ignore_errors=True)

    def whole(self, built: bool) -> float:
        """Seconds of a run that nobody stops; also the proof that those before left nothing that disturbs it."""
        if not built:
            self._clear()
        return self._run()

    def stop(self, number: int, seconds: float, built: bool) -> Left:
        """Stops a run; without `built` it begins with nothing built."""
        if not built:
            self._clear()
        self._runs += 1
        folder = self.root / f"run-{self._runs}"
        folder.mkdir()
        left = stopped(self._options, number, seconds, folder, root=self.root)
        return replace(left, files=[*left.files, *unfinished(self.root)])


def rows(house: House, options: argparse.Namespace) -> Iterator[Row]:
    """Stops runs of a house, as many as were asked for."""
    draw = random.Random(options.seed)
    whole = {built: house.whole(built) for built in (False, True)}
    for index in range(options.moments):
        built = index >= options.moments // 3
        if index == options.moments // 3:
            house.whole(built)
        for number in SIGNALS:
            left = None
            while left is None:
                moment = draw.uniform(0, whole[built])
                try:
                    left = house.stop(number, moment, built)
                except EndedError as ended:
                    whole[built] = ended.seconds  # The computer was busier when it was timed.
            yield Row(
                signal=signal.Signals(number).name,
                target=options.target,
                built=built,
                moment=round(moment, 3),
                whole=round(whole[built], 3),
                left=_outcome(left),
                code=left.code,
                seconds=left.seconds,
                faults=tuple(left.faults()),
            )
    house.whole(True)


def _outcome(left: Left) -> str:
    if left.result is None:
        return "an older result, for Python was still starting" if left.older else "nothing"
    return "all, verdict pass" if left.result["verdict"] == "pass" else "what was compared"


def summary(found: Sequence[Row]) -> dict[str, object]:
    """What is kept: by target and signal how many runs left what, and every run."""
    kinds = sorted({(row.target, row.signal) for row in found})
    return {
        "totals": {
            f"{target} {name}": {
                "runs": len(own := [row for row in found if (row.target, row.signal) == (target, name)]),
                "left": dict(Counter(row.left for row in own)),
                "exit_codes": dict(Counter(str(row.code) for row in own)),
                "slowest_end_seconds": max(row.seconds for row in own),
                "faults": sum(bool(row.faults) for row in own),
            }
            for target, name in kinds
        },
        "runs": [asdict(row) for row in found],
    }


def _kept(file: Path | None, target: str) -> list[Row]:
    """Runs of other targets that a file holds already."""
    if file is None or not file.is_file():
        return []
    runs = [Row(**run) for run in json.loads(file.read_text(encoding="utf-8"))["runs"]]
    return [replace(run, faults=tuple(run.faults)) for run in runs if run.target != target]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="host")
    parser.add_argument("--moments", type=int, default=100, help="of each signal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", default="181-190", help="that a run sends")
    parser.add_argument("--json", type=Path, help="where to; runs of other targets in it stay")
    options = parser.parse_args()
    ludb = find_ludb()
    if ludb is not None:
        os.environ[ENVIRONMENT] = str(ludb.resolve())
    found = _kept(options.json, options.target)
    with tempfile.TemporaryDirectory(prefix="ecgseg-stopped-") as folder:
        house = House(Path(folder), ("--target", options.target, "--records", options.records))
        for row in rows(house, options):
            found.append(row)
            print(row, flush=True)
            if options.json:
                write_text(options.json, json.dumps(summary(found), indent=1, sort_keys=True) + "\n")
    print(json.dumps(summary(found)["totals"], indent=1))
    return int(any(row.faults for row in found))


if __name__ == "__main__":
    sys.exit(main())
