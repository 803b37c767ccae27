"""Samples at 100 Hz of any rate, in C under ASan and UBSan, against Python: every byte equal, however they are cut."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg.codegen.parameters import render_c_header
from ecgseg.image.boards import HOST, board_of
from ecgseg.image.programs import PIPELINE_PART
from ecgseg.pipeline import LEAD_OFF, PreprocessParameters, decimate, flush_samples
from support import drivers
from support.rates import RATES_IN_C

Raw = npt.NDArray[np.int16]
WITHOUT_CONTACT, AT_RAIL = 1, 2


FAST = (50, 512)  # fewer samples than at 100 Hz, and many phases


@pytest.fixture(
    scope="module", params=[pytest.param(rate, marks=() if rate in FAST else pytest.mark.slow) for rate in RATES_IN_C]
)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    folder = tmp_path_factory.mktemp("rates")
    parameters = PreprocessParameters(input_rate=request.param)
    (folder / "ecgseg_preprocess_params.h").write_text(render_c_header(parameters, "test"))
    host = drivers.Compiler(board_of(HOST), (PIPELINE_PART.include_dir, folder))
    source = PIPELINE_PART.source_dir / "ecgseg_preprocess.c"
    return host.link([source, drivers.FOLDER / "rates_driver.c"], folder / "driver"), request.param


def record(seed: int, rate: int) -> Raw:
    """Noise up to the rails, with gaps and rails in it, also at its ends; some records have a few samples only."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 9)) if seed % 4 == 0 else int(rng.integers(1, 8 * rate))
    raw = np.clip(rng.normal(0, rng.choice([30, 9000, 60000]), size), -32767, 32767).astype(np.int16)
    for value in (LEAD_OFF, 32767, -32767):
        for _ in range(rng.integers(0, 3)):
            start = rng.integers(0, size)
            raw[start : start + rng.integers(1, rate)] = value
    raw[: seed % 3] = LEAD_OFF
    return raw


def chunks(raw: Raw, rate: int, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    written, at = b"", 0
    while at < raw.size:
        part = raw[at : at + min(int(rng.choice([1, 2, 3, 7, 64, 255, 1500])), 2 * rate)]
        written += struct.pack("<I", part.size) + part.astype("<i2").tobytes()
        at += part.size
    return written


def expected(raw: Raw, parameters: PreprocessParameters) -> bytes:
    signal = decimate(raw, parameters)
    flags = WITHOUT_CONTACT * ~signal.valid + AT_RAIL * signal.saturated
    return b"".join(struct.pack("<hB", *pair) for pair in zip(signal.samples.tolist(), flags.tolist(), strict=True))


def test_every_byte_is_pythons_however_the_samples_are_cut(program: tuple[Path, int]) -> None:
    path, rate = program
    parameters = PreprocessParameters(input_rate=rate)
    for seed in range(16):
        raw = record(seed, rate)
        script = chunks(np.concatenate([raw, flush_samples(raw, parameters)]), rate, seed)
        done = subprocess.run([path], input=script, capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == expected(raw, parameters), f"seed {seed}"
