"""REDUCE_MAX, which a model with GlobalMaxPooling holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.streaming import stream_of
from ecgseg.image.tflm.render import ResolvedOperator, operators_of
from support import engine_harness as harness
from support.random_network import RandomNetwork
from support.tflite_builder import Builder

NAME = "REDUCE_MAX"


def model_of(
    shape: tuple[int, ...] = (1, 1, 9, 4), axes: tuple[int, ...] = (2,), keep: bool = False, out_scale: float = 0.05
) -> bytes:
    """A .tflite that holds this operator and no other."""
    builder = Builder()
    reduced = {axis % len(shape) for axis in axes}
    out = [1 if axis in reduced else size for axis, size in enumerate(shape) if keep or axis not in reduced]
    source, result = builder.int8(shape, 0.05, -3), builder.int8(out, out_scale, -3)
    builder.operator(NAME, [source, builder.int32(axes)], [result], "ReducerOptions", keepDims=keep)
    return builder.finish([source], [result])


ACCEPTED: dict[str, dict[str, Any]] = {
    "along time": {},
    "time of a flat input": {"shape": (1, 50, 3), "axes": (1,)},
    "an image": {"shape": (1, 3, 7, 5), "axes": (1, 2), "keep": True},
    "rows of an image": {"shape": (1, 3, 7, 5), "axes": (1,)},
    "channels": {"shape": (1, 1, 9, 5), "axes": (-1,)},
    "everything": {"shape": (1, 3, 4, 2), "axes": (1, 2, 3)},
    "nothing but ones": {"shape": (1, 1, 9, 4), "axes": (1,), "keep": True},
    "more than 255": {"shape": (1, 1, 300, 6), "axes": (2,)},
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another quantisation": ({"out_scale": 0.1}, "quantised differently"),
    "axes apart": ({"shape": (1, 3, 4, 2), "axes": (1, 3)}, "Axes [1, 3]"),
}


@pytest.mark.parametrize("form", ACCEPTED)
def test_numpy_equals_tensorflow_lite_micro(form: str, tmp_path: Path) -> None:
    model = harness.rendered(model_of(**ACCEPTED[form]), tmp_path)
    inputs = harness.draw_inputs(model, 4)
    assert harness.interpreter_differences(model, inputs, harness.truth(model, inputs)) == []


@pytest.mark.parametrize("form", ["an image", "more than 255"])
def test_native_c_equals_tensorflow_lite_micro(form: str, tmp_path: Path) -> None:
    model = harness.rendered(model_of(**ACCEPTED[form]), tmp_path)
    inputs = harness.draw_inputs(model, 4)
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("form", ["along time", "channels", "more than 255"])
def test_the_cortex_m4_form_equals_tensorflow_lite_micro(form: str, tmp_path: Path) -> None:
    model = harness.rendered(model_of(**ACCEPTED[form]), tmp_path)
    inputs = harness.draw_inputs(model, 4)
    assert harness.differences(model, harness.run_m4(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.parametrize("form", REFUSED)
def test_what_no_kernel_computes_is_refused_with_the_operators_name(form: str) -> None:
    changes, reason = REFUSED[form]
    with pytest.raises(GraphError) as told:
        lower(load_tflite(model_of(**changes)))
    assert f"{NAME} (operator 0)" in told.value.what
    assert reason in told.value.why
    assert told.value.remedy.startswith("Supported: ")


def test_over_all_of_time_it_is_no_stream_and_over_channels_it_is() -> None:
    with pytest.raises(GraphError, match="the largest of all of time") as told:
        stream_of(load_tflite(model_of()))
    assert "MAX_POOL_2D" in told.value.remedy
    assert stream_of(load_tflite(model_of(axes=(3,)))).granule == 1


def test_random_networks_hold_it_and_firmware_resolves_it() -> None:
    drawn = [load_tflite(RandomNetwork(seed, names=(NAME,)).content) for seed in range(10)]
    assert NAME in {operator.name for graph in drawn for operator in graph.operators}
    assert operators_of(model_of()) == (ResolvedOperator(NAME, "Reducer"),)
