"""Soaks of the firmware on this computer: faults and restarts, a target that leaks, kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecgseg import paths
from ecgseg.hil.runner import HilOptions
from ecgseg.hil.soak.journal import SoakJournal
from ecgseg.hil.soak.ready import SoakOptions
from ecgseg.hil.soak.runner import run
from ecgseg.image.backends import generate
from ecgseg.models import find_model
from ecgseg.runs.folder import ENVIRONMENT

pytestmark = pytest.mark.slow

MODEL = "seg-2-tcn-sm"
TESTED = HilOptions("host", model=MODEL, records=(1, 2), leads=("ii", "v1"))
OPENING = "ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)\n{\n"
# Touches 16 KiB more from frame to frame.
LEAK = """    static volatile uint8_t held[64u << 20];
    static uint32_t runs;
    ++runs;
    for (uint32_t page = 0; page < 4u; ++page) {
        held[((runs * 4u + page) << 12) % sizeof held] = 1u;
    }
"""


def test_faults_and_restarts_lose_nothing(tmp_path: Path) -> None:
    options = SoakOptions(TESTED, hours=None, frames=800, window=10, faulty=50, restarts=2000, seed=1)
    finished = run(options, SoakJournal(tmp_path / "journal"))
    result, counts = finished.result, finished.result.counts
    # On a busy computer answer times are not for a test to judge.
    assert (finished.error, result.mismatches) == (None, [])
    assert result.verdict in ("pass", "drift")
    assert counts.frames == counts.expected_frames >= 800
    assert (counts.mismatched_bytes, counts.differing_frames) == (0, 0)
    assert min(counts.faulty_leads, counts.faults, counts.restarts, counts.power_cycles) > 0
    memory = [trend.outcome for trend in result.trends if trend.name.startswith("memory")]
    assert len(memory) == 2
    assert "grows" not in memory
    assert len({window.process for window in result.windows}) == counts.power_cycles + 1


def test_a_target_that_leaks_is_found_though_every_byte_is_equal(tmp_path: Path) -> None:
    generated = tmp_path / "generated"
    generated.mkdir()
    for path in generate(find_model(MODEL)).iterdir():
        if path.is_file():
            (generated / path.name).write_bytes(path.read_bytes())
    source = generated / "ecgseg_model.c"
    text = source.read_text(encoding="utf-8")
    assert OPENING in text
    source.write_text(text.replace(OPENING, OPENING + LEAK), encoding="utf-8")
    tested = replace(TESTED, generated=generated)
    result = run(
        SoakOptions(tested, hours=None, frames=400, window=4, faulty=0, restarts=0, seed=1), SoakJournal()
    ).result
    assert (result.verdict, result.counts.mismatched_bytes) == ("drift", 0)
    grows = {trend.name for trend in result.trends if trend.outcome == "grows"}
    assert "memory of the target" in grows
    assert "memory of this program" not in grows


def child(place: Path, *words: str) -> int:
    """Exit code of a soak that may kill itself; its run is kept in `place`."""
    environment = os.environ | {ENVIRONMENT: str(place), "PYTHONPATH": str(paths.ROOT / "host")}
    command = [sys.executable, str(Path(__file__).with_name("killed_soak.py")), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1, -signal.SIGKILL), done.stderr
    return done.returncode


def told(place: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Of the one result of a place, what does not depend on the clock: of all, and of its windows."""
    (folder,) = place.iterdir()
    assert {path.name for path in folder.iterdir()} == {"run.json", "result.json", "report.html"}
    result = json.loads((folder / "result.json").read_text())
    names = ("leads", "frames", "expected_frames", "compared_bytes", "mismatched_bytes", "differing_frames")
    names = (*names, "faulty_leads", "restarts", "power_cycles")
    counts = [{name: found[name] for name in names} for found in (result["counts"], *result["windows"])]
    return counts[0], counts[1:]


def test_after_kills_it_goes_on_to_the_counts_of_one_without_them(tmp_path: Path) -> None:
    assert child(tmp_path / "whole", "never", "0") in (0, 1)
    for number, moment in enumerate((("frame", "30"), ("line", "3"), ("window", "4"), ("result", "1"))):
        resume = ("--resume",) if number else ()
        assert child(tmp_path / "killed", *moment, *resume) == -signal.SIGKILL, moment
    assert child(tmp_path / "killed", "never", "0", "--resume") in (0, 1)
    assert told(tmp_path / "killed") == told(tmp_path / "whole")
    assert told(tmp_path / "killed")[0]["frames"] >= 240
