"""SUB, for all pairs of two int8 values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.interpret import run
from ecgseg.graph.layers import Binary, Table
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from ecgseg.graph.streaming import stream_of
from ecgseg.image.tflm.render import ResolvedOperator, operators_of
from support import engine_harness as harness
from support.random_network import RandomNetwork
from support.streamed import check
from support.tflite_builder import ACTIVATIONS, Builder

NAME = "SUB"
EVERY = np.arange(-128, 128).astype(np.int8)
Scale = tuple[float, int]


def model_of(
    first: Scale = (0.05, -3),
    second: Scale = (0.021, 11),
    output: Scale = (0.06, 4),
    *,
    reversed_: bool = False,
    activation: str = "NONE",
    constant: Any = EVERY,
) -> bytes:
    """An input [1, 256, 1] minus every value of a constant [1, 1, 256], or the other way round."""
    builder = Builder()
    values = np.asarray(constant, np.int8).reshape(1, 1, -1)
    source, other = builder.int8([1, 256, 1], *first), builder.int8(values.shape, *second, values)
    result = builder.int8([1, 256, values.size], *output)
    operands = [other, source] if reversed_ else [source, other]
    options = {"fusedActivationFunction": ACTIVATIONS[activation]}
    builder.operator(NAME, operands, [result], "SubOptions", **options)
    return builder.finish([source], [result])


def compare(content: bytes) -> None:
    expected = TflmOracle(content).run(EVERY)
    assert np.array_equal(run(lower(load_tflite(content)), EVERY), expected)


@pytest.mark.parametrize("reversed_", [False, True])
@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU6"])
def test_all_pairs_equal_tensorflow_lite_micro(activation: str, reversed_: bool) -> None:
    rng = np.random.default_rng(len(activation))
    for _ in range(6):
        first, second, output = (
            (float(np.float32(np.exp(rng.normal(-3, 1)))), int(rng.integers(-128, 128))) for _ in range(3)
        )
        compare(model_of(first, second, output, reversed_=reversed_, activation=activation))


def test_a_difference_is_not_the_sum_with_the_other_sign() -> None:
    """Halves are rounded up, so that the difference of two values is not minus that of the two the other way round."""
    one, other = (run(lower(load_tflite(model_of((0.1, 0), (0.1, 0), (0.2, 0), reversed_=r))), EVERY) for r in (0, 1))
    assert np.any(one[:, 1:] != -other[:, 1:])


def test_a_constant_that_is_one_number_makes_a_table() -> None:
    for reversed_ in (False, True):
        content = model_of(constant=[17], reversed_=reversed_)
        assert [type(layer) for layer in lower(load_tflite(content)).layers] == [Table]
        compare(content)
    assert [type(layer) for layer in lower(load_tflite(model_of())).layers] == [Binary]


def two_operands() -> bytes:
    """A tensor [1, 40, 3] minus what RELU makes of it."""
    builder = Builder()
    tensors = [builder.int8([1, 40, 3], 0.1 * (1 + index), 3) for index in range(3)]
    builder.operator("RELU", tensors[:1], tensors[1:2])
    builder.operator(NAME, tensors[:2], tensors[2:], "SubOptions")
    return builder.finish(tensors[:1], tensors[2:])


@pytest.mark.parametrize("content", [model_of(reversed_=True), two_operands()], ids=["constant", "two operands"])
def test_native_c_equals_tensorflow_lite_micro(content: bytes, tmp_path: Path) -> None:
    model = harness.rendered(content, tmp_path)
    inputs = harness.draw_inputs(model, 3)
    inputs[0, : EVERY.size] = EVERY[: inputs.shape[1]]
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("content", [model_of(), two_operands()], ids=["constant", "two operands"])
def test_the_cortex_m4_form_equals_tensorflow_lite_micro(content: bytes, tmp_path: Path) -> None:
    model = harness.rendered(content, tmp_path)
    inputs = harness.draw_inputs(model, 3)
    inputs[0, : EVERY.size] = EVERY[: inputs.shape[1]]
    assert harness.differences(model, harness.run_m4(model, inputs), harness.truth(model, inputs)) == []


def test_two_operands_run_as_a_stream() -> None:
    check(two_operands(), stream_of(load_tflite(two_operands()), 7), [1, 8, 41])


def test_scales_too_far_apart_are_refused_with_the_operators_name() -> None:
    with pytest.raises(GraphError, match=r"SUB \(operator 0\)") as told:
        lower(load_tflite(model_of(output=(1e-9, 0))))
    assert "too far apart" in told.value.why
    assert told.value.remedy.startswith("Supported: ")


def test_random_networks_hold_it_and_firmware_resolves_it() -> None:
    drawn = [load_tflite(RandomNetwork(seed, names=(NAME,)).content) for seed in range(5)]
    assert NAME in {operator.name for graph in drawn for operator in graph.operators}
    assert operators_of(model_of()) == (ResolvedOperator(NAME, "Sub"),)
