"""Programs as data: what is described is there, what is there is described, and programs without a model build too."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.errors import BuildError, ToolMissingError, UsageError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.image import toolchain
from ecgseg.image.boards import APT_ARM, BOARDS, board_of
from ecgseg.image.build import build
from ecgseg.image.direct import render_direct
from ecgseg.image.direct.render import Calls
from ecgseg.image.objects import Library, Plan, compile_all, plan_of
from ecgseg.image.programs import (
    APP,
    BRINGUP,
    CYCLES,
    DIRECT,
    FUZZ,
    PROFILE,
    PROFILE_LAYERS,
    PROFILE_MODEL,
    STREAM_APP,
    TFLM_ARENA,
    Program,
    headers_in,
)
from ecgseg.image.sizes import symbols
from ecgseg.image.tflm.render import render_tflm
from ecgseg.models import find_model
from support import model_double
from support.drivers import HAS_ARM_COMPILER

# Which compiler builds the fuzzer does not matter here.
PROGRAMS = (
    APP,
    STREAM_APP,
    PROFILE,
    PROFILE_LAYERS,
    PROFILE_MODEL,
    CYCLES,
    BRINGUP,
    TFLM_ARENA,
    replace(FUZZ, compiler="gcc"),
)
needs_arm = pytest.mark.skipif(not HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Rendered folders: a segmenter, a model that is none, and a segmenter for TensorFlow Lite Micro."""
    folder, model = tmp_path_factory.mktemp("models"), find_model()
    manifest = render(model.path, folder / "tflm", name=model.name)
    return {
        "segmenter": model_double.write_segmenter(folder / "segmenter"),
        "plain": model_double.write_plain(folder / "plain"),
        "tflm": render_tflm(model.data, manifest, folder / "tflm"),
        "direct": render_direct(lower(load_tflite(model.data)), manifest, folder / "tflm", Calls("x"))[0],
    }


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library that nothing links."""
    (tmp_path / "x.a").touch()
    return Library(tmp_path / "x.a", tmp_path, (), ("-DARENA",))


def names(plan: Plan) -> set[str]:
    return {path.name for path in plan.sources}


@needs_arm
def test_every_source_of_the_firmware_belongs_to_a_program(models: dict[str, Path], library: Library) -> None:
    plans = []
    for program in PROGRAMS:
        for board in map(board_of, program.boards):
            plans += [plan_of(program, board, models[kind], (), None) for kind in ("segmenter", "plain")]
            plans.append(plan_of(program, board, models["tflm"], (), library))
            plans.append(plan_of(program, board, models["direct"], (), replace(library, backend=DIRECT)))
    built = {path for plan in plans for path in plan.sources}
    assert {path for kind in ("*.c", "*.cc", "*.S") for path in paths.FIRMWARE.rglob(kind)} - built == set()
    included = {path for plan in plans for path in plan.headers}
    assert {path for kind in ("*.h", "*.def") for path in paths.FIRMWARE.rglob(kind)} - included == set()


@needs_arm
@pytest.mark.parametrize("program", [APP, PROFILE])
def test_the_preprocessor_is_in_a_program_for_a_segmenter_alone(program: Program, models: dict[str, Path]) -> None:
    board = board_of(PROFILE.boards[0])
    with_stream = plan_of(program, board, models["segmenter"], (), None)
    without = plan_of(program, board, models["plain"], (), None)
    assert "ecgseg_preprocess.c" in names(with_stream)
    assert "ecgseg_preprocess.c" not in names(without)
    assert set(program.stream_flags) <= set(with_stream.flags)
    assert not set(program.stream_flags) & set(without.flags)
    assert names(with_stream) & {*APP.with_stream, *APP.without_stream} == set(program.with_stream)
    assert names(without) & {*APP.with_stream, *APP.without_stream} == set(program.without_stream)
    # The model alone is counted without it, whatever the model.
    assert "ecgseg_preprocess.c" not in names(plan_of(PROFILE_MODEL, board, models["segmenter"], (), None))


@needs_arm
def test_over_a_library_the_shim_takes_the_engines_place(models: dict[str, Path], library: Library) -> None:
    board = board_of("mps2_an386")
    for program in (APP, PROFILE_MODEL, TFLM_ARENA):
        plan = plan_of(program, board, models["tflm"], (), library)
        assert {"ecgseg_tflm.cc", "ecgseg_tflm_model.cc"} <= names(plan)
        assert not {"ecgseg_phases.c", "ecgseg_model.c"} & names(plan)
        assert plan.cpp_compiler
    assert not plan_of(APP, board, models["plain"], (), None).cpp_compiler


@needs_arm
def test_kernels_called_directly_take_no_cpp(models: dict[str, Path], library: Library) -> None:
    plan = plan_of(CYCLES, board_of("apollo4p_evb"), models["direct"], (), replace(library, backend=DIRECT))
    assert {"ecgseg_direct_model.c", "ecgseg_direct_cmsis_nn.c", "ecgseg_direct_tinyengine.c"} <= names(plan)
    assert not {"ecgseg_tflm.cc", "ecgseg_phases.c"} & names(plan)
    assert not plan.cpp_compiler


@needs_arm
def test_the_shim_is_compiled_once_for_models_and_rendered_code_for_each(
    models: dict[str, Path], library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    model = find_model("seg-2-tcn-sm")
    folder = tmp_path / "other"
    network = lower(load_tflite(model.data))
    other, _ = render_direct(network, render(model.path, folder, name=model.name), folder, Calls("x"))
    first, second = (
        {
            path.name
            for path in compile_all(
                plan_of(CYCLES, board_of("apollo4p_evb"), generated, (), replace(library, backend=DIRECT)), "stamp"
            )
        }
        for generated in (models["direct"], other)
    )
    both = {name.rpartition("-")[0] for name in first & second}
    assert {"ecgseg_direct_cmsis_nn", "ecgseg_direct_tinyengine"} <= both
    assert not {"ecgseg_direct_model", "cycles_main"} & both


@needs_arm
def test_a_header_that_only_its_own_folder_includes_counts_in_the_build_id(models: dict[str, Path]) -> None:
    plan = plan_of(APP, board_of("apollo4p_evb"), models["segmenter"], (), None)
    counted = set(plan.headers)
    assert set(headers_in({path.parent for path in plan.sources})) <= counted
    assert set(headers_in(plan.include_dirs)) <= counted


@needs_arm
def test_the_bringup_image_is_built_once_and_tells_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    image = build("apollo4p_evb", program=BRINGUP)
    assert image.elf == tmp_path / "build" / "images" / "apollo4p_evb" / "bringup" / "bringup.elf"
    assert image.bin is not None
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "build").rglob("*")}
    assert build("apollo4p_evb", program=BRINGUP) == image
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "build").rglob("*")} == before
    for name in (tmp_path, paths.ROOT):
        assert str(name).encode() not in image.elf.read_bytes()


@needs_arm
@pytest.mark.parametrize("program", [PROFILE, PROFILE_LAYERS])
def test_generated_code_tells_its_layers_to_the_program_that_counts_them(program: Program, tmp_path: Path) -> None:
    model = find_model("seg-2-tcn-sm")
    render(model.path, tmp_path / "generated", name=model.name)
    image = build("mps2_an386", tmp_path / "generated", program=program, out_dir=tmp_path / "image")
    functions = {symbol.name for symbol in symbols(image.elf) if symbol.is_function}
    # Where nobody calls it the linker drops it.
    assert ("profile_layer_done" in functions) is (program is PROFILE_LAYERS)


def test_a_program_that_does_not_exist_for_a_board_lists_its_boards() -> None:
    with pytest.raises(UsageError) as caught:
        build("host", program=BRINGUP)
    assert "bringup" in caught.value.what
    assert "apollo4p_evb" in caught.value.remedy


def test_what_a_message_says_is_the_programs_own(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(PROFILE, flags=("-DECGSEG_MODEL_H",))
    if HAS_ARM_COMPILER:
        with pytest.raises(BuildError) as build_error:
            build("mps2_an386", models["segmenter"], program=broken, out_dir=tmp_path)
        assert (build_error.value.what, build_error.value.remedy) == (PROFILE.failure, PROFILE.remedy)
        assert "ECGSEG_MODEL" in build_error.value.why
    monkeypatch.setattr(toolchain.shutil, "which", lambda name: None)
    with pytest.raises(ToolMissingError) as missing:
        build("mps2_an386", models["segmenter"], program=PROFILE)
    assert (missing.value.why, APT_ARM in missing.value.remedy) == (PROFILE.why, True)
    with pytest.raises(ToolMissingError, match="The board host is compiled with it"):
        build("host", models["segmenter"])


def test_the_linker_script_puts_an_image_where_the_board_says_it_is_flashed() -> None:
    flashed = [board for board in BOARDS.values() if board.has_bin]
    assert flashed
    for board in flashed:
        assert board.script is not None
        found = re.search(r"MRAM[^:]*:\s*ORIGIN = (\w+)", board.script.read_text(encoding="utf-8"))
        assert found is not None
        assert int(found[1], 0) == board.load_address
