"""A task runs to its end, and tells its exit code, whatever its standard streams are: closed, or of few characters."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from ecgseg import beginning
beginning.begin(["invoke", "zoo"])
from ecgseg.commands.guard import guard
from ecgseg.errors import DataError
from ecgseg.terminal import console, messages
with guard():
    number = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
    console.print("12 ± 3 …")
    messages.print("étape")
    os.write(number, str(number).encode())
    sys.stdin.read()
    if len(sys.argv) > 2:
        raise DataError("what …", "why", "what to do")
"""


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("more", "code"), [("", 0), ("fail", 3)])
def test_closed_streams_change_neither_work_nor_exit_code(closed: str, more: str, code: int, tmp_path: Path) -> None:
    result = tmp_path / "result"
    command = shlex.join([sys.executable, "-c", PROGRAM, str(result), *more.split()])
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    # Nothing that is printed can reach a file that the task has opened.
    assert int(result.read_text()) > 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_no_character_is_too_much_for_a_terminal(encoding: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "result"), "fail"],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 3
    assert b"12 " in done.stdout
    assert b"Error: what " in done.stderr
    assert b"Traceback" not in done.stderr
