"""A refusal names the operator and its index, the true cause, and a remedy that helps."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from support.tflite_builder import Builder

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
INT16 = 7
UINT8 = 3


def refusal(content: bytes) -> GraphError:
    with pytest.raises(GraphError) as caught:
        lower(load_tflite(content))
    return caught.value


def softmax(depth: int) -> bytes:
    builder = Builder()
    source, output = builder.int8([1, depth], 1e-4, 0), builder.int8([1, depth], 1 / 256, -128)
    builder.operator("SOFTMAX", [source], [output], "SoftmaxOptions", beta=1.0)
    return builder.finish([source], [output])


def test_a_softmax_that_would_end_the_process_is_refused_before_the_oracle_runs_it() -> None:
    for read in (lambda data: lower(load_tflite(data)), TflmOracle):
        with pytest.raises(GraphError, match=r"SOFTMAX \(operator 0\)") as caught:
            read(softmax(512))
        assert "512 times one" in caught.value.why
        assert "511 classes" in caught.value.remedy


@pytest.mark.parametrize("value", [-128, 0, 127])
def test_the_widest_softmax_that_is_taken_is_computed_for_equal_inputs(value: int) -> None:
    lower(load_tflite(softmax(511)))
    assert set(TflmOracle(softmax(511)).run(np.full(511, value, np.int8)).reshape(-1).tolist()) <= {-128, -127}


def viewed(name: str, output: list[int], axis: int = 1, squeezed: list[int] | None = None) -> bytes:
    """EXPAND_DIMS of [3, 4], or SQUEEZE of [1, 3, 1, 4], to a shape that the file claims."""
    builder = Builder()
    source = builder.int8([3, 4] if name == "EXPAND_DIMS" else [1, 3, 1, 4], 0.1, 0)
    result, last = builder.int8(output, 0.1, 0), builder.int8(output, 0.2, 0)
    if name == "EXPAND_DIMS":
        builder.operator(name, [source, builder.int32([axis])], [result], "ExpandDimsOptions")
    else:
        builder.operator(name, [source], [result], "SqueezeOptions", squeezeDims=squeezed or [])
    builder.operator("QUANTIZE", [result], [last], "QuantizeOptions")
    return builder.finish([source], [last])


@pytest.mark.parametrize(
    ("content", "good"),
    [
        (viewed("EXPAND_DIMS", [3, 1, 4]), True),
        (viewed("EXPAND_DIMS", [3, 4, 1], -1), True),
        (viewed("EXPAND_DIMS", [1, 3, 4], -3), True),
        (viewed("EXPAND_DIMS", [3, 4, 1]), False),
        (viewed("EXPAND_DIMS", [3, 2, 2]), False),
        (viewed("EXPAND_DIMS", [12]), False),
        (viewed("EXPAND_DIMS", [3, 1, 4], 9), False),
        (viewed("SQUEEZE", [3, 4]), True),
        (viewed("SQUEEZE", [3, 1, 4], squeezed=[0]), True),
        (viewed("SQUEEZE", [1, 3, 4], squeezed=[-2]), True),
        (viewed("SQUEEZE", [4, 3]), False),
        (viewed("SQUEEZE", [3, 4], squeezed=[0]), False),
        (viewed("SQUEEZE", [1, 3, 4], squeezed=[1]), False),
        (viewed("SQUEEZE", [3, 4], squeezed=[7]), False),
    ],
)
def test_a_view_has_the_shape_that_its_axes_lead_to(content: bytes, good: bool) -> None:
    if good:
        lower(load_tflite(content))
        return
    error = refusal(content)
    assert "(operator 0)" in error.what
    assert error.remedy


def rescaled() -> Builder:
    """QUANTIZE of tensor 0 to tensor 1."""
    builder = Builder()
    source, output = builder.int8([1, 4], 0.1, 0), builder.int8([1, 4], 0.2, 0)
    builder.operator("QUANTIZE", [source], [output], "QuantizeOptions")
    return builder


@pytest.mark.parametrize("scale", [0.0, float("nan"), -1.0])
def test_a_tensor_that_no_operator_uses_refuses_no_model(scale: float) -> None:
    builder = rescaled()
    builder.int8([1, 4], scale, 0)
    builder.graph.tensors[builder.int8([0], 0.1, 0)].isVariable = True
    content = builder.finish([0], [1])
    assert [layer.name for layer in lower(load_tflite(content)).layers] == ["QUANTIZE"]
    assert TflmOracle(content).run(np.full(4, 10, np.int8)).reshape(-1).tolist() == [5] * 4


@pytest.mark.parametrize(
    ("scale", "cause"), [(0.0, "always zero"), (float("nan"), "NaN"), (float("inf"), "NaN or infinite")]
)
def test_a_wrong_scale_names_who_uses_it_and_what_may_have_led_to_it(scale: float, cause: str) -> None:
    builder = rescaled()
    builder.graph.tensors[1].quantization.scale = [scale]
    error = refusal(builder.finish([0], [1]))
    assert error.what.startswith("QUANTIZE (operator 0) uses tensor 1")
    assert cause in error.remedy


def test_a_state_is_refused_with_the_operator_that_keeps_it() -> None:
    builder = rescaled()
    state = builder.int8([1, 4], 0.1, 0)
    builder.graph.tensors[state].isVariable = True
    middle = builder.int8([1, 4], 0.1, 0)
    builder.operator("SVDF", [1, 1, 1, 1, state], [middle], "SVDFOptions")
    error = refusal(builder.finish([0], [middle]))
    assert error.what.startswith("SVDF (operator 1) keeps a state")
    assert "without LSTM" in error.remedy


@pytest.mark.parametrize(
    ("code", "name", "remedy"), [(UINT8, "uint8", "inference_input_type = tf.int8"), (INT16, "int16", "8-bit")]
)
def test_ends_of_another_type_are_told_as_what_they_are(code: int, name: str, remedy: str) -> None:
    builder = Builder()
    source, output = builder.int8([1, 4], 0.1, 0), builder.int8([1, 4], 0.1, 0)
    builder.operator("RELU", [source], [output])
    builder.graph.tensors[0].type = code
    error = refusal(builder.finish([0], [1]))
    assert error.what == f"The model's input, tensor 0 (t0), is {name}."
    assert remedy in error.remedy


def test_16_bit_activations_are_refused_for_their_type_and_not_for_a_scale() -> None:
    builder = rescaled()
    middle = builder.tensor([1, 4], np.int16, [0.0], [0])
    builder.graph.operators[0].outputs = [middle]
    builder.operator("QUANTIZE", [middle], [1], "QuantizeOptions")
    error = refusal(builder.finish([0], [1]))
    assert error.what.startswith("QUANTIZE (operator 0)")
    assert "int16" in error.why
    assert "NaN" not in str(error)


def test_too_little_memory_of_the_oracle_is_told_as_its_limit() -> None:
    builder = Builder()
    tensors = [builder.int8([1, 1, 1400, 1400], 0.1 * 2**index, 0) for index in range(4)]
    builder.operator("QUANTIZE", tensors[:1], tensors[1:2], "QuantizeOptions")
    builder.operator("QUANTIZE", tensors[1:2], tensors[2:3], "QuantizeOptions")
    builder.operator("ADD", [tensors[0], tensors[2]], tensors[3:], "AddOptions")
    with pytest.raises(GraphError, match="more working memory than the oracle") as caught:
        TflmOracle(builder.finish(tensors[:1], tensors[3:]))
    assert "4 MiB" in caught.value.why


def test_too_many_tensors_for_the_oracle_are_told_as_its_limit() -> None:
    builder = Builder()
    tensors = [builder.int8([1, 1], 0.1, 0) for _ in range(1100)]
    for source, output in pairwise(tensors):
        builder.operator("RELU", [source], [output])
    oracle = TflmOracle(builder.finish(tensors[:1], tensors[-1:]))
    with pytest.raises(GraphError, match="1100 tensors") as caught:
        oracle.run_all(np.zeros(1, np.int8), [5])
    assert "1024 buffers" in caught.value.why


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases that once failed are not on this machine")
def test_the_cases_that_once_failed_end_as_they_should() -> None:
    lower(load_tflite(CASES / "z-unused-scale0.tflite"))
    assert "EXPAND_DIMS (operator 0)" in refusal((CASES / "h-expand-wrong-shape.tflite").read_bytes()).what
    for name, cause in (("s-softmax-512-fine", "SOFTMAX"), ("x-huge-arena", "working memory")):
        with pytest.raises(GraphError, match=cause):
            TflmOracle((CASES / f"{name}.tflite").read_bytes())


@pytest.mark.parametrize("name", ["UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF"])
def test_what_carries_a_state_is_refused_with_what_takes_its_place(name: str) -> None:
    builder = rescaled()
    result = builder.int8([1, 4], 0.2, 0)
    builder.operator(name, [1], [result])
    error = refusal(builder.finish([0], [result]))
    assert error.what == f"{name} (operator 1) is not supported."
    assert "dilated convolutions" in error.remedy
    assert "unroll=True" in error.remedy


def test_control_flow_is_refused_with_the_operator_that_needs_it() -> None:
    builder = rescaled()
    result = builder.int8([1, 4], 0.2, 0)
    builder.operator("WHILE", [1], [result], "WhileOptions", condSubgraphIndex=1, bodySubgraphIndex=1)
    builder.model.subgraphs.append(builder.graph)
    error = refusal(builder.finish([0], [result]))
    assert error.what == "The model has 2 subgraphs."
    assert "WHILE (operator 1)" in error.why
    assert "unroll=True" in error.remedy


def test_floating_point_in_the_middle_is_refused_with_what_computes_it() -> None:
    builder = rescaled()
    real = [builder.tensor([1, 4], np.float32) for _ in range(2)]
    result = builder.int8([1, 4], 0.2, 0)
    builder.operator("DEQUANTIZE", [1], real[:1], "DequantizeOptions")
    builder.operator("ELU", real[:1], real[1:])
    builder.operator("QUANTIZE", real[1:], [result], "QuantizeOptions")
    error = refusal(builder.finish([0], [result]))
    assert error.what == "DEQUANTIZE (operator 1) is not supported in the middle of a model."
    assert "ELU (operator 2)" in error.why
    assert "LEAKY_RELU" in error.remedy
