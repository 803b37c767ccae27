r"""The long run over a bad line: frames on `host` at rates of faults and seeds, with the verdict of every run.

    python tools/measure_faulty_line.py --json tests/vectors/faulty-line.json --frames 100000
    python tools/measure_faulty_line.py --json tests/vectors/faulty-line.json --frames 400 --rates 1e-2,0.5 \
        --records-a-run 1 --leads 1

Each rate holds for drop, flip and dup each, in both directions; each run has a seed of its own, and sends leads of
some of LUDB's test patients. The file is written after every run. Runs that it has already are not made again, so a
command that was stopped goes on where it was, and another rate is added to it. The exit code is 1 when a byte differed.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host")]

from ecgseg.data.databases.ludb import LEADS, split  # noqa: E402
from ecgseg.data.inputs import Inputs, choose_inputs  # noqa: E402
from ecgseg.data.records import Record  # noqa: E402
from ecgseg.errors import EcgsegError  # noqa: E402
from ecgseg.hil.inject import parse_faults  # noqa: E402
from ecgseg.hil.runner import HilOptions, run  # noqa: E402
from ecgseg.image.backends import render_and_build  # noqa: E402
from ecgseg.models import find_model, generated_folder  # noqa: E402
from ecgseg.output import write_text  # noqa: E402
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter  # noqa: E402

FRAMES_OF_A_LEAD = 4
TARGET = "host"
ABSENT: dict[str, Any] = {
    "verdict": "absent",
    **dict.fromkeys(("frames", "different_bytes", "requests", "retries", "faults"), 0),
}


@dataclass(frozen=True)
class Job:
    """One run: its rate of faults, the seed that chooses them, the records that are sent, how many leads of each."""

    rate: float
    seed: int
    records: tuple[int, ...]
    leads: int


@dataclass(frozen=True)
class Row:
    """What came of a run; `verdict` is "absent" when it ended before the first frame."""

    rate: float
    seed: int
    records: tuple[int, ...]
    leads: int
    verdict: str
    frames: int
    different_bytes: int
    requests: int
    retries: int
    faults: int
    seconds: float
    error: str | None

    @property
    def job(self) -> Job:
        """The run."""
        return Job(self.rate, self.seed, self.records, self.leads)


class Remembering(Segmenter):
    """Works out what the device must answer to a record once, however many runs send it."""

    def __init__(self, model: bytes) -> None:
        super().__init__(model)
        self._known: dict[bytes, list[ExpectedFrame]] = {}

    def expect(self, raw: npt.NDArray[np.int16]) -> list[ExpectedFrame]:
        """As the device answers."""
        key = raw.tobytes()
        if key not in self._known:
            self._known[key] = super().expect(raw)
        return self._known[key]


@dataclass(frozen=True)
class Ready:
    """What all runs share; the processes that make them are copies of the one that prepared it."""

    reference: Remembering
    inputs: Inputs
    records: dict[int, list[Record]]
    generated: Path

    @staticmethod
    def of(numbers: tuple[int, ...]) -> Ready:
        """Builds the image, reads the records, and has the reference answer all of them."""
        model = find_model()
        render_and_build(TARGET, model)
        reference = Remembering(model.data)
        inputs = choose_inputs(numbers)
        records: dict[int, list[Record]] = {number: [] for number in inputs.records}
        for record in inputs:
            records[record.record_id].append(record)
            reference.expect(record.samples)
        return Ready(reference, inputs, records, generated_folder(model))

    def sent(self, job: Job) -> Inputs:
        """The inputs of one run."""
        leads = self.inputs.leads[: job.leads]
        ready = tuple(one for number in job.records for one in self.records[number] if one.lead in leads)
        return Inputs(self.inputs.source, job.records, leads, ready=ready)


_ready: Ready | None = None


def measure(job: Job) -> Row:
    """All leads of these records over one line."""
    assert _ready is not None
    faults = parse_faults(f"drop={job.rate:g},flip={job.rate:g},dup={job.rate:g}", job.seed)
    options = HilOptions(TARGET, records=job.records, inject=faults, generated=_ready.generated, shown_bytes=0)
    started = time.monotonic()
    try:
        finished = run(options, reference=_ready.reference, inputs=_ready.sent(job))
    except EcgsegError as error:
        passed = round(time.monotonic() - started, 1)
        return Row(**asdict(job), **ABSENT, seconds=passed, error=f"{error.what} {error.why}")
    result, error_of_run = finished.result, finished.error
    assert result.injected is not None
    return Row(
        **asdict(job),
        verdict=result.verdict,
        frames=result.frames,
        different_bytes=result.mismatched_bytes,
        requests=result.requests,
        retries=result.retries,
        faults=result.injected.to_device + result.injected.to_host,
        seconds=result.seconds,
        error=f"{error_of_run.what} {error_of_run.why}" if isinstance(error_of_run, EcgsegError) else result.error,
    )


def totals(rows: Sequence[Row]) -> dict[str, object]:
    """Of all runs at one rate."""
    return {
        "runs": len(rows),
        "seeds": len({row.seed for row in rows}),
        "frames": sum(row.frames for row in rows),
        "different_bytes": sum(row.different_bytes for row in rows),
        "requests": sum(row.requests for row in rows),
        "retries": sum(row.retries for row in rows),
        "faults": sum(row.faults for row in rows),
        "verdicts": dict(sorted(Counter(row.verdict for row in rows).items())),
    }


def write(path: Path, rows: Sequence[Row]) -> None:
    """Totals of each rate, and every run in a line of its own."""
    ordered = sorted(rows, key=lambda row: (row.rate, row.seed))
    rates = sorted({row.rate for row in rows})
    by_rate = {f"{rate:g}": totals([row for row in rows if row.rate == rate]) for rate in rates}
    lines = ",\n".join("  " + json.dumps(asdict(row)) for row in ordered)
    text = f' "target": "{TARGET}",\n "totals": {json.dumps(by_rate)},\n "runs": [\n{lines}\n ]'
    write_text(path, f"{{\n{text}\n}}\n")


def read(path: Path) -> list[Row]:
    """The runs of an earlier command."""
    if not path.exists():
        return []
    return [Row(**run | {"records": tuple(run["records"])}) for run in json.loads(path.read_text("utf-8"))["runs"]]


def planned(rates: Sequence[float], frames: int, records_a_run: int, leads: int) -> list[Job]:
    """Runs of so many frames at each rate; patients take turns."""
    test = split()["test"]
    size = min(records_a_run, len(test))
    runs = math.ceil(frames / (FRAMES_OF_A_LEAD * leads * size))
    firsts = [index * size % len(test) for index in range(runs)]
    chosen = [tuple(sorted((test + test)[first : first + size])) for first in firsts]
    return [Job(rate, 1 + index, records, leads) for index, records in enumerate(chosen) for rate in rates]


def main() -> int:
    global _ready
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000, help="of each rate")
    parser.add_argument("--rates", default="1e-3", help="of drop, flip and dup each, with commas between them")
    parser.add_argument("--records-a-run", type=int, default=10)
    parser.add_argument("--leads", type=int, default=len(LEADS), help="of each record")
    parser.add_argument("--at-once", type=int, default=24, help="runs at the same time, each in a process of its own")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    jobs = planned(list(map(float, options.rates.split(","))), options.frames, options.records_a_run, options.leads)
    rows = read(options.json)
    made = {row.job for row in rows}
    missing = [job for job in jobs if job not in made]
    print(f"{len(missing)} runs, {len(jobs) - len(missing)} are there already", flush=True)
    if not missing:
        return int(any(row.different_bytes for row in rows))
    _ready = Ready.of(tuple(sorted({number for job in jobs for number in job.records})))
    # Most of a run is waiting for what was lost, so many more of them than there are cores go on at once. Ctrl-C ends
    # them without a word: what Python says of it there are tracebacks.
    pool = ProcessPoolExecutor(
        options.at_once,
        mp_context=multiprocessing.get_context("fork"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        for done in as_completed([pool.submit(measure, job) for job in missing]):
            rows.append(done.result())
            print(rows[-1], flush=True)
            write(options.json, rows)
    finally:
        pool.shutdown(cancel_futures=True)
    return int(any(row.different_bytes for row in rows))


if __name__ == "__main__":
    sys.exit(main())
