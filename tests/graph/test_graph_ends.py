"""What a device sees of a model whose ends are not int8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.codegen.render import render
from ecgseg.errors import GraphError
from ecgseg.graph.ends import ends_of, int8_of
from ecgseg.graph.interpret import run
from ecgseg.graph.layers import Alias, Table
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from ecgseg.graph.streaming import stream_of
from ecgseg.image.tflm.render import render_tflm
from ecgseg.pipeline.segmenter import Segmenter
from support import engine_harness as harness
from support.streamed import check
from support.tflite_builder import SAME, Builder, conv_options

EVERY = np.arange(-128, 128).astype(np.int8)
LENGTH = 32


def unsigned(source: tuple[float, int] = (0.1, 100), output: tuple[float, int] = (0.05, 120)) -> bytes:
    """uint8 [1, 1, 32, 8] to int8 of (0.1, -28), a convolution over time to int8 of (0.05, -8), and back to uint8."""
    builder = Builder()
    shape = [1, 1, LENGTH, 8]
    first = builder.tensor(shape, np.uint8, source[:1], source[1:])
    middle, result = builder.int8(shape, 0.1, -28), builder.int8(shape, 0.05, -8)
    last = builder.tensor(shape, np.uint8, output[:1], output[1:])
    weights = np.random.default_rng(3).integers(-127, 128, (8, 1, 3, 8))
    kernel = builder.tensor(weights.shape, np.int8, [0.004], [0], data=weights)
    options = conv_options((1, 1), (1, 1), SAME, "NONE")
    builder.operator("QUANTIZE", [first], [middle], "QuantizeOptions")
    builder.operator("CONV_2D", [middle, kernel], [result], "Conv2DOptions", **options)
    builder.operator("QUANTIZE", [result], [last], "QuantizeOptions")
    return builder.finish([first], [last])


def test_uint8_ends_that_only_count_from_elsewhere_cost_nothing() -> None:
    network = lower(load_tflite(unsigned()))
    assert [type(layer) is Alias for layer in network.layers] == [True, False, True]
    assert (network.input.dtype, network.input.zero_point, network.output.zero_point) == ("int8", -28, -8)
    assert (network.ends.uint8_input, network.ends.uint8_output, network.ends.float_input) == (True, True, False)
    assert network.ends.to_file(EVERY).tolist() == list(range(256))
    assert int8_of(np.arange(256, dtype=np.uint8)).tolist() == EVERY.tolist()


@pytest.mark.parametrize("ends", [((0.1, 100), (0.05, 120)), ((0.2, 3), (0.07, 255)), ((0.05, 128), (0.05, 119))])
def test_uint8_ends_equal_tensorflow_lite_micro(ends: tuple[tuple[float, int], tuple[float, int]]) -> None:
    content = unsigned(*ends)
    network, oracle, twin = lower(load_tflite(content)), TflmOracle(content), Segmenter(content)
    kinds = {type(layer) for layer in network.layers if layer.name == "QUANTIZE"}
    assert Table in kinds or ends == ((0.1, 100), (0.05, 120))
    for data in np.random.default_rng(1).integers(-128, 128, (3, 8 * LENGTH)).astype(np.int8):
        answered = oracle.run(network.ends.to_file(data))
        assert answered.dtype == np.uint8
        assert np.array_equal(run(network, data).reshape(-1), int8_of(answered))
        assert np.array_equal(twin.run(data), int8_of(answered))
        assert twin.layer(data, network.output.index) == int8_of(answered).tobytes()


def test_native_c_between_uint8_ends_equals_tensorflow_lite_micro(tmp_path: Path) -> None:
    model = harness.rendered(unsigned((0.2, 3), (0.05, 120)), tmp_path)
    inputs = harness.draw_inputs(model, 3)
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []
    with pytest.raises(GraphError, match="int8 input and output only") as told:
        render_tflm(model.content, model.manifest, tmp_path)
    assert "uint8" in told.value.why


def test_a_network_between_uint8_ends_runs_as_a_stream() -> None:
    content = unsigned()
    check(content, stream_of(load_tflite(content), 5), [1, 9, 40])


def test_a_zero_point_that_is_no_uint8_is_refused() -> None:
    with pytest.raises(GraphError, match="zero points"):
        ends_of(load_tflite(unsigned((0.1, 300))))


def test_uint8_that_something_else_reads_too_is_refused_with_what_to_do() -> None:
    builder = Builder()
    source, result = builder.tensor([1, 4], np.uint8, [0.1], [128]), builder.int8([1, 4], 0.1, 0)
    other = builder.int8([1, 4], 0.1, 0)
    builder.operator("QUANTIZE", [source], [result], "QuantizeOptions")
    builder.operator("RESHAPE", [source], [other], "ReshapeOptions", newShape=[1, 4])
    with pytest.raises(GraphError, match="input, tensor 0") as told:
        lower(load_tflite(builder.finish([source], [result])))
    assert "inference_input_type = tf.int8" in told.value.remedy


@pytest.mark.parametrize(("what", "remedy"), [("input", "join several of them into one"), ("output", "CONCATENATION")])
def test_several_ends_are_refused_with_what_to_do(what: str, remedy: str, tmp_path: Path) -> None:
    builder = Builder()
    tensors = [builder.int8([1, 4], 0.1, 0) for _ in range(3)]
    builder.operator("ADD", tensors[:2], tensors[2:], "AddOptions")
    content = builder.finish(tensors[:2], tensors[2:]) if what == "input" else builder.finish(tensors[:1], tensors[1:])
    with pytest.raises(GraphError, match=f"2 {what}s") as told:
        render(content, tmp_path)
    assert remedy in told.value.remedy
