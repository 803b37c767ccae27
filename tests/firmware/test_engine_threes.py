"""The convolution that multiplies three pairs an instruction: portable form under sanitizers, and interpreter."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from ecgseg.codegen import threes
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.interpret import compute
from ecgseg.graph.layers import Convolution, Rescale, Window
from ecgseg.image.programs import ENGINE_PART
from support import drivers


def convolution(rng: np.random.Generator) -> Convolution:
    """A random convolution along time of the kind that the kernel takes."""
    inputs, outputs = (4 * int(value) for value in rng.integers(1, 7, 2))
    if rng.random() < 0.5:
        outputs = inputs
    taps, dilation = int(rng.choice([1, 2, 3, 3, 3, 5])), int(rng.choice([1, 2, 3, 4, 8, 16]))
    positions = int(rng.choice([1, 2, 3, 4, 6, 8, 12]))
    size = positions + (taps - 1) * dilation
    window = Window((1, size), (1, taps), (1, 1), (1, dilation), (0, 0), (1, positions))
    if rng.random() < 0.3:
        window = Window(*((pair[1], pair[0]) for pair in vars(window).values()))
    multipliers = tuple(
        Multiplier(int(rng.integers(1 << 30, 1 << 31)), -int(rng.integers(5, 10))) for _ in range(outputs)
    )
    return Convolution(
        name="CONV_2D",
        operator=0,
        inputs=(0,),
        output=1,
        output_size=positions * outputs,
        window=window,
        in_channels=inputs,
        out_channels=outputs,
        weights=np.clip(np.rint(rng.normal(0, 35, (outputs, *window.kernel, inputs))), -128, 127).astype(np.int8),
        bias=rng.integers(-3000, 3000, outputs).astype(np.int64),
        in_zero_point=int(rng.choice([-128, 0, 5, -3, 127])),
        rescale=Rescale(multipliers, int(rng.choice([-128, -128, -128, 0])), -128, 127),
    )


def c_values(values: np.ndarray) -> str:
    return ", ".join(str(int(value)) for value in np.asarray(values).reshape(-1))


def c_case(number: int, layer: threes.ThreesLayer, data: np.ndarray, result: np.ndarray) -> tuple[str, str]:
    arrays = (
        f"static const uint32_t w{number}[] = {{{c_values(layer.stream)}}};\n"
        f"static const int8_t x{number}[] = {{{c_values(data)}}};\n"
        f"static const int8_t y{number}[] = {{{c_values(result)}}};\n"
    )
    sizes = f"{layer.positions}, {layer.taps}, {layer.dilation}, {layer.in_channels}, {layer.out_channels}"
    return arrays, f"{{{{{sizes}, w{number}}}, x{number}, y{number}}},\n"


def build_and_run(folder: Path, cases: list[tuple[threes.ThreesLayer, np.ndarray, np.ndarray]]) -> int:
    rendered = [c_case(number, *case) for number, case in enumerate(cases)]
    text = "".join(arrays for arrays, _ in rendered)
    text += "static const case_t cases[] = {\n" + "".join(entry for _, entry in rendered) + "};\n"
    (folder / "threes_cases.h").write_text(text)
    binary = drivers.build_with(ENGINE_PART, "threes_driver.c", folder / "threes", folder)
    return subprocess.run([binary], check=False).returncode


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_random_convolutions_are_exact_from_rows_and_from_rings(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    cases = []
    while len(cases) < 30:
        layer = convolution(rng)
        constants = threes.prepare(layer)
        if constants is not None:
            count = (constants.positions + (constants.taps - 1) * constants.dilation) * constants.in_channels
            edges = rng.random() < 0.3
            data = rng.choice([-128, 127], count) if edges else rng.integers(-128, 128, count)
            cases.append((constants, data, compute(layer, [data.astype(np.int8)])))
    assert sum(case[0].positions <= case[0].dilation and case[0].taps > 1 for case in cases) > 3
    assert build_and_run(tmp_path, cases) == 0
