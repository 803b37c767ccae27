"""The convolution that multiplies four pairs an instruction: portable form under sanitizers against the interpreter."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgseg.codegen import phases
from ecgseg.graph import interpret
from ecgseg.graph.ends import Ends
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.ir import Tensor
from ecgseg.graph.layers import Convolution, Network, Rescale, Window
from ecgseg.image.programs import ENGINE_PART
from support import drivers


def convolution(rng: np.random.Generator, spread: float = 35.0) -> Convolution:
    """A random convolution along time of the kind that the kernel takes."""
    length = int(rng.choice([1, 2, 3, 7, 16, 50, 125, 126, 127, 128]))
    channels = int(rng.integers(1, 25))
    outputs = channels if rng.random() < 0.4 else int(rng.integers(1, 25))
    taps, dilation = int(rng.integers(2, 9)), int(rng.choice([1, 2, 3, 4, 8, 16]))
    reach = (taps - 1) * dilation + 1
    same = length < reach or rng.random() < 0.7
    size = length if same else length - reach + 1
    window = Window((1, length), (1, taps), (1, 1), (1, dilation), (0, (reach - 1) // 2 if same else 0), (1, size))
    if rng.random() < 0.3:
        window = Window(*((pair[1], pair[0]) for pair in vars(window).values()))
    multipliers = tuple(
        Multiplier(int(rng.integers(1 << 30, 1 << 31)), -int(rng.integers(6, 11))) for _ in range(outputs)
    )
    shape = (outputs, *window.kernel, channels)
    return Convolution(
        name="CONV_2D",
        operator=0,
        inputs=(0,),
        output=1,
        output_size=size * outputs,
        window=window,
        in_channels=channels,
        out_channels=outputs,
        weights=np.clip(np.rint(rng.normal(0, spread, shape)), -128, 127).astype(np.int8),
        bias=rng.integers(-3000, 3000, outputs).astype(np.int64),
        in_zero_point=int(rng.choice([-128, 0, 5, -3, 127])),
        rescale=Rescale(multipliers, -128, -128, 127),
    )


def expected(layer: Convolution, data: np.ndarray) -> np.ndarray:
    source = Tensor(0, "in", (data.size,), "int8", (1.0,), (layer.in_zero_point,), 0, None)
    result = Tensor(1, "out", (layer.output_size,), "int8", (1.0,), (-128,), 0, None)
    return interpret.run(Network("n", "", (layer,), Ends(source, result, False, False, False, False, ())), data)


def c_values(values: np.ndarray) -> str:
    return ", ".join(str(int(value)) for value in np.asarray(values).reshape(-1))


def c_case(number: int, layer: phases.PhasesLayer, data: np.ndarray, result: np.ndarray) -> tuple[str, str]:
    arrays = (
        f"static const uint32_t w{number}[] = {{{c_values(layer.stream)}}};\n"
        f"static const int8_t x{number}[] = {{{c_values(data)}}};\n"
        f"static const int8_t y{number}[] = {{{c_values(result)}}};\n"
    )
    geometry = f"{layer.in_length}, {layer.in_channels}, {layer.out_length}, {layer.out_channels}"
    geometry += f", {layer.dilation}, {layer.pad}, {layer.gap}"
    ends = ", ".join(f"{{{multiplier}, {rounding}, {shift}, 0}}" for multiplier, rounding, shift, _ in layer.ends)
    if ends:
        arrays += f"static const ecgseg_phases_end_t e{number}[] = {{{ends}}};\n"
    parts = f"{layer.in_zero_point}, {layer.parts}, w{number}, {f'e{number}' if ends else '0'}"
    structure = f"{{{geometry}, {parts}, &ecgseg_phases_{layer.forms[number % len(layer.forms)]}}}"
    sizes = f"sizeof x{number}, sizeof y{number}, {layer.scratch_bytes}"
    return arrays, f"{{{structure}, x{number}, y{number}, {sizes}, {int(layer.in_place)}}},\n"


def build_and_run(folder: Path, cases: list[tuple[phases.PhasesLayer, np.ndarray, np.ndarray]]) -> int:
    rendered = [c_case(number, *case) for number, case in enumerate(cases)]
    text = "".join(arrays for arrays, _ in rendered)
    text += "static const case_t cases[] = {\n" + "".join(entry for _, entry in rendered) + "};\n"
    (folder / "phases_cases.h").write_text(text)
    binary = drivers.build_with(ENGINE_PART, "phases_driver.c", folder / "phases", folder)
    return subprocess.run([binary], check=False).returncode


def prepared(rng: np.random.Generator) -> tuple[Convolution, phases.PhasesLayer]:
    while True:
        layer = convolution(rng)
        result = phases.prepare(layer)
        if result is not None:
            return layer, result


@pytest.mark.parametrize("seed", range(3))
def test_random_convolutions_are_exact_in_and_out_of_place(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(40):
        layer, constants = prepared(rng)
        data = rng.integers(-128, 128, constants.in_length * constants.in_channels).astype(np.int8)
        cases.append((constants, data, expected(layer, data)))
    assert any(case[0].in_place for case in cases)
    assert build_and_run(tmp_path, cases) == 0


def test_largest_lanes_that_are_accepted_do_not_overflow(tmp_path: Path) -> None:
    """Weights at the edges, inputs that drive every lane to its largest and smallest value."""
    rng = np.random.default_rng(9)
    cases = []
    for sign in (1, -1):
        for channels in range(1, 25):
            layer = convolution(rng)
            taps = layer.window.kernel[0] * layer.window.kernel[1]
            weights = np.full((2, *layer.window.kernel, channels), 127 * sign, np.int8)
            rescale = Rescale((Multiplier(1 << 30, -10),) * 2, -128, -128, 127)
            layer = replace(
                layer,
                weights=weights,
                in_channels=channels,
                out_channels=2,
                bias=np.array([0, -5]),
                rescale=rescale,
                output_size=layer.window.out_size[0] * layer.window.out_size[1] * 2,
                in_zero_point=0,
            )
            constants = phases.prepare(layer)
            # 128 * 127 * taps * channels has to stay below 2^20.
            whole = constants is not None and constants.parts == 1
            assert whole == (128 * 127 * taps * channels < (1 << 20) - 5)
            if constants is None:
                continue
            for value in (-128, 127):
                data = np.full(constants.in_length * channels, value, np.int8)
                cases.append((constants, data, expected(layer, data)))
    assert len(cases) > 30
    assert build_and_run(tmp_path, cases) == 0


def wide(rng: np.random.Generator, channels: int, weights: np.ndarray) -> Convolution:
    """A convolution of many input channels with these weights, over a few positions."""
    layer = convolution(rng)
    window = replace(layer.window, in_size=(1, 23), kernel=(1, 3), dilation=(1, 2), pad=(0, 2), out_size=(1, 23))
    outputs = len(weights)
    multipliers = tuple(Multiplier(int(rng.integers(1 << 30, 1 << 31)), -int(rng.integers(8, 11))) for _ in weights)
    return replace(
        layer,
        window=window,
        weights=weights.astype(np.int8).reshape(outputs, 1, 3, channels),
        in_channels=channels,
        out_channels=outputs,
        output_size=23 * outputs,
        bias=rng.integers(-3000, 3000, outputs).astype(np.int64),
        rescale=Rescale(multipliers, -128, -128, 127),
    )


def test_sums_that_do_not_fit_a_lane_are_added_up_from_parts(tmp_path: Path) -> None:
    """Weights of which no lane holds the sum over all input channels: spread evenly, and all of them at an end."""
    rng = np.random.default_rng(6)
    cases = []
    for channels, parts in ((32, 1), (64, 2), (128, 4), (40, 2)):
        spread = 127 if channels == 40 else 100
        shape = (int(rng.choice([2, 6])), 3 * channels)
        many = rng.integers(-spread, spread + 1, shape) if channels != 40 else np.full(shape, -127)
        layer = wide(rng, channels, many)
        constants = phases.prepare(layer)
        assert constants is not None
        assert constants.parts == parts, channels
        for data in (rng.integers(-128, 128, 23 * channels), np.full(23 * channels, -128), np.full(23 * channels, 127)):
            cases.append((constants, data.astype(np.int8), expected(layer, data.astype(np.int8))))
    assert build_and_run(tmp_path, cases) == 0


def test_one_changed_weight_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    layer, constants = prepared(rng)
    data = rng.integers(-128, 128, constants.in_length * constants.in_channels).astype(np.int8)
    result = expected(layer, data)
    constants.stream[0, 6] += 60 << 21  # the first weight
    assert build_and_run(tmp_path, [(constants, data, result)]) == 1


def test_what_is_not_proved_is_refused() -> None:
    layer, _ = prepared(np.random.default_rng(1))
    wide = np.full((layer.out_channels, *layer.window.kernel, 24), 127, np.int8)
    assert phases.prepare(replace(layer, weights=wide, in_channels=24, bias=layer.bias + (1 << 20))) is None
    steep = Rescale((Multiplier(1 << 30, -1),) * layer.out_channels, -128, -128, 127)
    assert phases.prepare(replace(layer, rescale=steep)) is None
    centred = Rescale(layer.rescale.multipliers, 0, -128, 127)
    assert phases.prepare(replace(layer, rescale=centred)) is None
    clamped = Rescale(layer.rescale.multipliers, -128, -128, 90)
    assert phases.prepare(replace(layer, rescale=clamped)) is None
