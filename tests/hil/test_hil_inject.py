"""`--inject`: what it says, what is refused, and what a run behind such a line ends with."""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg.errors import EcgsegError, UsageError
from ecgseg.hil.faults import FaultPlan, FaultyPort
from ecgseg.hil.inject import EXAMPLE, parse_faults
from ecgseg.hil.runner import HilOptions, run
from ecgseg.models import find_model
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter
from ecgseg.report.texts import summary_rows
from ecgseg.targets import TargetOptions

pytestmark = pytest.mark.slow

FRAMES = 4


def test_every_fault_can_be_asked_for() -> None:
    faults = parse_faults(EXAMPLE, 7)
    assert faults.seed == 7
    assert faults.plan == FaultPlan(
        drop=1e-3,
        flip=1e-3,
        duplicate=1e-3,
        insert=1e-4,
        delay=1.0,
        delay_seconds=0.005,
        cut_every_seconds=60.0,
        cut_seconds=1.0,
    )
    assert parse_faults("drop=0").plan == FaultPlan()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not know ''"),
        ("drop", "does not know 'drop'"),
        ("lose=1e-3", "does not know 'lose=1e-3'"),
        ("drop=1e-3,", "does not know ''"),
        ("drop=1e-3,drop=1e-2", "drop twice"),
        ("drop=2", "no probability"),
        ("flip=-1e-3", "no probability"),
        ("dup=nan", "no probability"),
        ("insert=often", "no probability"),
        ("drop=", "no probability"),
        ("delay=5", "no duration"),
        ("delay=-5ms", "no duration"),
        ("cut=1e3s", "no duration"),
        ("delay=60s", "too long"),
        ("cut=1s", "too short"),
        ("cut=0s", "too short"),
    ],
)
def test_what_names_no_faults_is_refused_with_an_example(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_faults(text)
    assert EXAMPLE in caught.value.remedy


class Loop:
    """What is written can be read."""

    def __init__(self) -> None:
        self.timeout: float | None = 0.0
        self.baudrate = 115200
        self.data = bytearray()

    @property
    def in_waiting(self) -> int:
        return len(self.data)

    def read(self, size: int = 1, /) -> bytes:
        part = bytes(self.data[:size])
        del self.data[:size]
        return part

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)

    def close(self) -> None:
        self.data.clear()


def test_a_cut_line_is_dead_for_its_time_and_then_lives_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 50.0
    clock = SimpleNamespace(monotonic=lambda: now, sleep=time.sleep)
    monkeypatch.setattr("ecgseg.hil.faults.time", clock)
    loop = Loop()
    port = FaultyPort(loop, to_device=FaultPlan(cut_every_seconds=0.25, cut_seconds=0.125))
    passed = {}
    for eighth in range(5):
        # Just behind each bound, and just before the next one.
        for at in (eighth / 8 + 0.001, eighth / 8 + 0.124):
            now = 50.0 + at
            loop.data.clear()
            port.write(b"x")
            passed[at] = bool(loop.data)
    assert list(passed.values()) == [True] * 4 + [False] * 2 + [True] * 2 + [False] * 2
    assert port.to_device_faults.cut == 4


def test_a_run_behind_a_bad_line_passes_and_tells_what_was_done_to_it(tmp_path: Path) -> None:
    faults = parse_faults("drop=1e-3,flip=1e-3,dup=1e-3,insert=1e-4,delay=1ms", 3)
    result = run(HilOptions("host", records=(181,), leads=("ii",), vectors=tmp_path, inject=faults)).result
    assert (result.verdict, result.frames, result.mismatched_bytes) == ("pass", FRAMES, 0)
    assert result.retries > 0
    assert result.injected is not None
    assert (result.injected.faults, result.injected.seed) == (faults.text, 3)
    assert result.injected.to_device > 0
    assert result.injected.to_host > 0
    told = dict(summary_rows(result))["Injected"]
    assert faults.text in told
    assert "seed 3" in told
    assert "Injected" not in dict(summary_rows(result.model_copy(update={"injected": None})))


class Other(Segmenter):
    """Knows the first sample of every mask as another class."""

    def expect(self, raw: npt.NDArray[np.int16]) -> list[ExpectedFrame]:
        return [replace(frame, mask=np.r_[frame.mask[:1] ^ 1, frame.mask[1:]]) for frame in super().expect(raw)]


def test_the_command_that_runs_a_differing_frame_again_has_the_same_faults_in_it(tmp_path: Path) -> None:
    faults = parse_faults("drop=1e-4, delay=1ms", 11)
    options = HilOptions("host", records=(181,), leads=("ii",), vectors=tmp_path, inject=faults)
    result = run(options, reference=Other(find_model().data)).result
    assert (result.verdict, result.mismatched_bytes) == ("fail", FRAMES)
    for mismatch in result.mismatches:
        assert mismatch.replay is not None
        words = shlex.split(mismatch.replay)
        assert words[words.index("--replay") + 1] == mismatch.vector
        assert {"--inject=drop=1e-4, delay=1ms", "--seed=11"} <= set(words)


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2, 0.5])
def test_no_rate_of_faults_gives_fail(tmp_path: Path, rate: float) -> None:
    options = HilOptions(
        "host",
        records=(181,),
        leads=("ii",),
        vectors=tmp_path,
        inject=parse_faults(f"drop={rate},flip={rate},dup={rate}"),
    )
    # The deadlines in short.
    options = replace(options, target_options=TargetOptions(start_seconds=3.0, answer_seconds=0.1))
    started = time.monotonic()
    try:
        verdict = run(options).result.verdict
    except EcgsegError:
        verdict = "absent"
    assert verdict in (("pass",) if rate <= 1e-3 else ("pass", "incomplete", "absent"))
    if rate >= 0.5:
        assert verdict == "absent"
        assert time.monotonic() - started < 60
    assert not list(tmp_path.iterdir())
