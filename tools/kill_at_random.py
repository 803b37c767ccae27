"""Kills `invoke hil-test` at random moments, resumes it, and compares what it ends with.

    python tools/kill_at_random.py --target host --kills 100 --seed 1 --json tests/vectors/killed-runs.json

A test is killed by SIGKILL, as by `kill -9`, resumed by the same command with --resume, and killed again, until it ends
before the next kill. Its result then has to be that of a test which nobody disturbed, but for dates, durations and what
a clock of this computer measured. Then the next test begins, until there were so many kills. Moments are uniform over
the length of the undisturbed test, which is timed first, and a tenth more after each kill. The exit code is 1 when a
result differs. The file is written after every test; tests of other targets and models in it stay.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host")]

from ecgseg.output import write_text  # noqa: E402
from ecgseg.runs.folder import JOURNAL, RESULT  # noqa: E402

INVOKE = (sys.executable, "-m", "invoke", "hil-test")
_OF_TIME = ("seconds", "provenance")
_CLOCK = "microseconds"


@dataclass(frozen=True)
class Kill:
    """A kill.

    Attributes:
        moment: seconds after the start of the process.
        leads: that the journal told to be finished.
        left: "nothing" before there was a journal, "a journal", or "the result", when only the process was killed.
    """

    moment: float
    leads: int
    left: str


@dataclass(frozen=True)
class Row:
    """A test that was killed until it ended; `whole` is how long an undisturbed one takes, in seconds."""

    target: str
    model: str
    records: str
    whole: float
    kills: tuple[Kill, ...]
    equal: bool


def undated(result: dict[str, Any]) -> dict[str, Any]:
    """A result without dates, durations and what a clock of this computer measured."""
    found = {name: value for name, value in result.items() if name not in _OF_TIME}
    found["by_lead"] = [{name: lead[name] for name in lead if name not in _OF_TIME} for lead in result["by_lead"]]
    if result["timing"]["unit"] == _CLOCK:
        del found["timing"]
    return found


def run(options: Sequence[str], place: Path, seconds: float | None) -> int | None:
    """Runs a test that keeps what it leaves in `place`; its exit code, None when it was killed after `seconds`."""
    with subprocess.Popen(
        [*INVOKE, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "host"), "ECGSEG_RUNS": str(place)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            return None


def killed(place: Path, moment: float) -> Kill:
    """What a kill left in a place."""
    if any(not path.with_name(JOURNAL).exists() for path in place.glob(f"*/{RESULT}")):
        return Kill(moment, 0, "the result")
    leads = [max(path.read_bytes().count(b"\n") - 1, 0) for path in place.glob(f"*/{JOURNAL}")]
    return Kill(moment, max(leads, default=0), "a journal" if leads else "nothing")


def ended(place: Path) -> dict[str, Any]:
    """What the one test of a place ended with.

    Raises:
        SystemExit: there is not one run that came to its end.
    """
    results = [json.loads(path.read_text(encoding="utf-8")) for path in place.glob(f"*/{RESULT}")]
    if len(results) != 1:
        raise SystemExit(f"{len(results)} runs ended in {place}, not one.")
    return undated(results[0])


def kill_until_it_ends(options: Sequence[str], place: Path, whole: float, draw: random.Random) -> list[Kill]:
    """Runs a test until it ends; what each kill before left."""
    kills: list[Kill] = []
    while len(kills) < 1000:
        resume = ("--resume",) if kills else ()
        # Longer from kill to kill, lest a computer that got busier never comes to the end.
        moment = draw.uniform(0, whole * (1 + len(kills) / 10))
        if run([*options, *resume], place, moment) is not None:
            return kills
        kills.append(killed(place, round(moment, 3)))
        if kills[-1].left == "the result":
            return kills
    raise SystemExit("It never came to its end.")


def rows(asked: argparse.Namespace) -> Iterator[Row]:
    """Tests, until there were as many kills as were asked for."""
    options = ("--target", asked.target, "--model", asked.model, "--records", asked.records)
    draw, kills = random.Random(asked.seed), 0
    with tempfile.TemporaryDirectory(prefix="ecgseg-killed-") as name:
        run(options, Path(name) / "built", None)
        started = time.monotonic()
        run(options, Path(name) / "undisturbed", None)
        whole, wanted = round(time.monotonic() - started, 3), ended(Path(name) / "undisturbed")
        for number in count():
            if kills >= asked.kills:
                return
            place = Path(name) / f"test-{number}"
            found = kill_until_it_ends(options, place, whole, draw)
            kills += len(found)
            yield Row(asked.target, asked.model, asked.records, whole, tuple(found), ended(place) == wanted)


def summary(found: Sequence[Row]) -> dict[str, object]:
    """What is kept: by target and model how many kills there were and how many results differed, and every test."""
    kinds = sorted({(row.target, row.model) for row in found})
    return {
        "totals": {
            f"{target} {model}": {
                "tests": len(own := [row for row in found if (row.target, row.model) == (target, model)]),
                "kills": sum(len(row.kills) for row in own),
                "other_results": sum(not row.equal for row in own),
            }
            for target, model in kinds
        },
        "tests": [asdict(row) for row in found],
    }


def read(file: Path | None) -> list[Row]:
    """The tests that a file holds already."""
    if file is None or not file.is_file():
        return []
    tests = json.loads(file.read_text(encoding="utf-8"))["tests"]
    return [Row(**{**test, "kills": tuple(Kill(**kill) for kill in test["kills"])}) for test in tests]


def write(file: Path, found: Sequence[Row]) -> None:
    """The totals, and a line for each test."""
    told = summary(found)
    lines = ",\n".join("  " + json.dumps(asdict(row)) for row in found)
    write_text(file, f'{{\n "totals": {json.dumps(told["totals"])},\n "tests": [\n{lines}\n ]\n}}\n')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="host")
    parser.add_argument("--model", default="seg-4-tcn-sm")
    parser.add_argument("--records", default="181-184", help="that a test sends")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to")
    asked = parser.parse_args()
    earlier = [row for row in read(asked.json) if (row.target, row.model) != (asked.target, asked.model)]
    found: list[Row] = []
    for row in rows(asked):
        found.append(row)
        print(f"{len(row.kills)} kills, {'the same result' if row.equal else 'ANOTHER RESULT'}", flush=True)
        if asked.json:
            write(asked.json, [*earlier, *found])
    print(json.dumps(summary(found)["totals"], indent=1))
    return int(not all(row.equal for row in found))


if __name__ == "__main__":
    sys.exit(main())
