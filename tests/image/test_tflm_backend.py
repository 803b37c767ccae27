"""The backend tflm without a tree: what its messages say, which tree and library are taken, what is rendered."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import render
from ecgseg.errors import DataError, GraphError, ToolMissingError, UsageError
from ecgseg.graph.load import load_tflite
from ecgseg.image.backends import build_image
from ecgseg.image.boards import board_of
from ecgseg.image.tflm import find_tree
from ecgseg.image.tflm.render import operators_of, render_tflm
from ecgseg.image.tflm.tree import archive_machine
from ecgseg.image.tflm.versions import UNKNOWN, versions_of
from ecgseg.image.toolchain import require_cpp_library
from ecgseg.models import find_model
from support.tflm_tree import ARM, CMSIS_NN_INDEX, HEADERS, X86, archive, empty_tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return empty_tree(tmp_path / "tree")


def test_without_a_tree_the_message_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TFLM_DIR", raising=False)
    with pytest.raises(UsageError) as caught:
        build_image("host", tmp_path, b"", backend="tflm")
    assert "docs/tflm.md" in caught.value.remedy
    assert "--tflm-dir" in caught.value.remedy


def test_a_folder_that_is_no_tree_is_told_apart_from_a_tree_without_headers(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="is no TensorFlow Lite Micro tree"):
        find_tree(tmp_path)
    (root / "tensorflow/lite/micro/tools/make/downloads" / HEADERS[1]).unlink()
    with pytest.raises(ToolMissingError, match="headers of gemmlowp"):
        find_tree(root)


def test_the_environment_names_the_tree_and_the_option_wins(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFLM_DIR", str(root))
    assert find_tree(None).root == root.resolve()
    with pytest.raises(ToolMissingError):
        find_tree(tmp_path)


def test_include_folders_are_those_that_the_headers_are_named_from(root: Path) -> None:
    folders = find_tree(root).include_dirs
    for name in ("flatbuffers/flatbuffers.h", "fixedpoint/fixedpoint.h", "ruy/profiler/instrumentation.h"):
        assert any((folder / name).is_file() for folder in folders)


def test_the_library_fits_the_processor_and_prefers_cmsis_nn(root: Path) -> None:
    tree = find_tree(root)
    with pytest.raises(ToolMissingError, match=r"no TensorFlow Lite Micro library for Cortex-M4F"):
        tree.library(board_of("mps2_an386"))
    archive(root / "gen/a_linux/lib/libtensorflow-microlite.a", X86)
    archive(root / "gen/b_cortex/lib/libtensorflow-microlite.a", ARM)
    fast = archive(root / "gen/c_cortex/lib/libtensorflow-microlite.a", ARM, CMSIS_NN_INDEX)
    (root / "lib").mkdir()
    (root / "lib/text.a").write_text("no archive")
    tree = find_tree(root)
    assert len(tree.libraries) == 3
    assert tree.library(board_of("apollo4p_evb")) == fast.resolve()


def test_kernels_are_told_apart_by_what_the_library_holds_whatever_its_path(root: Path) -> None:
    board = board_of("mps2_an386")
    plain = archive(root / "gen/a_cmsis_nn/lib/libtensorflow-microlite.a", ARM)
    archive(root / "gen/host/lib/libtensorflow-microlite.a", X86, CMSIS_NN_INDEX)
    tree = find_tree(root)
    assert list(tree.by_kernels(board)) == ["reference"]
    with pytest.raises(ToolMissingError, match=r"Cortex-M4F .* with the kernels of CMSIS-NN") as caught:
        tree.require_both_kernels(board)
    assert "gen/a_cmsis_nn" in caught.value.why
    assert "docs/tflm.md" in caught.value.remedy
    fast = archive(root / "gen/b/lib/libtensorflow-microlite.a", ARM, CMSIS_NN_INDEX)
    tree = find_tree(root)
    tree.require_both_kernels(board)
    found = {kernels: one_kind.library(board) for kernels, one_kind in tree.by_kernels(board).items()}
    assert found == {"CMSIS-NN": fast.resolve(), "reference": plain.resolve()}


def commit(folder: Path) -> str:
    """Makes a folder a git checkout; returns its commit as the page shows it."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "empty"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True)
    done = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return f"commit {done.stdout[:12]}"


def test_versions_are_the_commits_of_checkouts_and_what_is_written_wins(root: Path) -> None:
    downloads = root / "tensorflow/lite/micro/tools/make/downloads"
    (downloads / "cmsis_nn").mkdir()
    assert set(versions_of(find_tree(root)).values()) == {UNKNOWN}
    whole, part = commit(root), commit(downloads / "cmsis_nn")
    versions = versions_of(find_tree(root))
    assert versions["TensorFlow Lite Micro"].startswith(whole)
    assert versions["CMSIS-NN"].startswith(part)
    assert versions["ruy"] == UNKNOWN  # not the commit of the checkout that it lies in
    (root / "ecgseg-versions.json").write_text('{"ruy": "2.0", "CMSIS-NN": "7.0", "flags": "-O2"}')
    written = versions_of(find_tree(root))
    assert written == {**versions, "ruy": "2.0", "CMSIS-NN": "7.0", "flags": "-O2"}


@pytest.mark.parametrize("text", ["", "[]", '{"ruy": 2}'])
def test_versions_that_are_no_object_of_texts_are_refused(root: Path, text: str) -> None:
    (root / "ecgseg-versions.json").write_text(text)
    with pytest.raises(DataError, match="does not tell versions") as caught:
        versions_of(find_tree(root))
    assert caught.value.why
    assert "docs/tflm.md" in caught.value.remedy


@pytest.mark.parametrize("answer", ["libstdc++.a", "/usr/lib/libstdc++.a"])
def test_a_missing_cpp_library_comes_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    compiler = tmp_path / "arm-none-eabi-g++"
    compiler.write_text(f"#!/bin/sh\necho {answer}\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    if answer.startswith("/"):
        require_cpp_library(board_of("mps2_an386"))
        return
    require_cpp_library(board_of("host"))
    with pytest.raises(ToolMissingError) as caught:
        require_cpp_library(board_of("mps2_an386"))
    assert "libstdc++-arm-none-eabi-newlib" in caught.value.remedy


@pytest.mark.parametrize(
    "damage", [b"", b"!<arch>\n", b"!<arch>\n" + b"x" * 60, b"!<arch>\n" + b" " * 48 + b"999999    `\n"]
)
def test_a_damaged_library_has_no_machine(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "damaged.a"
    path.write_bytes(damage)
    assert archive_machine(path) == 0


def test_the_resolver_holds_each_operator_of_the_model_once(tmp_path: Path) -> None:
    model = find_model()
    folder = render_tflm(model.data, render(model.path, tmp_path, name=model.name), tmp_path)
    text = (folder / "ecgseg_tflm_model.cc").read_text()
    registered = re.findall(r"tflite::BuiltinOperator_(\w+), tflite::Register_(\w+)\(\)", text)
    assert sorted(code for code, _ in registered) == sorted({o.name for o in load_tflite(model.data).operators})
    assert all(code == name for code, name in registered)
    numbers = re.search(r"ecgseg_tflm_flatbuffer\[\d+\] = \{([\d,\s]+)\};", text)
    assert numbers is not None
    assert bytes(int(number) for number in numbers.group(1).split(",")) == model.data
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    render_tflm(model.data, render(model.path, tmp_path, name=model.name), tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_every_name_that_others_see_opens_with_the_prefix(tmp_path: Path) -> None:
    model = find_model()
    manifest = render(model.path, tmp_path, name=model.name)
    usual = {path.name: path.read_text() for path in render_tflm(model.data, manifest, tmp_path).iterdir()}
    folder = render_tflm(model.data, manifest, tmp_path, prefix="lead")
    for end in ("model.h", "tflm_model.cc"):
        renamed = re.sub(r"\becgseg_((?:tflm_)?model|tflm_flatbuffer)(?!\w*_t\b)", r"lead_\1", usual[f"ecgseg_{end}"])
        renamed = re.sub(r"\bECGSEG_(MODEL_|TFLM_ARENA)", r"LEAD_\1", renamed)
        assert (folder / f"lead_{end}").read_text() == renamed


def test_parsers_go_by_the_names_of_the_library() -> None:
    path = paths.HEARTKIT_STYLE
    names = {operator.code: operator.parse for operator in operators_of(path.read_bytes())}
    assert names["DEPTHWISE_CONV_2D"] == "DepthwiseConv2D"
    assert names["CONV_2D"] == "Conv2D"
    assert names["ADD"] == "Add"


def test_float_ends_are_refused_with_the_other_backend_as_remedy(tmp_path: Path) -> None:
    model = find_model()
    manifest: Manifest = render(model.path, tmp_path, name=model.name)
    with pytest.raises(GraphError) as caught:
        render_tflm(model.data, manifest.model_copy(update={"float_input": True}), tmp_path)
    assert "backend aot" in caught.value.remedy
