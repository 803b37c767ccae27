"""Kills `invoke hil-test` at random moments, resumes it, and compares what it ends with.

    python tools/kill_at_random.py --target host --kills 100 --seed 1

A test is killed by SIGKILL, as by `kill -9`, resumed by the same command with --resume, and killed again, until it ends
before the next kill. Its result then has to be that of a test which nobody disturbed, but for dates, durations and what
a clock of this computer measured. Then the next test begins, until there were so many kills. Moments are uniform over
the length of the undisturbed test, which is timed first, and a tenth more after each kill. The exit code is 1 when a
result differs.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host")]

from ecgseg.runs.folder import JOURNAL, RESULT  # noqa: E402

INVOKE = (sys.executable, "-m", "invoke", "hil-test")
_OF_TIME = ("seconds", "provenance")
_CLOCK = "microseconds"


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


def has_ended(place: Path) -> bool:
    """Whether a test of a place has its result, and only its process was killed."""
    return any(not path.with_name(JOURNAL).exists() for path in place.glob(f"*/{RESULT}"))


def ended(place: Path) -> dict[str, Any]:
    """What the one test of a place ended with.

    Raises:
        SystemExit: there is not one run that came to its end.
    """
    results = [json.loads(path.read_text(encoding="utf-8")) for path in place.glob(f"*/{RESULT}")]
    if len(results) != 1:
        raise SystemExit(f"{len(results)} runs ended in {place}, not one.")
    return undated(results[0])


def test(options: Sequence[str], place: Path, whole: float, draw: random.Random) -> int:
    """Runs a test until it ends; how often it was killed before."""
    for kills in range(1000):
        resume = ("--resume",) if kills else ()
        # Longer from kill to kill, lest a computer that got busier never comes to the end.
        if run([*options, *resume], place, draw.uniform(0, whole * (1 + kills / 10))) is not None:
            return kills
        if has_ended(place):
            return kills + 1
    raise SystemExit("It never came to its end.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="host")
    parser.add_argument("--model", default="seg-4-tcn-sm")
    parser.add_argument("--records", default="181-184", help="that a test sends")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    options = ("--target", asked.target, "--model", asked.model, "--records", asked.records)
    draw, kills, tests, differing = random.Random(asked.seed), 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="ecgseg-killed-") as name:
        run(options, Path(name) / "built", None)
        started = time.monotonic()
        run(options, Path(name) / "undisturbed", None)
        whole, wanted = time.monotonic() - started, ended(Path(name) / "undisturbed")
        while kills < asked.kills:
            tests += 1
            place = Path(name) / f"test-{tests}"
            killed = test(options, place, whole, draw)
            equal = ended(place) == wanted
            kills, differing = kills + killed, differing + (not equal)
            print(f"test {tests}: {killed} kills, {'the same result' if equal else 'ANOTHER RESULT'}", flush=True)
    print(f"{kills} kills in {tests} tests, {differing} with another result than the undisturbed one")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
