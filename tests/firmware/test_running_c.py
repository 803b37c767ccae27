"""Running normalisation in C, under ASan and UBSan, against its Python twin: every byte equal."""

from __future__ import annotations

import shutil
import struct
import subprocess

import numpy as np
import pytest

from ecgseg.codegen.parameters import render_c_header
from ecgseg.image import qemu
from ecgseg.image.boards import HOST, board_of
from ecgseg.image.programs import PIPELINE_PART
from ecgseg.pipeline import PreprocessParameters, normalise_running
from support import drivers, engine_harness

CASES = {
    "zoo": PreprocessParameters(),
    "another scale and zero point": PreprocessParameters(scale=0.0307, zero_point=-17),
    "the finest scale": PreprocessParameters(scale=1.1e-5, zero_point=127),
}


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("running")
    (folder / "ecgseg_preprocess_params.h").write_text(render_c_header(PreprocessParameters(), "test"))
    sources = [PIPELINE_PART.source_dir / "ecgseg_running.c", drivers.FOLDER / "running_driver.c"]
    compiler = drivers.Compiler(board_of(HOST), (PIPELINE_PART.include_dir, folder))
    return compiler.link(sources, folder / "driver")


@pytest.fixture(params=list(CASES))
def case(request, binary):
    parameters = CASES[request.param]
    head = struct.pack("<fi", parameters.scale, parameters.zero_point)

    def run(samples, valid):
        pairs = np.stack([samples, valid], axis=1).astype("<i2")
        answer = subprocess.run([binary], input=head + pairs.tobytes(), capture_output=True, check=True).stdout
        return np.frombuffer(answer, dtype=np.int8)

    return parameters, run


def check(case, samples, valid):
    parameters, run = case
    assert np.array_equal(run(samples, valid), normalise_running(samples[None], valid[None], parameters)[0])


@pytest.mark.parametrize("amplitude", [0.05, 1.0, 30.0, 3000.0])
def test_random_walks_with_gaps_are_equal(case, amplitude):
    rng = np.random.default_rng(int(amplitude))
    samples = np.clip(rng.standard_normal(30000).cumsum() * amplitude, -32767, 32767).astype(np.int16)
    valid = np.ones(samples.size, dtype=bool)
    for start, length in rng.integers((0, 1), (30000, 300), (60, 2)):
        valid[start : start + length] = False
    check(case, samples, valid)


def test_rails_steps_and_flat_lines_are_equal(case):
    pieces = [[32767] * 300, [-32767] * 300, [0] * 300, [32767, -32767] * 200, [5] * 260, [5, 12] * 130, [5, 13] * 130]
    samples = np.concatenate(pieces).astype(np.int16)
    check(case, samples, np.ones(samples.size, dtype=bool))


def test_after_a_reset_all_is_as_at_the_start(case):
    _, run = case
    samples = (1000 * np.sin(np.arange(400) / 7)).astype(np.int16)
    once = run(samples, np.ones(400))
    again = run(np.concatenate([samples, [0], samples]), np.concatenate([np.ones(400), [2], np.ones(400)]))
    assert np.array_equal(again, np.concatenate([once, once]))


@pytest.mark.skipif(not drivers.HAS_QEMU, reason="needs qemu-system-arm and arm-none-eabi-gcc")
@pytest.mark.qemu
def test_on_a_cortex_m4_it_is_the_same(tmp_path):
    parameters = CASES["another scale and zero point"]
    rng = np.random.default_rng(7)
    samples = np.clip(rng.standard_normal(3000).cumsum() * 300, -32767, 32767).astype(np.int16)
    samples[1000:1400] = samples[1000]
    valid = np.ones(samples.size, dtype=bool)
    valid[500:520], valid[2000:2100] = False, False
    (tmp_path / "ecgseg_preprocess_params.h").write_text(render_c_header(parameters, "test"))
    (tmp_path / "test_samples.h").write_text(
        f"#define TEST_SAMPLES {samples.size}u\n#define TEST_SCALE {float(parameters.scale).hex()}f\n"
        f"#define TEST_ZERO_POINT ({parameters.zero_point})\n"
        f"static const int16_t test_samples[] = {{{', '.join(map(str, samples))}}};\n"
        f"static const uint8_t test_valid[] = {{{', '.join(map(str, valid.astype(int)))}}};\n"
    )
    sources = [PIPELINE_PART.source_dir / "ecgseg_running.c", drivers.FOLDER / "running_m4_driver.c"]
    shutil.copy(PIPELINE_PART.include_dir / "ecgseg_running.h", tmp_path)
    elf = engine_harness.build_program(tmp_path, sources, qemu.BOARD, tmp_path / "m4.elf")
    answer = engine_harness.run_program(qemu.semihosting_command(elf, "A test runs it there.", counted=False))
    expected = normalise_running(samples[None], valid[None], parameters)[0]
    assert np.array_equal(np.frombuffer(answer, dtype=np.int8), expected)
