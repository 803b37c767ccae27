"""The chain on the Cortex-M4F firmware in QEMU."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecgseg.hil.runner import HilOptions, run
from ecgseg.models import DEFAULT_MODEL, find_model, model_names

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from analysed_images import analysed_images
from stack_bound import bounds_of_image

pytestmark = pytest.mark.qemu


@pytest.mark.parametrize(
    "model", [pytest.param(name, marks=[pytest.mark.slow] * (name != model_names()[0])) for name in model_names()]
)
def test_every_byte_is_equal_on_a_cortex_m4f(tmp_path: Path, model: str) -> None:
    # Each model sees another lead, and all of them do natively (test_hil_host.py).
    lead = dict(zip(model_names(), ("ii", "v2", "i"), strict=True))[model]
    finished = run(HilOptions("qemu", model=model, leads=(lead,), vectors=tmp_path))
    result = finished.result
    assert (result.verdict, result.mismatched_bytes, result.mismatches, result.error) == ("pass", 0, [], None)
    assert result.frames == result.expected_frames == 40 * 4
    assert (result.target, result.board) == ("qemu", "mps2_an386")
    assert result.model_sha256 == find_model(model).sha256
    assert result.timing.unit == "instructions"
    # No instruction of the core does more than a few multiply-accumulates.
    assert result.timing.parts["inference"].min > result.macs / 8
    assert 0 < result.memory.stack_bytes < 16 * 1024
    assert result.memory.arena_bytes < result.memory.ram_bytes
    assert result.memory.flash_bytes > 0


def test_the_deepest_stack_that_is_measured_lies_below_the_bound(tmp_path: Path) -> None:
    measured = run(HilOptions("qemu", records=(1,), leads=("ii",), vectors=tmp_path)).result.memory.stack_bytes
    image = next(one for one in analysed_images() if (one.board, one.model) == ("mps2_an386", DEFAULT_MODEL))
    bounds = {row.entry: row.used for row in bounds_of_image(image)}
    assert measured <= bounds["all at once"]
    # A bound that forgot what takes most would lie below; one that is far above says nothing. An interrupt at the
    # deepest place of the main loop is rare, so what it adds to the bound is not in the comparison.
    assert bounds["main loop"] < 2 * measured
