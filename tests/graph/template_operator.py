"""Template of an operator's tests. It guards PAD as it stands; copy it to tests/graph/test_graph_<operator>.py and
replace the constants, `model_of`, and the lists of what is accepted and of what is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.image.tflm.render import ResolvedOperator, operators_of
from support import engine_harness as harness
from support.random_network import RandomNetwork
from support.tflite_builder import Builder

# In the TensorFlow Lite schema; in KINDS of tests/support/random_network; what TensorFlow Lite Micro reads it with.
NAME, DRAWN_AS, PARSE = "PAD", "PAD", "Pad"


def model_of(
    shape: tuple[int, ...] = (1, 1, 5, 4), amounts: Any = ((0, 0), (0, 0), (1, 2), (0, 0)), out_scale: float = 0.05
) -> bytes:
    """A .tflite that holds this operator and no other."""
    builder = Builder()
    paddings = np.array(amounts, np.int32)
    out_shape = [max(1, size + sum(pair)) for size, pair in zip(shape, amounts, strict=False)]
    source = builder.int8(shape, 0.05, -3)
    result = builder.int8(out_shape, out_scale, -3)
    builder.operator(NAME, [source, builder.tensor(paddings.shape, np.int32, data=paddings)], [result], "PadOptions")
    return builder.finish([source], [result])


# One form for each way through the kernel, edges included.
ACCEPTED: dict[str, dict[str, Any]] = {
    "along time": {},
    "nothing": {"amounts": ((0, 0), (0, 0), (0, 0), (0, 0))},
    "channels": {"amounts": ((0, 0), (0, 0), (0, 0), (3, 1))},
    "every axis of an image": {"shape": (1, 3, 4, 2), "amounts": ((0, 0), (2, 0), (0, 1), (1, 1))},
    "one value": {"shape": (1, 1), "amounts": ((0, 0), (7, 8))},
}
# Whatever the kernel cannot compute, with a part of the reason that the user gets.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another quantisation": ({"out_scale": 0.1}, "quantised differently"),
    "a negative amount": ({"amounts": ((0, 0), (0, 0), (-1, 2), (0, 0))}, "Paddings"),
    "too few amounts": ({"amounts": ((0, 0), (1, 1))}, "Paddings"),
}


@pytest.mark.parametrize("form", ACCEPTED)
def test_numpy_and_native_c_equal_tensorflow_lite_micro(form: str, tmp_path: Path) -> None:
    model = harness.rendered(model_of(**ACCEPTED[form]), tmp_path)
    inputs = harness.draw_inputs(model, 4)
    expected = harness.truth(model, inputs)
    assert harness.interpreter_differences(model, inputs, expected) == []
    assert harness.differences(model, harness.run_native(model, inputs), expected) == []


@pytest.mark.qemu
@pytest.mark.parametrize("form", ACCEPTED)
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


def test_random_networks_hold_it() -> None:
    drawn = [load_tflite(RandomNetwork(seed, names=(DRAWN_AS,)).content) for seed in range(10)]
    assert NAME in {operator.name for graph in drawn for operator in graph.operators}


def test_firmware_with_tensorflow_lite_micro_resolves_it() -> None:
    assert operators_of(model_of()) == (ResolvedOperator(NAME, PARSE),)
