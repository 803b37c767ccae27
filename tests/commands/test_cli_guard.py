"""Errors reach the user as three parts and an exit code; nothing else is swallowed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from ecgseg import paths
from ecgseg.choices import choose
from ecgseg.commands.guard import guard
from ecgseg.errors import (
    BuildError,
    DataError,
    EcgsegError,
    LinkError,
    ModelError,
    OutputError,
    TargetError,
    ToolMissingError,
    UsageError,
)
from ecgseg.output import check_outputs, write_bytes, write_json, write_text


class Result(BaseModel):
    """Something to write."""

    value: int = 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError, 2),
        (DataError, 3),
        (ModelError, 4),
        (ToolMissingError, 5),
        (BuildError, 6),
        (TargetError, 7),
        (LinkError, 8),
        (OutputError, 9),
    ],
)
def test_an_error_is_three_parts_and_its_exit_code(
    error: type[EcgsegError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught, guard():
        raise error("This [happened].", "That is why.", "Do this.")
    assert caught.value.code == code
    assert capsys.readouterr().err == "Error: This [happened].\n  Why: That is why.\n  What to do: Do this.\n"


def test_guard_decorates_a_task_and_keeps_its_signature() -> None:
    import inspect

    @guard()
    def task(c: object, model: str = "x") -> str:
        """Help."""
        return model

    assert list(inspect.signature(task).parameters) == ["c", "model"]
    assert (task.__doc__, task(None, "y")) == ("Help.", "y")


def test_interrupt_is_130_and_a_full_disk_has_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, guard():
        raise KeyboardInterrupt
    assert caught.value.code == 130
    with pytest.raises(SystemExit) as caught, guard():
        raise OSError(errno.ENOSPC, "No space left on device", "/somewhere/file")
    assert caught.value.code == OutputError.exit_code
    shown = capsys.readouterr().err
    assert "/somewhere/file" in shown
    assert "Make room" in shown


def test_a_bug_is_allowed_to_look_like_one() -> None:
    with pytest.raises(ZeroDivisionError), guard():
        print(1 // 0)
    with pytest.raises(OSError, match="unrelated"), guard():
        raise OSError(errno.EIO, "unrelated")


def test_a_reader_that_leaves_early_ends_quietly() -> None:
    code = "from ecgseg.commands.guard import guard\nwith guard():\n    [print('line') for _ in range(200000)]\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 141


@pytest.mark.parametrize("words", [["--list"], ["hil-test", "--help"]], ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "line by line"])
def test_a_reader_of_the_menu_that_leaves_early_ends_quietly(words: list[str], unbuffered: str) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "invoke", *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    ended = subprocess.run(
        command, cwd=paths.ROOT, env=environment, stdout=writes, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writes)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_reader_of_tables_that_leaves_early_is_no_verdict() -> None:
    code = (
        "from ecgseg.commands.guard import guard\nfrom ecgseg.terminal import console\n"
        "with guard():\n    [console.print('line') for _ in range(20000)]\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 141


@pytest.mark.parametrize("gone", ["pipe", "full disk"])
def test_the_work_goes_on_where_nobody_can_read_its_messages(gone: str) -> None:
    code = (
        "from ecgseg.commands.guard import guard\nfrom ecgseg.terminal import messages, progress\n"
        "with guard(), progress() as bar:\n    bar.add_task('work', total=2)\n    messages.print('one')\n"
        "    messages.print('two')\n    print('done')\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    if gone == "full disk":
        os.close(writing)
        writing = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=writing, timeout=30)
    os.close(writing)
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_a_misspelt_name_is_answered_with_the_nearest_and_all_known() -> None:
    assert choose("model", "b", ("a", "b"), "--model") == "b"
    with pytest.raises(UsageError) as caught:
        choose("model", "seg-4-tcn-ms", ("seg-2-tcn-sm", "seg-4-tcn-sm"), "--model")
    assert "Did you mean 'seg-4-tcn-sm'?" in caught.value.what
    assert "seg-2-tcn-sm" in caught.value.why
    with pytest.raises(UsageError) as caught:
        choose("model", "zzz", (), "--model")
    assert "Did you mean" not in caught.value.what


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "result.json"
    write_json(Result(), path)
    assert path.read_text() == '{\n  "value": 3\n}\n'

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(data[:4])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="could not be written"):
        write_text(path, "something else")
    assert path.read_text() == '{\n  "value": 3\n}\n'
    assert [item.name for item in path.parent.iterdir()] == ["result.json"]


def test_a_device_is_written_to_and_not_replaced() -> None:
    with pytest.raises(OutputError) as caught:
        write_text(Path("/dev/full"), "text")
    assert "No space left" in caught.value.why
    assert Path("/dev/full").is_char_device()
    write_text(Path("/dev/null"), "text")
    assert Path("/dev/null").is_char_device()


def test_a_place_for_results_is_tried_before_the_work_and_left_as_it_was(tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("old")
    check_outputs(str(there), str(tmp_path / "new" / "folder" / "result.json"), None, folder=str(tmp_path / "out"))
    check_outputs("/dev/null", folder=str(tmp_path))
    assert [item.name for item in tmp_path.iterdir()] == ["there.json"]
    assert there.read_text() == "old"


def test_what_could_not_be_written_is_refused_before_the_work_as_after_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for path in (file / "result.json", file / "folder" / "result.json", tmp_path, tmp_path / ("n" * 300)):
        with pytest.raises(OutputError) as before:
            check_outputs(str(path))
        with pytest.raises(OutputError) as after:
            write_bytes(path, b"{}")
        assert before.value.what == after.value.what
        assert before.value.remedy


def test_a_folder_for_results_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for folder in (file, file / "below"):
        with pytest.raises(OutputError, match="could not be written"):
            check_outputs(folder=str(folder))
