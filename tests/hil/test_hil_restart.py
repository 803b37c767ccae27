"""A device that restarts in the middle of a test says why, on every target; there is no verdict, and no difference."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from ecgseg.errors import TargetError
from ecgseg.hil.result import HilRun
from ecgseg.hil.runner import HilOptions, run
from ecgseg.hil.start import RestartedError
from ecgseg.image.backends import generate
from ecgseg.models import find_model
from ecgseg.targets import SimulatorOptions, TargetOptions
from support.drivers import HAS_QEMU

pytestmark = pytest.mark.slow

GOOD_FRAMES = 2
OPENING = "ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)\n{\n"
RESTART = "board_restart();"
FAULT = "*(volatile uint32_t *)0xF0000000u = 1u;"
"""Writes where no memory is."""
NEEDS_QEMU = pytest.mark.skipif(not HAS_QEMU, reason="needs arm-none-eabi-gcc and qemu-system-arm")
NEEDS_UNICORN = pytest.mark.skipif(
    not HAS_QEMU or importlib.util.find_spec("unicorn") is None, reason="needs arm-none-eabi-gcc and unicorn"
)


def restarting(folder: Path, target: str, what: str, options: TargetOptions | None = None) -> HilRun:
    """A test of the zoo's model that does something else when it runs the third time."""
    whole = generate(find_model())
    generated = folder / f"{target}-restarts"
    generated.mkdir()
    for path in whole.iterdir():
        if path.is_file():
            (generated / path.name).write_bytes(path.read_bytes())
    source = generated / "ecgseg_model.c"
    text = source.read_text(encoding="utf-8")
    assert OPENING in text
    does = f"    static uint32_t runs;\n    if (++runs > {GOOD_FRAMES}u) {{\n        {what}\n    }}\n"
    declared = f"void board_restart(void);\n{OPENING}{does}"
    source.write_text(text.replace(OPENING, declared), encoding="utf-8")
    return run(
        HilOptions(
            target,
            records=(181,),
            leads=("ii",),
            generated=generated,
            vectors=folder / "vectors",
            target_options=options or TargetOptions(),
        )
    )


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        ("host", "0x0"),
        pytest.param("qemu", "0x0", marks=NEEDS_QEMU),
        pytest.param("apollo4p-sim", "0x8", marks=NEEDS_UNICORN),
    ],
)
def test_a_restart_on_its_own_tells_its_cause(tmp_path: Path, target: str, cause: str) -> None:
    finished = restarting(tmp_path, target, RESTART)
    assert isinstance(finished.error, RestartedError)
    assert finished.error.what == (
        f"The device restarted in the middle of the test. Reset cause {cause}. It has kept no fault record."
    )
    assert "NO_SESSION" in finished.error.why
    assert (finished.result.verdict, finished.result.mismatched_bytes) == ("incomplete", 0)
    assert finished.result.frames == GOOD_FRAMES
    assert finished.result.error == finished.error.what


@pytest.mark.parametrize(
    ("target", "options", "cause"),
    [
        pytest.param("qemu", TargetOptions(), "0x0", marks=NEEDS_QEMU),
        pytest.param(
            "apollo4p-sim",
            TargetOptions(simulator=SimulatorOptions(deliver_faults=True)),
            "0x8",
            marks=NEEDS_UNICORN,
        ),
    ],
)
def test_a_fault_is_told_with_the_place_where_it_happened(
    tmp_path: Path, target: str, options: TargetOptions, cause: str
) -> None:
    finished = restarting(tmp_path, target, FAULT, options)
    assert isinstance(finished.error, RestartedError)
    pattern = (
        rf"middle of the test\. Reset cause {cause}\. Fault before this start: (hard|bus) fault at pc 0x[0-9a-f]{{8}}, "
    )
    assert re.search(pattern, finished.error.what)
    assert (finished.result.verdict, finished.result.frames) == ("incomplete", GOOD_FRAMES)


@NEEDS_UNICORN
def test_the_simulator_names_the_source_line_of_a_fault_in_the_middle_of_a_test(tmp_path: Path) -> None:
    finished = restarting(tmp_path, "apollo4p-sim", FAULT)
    assert isinstance(finished.error, TargetError)
    assert "ecgseg_model.c:" in finished.error.why
    assert (finished.result.verdict, finished.result.frames) == ("incomplete", GOOD_FRAMES)
