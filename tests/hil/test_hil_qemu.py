"""The chain on the Cortex-M4F firmware in QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.hil.runner import HilOptions, run
from ecgseg.models import find_model

pytestmark = pytest.mark.qemu


def test_every_byte_is_equal_on_a_cortex_m4f(tmp_path: Path) -> None:
    finished = run(HilOptions("qemu", leads=("i", "ii", "v2"), vectors=tmp_path))
    result = finished.result
    assert (result.verdict, result.mismatched_bytes, result.mismatches, result.error) == ("pass", 0, [], None)
    assert result.frames == result.expected_frames == 40 * 3 * 4
    assert (result.target, result.board) == ("qemu", "mps2_an386")
    assert result.model_sha256 == find_model().sha256
    assert result.timing.unit == "instructions"
    # No instruction of the core does more than a few multiply-accumulates.
    assert result.timing.parts["inference"].min > result.macs / 8
    assert 0 < result.memory.stack_bytes < 16 * 1024
    assert result.memory.arena_bytes < result.memory.ram_bytes
    assert result.memory.flash_bytes > 0
