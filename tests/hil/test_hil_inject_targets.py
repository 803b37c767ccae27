"""`--inject` on every target: the faulty line stands in front of whatever port the target has, a board's included."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecgseg.errors import TargetError
from ecgseg.hil.inject import EXAMPLE, parse_faults
from ecgseg.hil.result import HilResult
from ecgseg.hil.runner import HilOptions, run
from ecgseg.image.backends import render_and_build
from ecgseg.models import find_model
from ecgseg.targets import TargetOptions, open_target

pytestmark = pytest.mark.slow

FRAMES = 4


def run_behind_a_bad_line(target: str, folder: Path, options: TargetOptions) -> HilResult:
    faults = parse_faults(EXAMPLE, 3)
    return run(
        HilOptions(target, records=(181,), leads=("ii",), vectors=folder, inject=faults, target_options=options)
    ).result


def assert_passed(result: HilResult) -> None:
    assert (result.verdict, result.error, result.mismatched_bytes) == ("pass", None, 0)
    assert result.frames == FRAMES
    assert result.retries > 0
    assert result.injected is not None
    assert (result.injected.faults, result.injected.seed) == (EXAMPLE, 3)
    assert min(result.injected.to_device, result.injected.to_host) > 0


@pytest.mark.parametrize(
    "target",
    [
        "host",
        pytest.param("qemu", marks=pytest.mark.qemu),
        # Its firmware is compiled by the same compiler for Arm, which comes with what the mark stands for.
        pytest.param("apollo4p-sim", marks=pytest.mark.qemu),
    ],
)
def test_every_target_passes_behind_a_bad_line(tmp_path: Path, target: str) -> None:
    assert_passed(run_behind_a_bad_line(target, tmp_path, TargetOptions()))
    assert not list(tmp_path.iterdir())


@pytest.mark.qemu
def test_a_board_on_a_port_passes_behind_a_bad_line(tmp_path: Path) -> None:
    image = render_and_build("apollo4p_evb", find_model())
    with open_target("apollo4p-sim", image, TargetOptions()) as board:
        # The simulator is slower than the board whose place it takes.
        options = TargetOptions(port=board.port_url, start_seconds=120.0, answer_seconds=board.answer_seconds)
        assert_passed(run_behind_a_bad_line("apollo4p", tmp_path, options))


@contextmanager
def port_with_nobody() -> Iterator[str]:
    """A serial port that opens and takes bytes."""
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        yield os.ttyname(slave)
    finally:
        os.close(slave)
        os.close(master)


@pytest.mark.qemu
def test_a_port_with_no_board_behind_a_bad_line_is_told_within_its_deadline(tmp_path: Path) -> None:
    with port_with_nobody() as port, pytest.raises(TargetError, match="apollo4p does not answer within 2 s"):
        run_behind_a_bad_line("apollo4p", tmp_path, TargetOptions(port=port, start_seconds=2.0))
