"""Every form of a convolution's kernel gives TensorFlow Lite Micro's bytes, natively and on a Cortex-M4."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools"))

from cost_grid import CONV, PHASES, Shape, model_of, shapes_of
from measure_kernel_costs import in_form

from support import engine_harness as harness
from support.drivers import HAS_QEMU

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_QEMU, reason="needs qemu-system-arm and arm-none-eabi-gcc"),
]


def differences(shape: Shape, form: str, folder: Path) -> list[str]:
    pick = in_form(form, []) if form else harness.least_cycles
    model = harness.rendered(model_of(shape), folder, pick=pick)
    inputs = harness.draw_inputs(model, 3)
    expected = harness.truth(model, inputs)
    found = harness.differences(model, harness.run_native(model, inputs), expected)
    return found + harness.differences(model, harness.run_m4(model, inputs), expected)


@pytest.mark.parametrize("form", [*PHASES, *CONV])
def test_a_form_is_exact(form: str, tmp_path: Path) -> None:
    assert differences(shapes_of(form)[6], form, tmp_path) == []


@pytest.mark.parametrize("channels", [10, 18, 30])
def test_channels_that_are_no_multiple_of_four_are_exact_too(channels: int, tmp_path: Path) -> None:
    shape = replace(shapes_of("phases_2_by_1")[0], in_channels=channels)
    assert differences(shape, "", tmp_path) == []
