"""Models run every way by the same programs: with trees of plain kernels, which everyone has."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.errors import TargetError
from ecgseg.graph.extract import single_operator
from ecgseg.image.build import build
from ecgseg.image.direct import find_cmsis_nn, find_tinyengine
from ecgseg.models import find_model
from ecgseg.profile import cycles, profile_model
from ecgseg.profile.cycles import modelled_inference
from ecgseg.profile.layers import DEPTHWISE, HEAD, POINTWISE, STEM, compare_layers, layers_of
from ecgseg.profile.ways import (
    CMSIS_NN_DIRECTLY,
    TINYENGINE,
    TINYENGINE_FLOAT,
    GeneratedC,
    Way,
    over_cmsis_nn,
    over_tinyengine,
    run_all,
    subject_of,
)
from support.drivers import HAS_QEMU
from support.kernel_trees import cmsis_nn_tree, tinyengine_tree

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_QEMU, reason="needs qemu-system-arm and arm-none-eabi-gcc"),
]
MODEL = find_model("seg-2-tcn-sm")


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Way]:
    folder = tmp_path_factory.mktemp("peers")
    cmsis_nn = find_cmsis_nn(cmsis_nn_tree(folder / "cmsis_nn"))
    tinyengine = find_tinyengine(tinyengine_tree(folder / "tinyengine"))
    assert cmsis_nn is not None
    assert tinyengine is not None
    runners = (GeneratedC(), *over_cmsis_nn(cmsis_nn), *over_tinyengine(tinyengine))
    found, left_out = run_all(subject_of(MODEL.data, MODEL.name, folder / "generated"), runners)
    assert left_out == {}
    return {way.name: way for way in found}


def test_generated_c_is_counted_as_it_is_alone(ways: dict[str, Way]) -> None:
    alone, way = profile_model(MODEL.path, MODEL.name), ways["generated C"]
    assert way.instructions_per_frame == alone.instructions_per_frame
    assert way.cycles_per_frame is not None
    assert 1 < way.cycles_per_frame / way.instructions_per_frame < 2.5


def test_the_cycles_are_those_of_the_image_that_is_flashed(ways: dict[str, Way], tmp_path: Path) -> None:
    # Another program around the same code: what differs is where the linker puts it.
    manifest = render(MODEL.path, tmp_path / "model")
    image = build(cycles.BOARD, tmp_path / "model", out_dir=tmp_path / "image")
    given = cycles.inputs(math.prod(manifest.input_shape))
    flashed = cycles.run_image(image.elf, given, math.prod(manifest.output_shape))
    assert ways["generated C"].cycles_per_frame == pytest.approx(flashed.cycles, rel=0.01)
    assert ways["generated C"].cycles_per_frame == modelled_inference(MODEL.path).cycles


def test_kernels_that_compute_the_same_are_equal_to_the_byte(ways: dict[str, Way]) -> None:
    for name in ("generated C", CMSIS_NN_DIRECTLY, TINYENGINE):
        agreement = ways[name].agreement
        assert agreement is not None
        assert (agreement.outputs, agreement.different, agreement.largest) == (cycles.RUNS * 500, 0, 0)


def test_kernels_that_round_otherwise_are_told(ways: dict[str, Way]) -> None:
    agreement = ways[TINYENGINE_FLOAT].agreement
    assert agreement is not None
    assert agreement.different > 0
    assert agreement.largest > 0


def test_kernels_that_ask_for_more_scratch_than_there_is_are_an_error(tmp_path: Path) -> None:
    tree = find_cmsis_nn(cmsis_nn_tree(tmp_path / "tree", buffer_bytes=1 << 16))
    assert tree is not None
    subject = subject_of(single_operator(MODEL.data, 10), "head", tmp_path / "generated")
    folder, library = _rendered(subject, *over_cmsis_nn(tree))
    with pytest.raises(TargetError, match="does not run on the simulated board"):
        cycles.modelled(folder, subject.manifest, library)


def _rendered(subject, runner):
    from ecgseg.image.boards import board_of
    from ecgseg.image.direct import kernels_of, render_direct

    folder, _ = render_direct(subject.network, subject.manifest, subject.generated, runner.calls)
    return folder, kernels_of(runner.tree, board_of(cycles.BOARD), runner.defines)


def test_depthwise_layers_run_over_cmsis_nn_and_are_left_out_over_tinyengine(tmp_path: Path) -> None:
    cmsis_nn = find_cmsis_nn(cmsis_nn_tree(tmp_path / "cmsis_nn"))
    tinyengine = find_tinyengine(tinyengine_tree(tmp_path / "tinyengine"))
    assert cmsis_nn is not None
    assert tinyengine is not None
    heartkit = find_model(tflite=paths.HEARTKIT_STYLE)
    layers = {geometry: data for geometry, data in layers_of(heartkit).items() if geometry.kind == DEPTHWISE}
    first = dict([next(iter(layers.items()))])
    (compared,) = compare_layers(first, (GeneratedC(), *over_cmsis_nn(cmsis_nn), *over_tinyengine(tinyengine)))
    way = compared.way(CMSIS_NN_DIRECTLY)
    assert way is not None
    assert way.agreement is not None
    assert way.agreement.different == 0
    ratio = compared.ratio(way)
    assert ratio is not None
    assert ratio > 1
    assert {*compared.left_out} == {TINYENGINE, TINYENGINE_FLOAT}
    assert compare_layers(first, (GeneratedC(),), known=first) == []


def test_layers_are_told_apart_by_geometry_and_named_by_kind() -> None:
    layers = list(layers_of(MODEL))
    assert [geometry.kind for geometry in layers[:1] + layers[-1:]] == [STEM, HEAD]
    assert [geometry.dilation for geometry in layers] == [1, 1, 2, 4, 8, 16, 1]
    kinds = {geometry.kind for geometry in layers_of(find_model(tflite=paths.HEARTKIT_STYLE))}
    assert kinds == {DEPTHWISE, POINTWISE}


def test_inputs_are_those_that_the_program_makes(tmp_path: Path) -> None:
    subject = subject_of(MODEL.data, MODEL.name, tmp_path)
    ran = cycles.modelled(tmp_path, subject.manifest)
    assert np.array_equal(ran.outputs, subject.answers)
    assert len({row.tobytes() for row in cycles.inputs(250)}) == cycles.RUNS
    other = replace(subject, answers=cycles.expected(subject.network) + 1)
    assert not np.array_equal(ran.outputs, other.answers)
