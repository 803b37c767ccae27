"""The build: up to date means untouched, the same sources give the same bytes, and errors are the compiler's own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.errors import BuildError, OutputError, ToolMissingError, UsageError
from ecgseg.image import boards, objects, toolchain
from ecgseg.image.backends import build_image
from ecgseg.image.build import build
from support import model_double
from support.tflite_builder import Builder


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    return model_double.write_segmenter(tmp_path / "generated")


@pytest.mark.parametrize("board", ["host", "mps2_an386"])
def test_a_second_build_touches_nothing(generated: Path, tmp_path: Path, board: str) -> None:
    first = build(board, generated, out_dir=tmp_path / "image")
    before = state(tmp_path / "image")
    assert build(board, generated, out_dir=tmp_path / "image") == first
    assert state(tmp_path / "image") == before


def test_images_do_not_depend_on_where_they_are_built(
    generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build("mps2_an386", generated, out_dir=tmp_path / "a")
    elsewhere = tmp_path / "another place"
    shutil.copytree(generated, elsewhere)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "no objects yet")
    second = build("mps2_an386", elsewhere, out_dir=tmp_path / "b")
    assert second.build_id == first.build_id
    assert second.elf.read_bytes() == first.elf.read_bytes()
    assert second.map.read_bytes() == first.map.read_bytes()
    for folder in (str(tmp_path), str(paths.ROOT)):
        # The whole name of a folder: in /ecgseg, link/ecgseg_bytes.c tells nothing.
        assert not re.search(re.escape(folder.encode()) + rb"(?![\w.-])", first.elf.read_bytes())


def test_the_build_id_follows_code_and_flags_and_is_in_the_image(generated: Path, tmp_path: Path) -> None:
    first = build("mps2_an386", generated, out_dir=tmp_path / "image")
    assert first.build_id.encode() in first.elf.read_bytes()
    other_flags = build("mps2_an386", generated, out_dir=tmp_path / "image", extra_flags=["-DUNUSED=1"])
    source = generated / "ecgseg_model.c"
    source.write_text(source.read_text().replace("* 11u", "* 13u"))
    other_code = build("mps2_an386", generated, out_dir=tmp_path / "image")
    assert len({first.build_id, other_flags.build_id, other_code.build_id}) == 3
    assert other_code.build_id.encode() in other_code.elf.read_bytes()


@pytest.mark.slow
def test_an_edit_during_the_build_never_ends_up_under_the_old_name(
    generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = generated / "ecgseg_model.c"
    original, edited = source.read_text(), source.read_text().replace("* 11u", "* 17u")
    really_run = toolchain.run_tool

    def edit_then_run(command: list[str], *rest: Path | str) -> None:
        source.write_text(edited)
        really_run(command, *rest)

    monkeypatch.setattr(paths, "BUILD", tmp_path / "objects")
    monkeypatch.setattr(objects, "run_tool", edit_then_run)
    disturbed = build("mps2_an386", generated, out_dir=tmp_path / "disturbed")
    monkeypatch.setattr(objects, "run_tool", really_run)
    assert build("mps2_an386", generated, out_dir=tmp_path / "edited").elf.read_bytes() == disturbed.elf.read_bytes()
    source.write_text(original)
    first = build("mps2_an386", generated, out_dir=tmp_path / "original")
    monkeypatch.setattr(paths, "BUILD", tmp_path / "other objects")
    fresh = build("mps2_an386", generated, out_dir=tmp_path / "fresh")
    assert first.elf.read_bytes() == fresh.elf.read_bytes() != disturbed.elf.read_bytes()


def test_a_damaged_image_is_built_again(generated: Path, tmp_path: Path) -> None:
    image = build("mps2_an386", generated, out_dir=tmp_path / "image")
    good = image.elf.read_bytes()
    image.elf.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    build("mps2_an386", generated, out_dir=tmp_path / "image")
    assert image.elf.read_bytes() == good


def test_a_model_without_preprocessor_parameters_builds_without_a_stream(tmp_path: Path) -> None:
    image = build("mps2_an386", model_double.write_plain(tmp_path / "plain"), out_dir=tmp_path / "image")
    assert b"ecgseg_preprocess_push" not in image.elf.read_bytes()
    assert 0 < image.sizes["flash"] < 64 * 1024


def test_a_warning_in_generated_code_is_an_error_in_the_compilers_words(generated: Path, tmp_path: Path) -> None:
    source = generated / "ecgseg_model.c"
    source.write_text(source.read_text() + "static int unused(void) { return 1; }\n")
    with pytest.raises(BuildError) as caught:
        build("mps2_an386", generated, out_dir=tmp_path / "image")
    assert "generated/ecgseg_model.c" in caught.value.what
    assert "unused" in caught.value.why
    assert caught.value.remedy


def test_what_does_not_link_is_told_in_the_linkers_words(generated: Path, tmp_path: Path) -> None:
    source = generated / "ecgseg_model.c"
    opening = "ecgseg_engine_status_t ecgseg_model_init(void)"
    other = opening.replace("_init", "_start")
    source.write_text(source.read_text().replace(opening, f"{other};\n{other}"))
    with pytest.raises(BuildError) as caught:
        build("mps2_an386", generated, out_dir=tmp_path / "image")
    assert "ecgseg_model_init" in caught.value.why


def test_nothing_generated_says_to_render_first(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build("host", tmp_path)
    assert "render" in caught.value.remedy


def test_a_missing_compiler_names_the_package(generated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain.shutil, "which", lambda name: None)
    with pytest.raises(ToolMissingError) as caught:
        build("mps2_an386", generated)
    assert boards.APT_ARM in caught.value.remedy


def test_an_unknown_board_or_backend_lists_the_known_ones(generated: Path) -> None:
    with pytest.raises(UsageError) as caught:
        build("apollo9", generated)
    assert "mps2_an386" in caught.value.remedy
    with pytest.raises(UsageError) as caught:
        build_image("host", generated, b"", backend="magic")
    assert "aot" in caught.value.remedy


def test_a_folder_that_cannot_be_written_is_an_output_error(generated: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError):
        build("mps2_an386", generated, out_dir=blocked / "image")


def test_a_full_disk_is_an_output_error(generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "full-gcc"
    compiler.write_text("#!/bin/sh\necho 'fatal error: error writing to x.s: No space left on device' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setattr(objects, "find_tool", lambda board, name, *why: str(compiler))
    with pytest.raises(OutputError) as caught:
        build("mps2_an386", generated, out_dir=tmp_path / "image")
    assert "room" in caught.value.remedy


@pytest.mark.parametrize("board", ["mps2_an386", "apollo4p_evb"])
def test_a_model_too_big_for_a_board_is_told_in_plain_words(tmp_path: Path, board: str) -> None:
    builder = Builder()
    tensors = [builder.int8([1, 1, 1000, 4000], scale, 0) for scale in (0.1, 0.2)]
    builder.operator("QUANTIZE", tensors[:1], tensors[1:], "QuantizeOptions")
    (tmp_path / "big.tflite").write_bytes(builder.finish(tensors[:1], tensors[1:]))
    render(tmp_path / "big.tflite", tmp_path / "generated")
    with pytest.raises(BuildError) as caught:
        build(board, tmp_path / "generated", out_dir=tmp_path / "image")
    assert caught.value.why.startswith("Activations and buffers (.bss) do not fit the memory")
    assert "18446744073709551" not in str(caught.value)
    assert "ld:" not in str(caught.value)
    assert "smaller activations" in caught.value.remedy
