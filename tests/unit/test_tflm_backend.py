"""The backend tflm without a tree: what its messages say, which tree and library are taken, what is rendered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecgseg.backends import build_image
from ecgseg.boards import board_of
from ecgseg.codegen import Manifest, render
from ecgseg.errors import GraphError, ToolMissingError, UsageError
from ecgseg.graph.load import load_tflite
from ecgseg.models import find_model
from ecgseg.tflm import find_tree
from ecgseg.tflm.render import operators_of, render_tflm
from ecgseg.tflm.tree import archive_machine

ARM, X86 = 40, 62
HEADERS = (
    "flatbuffers/include/flatbuffers/flatbuffers.h",
    "gemmlowp/fixedpoint/fixedpoint.h",
    "ruy/ruy/profiler/instrumentation.h",
)


def archive(path: Path, machine: int) -> Path:
    """A static library as ar writes it: a symbol index, whose length is odd, then an object of that ELF machine."""
    elf = b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(20)
    data = b"!<arch>\n"
    for name, content in ((b"/", b"abc"), (b"x.o/", elf)):
        data += name.ljust(48) + str(len(content)).encode().ljust(10) + b"`\n" + content + b"\n" * (len(content) % 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    for name in (
        "tensorflow/lite/micro/micro_interpreter.h",
        *(f"tensorflow/lite/micro/tools/make/downloads/{header}" for header in HEADERS),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


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
    fast = archive(root / "gen/c_cortex_cmsis_nn/lib/libtensorflow-microlite.a", ARM)
    (root / "lib").mkdir()
    (root / "lib/text.a").write_text("no archive")
    tree = find_tree(root)
    assert len(tree.libraries) == 3
    assert tree.library(board_of("apollo4p_evb")) == fast.resolve()


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


def test_parsers_go_by_the_names_of_the_library() -> None:
    path = Path(__file__).parents[1] / "vectors" / "heartkit-style.tflite"
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
