"""The growth of cycles is measured on networks that are what they say, and its tables compare with the right one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ecgseg.graph.layers import Convolution
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from support.drivers import HAS_ARM_COMPILER

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from measure_growth import AXES, BASE, CLASSES, Cost, Shape, cost_of, network_of, row_of, section

SHAPES = [replace(BASE, **{axis: value}) for axis, (_, values) in AXES.items() for value in values]


def macs_of(shape: Shape) -> int:
    """By the definition of a convolution."""
    first = shape.taps * shape.leads * shape.channels
    inner = shape.layers * shape.taps * shape.channels**2
    return shape.length * (first + inner + shape.channels * CLASSES)


@pytest.mark.parametrize("shape", dict.fromkeys(SHAPES), ids=str)
def test_a_network_has_the_shape_that_it_is_measured_for(shape: Shape) -> None:
    network = lower(load_tflite(network_of(shape), "growth"))
    layers = [layer for layer in network.layers if isinstance(layer, Convolution)]
    assert sum(layer.macs for layer in layers) == macs_of(shape)
    assert {layer.window.dilation[1] for layer in layers[1:-1]} <= {shape.dilation, 1}
    assert network.input.size == shape.length * shape.leads


def test_tables_compare_with_the_network_they_begin_with() -> None:
    # A cycle a multiplication, and a quarter more for every channel above the base's.
    def cost(shape: Shape) -> Cost:
        macs = macs_of(shape)
        return Cost(macs * (4 + shape.channels - BASE.channels) // 4, macs, 1000, equal=True)

    rows = [row_of("channels", value, cost) for value in (16, 24)]
    first, second = section(rows).splitlines()[-2:]
    assert [cell.strip() for cell in first.split("|")[4:8]] == ["1.00"] * 4
    assert [cell.strip() for cell in second.split("|")[4:8]] == ["3.00"] * 4
    assert rows[0].layer_macs == BASE.length * BASE.taps * BASE.channels**2


@pytest.mark.slow
@pytest.mark.skipif(not HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")
def test_a_network_runs_in_the_simulator_and_answers_as_the_reference() -> None:
    found = cost_of(replace(BASE, length=60, layers=1, channels=8))
    assert found.equal
    assert found.cycles > found.macs / 2  # two multiply-accumulates a cycle at best
