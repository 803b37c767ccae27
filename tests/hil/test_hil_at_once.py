"""Two HIL tests run at once in one process; they print nothing, their caller does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ecgseg.hil.judge import Judge, Subject
from ecgseg.hil.runner import HilOptions, Step, run
from ecgseg.link import DeviceClient, DeviceInfo
from ecgseg.models import find_model
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.report.progress import hil_bar

FRAMES_PER_LEAD = 4


def test_two_targets_run_at_once_and_both_reach_their_verdict(tmp_path: Path) -> None:
    streaming = threading.Barrier(2, timeout=120)

    def run_one(record: int) -> tuple[Any, list[Step]]:
        steps: list[Step] = []

        def on_step(step: Step) -> None:
            # Neither goes on before the other streams, too.
            streaming.wait()
            steps.append(step)

        options = HilOptions("host", records=(record,), leads=("ii", "v1"), vectors=tmp_path / str(record))
        return run(options, on_step).result, steps

    with ThreadPoolExecutor(2) as pool:
        for record, (result, steps) in zip((181, 4), pool.map(run_one, (181, 4)), strict=True):
            assert (result.verdict, result.error, result.records) == ("pass", None, [record])
            assert result.frames == result.expected_frames == 2 * FRAMES_PER_LEAD
            assert steps == [Step(done, 2, equal=True) for done in (0, 1, 2)]


def test_a_run_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(HilOptions("host", records=(181,), leads=("ii",), vectors=tmp_path)).result.verdict == "pass"
    assert capfd.readouterr() == ("", "")


def test_a_judge_says_nothing_to_the_device_before_it_is_told_to_run() -> None:
    mute = cast(DeviceClient, object())
    judge = Judge(
        Subject("host", "seg-4-tcn-sm", mute, Segmenter(find_model().data)),
        cast(DeviceInfo, SimpleNamespace(fault=None)),
        "ludb",
    )
    assert judge.tally.frames == 0


def test_the_bar_appears_with_the_first_step_and_tells_of_a_difference(capfd: pytest.CaptureFixture[str]) -> None:
    with hil_bar("qemu") as on_step:
        pass
    assert capfd.readouterr() == ("", "")
    with hil_bar("qemu") as on_step:
        on_step(Step(0, 3, equal=True))
        on_step(Step(2, 3, equal=False))
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "HIL qemu differs" in shown.err
    assert "2/3" in shown.err
