"""Constants of the kernel that multiplies three pairs an instruction: every sum that can occur has its result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgseg.codegen import threes
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.layers import Convolution, Rescale, Window


@pytest.mark.parametrize(
    ("zero_point", "shift"),
    [
        (-128, -8),
        *(
            pytest.param(zero_point, shift, marks=pytest.mark.slow)
            for zero_point in (-128, -100, 0)
            for shift in (-4, -6, -7, -9)
        ),
    ],
)
def test_one_multiplication_gives_every_sum_its_result(zero_point: int, shift: int) -> None:
    rng = np.random.default_rng(-100 * shift - zero_point)
    found = 0
    most = 120_000 if shift > -6 else 700_000
    for _ in range(12):
        multiplier = Multiplier(int(rng.integers(1 << 30, 1 << 31)), shift)
        low = -int(rng.integers(0, most))
        high = low + int(rng.integers(most // 4, most))
        spare = (1 << threes.LANE) - 1 - (high - low << max(shift + 6, 0))
        channel = threes._channel(multiplier, zero_point, (low, high), spare)
        if channel is None:
            continue
        found += 1
        sums = np.arange(low, high + 1)
        shifted = (sums << channel.shift) + channel.offset
        assert shifted.min() >= 0
        assert shifted.max() < 1 << threes.LANE
        product = (shifted * channel.multiplier >> 32) + channel.rounding
        expected = np.clip(multiplier.apply(sums) + zero_point, -128, 127)
        assert np.array_equal(np.clip(product >> threes.SHIFT, -128, 127), expected)
    assert found > 8 or zero_point > -128


def layer(weight: int, inputs: int, multiplier: Multiplier | None = None) -> Convolution:
    window = Window((1, 8), (1, 3), (1, 1), (1, 2), (0, 0), (1, 4))
    return Convolution(
        name="CONV_2D",
        operator=0,
        inputs=(0,),
        output=1,
        output_size=16,
        window=window,
        in_channels=inputs,
        out_channels=4,
        weights=np.full((4, 1, 3, inputs), weight, np.int8),
        bias=np.array([0, -5, 5, 0]),
        in_zero_point=0,
        rescale=Rescale((multiplier or Multiplier(1 << 30, -10),) * 4, -128, -128, 127),
    )


@pytest.mark.parametrize("weight", [127, -127])
def test_sums_that_could_leave_their_lane_are_refused(weight: int) -> None:
    # 255 * 127 for each of three taps of a channel.
    for inputs in range(4, 44, 4):
        assert (threes.prepare(layer(weight, inputs)) is not None) == (255 * 127 * 3 * inputs < 1 << threes.LANE)


def test_what_the_kernel_does_not_do_is_refused() -> None:
    good = layer(9, 8)
    assert threes.prepare(good) is not None
    window = good.window
    assert threes.prepare(layer(9, 6)) is None
    assert threes.prepare(replace(good, window=replace(window, pad=(0, 1)))) is None
    assert threes.prepare(replace(good, window=replace(window, stride=(1, 2)))) is None
    assert threes.prepare(replace(good, window=replace(window, in_size=(2, 4)))) is None
    assert threes.prepare(replace(good, window=replace(window, in_size=(1, 9)))) is None
    assert threes.prepare(replace(good, rescale=replace(good.rescale, high=100))) is None
    # A factor so large that its sums, shifted, would leave their lane.
    assert threes.prepare(layer(9, 8, Multiplier(1 << 30, -1))) is None
