"""Template of a board's tests. It guards `mps2_an386` as it stands; copy it to tests/firmware/test_board_<board>.py and
replace the constants. A board that no target of this computer runs keeps the tests of its image.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ecgseg.errors import DeviceError
from ecgseg.image.boards import board_of
from ecgseg.image.build import Image, build
from ecgseg.link import BenchKind, TimeBase
from ecgseg.targets import open_target, targets
from support import model_double

BOARD, TARGET = "mps2_an386", "qemu"
TIME_BASE = TimeBase.INSTRUCTIONS
# What the linker script gives, in bytes.
FLASH, RAM = 4 << 20, 4 << 20

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("image")
    return build(BOARD, model_double.write_segmenter(folder / "generated"), out_dir=folder)


def test_the_linker_script_gives_the_memory_that_the_image_is_measured_against(image: Image) -> None:
    script = board_of(BOARD).script
    assert script is not None
    found = re.findall(r"LENGTH = (\d+)([KM])", script.read_text(encoding="utf-8"))
    assert [int(size) << {"K": 10, "M": 20}[unit] for size, unit in found] == [FLASH, RAM]
    assert 0 < image.sizes["flash"] < FLASH
    assert 0 < image.sizes["ram"] < RAM


def test_a_model_without_a_stream_builds_too(tmp_path: Path) -> None:
    plain = build(BOARD, model_double.write_plain(tmp_path / "generated"), out_dir=tmp_path)
    assert plain.sizes["flash"] > 0


def test_hello_says_what_the_board_is(image: Image) -> None:
    assert targets()[TARGET].board == BOARD
    with open_target(TARGET, image) as running, running.connect() as client:
        info = client.info
        assert (info.board, info.time_base) == (BOARD, TIME_BASE)
        assert info.core_hz > 0
        assert info.tick_hz > 0


def test_time_passes_and_the_stack_is_measured(image: Image) -> None:
    with open_target(TARGET, image) as running, running.connect() as client:
        client.write_input(np.zeros(250, np.int8))
        once, often = (client.bench(BenchKind.INFERENCE, count) for count in (1, 20))
        assert 0 < once < often
        assert 0 < client.stats().stack_high_water < RAM


def test_a_restart_begins_anew(image: Image) -> None:
    with open_target(TARGET, image) as running, running.connect() as client:
        for _ in range(20):
            client.reset_stream()
        client.restart()
        assert client.stats().frames < 20
        assert client.info.fault is None


def test_a_fault_is_told_after_the_restart_it_causes(tmp_path: Path) -> None:
    generated = model_double.write_plain(tmp_path / "generated", 16)
    source = generated / "ecgseg_model.c"
    opening = "ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)\n{\n"
    text = source.read_text(encoding="utf-8")
    assert opening in text
    crash = "    if (input[0] == 77) { *(volatile uint32_t *)0xF0000000u = 1u; }\n"
    source.write_text(text.replace(opening, opening + crash), encoding="utf-8")
    with open_target(TARGET, build(BOARD, generated, out_dir=tmp_path)) as running, running.connect() as client:
        with pytest.raises(DeviceError):
            client.infer(np.full(16, 77, np.int8))
        assert client.hello().fault is not None
