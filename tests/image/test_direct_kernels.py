"""Kernels of others called directly: which trees are taken, what is rendered for them, what they cannot run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.errors import BuildError, ToolMissingError
from ecgseg.graph.extract import single_operator
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.image.boards import board_of
from ecgseg.image.direct import UnsuitedError, find_cmsis_nn, find_tinyengine, kernels_of, render_direct
from ecgseg.image.direct.render import Calls
from ecgseg.image.tflm.versions import UNKNOWN, versions_in
from ecgseg.models import find_model
from support.drivers import HAS_ARM_COMPILER
from support.kernel_trees import cmsis_nn_tree, tinyengine_tree

MODEL = find_model("seg-2-tcn-sm")
needs_arm = pytest.mark.skipif(not HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")


def rendered(data: bytes, folder: Path, calls: Calls) -> tuple[str, int]:
    """The source, and the memory that it takes."""
    manifest = render(data, folder, name="model")
    target, memory = render_direct(lower(load_tflite(data)), manifest, folder, calls)
    assert (target / "ecgseg_model.h").is_file()
    return (target / "ecgseg_direct_model.c").read_text(), memory


def test_no_tree_is_no_error_and_tensorflows_own_sources_are_taken(tmp_path: Path) -> None:
    assert find_cmsis_nn(None) is None
    assert find_cmsis_nn(None, tmp_path) is None
    assert find_tinyengine(None) is None
    inside = cmsis_nn_tree(tmp_path / "tensorflow/lite/micro/tools/make/downloads/cmsis_nn")
    found, named = find_cmsis_nn(None, tmp_path), find_cmsis_nn(cmsis_nn_tree(tmp_path / "own"), tmp_path)
    assert found is not None
    assert (found.root, found.version_folders) == (inside.resolve(), ())
    assert named is not None
    assert named.root == (tmp_path / "own").resolve()


def test_releases_are_told_by_each_project_of_a_tree(tmp_path: Path) -> None:
    tree = find_tinyengine(tinyengine_tree(tmp_path))
    assert tree is not None
    folders = dict(tree.version_folders)
    assert versions_in(tree.root, folders) == {"TinyEngine": UNKNOWN, "CMSIS 5 in TinyEngine": UNKNOWN}
    (tmp_path / "ecgseg-versions.json").write_text('{"TinyEngine": "commit 1"}')
    assert versions_in(tree.root, folders)["TinyEngine"] == "commit 1"


def test_a_folder_that_is_something_else_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="no source tree of CMSIS-NN") as caught:
        find_cmsis_nn(tmp_path)
    assert "arm_nnfunctions.h" in caught.value.why
    assert "--cmsis-nn-dir" in caught.value.remedy
    root = tinyengine_tree(tmp_path / "clone")
    shutil.rmtree(root / "TinyEngine/third_party")
    with pytest.raises(ToolMissingError, match="no source tree of TinyEngine") as caught:
        find_tinyengine(root)
    assert "third_party/CMSIS" in caught.value.why
    assert "submodules" in caught.value.remedy


@needs_arm
def test_the_kernels_are_compiled_once_and_tell_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    tree = find_cmsis_nn(cmsis_nn_tree(tmp_path / "tree"))
    assert tree is not None
    board = board_of("mps2_an386")
    library = kernels_of(tree, board, ("-DX",))
    assert str(tmp_path).encode() not in library.file.read_bytes()
    made = library.file.stat().st_mtime_ns
    assert kernels_of(tree, board_of("apollo4p_evb"), ("-DY",)).file == library.file
    assert library.file.stat().st_mtime_ns == made
    (tree.include_dirs[0] / "arm_nnfunctions.h").write_text("#error another release\n")
    with pytest.raises(BuildError, match="kernels of CMSIS-NN do not compile") as caught:
        kernels_of(tree, board, ("-DX",))
    assert "another release" in caught.value.why


def test_memory_is_what_lies_between_layers_and_scratch(tmp_path: Path) -> None:
    text, memory = rendered(MODEL.data, tmp_path, Calls("x"))
    sizes = {name: int(size) for name, size in re.findall(r"^static int(?:8|16)_t (\w+)\[(\d+)\] __", text, re.M)}
    assert sizes["buffer_0"] == sizes["buffer_1"] == 125 * 8
    assert memory == sizes["buffer_0"] + sizes["buffer_1"] + 2 * sizes["scratch"]
    alone, memory = rendered(single_operator(MODEL.data, 2), tmp_path, Calls("x"))
    assert "buffer_0" not in alone
    assert memory == 2 * int(re.findall(r"scratch\[(\d+)\]", alone)[0])


def test_weights_are_filled_up_with_zeros_to_what_kernels_take(tmp_path: Path) -> None:
    stem = single_operator(MODEL.data, 1)
    for multiple, columns in ((1, 9), (4, 12)):
        text, _ = rendered(stem, tmp_path, Calls("x", column_multiple=multiple))
        assert f".columns = {columns}," in text
        values = re.search(r"weights_0\[(\d+)\] = \{([^}]*)\}", text)
        assert values is not None
        numbers = [int(number) for number in values.group(2).split(",")]
        assert len(numbers) == int(values.group(1)) == 8 * columns
        assert all(not any(numbers[start + 9 : start + columns]) for start in range(0, len(numbers), columns))


def test_factors_are_rendered_as_the_kernels_take_them(tmp_path: Path) -> None:
    integers, _ = rendered(MODEL.data, tmp_path, Calls("x"))
    assert "multipliers_0" in integers
    assert "scales_0" not in integers
    floats, _ = rendered(MODEL.data, tmp_path, Calls("x", as_float=True))
    assert "multipliers_0" not in floats
    multiplier = lower(load_tflite(MODEL.data)).layers[1].rescale.multipliers[0]  # type: ignore[attr-defined]
    first = re.search(r"scales_0\[8\] = \{(\S+)f,", floats)
    assert first is not None
    assert float.fromhex(first.group(1)) == pytest.approx(multiplier.mantissa * 2.0 ** (multiplier.shift - 31))


@pytest.mark.parametrize(
    ("operator", "calls", "why"),
    [
        (2, Calls("x"), "has no depthwise convolution"),
        (None, Calls("x", depthwise=True), "the model has MEAN"),
    ],
)
def test_what_the_kernels_cannot_run_is_told(operator: int | None, calls: Calls, why: str, tmp_path: Path) -> None:
    data = paths.HEARTKIT_STYLE.read_bytes()
    with pytest.raises(UnsuitedError, match=why):
        rendered(data if operator is None else single_operator(data, operator), tmp_path, calls)


def test_an_odd_number_of_outputs_is_told_where_kernels_need_pairs(tmp_path: Path) -> None:
    from support.small_models import segmenter

    rendered(segmenter(3), tmp_path, Calls("x"))
    with pytest.raises(UnsuitedError, match="even number of output channels, and the model has 3"):
        rendered(segmenter(3), tmp_path, Calls("x", even_outputs=True))
