"""docs/integrate.md, typed: its program is compiled, its commands run, and what they print is what the page tells."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.commands import export
from ecgseg.commands.task import start
from support.drivers import HAS_QEMU

pytestmark = pytest.mark.slow

PAGE = (paths.ROOT / "docs" / "integrate.md").read_text(encoding="utf-8")
PLACE = "build/heart"


def blocks() -> list[str]:
    """The indented blocks of the page, without their indentation."""
    found = re.findall(r"(?:^    .*\n(?:^\n(?=    ))*)+", PAGE, re.M)
    return [re.sub(r"^    ", "", block, flags=re.M) for block in found]


@pytest.mark.qemu
@pytest.mark.skipif(not HAS_QEMU, reason="no Cortex-M4F compiler or QEMU")
def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    here, printed = tmp_path, []
    (tmp_path / PLACE).mkdir(parents=True)
    (main,) = (block for block in blocks() if block.startswith("#include"))
    (tmp_path / PLACE / "main.c").write_text(main)
    build = next(block for block in blocks() if block.startswith("cmake_minimum_required"))
    listed, _, commands = build.partition("\n\n")
    (tmp_path / PLACE / "CMakeLists.txt").write_text(listed + "\n")
    for block in (*blocks()[: blocks().index(main)], commands):
        for line in block.strip().splitlines():
            if line.startswith("invoke "):
                typed = dict(zip(*[iter(shlex.split(line)[2:])] * 2, strict=True))
                assert not start(
                    export.run, model=typed["--model"], form=typed["--as"], out=str(tmp_path / typed["--out"])
                )
            elif line.startswith("cd "):
                here = tmp_path / line.removeprefix("cd ")
            else:
                done = subprocess.run(line, shell=True, cwd=here, capture_output=True, text=True, check=False)
                assert done.returncode == 0, line + done.stdout + done.stderr
                printed.append(done.stdout)
    assert len(printed) == 4
    assert sum("100% tests passed" in text for text in printed) == 2
    rates = [int(rate) for rate in re.findall(r"s: (\d+) a minute", printed[-1])]
    assert len(rates) >= 5
    assert all(65 <= rate <= 80 for rate in rates)
    assert printed[-1].count("no contact") == 1
