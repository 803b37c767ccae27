"""Results are written whole: files that belong together change together, and everything writes that way."""

from __future__ import annotations

import ast
import errno
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.errors import OutputError
from ecgseg.output import alone_in, append_to, replacing, write_files

# Where a file may be written without ecgseg.output, and why.
ALLOWED = {
    "host/ecgseg/output.py": "it is the place",
    "host/ecgseg/data/databases/download.py": "parts of a download that goes on; its folder moves whole",
    "host/ecgseg/segment/progress.py": "what is finished is appended, each section whole and with a hash",
    "host/ecgseg/hil/lines.py": "what is finished is appended, each line whole",
    "host/ecgseg/hil/rig/processes.py": "what a test's process says goes to its log while it runs",
    "host/ecgseg/fuzz/files.py": "what a reader is fed, thousands of times a second, in a folder of the run",
    "tools/lock.py": "runs before the package's own dependencies are known; what it writes is reviewed as a diff",
}
# Methods that write to what they are called on; functions that write to their first argument, unless that is memory.
ON_PATH = {"write_text", "write_bytes"}
TO_FIRST = {"save", "savefig", "savez", "savez_compressed", "tofile", "to_csv", "to_json"}
MEMORY = {"buffer", "stream"}
# Modules whose functions of these names write through ecgseg.output.
OURS = {"checkpoints", "output", "vectors"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third file from now on finds room for its first half only."""
    room = iter((True, True))

    def write_bytes(self: Path, data: bytes) -> int:
        with self.open("wb") as stream:
            if next(room, False):
                return stream.write(data)
            stream.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


def test_who_asks_for_a_folder_waits_until_it_is_left(tmp_path: Path) -> None:
    order = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with alone_in(tmp_path / "teacher"):
            order.append("second")

    with alone_in(tmp_path / "teacher"):
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), alone_in(tmp_path / "file" / "teacher"):
        pass


def test_what_is_appended_takes_the_place_of_what_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo\nthr and whatever a process left that was killed")
    with path.open("r+b") as file:
        whole = append_to(file, 8, b"three\n")
        assert (whole, path.read_bytes()) == (14, b"one\ntwo\nthree\n")
        assert append_to(file, whole, b"four\n") == 19
    assert path.read_bytes() == b"one\ntwo\nthree\nfour\n"


def test_code_of_two_models_is_never_mixed_when_the_disk_is_full(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    render(paths.MODELS / "seg-4-tcn-sm" / "model.tflite", tmp_path)
    before = contents(tmp_path)
    request.getfixturevalue("full_disk")
    with pytest.raises(OutputError, match=f"{tmp_path}/[a-z_]+.[chjson]+' could not be written") as caught:
        render(paths.MODELS / "seg-2-tcn-sm" / "model.tflite", tmp_path)
    assert "Make room" in caught.value.remedy
    assert contents(tmp_path) == before


def test_code_that_did_not_change_keeps_its_time_stamps(tmp_path: Path) -> None:
    model = paths.MODELS / "seg-4-tcn-sm" / "model.tflite"
    render(model, tmp_path)
    for path in tmp_path.iterdir():
        os.utime(path, ns=(7, 7))
    (tmp_path / "ecgseg_model.h").write_text("changed")
    render(model, tmp_path)
    renewed = [path.name for path in tmp_path.iterdir() if path.stat().st_mtime_ns != 7]
    assert renewed == ["ecgseg_model.h"]


def test_what_must_not_stay_beside_new_files_goes_when_they_are_there(tmp_path: Path, full_disk: None) -> None:
    write_files(tmp_path, {"a": "1", "old": "1"})
    with pytest.raises(OutputError):
        write_files(tmp_path, {"a": "2"}, unwanted=["old"])
    assert contents(tmp_path) == {"a": b"1", "old": b"1"}
    write_files(tmp_path, {"a": "1"}, unwanted=["old", "never there"])
    assert contents(tmp_path) == {"a": b"1"}


def test_threads_that_write_the_same_file_at_once_all_succeed_and_leave_one_of_theirs(tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=60)

    def write(text: bytes) -> None:
        with replacing(tmp_path / "a.txt") as (partial,):
            together.wait()
            partial.write_bytes(text)
            together.wait()

    texts = [bytes([number]) * 1000 for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, texts))
    (left,) = contents(tmp_path).values()
    assert left in texts


def test_a_block_that_fails_leaves_the_older_files_and_nothing_else(tmp_path: Path) -> None:
    one, other = tmp_path / "one.keras", tmp_path / "other.npz"
    one.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(one, other) as partials:
        _fail_after_writing(*partials)
    with pytest.raises(OutputError, match=re.escape("other.npz")), replacing(one, other) as partials:
        partials[0].write_text("new")
    assert [partial.suffix for partial in partials] == [".keras", ".npz"]
    assert contents(tmp_path) == {"one.keras": b"old"}


def _fail_after_writing(*files: Path) -> None:
    for file in files:
        file.write_text("new")
    print(1 // 0)


def writes(tree: ast.AST) -> Iterator[int]:
    """Lines that write a file, those inside `with replacing(...)` excepted."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.With) and any("replacing(" in ast.unparse(item) for item in node.items):
            continue
        if isinstance(node, ast.Call) and _writes(node):
            yield node.lineno
        yield from writes(node)


def _writes(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "open":
        mode = call.args[isinstance(call.func, ast.Name) :] + [k.value for k in call.keywords if k.arg == "mode"]
        return any(isinstance(m, ast.Constant) and set(str(m.value)) & set("wax+") for m in mode[:1])
    if not isinstance(call.func, ast.Attribute):
        return False
    if ast.unparse(call.func.value) in OURS:
        return False
    if name in ON_PATH:
        return True
    return name in TO_FIRST and bool(call.args) and getattr(call.args[0], "id", "") not in MEMORY


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("path.write_text(text)", 1),
        ("(folder / name).write_bytes(data)", 1),
        ("path.open('ab')", 1),
        ("open(path, mode='x')", 1),
        ("open(path)\npath.open('rb')\npath.open(encoding='utf-8')", 0),
        ("np.savez(path, a=1)\nfigure.savefig(path)", 2),
        ("np.savez(stream, a=1)\nfigure.savefig(buffer)\nvectors.save(vector, folder)", 0),
        ("output.write_text(path, text)\nwrite_bytes(path, data)", 0),
        ("with replacing(path) as (partial,):\n    model.save(partial)", 0),
    ],
)
def test_a_write_is_seen(code: str, count: int) -> None:
    assert len(list(writes(ast.parse(code)))) == count


def test_every_file_is_written_by_the_one_place_that_writes_it_whole() -> None:
    found = {}
    for path in sorted([*paths.ROOT.glob("host/**/*.py"), *paths.ROOT.glob("tools/*.py"), paths.ROOT / "tasks.py"]):
        name = str(path.relative_to(paths.ROOT))
        lines = list(writes(ast.parse(path.read_text(encoding="utf-8"))))
        if lines:
            found[name] = lines
    assert found.keys() == ALLOWED.keys(), (
        "write through ecgseg.output (write_text, write_bytes, write_json, write_files, replacing)"
    )
