"""Tests of a rig side by side, as programs that only pretend: what becomes of one is nothing to the others."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from ecgseg.hil.rig.jobs import STEPS, Job
from ecgseg.hil.rig.processes import RunState, run_jobs
from ecgseg.hil.rig.result import RigResult, RigRun
from support.report_pages import result

WHOLE = 600.0
HANGS = "trap '' TERM; while :; do sleep 0.1; done"


def job(folder: Path, name: str, script: str, *, leaves: str = "", seconds: float = WHOLE, number: int = 1) -> Job:
    """A test that is a script of the shell; `leaves` is the verdict that lies at $KEPT."""
    made = Job(name, "host", "m", (), folder, f"{number}-{name}", seconds)
    kept = folder / f"{made.stem}.kept"
    kept.write_text(result(verdict=leaves or "pass", mismatched_bytes=int(leaves == "fail")).model_dump_json())
    words = f"KEPT='{kept}'; JSON='{made.json}'; {script}"
    return Job(name, "host", "m", (("sh", "-c", words),), folder, made.stem, seconds)


def quiet(states: Sequence[RunState]) -> None:
    pass


def test_each_test_has_its_own_end_whatever_the_others_come_to(tmp_path: Path) -> None:
    ends = {
        "good": job(tmp_path, "good", f'echo 3 4 1 > ${STEPS}; cp "$KEPT" "$JSON"'),
        "differs": job(tmp_path, "differs", 'cp "$KEPT" "$JSON"; exit 1', leaves="fail"),
        "cut": job(tmp_path, "cut", 'cp "$KEPT" "$JSON"; exit 8', leaves="incomplete"),
        "page": job(tmp_path, "page", 'cp "$KEPT" "$JSON"; echo "Error: The disk is full." >&2; exit 9'),
        "killed": job(tmp_path, "killed", f"sleep 600 & echo $! > {tmp_path}/child; kill -9 $$"),
        "bug": job(tmp_path, "bug", "echo Traceback >&2; echo 'KeyError: 4' >&2; exit 1"),
        "tool": job(tmp_path, "tool", "printf 'Error: No QEMU.\\n  Why: It is not there.\\n' >&2; exit 5"),
        "mute": job(tmp_path, "mute", "exit 0"),
        "half": job(tmp_path, "half", 'head -c 40 "$KEPT" > "$JSON"'),
        "hangs": job(tmp_path, "hangs", HANGS, seconds=0.2),
    }
    runs = {run.name: run for run in run_jobs(list(ends.values()), quiet, stop_seconds=0.3).runs}
    assert list(runs) == list(ends)
    assert {name: (run.verdict, run.exit_code) for name, run in runs.items()} == {
        "good": ("pass", 0),
        "differs": ("fail", 1),
        "cut": ("incomplete", 8),
        "page": ("pass", 9),
        "killed": ("incomplete", 7),
        "bug": ("incomplete", 7),
        "tool": ("incomplete", 5),
        "mute": ("incomplete", 7),
        "half": ("incomplete", 7),
        "hangs": ("incomplete", 8),
    }
    said = {name: run.error or "" for name, run in runs.items()}
    assert said["tool"] == "No QEMU. Why: It is not there."
    assert said["bug"] == "KeyError: 4"
    assert "SIGKILL" in said["killed"]
    assert "within 0 s" in said["hangs"]
    assert (said["page"], said["good"]) == ("The disk is full.", "")
    assert (runs["good"].done, runs["good"].total) == (3, 4)
    assert runs["good"].result == f"{tmp_path.name}/1-good.json"
    # What a test that was killed left behind is gone, too.
    child = int((tmp_path / "child").read_text())
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text()
    assert not list(tmp_path.glob("*.steps"))


def test_tests_of_one_target_follow_one_another(tmp_path: Path) -> None:
    busy = f'mkdir {tmp_path}/board || exit 5; sleep 0.2; rmdir {tmp_path}/board; cp "$KEPT" "$JSON"'
    jobs = [job(tmp_path, "one", busy, number=number) for number in range(3)]
    assert [run.verdict for run in run_jobs(jobs, quiet).runs] == ["pass"] * 3


def test_a_command_before_the_test_that_fails_is_the_end_of_it(tmp_path: Path) -> None:
    test = job(tmp_path, "board", 'cp "$KEPT" "$JSON"').commands[0]
    flash = ("sh", "-c", "echo 'Error: There is no probe.' >&2; exit 7")
    made = Job("board", "apollo4p", "m", (flash, test), tmp_path, "1-board", WHOLE)
    (run,) = run_jobs([made], quiet).runs
    assert (run.verdict, run.exit_code, run.error) == ("incomplete", 7, "There is no probe.")
    good = Job("board", "apollo4p", "m", (("true",), test), tmp_path, "1-board", WHOLE)
    assert run_jobs([good], quiet).runs[0].verdict == "pass"


def test_a_signal_ends_all_and_keeps_what_is_finished(tmp_path: Path) -> None:
    jobs = [
        job(tmp_path, "done", 'cp "$KEPT" "$JSON"'),
        job(tmp_path, "ends", 'trap \'cp "$KEPT" "$JSON"; exit 143\' TERM; sleep 600 & wait', leaves="incomplete"),
        job(tmp_path, "stays", HANGS),
        job(tmp_path, "stays", "exit 0", number=2),
    ]
    pids: set[int] = set()

    def stop(states: Sequence[RunState]) -> None:
        pids.update(state.pid for state in states if state.pid is not None)
        if states[0].run is not None and not stopped:
            stopped.append(1)
            os.kill(os.getpid(), signal.SIGINT)

    stopped: list[int] = []
    ran = run_jobs(jobs, stop, stop_seconds=2)
    assert ran.stopped is not None
    assert ran.stopped.exit_code == 130
    assert [run.verdict for run in ran.runs] == ["pass", "incomplete", "incomplete", "incomplete"]
    assert ran.runs[3].error == "The rig was stopped before it began."
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert RigResult.of("r", ran.runs, 1, ("Interrupted.", 130)).exit_code == 130


def run(verdict: str, code: int) -> RigRun:
    return RigRun.model_validate({"name": "a", "target": "host", "model": "m", "verdict": verdict, "exit_code": code})


@pytest.mark.parametrize(
    ("runs", "verdict", "code"),
    [
        ([("pass", 0), ("pass", 0)], "pass", 0),
        ([("incomplete", 7), ("fail", 1), ("incomplete", 5)], "fail", 1),
        ([("pass", 0), ("incomplete", 7), ("incomplete", 5)], "incomplete", 7),
        ([("pass", 9), ("pass", 0)], "incomplete", 9),
    ],
)
def test_a_difference_outranks_the_absence_of_a_verdict(runs: list[tuple[str, int]], verdict: str, code: int) -> None:
    found = RigResult.of("rig.toml", [run(*told) for told in runs], 1.0)
    assert (found.verdict, found.exit_code) == (verdict, code)
