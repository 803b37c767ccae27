"""`make coverage` counts a line once wherever it was compiled, and forgets no file that nothing ran."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecgseg import paths

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import coverage_c

HEADER = paths.FIRMWARE / "engine" / "include" / "ecgseg_fixed.h"


def report(file: str, **counts: int) -> Mapping[str, Any]:
    """What gcov says of an object: how often each line of a file ran."""
    lines = [{"line_number": int(name[1:]), "count": count} for name, count in counts.items()]
    return {"current_working_directory": str(paths.ROOT), "files": [{"file": file, "lines": lines}]}


def test_a_line_of_a_header_ran_when_it_ran_in_any_object() -> None:
    name = str(HEADER.relative_to(paths.ROOT))
    reports = [report(name, l1=0, l2=3, l3=0), report(str(HEADER), l1=2, l3=0)]
    assert coverage_c.lines_that_ran(reports) == {HEADER: {1: True, 2: True, 3: False}}


def test_drivers_and_boards_are_not_counted() -> None:
    assert coverage_c.lines_that_ran([report("tests/firmware/engine_driver.c", l1=1)]) == {}


def test_the_table_names_the_lines_that_did_not_run() -> None:
    text, part = coverage_c.table({HEADER: {1: True, 2: False, 4: True, 7: False}})
    assert part == 0.5
    assert text[0].split() == ["firmware/engine/include/ecgseg_fixed.h", "2", "of", "4", "2,", "7"]


@pytest.mark.parametrize(
    ("ran", "passed", "forgotten", "code"),
    [(95, True, 0, 0), (94, True, 0, 1), (100, False, 0, 1), (100, True, 1, 1)],
    ids=["just enough", "too few lines", "a test fails", "a source that nothing runs"],
)
def test_the_exit_code_tells(
    ran: int, passed: bool, forgotten: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted(coverage_c.sources())[forgotten:]
    monkeypatch.setattr(coverage_c, "run_tests", lambda folder: passed)
    monkeypatch.setattr(coverage_c, "counted", lambda folder: [])
    lines = {number: number < ran for number in range(100)}
    monkeypatch.setattr(coverage_c, "lines_that_ran", lambda reports: dict.fromkeys(files, lines))
    assert coverage_c.main() == code


def test_gcov_is_asked_what_ran(tmp_path: Path) -> None:
    source = tmp_path / "two.c"
    source.write_text("int main(int count, char **words)\n{\n  if (count > 7)\n    return **words;\n  return 0;\n}\n")
    subprocess.run(["gcc", "--coverage", "-c", str(source), "-o", str(tmp_path / "two.o")], check=True)
    subprocess.run(["gcc", "--coverage", str(tmp_path / "two.o"), "-o", str(tmp_path / "two")], check=True)
    subprocess.run([str(tmp_path / "two")], check=True)
    assert coverage_c.lines_that_ran(coverage_c.counted(tmp_path), [tmp_path]) == {
        source: {1: True, 3: True, 4: False, 5: True}
    }
