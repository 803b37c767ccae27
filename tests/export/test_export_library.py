"""A library's folder: what is in it, under which names, the same bytes every time, and never over others' files."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from ecgseg import __version__, paths
from ecgseg.errors import UsageError
from ecgseg.export.figures import Figures
from ecgseg.export.folder import FILE, Export, write_library
from ecgseg.export.forms import FORMS
from ecgseg.export.library import Library, library_of
from ecgseg.export.parts import firmware_files, needed
from ecgseg.export.prefix import checked, prefixed
from ecgseg.export.subject import Kind, Subject, subject_of
from ecgseg.models import ModelFile
from support.delineator_model import delineator_model
from support.small_models import alone, segmenter

FIGURES = Figures(
    compiler="gcc 12", flash_bytes=10_000, static_bytes=300, state_bytes=40_000, stack_bytes=500, cycles=123_456
)
KINDS = ("stream", "frames", "model")
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")


@lru_cache
def subject(kind: str) -> Subject:
    data = {"stream": delineator_model, "frames": lambda: segmenter(4), "model": alone}[kind]()
    return subject_of(ModelFile(f"my-{kind}", Path("none.tflite"), data, from_zoo=False))


@lru_cache
def library(kind: str, prefix: str = "ecg", form: str = "plain") -> Library:
    return library_of(subject(kind), checked(prefix), FORMS[form], FIGURES)


def write(folder: Path, kind: str = "frames", prefix: str = "ecg", form: str = "plain") -> Export:
    return write_library(folder, library(kind, prefix, form), subject(kind), checked(prefix), FORMS[form])


def on_disk(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_library_is_of_its_kind_and_complete(kind: str) -> None:
    assert subject(kind).kind is Kind(kind)
    files = library(kind).files
    wanted = {"README.md", "LICENSE", "THIRD_PARTY_NOTICES.md", "include/ecg.h", "test/main.c", "test/vectors.h"}
    assert wanted <= set(files)
    assert files["LICENSE"] == (paths.ROOT / "LICENSE").read_text()
    sources = {path.removeprefix("src/"): text for path, text in files.items() if path.startswith("src/")}
    for text in sources.values():
        for name in re.findall(r'#include "([^"]+)"', text):
            assert name in sources or name == "ecg.h"


def test_of_the_engine_only_what_is_called_is_there() -> None:
    stream, frames, model = (set(library(kind).files) for kind in KINDS)
    assert "src/ecg_ecgseg_delineator.c" in stream - frames - model
    assert "src/ecg_ecgseg_segmenter.c" in frames - stream - model
    assert "src/ecg_ecgseg_elementwise.h" in model - stream - frames
    assert not [path for path in model if "preprocess" in path or "conv" in path]
    assert not [path for path in stream | frames | model if "link" in path or "board" in path or "app" in path]


def test_what_a_call_in_a_macro_or_an_inline_function_needs_is_found() -> None:
    pool = {
        "ecgseg_a.h": "ECGSEG_INLINE void ecgseg_a(void)\n{\n    ecgseg_b();\n}\nvoid ecgseg_c(void);\n",
        "ecgseg_b.c": "void ecgseg_b(void)\n{\n}\n",
        "ecgseg_c.c": "void ecgseg_c(void)\n{\n}\n",
        "ecgseg_d.c": "#define FORM(n) \\\n    const int ecgseg_d_##n = n;\nFORM(1)\n",
    }
    assert set(needed({"x.c": '#include "ecgseg_a.h"\n'}, pool)) == {"ecgseg_a.h", "ecgseg_b.c"}
    assert set(needed({"x.c": "int f(void)\n{\n    return ecgseg_d_1;\n}\n"}, pool)) == {"ecgseg_d.c"}
    assert set(needed({"x.c": "/* ecgseg_c() */\n"}, pool)) == set()


def test_every_function_of_the_firmware_has_one_source() -> None:
    pool = firmware_files()
    for name in ("ecgseg_conv_finish", "ecgseg_phases_1_by_1", "ecgseg_threes", "ecgseg_beats_add", "ecgseg_rounded"):
        found = [file for file in needed({"x.c": f"int x = {name};\n"}, pool) if file.endswith(".c")]
        assert found, name


@pytest.mark.parametrize("kind", KINDS)
def test_everything_has_the_prefix_and_nothing_has_it_twice(kind: str) -> None:
    for path, text in library(kind, "Mine").files.items():
        assert not re.search(r"(?<![A-Za-z0-9_])(ecgseg|ECGSEG)_", text), path
        assert "Mine_Mine_" not in text
        assert not Path(path).name.startswith("ecgseg")
    public = library(kind, "Mine").files["include/Mine.h"]
    assert set(re.findall(r"^#define (\w+?)_", public, re.M)) == {"MINE"}


def test_a_prefix_stands_before_whole_names_alone() -> None:
    files = {"ecgseg_a.h": "#define ECGSEG_A ecgseg_b_##x /* host/ecgseg/x, my_ecgseg_y */\n"}
    assert prefixed(files, checked("p")) == {
        "p_ecgseg_a.h": "#define P_ECGSEG_A p_ecgseg_b_##x /* host/ecgseg/x, my_ecgseg_y */\n"
    }


@pytest.mark.parametrize(
    "prefix", ["", "1a", "a-b", "_a", "ecgseg", "a" * 33, "a\n", "stdint", "Time", "size", "va", "uint8"]
)
def test_what_cannot_open_a_name_is_refused(prefix: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(prefix)
    assert caught.value.remedy


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_model_gives_the_same_bytes_without_a_date(kind: str) -> None:
    again = library_of(subject_of(subject(kind).model), checked("ecg"), FORMS["plain"], FIGURES)
    assert again == library(kind)
    banner = f"Generated by ecgseg {__version__}"
    for path in ("include/ecg.h", "src/ecg.c", "src/ecg_ecgseg_build.h", "test/main.c", "test/vectors.h", "Makefile"):
        head = again.files[path][:500]
        assert banner in head
        assert again.source_sha256 in head or path.endswith("build.h")


def test_the_hash_of_the_sources_tells_models_and_prefixes_apart() -> None:
    found = {library(kind, prefix).source_sha256 for kind in KINDS for prefix in ("ecg", "two")}
    assert len(found) == 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compiler", [("gcc", "-std=c11", "-xc"), ("g++", "-std=gnu++17", "-xc++")])
def test_the_public_header_is_c_and_cpp(kind: str, compiler: tuple[str, ...], tmp_path: Path) -> None:
    write(tmp_path, kind)
    command = [*compiler, *STRICT, "-fsyntax-only", str(tmp_path / "include" / "ecg.h")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_written_is_told_and_written_again_without_a_trace(tmp_path: Path) -> None:
    export = write(tmp_path / "new" / "folder")
    found = on_disk(tmp_path / "new" / "folder")
    assert set(found) == {*export.files, FILE}
    assert Export.model_validate_json(found[FILE]) == export
    write(tmp_path / "new" / "folder")
    assert on_disk(tmp_path / "new" / "folder") == found


def test_files_of_an_earlier_export_go_and_those_of_the_user_stay(tmp_path: Path) -> None:
    write(tmp_path, "frames")
    (tmp_path / "src" / "mine.c").write_text("int mine;\n")
    export = write(tmp_path, "stream", "two")
    assert set(on_disk(tmp_path)) == {*export.files, FILE, "src/mine.c"}


@pytest.mark.parametrize("content", [None, "{}", "[", json.dumps({"files": {"../x": "0"}})])
def test_a_folder_of_something_else_is_left_alone(content: str | None, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    if content is not None:
        (tmp_path / FILE).write_text(content)
    before = on_disk(tmp_path)
    with pytest.raises(UsageError, match="no earlier export") as caught:
        write(tmp_path)
    assert caught.value.remedy
    assert on_disk(tmp_path) == before


def test_a_changed_file_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / "src" / "ecg.c").open("a") as file:
        file.write("/* mine */\n")
    before = on_disk(tmp_path)
    with pytest.raises(UsageError, match=r"src/ecg\.c"):
        write(tmp_path)
    assert on_disk(tmp_path) == before


def test_no_file_outside_of_the_folder_is_touched(tmp_path: Path) -> None:
    folder, outside = tmp_path / "out", tmp_path / "outside.txt"
    outside.write_text("mine")
    write(folder)
    told: Mapping[str, object] = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps({**told, "files": {"../outside.txt": "0", str(outside): "0"}}))
    (folder / "link").symlink_to(tmp_path)
    link = {"link/outside.txt": hashlib.sha256(b"mine").hexdigest()}
    (folder / FILE).write_text(json.dumps({**json.loads((folder / FILE).read_text()), "files": link}))
    write(folder)
    assert outside.read_text() == "mine"


def test_a_rate_that_has_no_use_is_refused() -> None:
    with pytest.raises(UsageError, match="takes no raw samples"):
        subject_of(subject("model").model, input_rate=200)
    with pytest.raises(UsageError, match="runs as a stream"):
        subject_of(subject("stream").model, optimise="size")
