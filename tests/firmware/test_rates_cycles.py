"""The filter from any rate to 100 Hz on the simulated Cortex-M4: every byte is Python's, and what a second costs."""

from __future__ import annotations

import importlib.util
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgseg.pipeline import LEAD_OFF, PreprocessParameters
from ecgseg.pipeline.decimator import Decimator
from support.drivers import HAS_ARM_COMPILER

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import profile_rates

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not HAS_ARM_COMPILER or importlib.util.find_spec("unicorn") is None,
        reason="needs arm-none-eabi-gcc and unicorn",
    ),
]


@pytest.mark.parametrize("rate", [50, 512])
def test_cortex_m4_code_makes_the_same_bytes(rate: int) -> None:
    rng = np.random.default_rng(rate)
    seconds = rng.normal(0, 9000, (5, rate)).clip(-32767, 32767).astype(np.int16)
    seconds[2, rate // 3 : rate // 2] = LEAD_OFF
    seconds[4, 7] = 32767
    found = profile_rates.measure(rate, seconds).outputs
    decimator = Decimator(PreprocessParameters(input_rate=rate))
    expected = {}
    for number in (0, 4, 3, 2, 1, 0):
        signal = decimator.push(seconds[number])
        flags = (~signal.valid + 2 * signal.saturated).tolist()
        expected[number] = b"".join(
            struct.pack("<hB", *made) for made in zip(signal.samples.tolist(), flags, strict=True)
        )
    for number, answer in enumerate(found):
        assert answer.tobytes()[1 : 1 + 3 * int(answer[0])] == expected[number], f"second {number}"


def test_a_second_at_512_hz_costs_at_most_half_more_than_one_at_500_hz() -> None:
    usual, cost = (profile_rates.measure(rate, profile_rates.signal(rate)) for rate in (500, 512))
    assert usual.cycles <= 14_200
    assert cost.cycles <= 1.5 * usual.cycles
    assert cost.flash_bytes <= 4_200
