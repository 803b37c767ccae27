"""What tools/stop_at_random.py found: a test that is stopped at random moments leaves nothing that it must not."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from ecgseg import paths

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from stop_at_random import SIGNALS, Row, summary

FILE = paths.ROOT / "tests" / "vectors" / "stopped-runs.json"
KEPT = json.loads(FILE.read_text(encoding="utf-8"))
ROWS = [Row(**{**run, "faults": tuple(run["faults"])}) for run in KEPT["runs"]]
NAMES = {signal.Signals(number).name: 128 + number for number in SIGNALS}


def of(target: str, name: str) -> list[Row]:
    return [row for row in ROWS if (row.target, row.signal) == (target, name)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("target", "count"), [("host", 100), ("qemu", 20)])
def test_runs_were_stopped_at_so_many_moments_from_the_start_to_the_end(target: str, count: int, name: str) -> None:
    rows = of(target, name)
    assert len(rows) >= count
    shares = [row.moment / row.whole for row in rows]
    assert min(shares) < 0.2
    assert max(shares) > 0.8
    assert any(row.built for row in rows)
    assert any(not row.built for row in rows)
    assert {"nothing", "what was compared"} <= {row.left for row in rows}


def test_no_run_left_a_process_a_temporary_file_a_traceback_or_a_wrong_result() -> None:
    assert [row for row in ROWS if row.faults] == []


def test_every_run_that_had_heard_the_signal_told_so_by_its_exit_code() -> None:
    for row in ROWS:
        if row.left in ("nothing", "what was compared") and row.code >= 0:
            assert row.code == NAMES[row.signal]
    # Python hears nothing in its first hundredths of a second, and nothing any more when all is done.
    assert sum(row.code < 0 or row.code == 1 for row in ROWS) <= len(ROWS) // 20


def test_an_older_result_stayed_only_where_python_had_read_nothing_yet() -> None:
    assert {row.left for row in ROWS} <= {
        "nothing",
        "what was compared",
        "all, verdict pass",
        "an older result, for Python was still starting",
    }
    stayed = [row for row in ROWS if row.left.startswith("an older")]
    assert len(stayed) <= len(ROWS) // 50
    assert all(row.moment < 0.5 for row in stayed)


def test_the_totals_are_those_of_the_runs() -> None:
    assert json.loads(json.dumps(summary(ROWS))) == KEPT
