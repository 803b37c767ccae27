"""What others wrote is read within limits: size first, kind second, content third."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ecgseg.codegen.render import render
from ecgseg.devices.jlink import flash_script
from ecgseg.errors import ContentError, GraphError
from ecgseg.files import plain, read_arrays, read_file, read_text, read_toml, safe_name
from ecgseg.models import find_model, generated_folder


def test_a_pipe_or_a_device_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, kind in ((pipe, "a pipe"), (Path("/dev/zero"), "a device"), (Path("/dev/null"), "a device")):
        with pytest.raises(OSError, match=f"It is {kind}, not a file"):
            read_file(path, 1000)
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, 1000)
    with pytest.raises(GraphError, match="a pipe"):
        find_model(tflite=pipe)


def test_a_size_is_told_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match=f"{1 << 40} bytes, more than 1000"):
        read_file(path, 1000)
    with pytest.raises(GraphError, match=f"{1 << 40} bytes"):
        find_model(tflite=path)
    path.write_bytes(b"x" * 1000)
    assert read_file(path, 1000) == b"x" * 1000


def test_a_file_without_a_size_is_read_no_further_than_the_limit() -> None:
    # What the kernel makes up has a size of 0.
    with pytest.raises(OSError, match="more than 3"):
        read_file(Path("/proc/self/status"), 3)


def test_a_name_that_no_file_can_have_and_bytes_that_are_no_text_are_errors_of_reading(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="can have that name"):
        read_file(Path("a\0b"), 10)
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match="no UTF-8"):
        read_text(tmp_path / "latin", 10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "it is no TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        (f"a = [{{{'.'.join('a' * 3000)} = 1}}]", "nested too deeply"),
        (f"[{'.'.join('a' * 3000)}]\nb = 1", "nested too deeply"),
        ("a = " + "[" * 64 + "]" * 64, "nested too deeply"),
        ("a = " + "9" * 5000, "more than 64 bits"),
        ("a.b = [[0x" + "f" * 5000 + "]]", "more than 64 bits"),
        (f"a = {1 << 63}", "more than 64 bits"),
        (f"a = {-(1 << 63) - 1}", "more than 64 bits"),
    ],
)
def test_toml_that_no_message_could_tell_of_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ContentError, match=said):
        read_toml(tmp_path / "a.toml", 1 << 20)


def test_toml_is_what_it_says_within_its_limits(tmp_path: Path) -> None:
    deep = "[" * 63 + "]" * 63
    (tmp_path / "a.toml").write_text(f"a = {deep}\nb.c = [{-(1 << 63)}, {(1 << 63) - 1}, true]\n")
    wanted = {"a": json.loads(deep), "b": {"c": [-(1 << 63), (1 << 63) - 1, True]}}
    assert read_toml(tmp_path / "a.toml", 1 << 20) == wanted


def packed(data: bytes, name: str = "a.npy") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr(name, data)
    return stream.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"text",
        b"\x93NUMPY\x01\x00\xff\xff{'descr'",
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"cos\nsystem\n"),
        header("{'descr': '<i2', 'fortran_order': False, 'shape': (999999999999,), }", b"\0\0"),
        header("{'descr': '<U999999', 'fortran_order': False, 'shape': (9999999,), }"),
        header("{'descr': '<i2', 'fortran_order': False, 'shape': (-1,), }"),
        header("{'descr': '<i9', 'fortran_order': False, 'shape': (1,), }", b"\0" * 9),
        header("(" * 5000),
    ],
)
def test_an_array_that_is_not_what_its_header_says_is_one_error(member: bytes) -> None:
    with pytest.raises(ValueError, match=r"array|text"):
        read_arrays(packed(member), 1 << 20)


def test_an_archive_that_unfolds_beyond_its_limit_is_refused_before_it_does() -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.zeros(1 << 22, np.uint8))
    assert len(stream.getvalue()) < 10_000
    with pytest.raises(ValueError, match="more than 1048576 bytes"):
        read_arrays(stream.getvalue(), 1 << 20)
    assert read_arrays(stream.getvalue(), 1 << 23)["a"].size == 1 << 22


def test_arrays_come_back_as_numpy_wrote_them() -> None:
    arrays = {"text": np.array(["a", "bc"]), "one": np.array(7), "table": np.arange(6, dtype=">i4").reshape(2, 3)}
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    for name, array in read_arrays(stream.getvalue(), 1000).items():
        assert array.dtype == arrays[name].dtype
        assert array.tolist() == arrays[name].tolist()


HOSTILE_NAMES = [
    'a"b',
    "a\nerase\nr",
    "a'; rm -rf x",
    "a\x1b[2Jb",
    "-o",
    "..",
    "a b",
    "é中",
    "a*/b",
    "%s$(id)`id`",
    "x" * 200,
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_file_name_reaches_no_script_folder_or_c_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.tflite".replace("/", "")
    path.write_bytes(find_model("seg-2-tcn-sm").data)
    model = find_model(tflite=path)
    assert model.name == safe_name(path.stem)
    folder = generated_folder(model)
    for part in (model.name, folder.name):
        assert part.isascii()
        assert not set(part) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
        assert part[0] not in ".-"
    script = flash_script(tmp_path.parent / folder.name / "ecgseg.bin")
    assert "erase" not in script.split()
    assert render(model.path, tmp_path / "out", name=model.name).model == model.name
    for file in (tmp_path / "out").iterdir():
        assert name not in file.read_text(encoding="utf-8") or name in ("..", "a b", "-o")


def test_text_of_a_file_is_one_line_without_control_characters() -> None:
    assert plain("a\x1b[2J\nPASS\u202e") == "a?[2J?PASS?"
    assert plain("x" * 300) == "x" * 200 + "..."
