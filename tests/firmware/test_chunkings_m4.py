"""A Cortex-M4 tells the same classes and events however raw samples are cut, and the tool that says so would tell."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pytest

from ecgseg.models import find_model
from support.drivers import HAS_ARM_COMPILER

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import compare_chunkings as tool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not HAS_ARM_COMPILER or importlib.util.find_spec("unicorn") is None or not shutil.which("qemu-system-arm"),
        reason="needs arm-none-eabi-gcc, QEMU and unicorn",
    ),
]


@pytest.fixture(scope="module")
def model() -> bytes:
    return find_model("stream-4-tcn-sm").data


@pytest.fixture(scope="module")
def record(model: bytes) -> str:
    text, told = tool.source_of(model, tool.record_of(1))
    events, faint = map(int, re.findall(r"(\d+) (?:events|samples)", told))
    assert events > 5
    assert faint > 0
    return text


@pytest.mark.parametrize("target", tool.TARGETS)
def test_every_chunking_gives_the_same_bytes(target: str, model: bytes, record: str, tmp_path: Path) -> None:
    assert list(tool.TARGETS[target](model, record, tmp_path, range(350))) == [0] * 4


@pytest.mark.parametrize("target", tool.TARGETS)
@pytest.mark.parametrize("crc", ["RECORD_CLASSES", "RECORD_EVENTS"])
def test_what_differs_is_counted(target: str, crc: str, model: bytes, record: str, tmp_path: Path) -> None:
    wrong = re.sub(rf"(#define {crc}) \d+u", r"\1 7u", record)
    assert list(tool.TARGETS[target](model, wrong, tmp_path, range(120))) == [100, 20]
