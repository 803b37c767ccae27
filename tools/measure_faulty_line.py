"""The long run over a bad line: frames on `host` at rates of faults and seeds, with the verdict of every run.

    python tools/measure_faulty_line.py --frames 100000 --rates 1e-3 --seeds 4 --json tests/vectors/faulty-line.json

Each rate holds for drop, flip and dup each, in both directions. The frames are shared out among the seeds. The file is
written after every run, so a run that is stopped keeps what was measured. The exit code is 1 when a byte differed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host")]

from ecgseg.data.databases.ludb import LEADS, split  # noqa: E402
from ecgseg.errors import EcgsegError  # noqa: E402
from ecgseg.hil.inject import parse_faults  # noqa: E402
from ecgseg.hil.runner import HilOptions, run  # noqa: E402
from ecgseg.output import write_text  # noqa: E402

FRAMES_OF_A_RECORD = 4 * len(LEADS)


@dataclass(frozen=True)
class Row:
    """One run; `verdict` is "absent" when it ended before the first frame."""

    rate: float
    seed: int
    verdict: str
    frames: int
    different_bytes: int
    requests: int
    retries: int
    faults: int
    seconds: float
    error: str | None


def measure(rate: float, seed: int, records: tuple[int, ...]) -> Row:
    """All leads of these records over one line."""
    faults = parse_faults(f"drop={rate:g},flip={rate:g},dup={rate:g}", seed)
    started = time.monotonic()
    try:
        result = run(HilOptions("host", records=records, inject=faults, shown_leads=0)).result
    except EcgsegError as error:
        return Row(rate, seed, "absent", 0, 0, 0, 0, 0, round(time.monotonic() - started, 1), error.what)
    assert result.injected is not None
    return Row(
        rate=rate,
        seed=seed,
        verdict=result.verdict,
        frames=result.frames,
        different_bytes=result.mismatched_bytes,
        requests=result.requests,
        retries=result.retries,
        faults=result.injected.to_device + result.injected.to_host,
        seconds=result.seconds,
        error=result.error,
    )


def totals(rows: list[Row]) -> dict[str, object]:
    """Of all runs at one rate."""
    return {
        "runs": len(rows),
        "frames": sum(row.frames for row in rows),
        "different_bytes": sum(row.different_bytes for row in rows),
        "retries": sum(row.retries for row in rows),
        "faults": sum(row.faults for row in rows),
        "verdicts": dict(Counter(row.verdict for row in rows)),
    }


def summary(rows: list[Row]) -> dict[str, object]:
    """What is kept: totals of each rate, and every run."""
    by_rate = {f"{rate:g}": totals([row for row in rows if row.rate == rate]) for rate in {row.rate for row in rows}}
    return {"target": "host", "totals": by_rate, "runs": [asdict(row) for row in rows]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000, help="of each rate")
    parser.add_argument("--rates", default="1e-3", help="of drop, flip and dup each, with commas between them")
    parser.add_argument("--seeds", type=int, default=4, help="how many")
    parser.add_argument("--records-a-run", type=int, default=40)
    parser.add_argument("--at-once", type=int, default=1, help="runs that go on at the same time")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    test = split()["test"]
    size = min(options.records_a_run, len(test))
    runs = math.ceil(options.frames / (FRAMES_OF_A_RECORD * size))
    rows: list[Row] = []
    # Most of a run is waiting for what was lost, so several go on at once.
    with ThreadPoolExecutor(options.at_once) as pool:
        going = [
            pool.submit(measure, rate, 1 + index, tuple((test + test)[first : first + size]))
            for index in range(max(runs, options.seeds))
            for first in (index * size % len(test),)
            for rate in map(float, options.rates.split(","))
        ]
        for done in as_completed(going):
            rows.append(done.result())
            print(rows[-1], flush=True)
            rows.sort(key=lambda row: (row.rate, row.seed))
            write_text(options.json, json.dumps(summary(rows), indent=1, sort_keys=True) + "\n")
    return int(any(row.different_bytes for row in rows))


if __name__ == "__main__":
    sys.exit(main())
