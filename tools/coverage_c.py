"""Which lines of the portable C (engine, pipeline, link) the tests of the firmware run, by gcov.

    python tools/coverage_c.py

Runs the native tests in TESTS with their drivers compiled to count lines, then prints for every file how many of its
lines ran, and which did not. The exit code is 1 when a test fails or fewer than REQUIRED of all lines ran. Forms
that exist for the Cortex-M4 alone are no lines here; tests/firmware compares them in QEMU with the same vectors.
Everything lies below build/coverage.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

from ecgseg import paths
from ecgseg.errors import EcgsegError
from ecgseg.image.boards import HOST, board_of
from ecgseg.image.programs import ENGINE_PART, LINK_PART, PIPELINE_PART
from ecgseg.image.toolchain import find_tool, output_of

REQUIRED = 0.95
PORTABLE = tuple(part.source_dir for part in (ENGINE_PART, PIPELINE_PART, LINK_PART))
TESTS = (
    "tests/firmware/test_engine_phases.py",
    "tests/firmware/test_engine_tflm.py",
    "tests/firmware/test_engine_threes.py",
    "tests/firmware/test_stream_tflm.py",
    "tests/firmware/test_running_c.py",
    "tests/firmware/test_events_c.py",
    "tests/firmware/test_delineator_c.py",
    "tests/firmware/test_link_codec_c.py",
    "tests/firmware/test_link_messages_c.py",
    "tests/firmware/test_preprocess_c.py",
    "tests/firmware/test_segmenter_c.py",
    "tests/firmware/test_app_baud.py",
    "tests/firmware/test_app_board_requests.py",
)
FOLDER = paths.BUILD / "coverage"

# Lines of a file, by number: whether one ran.
Lines = dict[int, bool]


def run_tests(folder: Path) -> bool:
    """Runs the tests with programs that count; True when all passed."""
    shutil.rmtree(folder, ignore_errors=True)
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    environment = {**os.environ, "ECGSEG_COUNTS_LINES": "1", "TMPDIR": str(temporary)}
    # What runs on a Cortex-M4 counts nothing.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-nauto",
        "--dist=loadfile",
        "-m",
        "not qemu and not slow",
        f"--basetemp={folder / 'tests'}",
        *TESTS,
    ]
    return subprocess.run(command, cwd=paths.ROOT, env=environment, check=False).returncode == 0


def counted(folder: Path) -> Iterator[Mapping[str, Any]]:
    """What gcov says of every object that ran. Raises EcgsegError."""
    gcov = find_tool(board_of(HOST), "gcov", "It counts which lines of C ran.")
    for data in sorted(folder.rglob("*.gcda")):
        said = output_of([gcov, "--stdout", "--json-format", str(data)], "gcov cannot read what ran.")
        for line in said.splitlines():
            yield json.loads(line)


def lines_that_ran(reports: Iterable[Mapping[str, Any]], folders: Iterable[Path] = PORTABLE) -> dict[Path, Lines]:
    """Lines of the files below some folders; one ran when it ran in any object.

    Args:
        reports: of gcov, one per object.
        folders: files elsewhere are left out.
    """
    wanted = tuple(folders)
    found: dict[Path, Lines] = {}
    for report in reports:
        for file in report["files"]:
            path = Path(os.path.normpath(Path(report["current_working_directory"]) / file["file"]))
            if any(path.is_relative_to(folder) for folder in wanted):
                lines = found.setdefault(path, {})
                for line in file["lines"]:
                    number = int(line["line_number"])
                    lines[number] = lines.get(number, False) or int(line["count"]) > 0
    return found


def sources() -> set[Path]:
    """The portable sources: one that nothing ran is in no report."""
    return {path for folder in PORTABLE for path in folder.glob("*.c")}


def table(found: Mapping[Path, Lines]) -> tuple[list[str], float]:
    """Lines to print, and which part of all lines ran."""
    text = []
    for path in sorted(found):
        missing = ", ".join(str(number) for number, ran in sorted(found[path].items()) if not ran)
        ran, total = sum(found[path].values()), len(found[path])
        text.append(f"{path.relative_to(paths.ROOT)!s:<52} {ran:>4} of {total:>4}  {missing}".rstrip())
    ran = sum(sum(lines.values()) for lines in found.values())
    total = sum(map(len, found.values()))
    text.append(f"{'all':<52} {ran:>4} of {total:>4}  {ran / max(total, 1):.1%}")
    return text, ran / max(total, 1)


def main() -> int:
    passed = run_tests(FOLDER)
    try:
        found = lines_that_ran(counted(FOLDER))
    except EcgsegError as error:
        print(error)
        return 1
    text, part = table(found)
    print(*text, sep="\n")
    for path in sorted(sources() - found.keys()):
        print(f"{path.relative_to(paths.ROOT)}: no test runs it.")
    enough = part >= REQUIRED and sources() <= found.keys()
    print(f"At least {REQUIRED:.0%} {'ran' if enough else 'should have run'}.")
    return 0 if passed and enough else 1


if __name__ == "__main__":
    sys.exit(main())
