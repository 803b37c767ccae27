"""The kept result of the long run over a bad line, and the tool that made it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import measure_faulty_line
from measure_faulty_line import FRAMES_OF_A_LEAD, Row, planned, read, totals, write

from ecgseg.targets import TargetOptions

KEPT = Path(__file__).parents[1] / "vectors/faulty-line.json"
# docs/protocol.md, section 4: five waits of 1 s and its doubles; and what the last one may take beside.
REQUEST_SECONDS = 31.0
START_SECONDS = TargetOptions().start_seconds
MARGIN_SECONDS = 1.0


def runs(rate: float) -> list[Row]:
    return [row for row in read(KEPT) if row.rate == rate]


def test_a_hundred_thousand_frames_over_a_line_with_a_fault_in_333_bytes_are_all_equal() -> None:
    rows = runs(1e-3)
    assert {row.verdict for row in rows} == {"pass"}
    assert sum(row.different_bytes for row in rows) == 0
    assert sum(row.frames for row in rows) >= 100_000
    assert len({row.seed for row in rows}) >= 4
    for row in rows:
        assert row.frames == len(row.records) * row.leads * FRAMES_OF_A_LEAD
        assert row.error is None
        assert min(row.retries, row.faults) > row.frames


def test_one_fault_in_33_bytes_lets_some_runs_pass_and_one_in_two_none() -> None:
    bad, hopeless = runs(1e-2), runs(0.5)
    assert sum(row.frames for row in bad) > 200
    assert {row.verdict for row in bad} <= {"pass", "absent", "incomplete"}
    assert {row.verdict for row in hopeless} == {"absent"}
    assert min(len(bad), len(hopeless)) >= 100


def test_no_rate_of_faults_has_ever_given_fail() -> None:
    rows = read(KEPT)
    assert {row.verdict for row in rows} <= {"pass", "incomplete", "absent"}
    assert not any(row.different_bytes for row in rows)


def test_a_run_without_a_verdict_ended_within_its_deadline() -> None:
    for row in read(KEPT):
        if row.verdict == "pass":
            continue
        assert row.error is not None
        waited = re.search(r"\d+ attempts? in (\d+\.\d) s;", row.error)
        assert waited is not None, row.error
        is_start = "within 20 s" in row.error
        assert float(waited.group(1)) <= (START_SECONDS if is_start else REQUEST_SECONDS) + MARGIN_SECONDS


def test_the_totals_are_those_of_the_runs() -> None:
    kept = json.loads(KEPT.read_text("utf-8"))["totals"]
    assert kept == {f"{rate:g}": totals(runs(rate)) for rate in {row.rate for row in read(KEPT)}}


def test_a_run_that_is_in_the_file_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[object] = []
    monkeypatch.setattr(measure_faulty_line.Ready, "of", lambda numbers: made.append(numbers))
    path = tmp_path / "kept.json"
    rows = read(KEPT)
    write(path, rows)
    assert read(path) == rows
    monkeypatch.setattr(sys, "argv", ["tool", "--json", str(path), "--frames", "100000"])
    assert measure_faulty_line.main() == 0
    assert f"0 runs, {len(runs(1e-3))} are there already" in capsys.readouterr().out
    assert (read(path), made) == (rows, [])


def test_runs_take_turns_with_the_patients_and_have_a_seed_each() -> None:
    jobs = planned([1e-2, 0.5], 400, 1, 1)
    assert len(jobs) == 200
    assert len({(job.rate, job.seed) for job in jobs}) == 200
    assert len({job.records for job in jobs}) == 40
