"""Functions of one value: each table holds what TensorFlow Lite Micro answers, for all 256 inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.layers import Table
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from ecgseg.image.tflm.render import ResolvedOperator, operators_of
from support import engine_harness as harness
from support.random_network import RandomNetwork
from support.tflite_builder import Builder

EVERY = np.arange(-128, 128).astype(np.int8)
# What the output is quantised by where the function has a say in it, its options, and what reads them.
FUNCTIONS: dict[str, tuple[tuple[float, int] | None, str | None, str]] = {
    "LEAKY_RELU": (None, "LeakyReluOptions", "LeakyRelu"),
    "ELU": (None, None, "Elu"),
    "HARD_SWISH": (None, "HardSwishOptions", "HardSwish"),
    "LOGISTIC": ((1 / 256, -128), None, "Logistic"),
    "TANH": ((1 / 128, 0), None, "Tanh"),
}
SCALES = (1e-8, 0.0003, 0.0123, 0.0234375, 0.1, 0.75, 8.0, 11.0, 1e5, 1e10)


def model_of(
    name: str, source: tuple[float, int] = (0.05, -3), output: tuple[float, int] = (0.04, 7), alpha: float = 0.3
) -> bytes:
    """A .tflite that holds this operator and no other, over 256 values."""
    fixed, options, _ = FUNCTIONS[name]
    builder = Builder()
    tensors = builder.int8([1, 1, 256, 1], *source), builder.int8([1, 1, 256, 1], *(fixed or output))
    values = {"alpha": alpha} if name == "LEAKY_RELU" else {}
    builder.operator(name, [tensors[0]], [tensors[1]], options, **values)
    return builder.finish([tensors[0]], [tensors[1]])


def check(content: bytes) -> None:
    (layer,) = lower(load_tflite(content)).layers
    assert isinstance(layer, Table)
    assert layer.table.tolist() == TflmOracle(content).run(EVERY).reshape(-1).tolist()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_input_of_random_scales_gives_what_tensorflow_lite_micro_answers(name: str) -> None:
    rng = np.random.default_rng(len(name))
    for _ in range(40):
        scale = float(np.float32(np.exp(rng.normal(-3.5, 1))))
        points = [int(rng.choice([-128, 127, 0, rng.integers(-128, 128)])) for _ in range(2)]
        output = float(np.float32(scale * np.exp(rng.normal(0, 1)))), points[1]
        check(model_of(name, (scale, points[0]), output, float(rng.choice([0, 0.01, 0.3, -0.2, 1.7]))))


# Scales at which a division in single precision makes another table than one in double.
CLOSE: list[tuple[str, tuple[float, int], tuple[float, int], float]] = [
    ("LEAKY_RELU", (1.734375, -45), (2.55, -1), 0.25),
    ("LEAKY_RELU", (2.0703125, -39), (0.484375, -65), 0.1),
    ("LEAKY_RELU", (0.625, -74), (0.25, 101), 0.1),
    ("HARD_SWISH", (0.04079395532608032, -115), (0.04848429933190346, -15), 0.0),
    ("HARD_SWISH", (0.04731472209095955, 34), (0.061226531863212585, -106), 0.0),
    ("ELU", (0.2, 81), (0.1411764705882353, 48), 0.0),
    ("ELU", (0.5859375, 57), (2.0, 0), 0.0),
]


@pytest.mark.parametrize("case", CLOSE)
def test_scales_whose_ratio_is_nearly_a_tie_give_what_tensorflow_lite_micro_answers(
    case: tuple[str, tuple[float, int], tuple[float, int], float],
) -> None:
    check(model_of(*case))


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("scale", SCALES)
def test_a_function_that_saturates_takes_an_input_of_any_scale(name: str, scale: float) -> None:
    for zero_point in (-128, -1, 0, 127):
        check(model_of(name, (scale, zero_point)))


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("LEAKY_RELU", {"alpha": float("nan")}, "slope is nan"),
        ("LEAKY_RELU", {"alpha": float("inf")}, "slope is inf"),
        ("LEAKY_RELU", {"output": (1e-9, 0)}, "a million times finer"),
        ("ELU", {"output": (1e-9, 0)}, "a million times finer"),
        ("ELU", {"source": (1e-7, 0), "output": (1e-7, 0)}, "on the border"),
        ("HARD_SWISH", {"output": (1e-4, 0)}, "Input scale"),
        ("HARD_SWISH", {"source": (1e9, 0), "output": (1e8, 0)}, "Input scale"),
        ("LOGISTIC", {"source": (1e-9, 0)}, "Input scale"),
        ("TANH", {"source": (1e12, 0)}, "Input scale"),
    ],
)
def test_scales_that_no_table_stands_for_are_refused_with_the_operators_name(
    name: str, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(GraphError) as told:
        lower(load_tflite(model_of(name, **changes)))
    assert f"{name} (operator 0)" in told.value.what
    assert reason in told.value.why
    assert told.value.remedy.startswith("Supported: ")


def test_another_output_scale_of_a_function_that_saturates_is_refused() -> None:
    builder = Builder()
    source, result = builder.int8([1, 4], 0.1, 0), builder.int8([1, 4], 0.01, 0)
    builder.operator("TANH", [source], [result])
    with pytest.raises(GraphError, match=r"TANH \(operator 0\)") as told:
        lower(load_tflite(builder.finish([source], [result])))
    assert "1/128" in told.value.remedy


def test_native_c_equals_tensorflow_lite_micro_one_function_behind_the_other(tmp_path: Path) -> None:
    builder = Builder()
    tensors = [builder.int8([1, 1, 256, 1], 0.05, -3)]
    for name, (fixed, options, _) in FUNCTIONS.items():
        tensors.append(builder.int8([1, 1, 256, 1], *(fixed or (0.03, 7))))
        values = {"alpha": 0.3} if name == "LEAKY_RELU" else {}
        builder.operator(name, tensors[-2:-1], tensors[-1:], options, **values)
    model = harness.rendered(builder.finish(tensors[:1], tensors[-1:]), tmp_path)
    inputs = EVERY.reshape(1, -1)
    expected = harness.truth(model, inputs)
    assert harness.interpreter_differences(model, inputs, expected) == []
    assert harness.differences(model, harness.run_native(model, inputs), expected) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_random_networks_hold_it_and_firmware_resolves_it(name: str) -> None:
    drawn = [load_tflite(RandomNetwork(seed, names=(name,)).content) for seed in range(5)]
    assert name in {operator.name for graph in drawn for operator in graph.operators}
    assert operators_of(model_of(name)) == (ResolvedOperator(name, FUNCTIONS[name][2]),)
