"""Shapes that an export with a free batch works out are folded, and PACK of activations joins them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.ends import int8_of
from ecgseg.graph.fold import folded
from ecgseg.graph.interpret import run
from ecgseg.graph.lengths import at_length
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from ecgseg.graph.streaming import stream_of
from ecgseg.image.tflm.render import ResolvedOperator, operators_of
from support import engine_harness as harness
from support.lengths import tflite_at_length
from support.random_network import RandomNetwork
from support.tflite_builder import SAME, Builder

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
INT64 = 4


class FreeBatch:
    """RELU of [1, 12, 4], then a RESHAPE to [1, 24, 2] whose shape is worked out of the RELU's output.

    Attributes:
        tensors: what a test may bend, by name.
    """

    def __init__(self) -> None:
        self.builder = builder = Builder()
        source, self.middle = builder.int8([1, 12, 4], 0.1, 0), builder.int8([1, 12, 4], 0.1, 0)
        builder.operator("RELU", [source], [self.middle])
        self.ends = [source, builder.int8([1, 24, 2], 0.1, 0)]
        self.tensors = {
            "sizes": builder.tensor([3], np.int32),
            "begin": builder.int32([0]),
            "end": builder.int32([1]),
            "stride": builder.int32([1]),
            "batch": builder.tensor([], np.int32),
            "shape": builder.tensor([3], np.int32),
        }
        self.rest = [builder.tensor([], np.int32, data=np.array(size, np.int32)) for size in (24, 2)]
        self.masks = {"shrinkAxisMask": 1}
        self.axis = 0

    def content(self) -> bytes:
        builder, of = self.builder, self.tensors
        builder.operator("SHAPE", [self.middle], [of["sizes"]], "ShapeOptions")
        inputs = [of[name] for name in ("sizes", "begin", "end", "stride")]
        builder.operator("STRIDED_SLICE", inputs, [of["batch"]], "StridedSliceOptions", **self.masks)
        values = {"valuesCount": 3, "axis": self.axis}
        builder.operator("PACK", [of["batch"], *self.rest], [of["shape"]], "PackOptions", **values)
        builder.operator("RESHAPE", [self.middle, of["shape"]], self.ends[1:], "ReshapeOptions", newShape=[])
        return builder.finish(self.ends[:1], self.ends[1:])


def test_what_works_out_a_shape_is_no_layer_and_its_results_are_constants() -> None:
    content = FreeBatch().content()
    graph = folded(load_tflite(content))
    assert [(operator.name, operator.index) for operator in graph.operators] == [("RELU", 0), ("RESHAPE", 4)]
    assert np.array_equal(graph.tensors[graph.operator(4).inputs[1]].data, [1, 24, 2])
    assert folded(graph) is graph
    network = lower(load_tflite(content))
    data = np.arange(-24, 24).astype(np.int8)
    assert np.array_equal(run(network, data), TflmOracle(content).run(data))
    assert graph.parameter_count == 0


def test_firmware_with_tensorflow_lite_micro_resolves_what_the_file_holds() -> None:
    kinds = ("PACK", "RELU", "RESHAPE", "SHAPE", "STRIDED_SLICE")
    parsers = ("Pack", "Relu", "Reshape", "Shape", "StridedSlice")
    assert operators_of(FreeBatch().content()) == tuple(map(ResolvedOperator, kinds, parsers))


def test_it_runs_at_other_lengths_and_as_a_stream() -> None:
    content = FreeBatch().content()
    assert stream_of(load_tflite(content)).granule == 1
    data = np.arange(-40, 40).astype(np.int8)
    network = lower(at_length(load_tflite(content), 20))
    expected = TflmOracle(tflite_at_length(content, 20)).run(data)
    assert expected.shape == (1, 40, 2)
    assert np.array_equal(run(network, data), expected)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("STRIDED_SLICE", {"stride": 0}, "stride along axis 0 is 0"),
        ("STRIDED_SLICE", {"begin": 7}, "no one index of axis 0"),
        ("STRIDED_SLICE", {"masks": {"ellipsisMask": 1}}, "adds axes, leaves some out"),
        ("STRIDED_SLICE", {"masks": {}}, "leads to [1]"),
        ("STRIDED_SLICE", {"size": ("begin", [0, 0])}, "begin are not 1 constants"),
        ("SHAPE", {"size": ("sizes", [4])}, "leads to [3]"),
        ("PACK", {"size": ("shape", [4])}, "leads to [3]"),
        ("PACK", {"axis": 5}, "along axis 5"),
        ("SHAPE", {"type": "sizes"}, "It makes int64"),
    ],
)
def test_a_shape_that_does_not_follow_is_refused_with_the_operators_name(
    name: str, changes: dict[str, Any], reason: str
) -> None:
    model = FreeBatch()
    tensors = model.builder.graph.tensors
    for part in ("stride", "begin"):
        if part in changes:
            model.tensors[part] = model.builder.int32([changes[part]])
    model.masks, model.axis = changes.get("masks", model.masks), changes.get("axis", model.axis)
    if "size" in changes and changes["size"][0] == "begin":
        model.tensors["begin"] = model.builder.int32(changes["size"][1])
    elif "size" in changes:
        tensors[model.tensors[changes["size"][0]]].shape = changes["size"][1]
    if "type" in changes:
        tensors[model.tensors[changes["type"]]].type = INT64
    with pytest.raises(GraphError) as told:
        lower(load_tflite(model.content()))
    assert told.value.what.startswith(f"{name} (operator ")
    assert reason in told.value.why
    assert told.value.remedy.startswith("Supported: ")


def packed(
    shape: tuple[int, ...] = (1, 5, 3), axis: int = 2, count: int = 3, scale: float = 0.1, values: int = 3
) -> bytes:
    """PACK of an input, its RELU and itself."""
    builder = Builder()
    source, middle = builder.int8(shape, 0.1, 0), builder.int8(shape, scale, 0)
    builder.operator("RELU", [source], [middle])
    place = axis % (len(shape) + 1)
    result = builder.int8([*shape[:place], count, *shape[place:]], 0.1, 0)
    builder.operator("PACK", [source, middle, source], [result], "PackOptions", valuesCount=values, axis=axis)
    return builder.finish([source], [result])


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2])
def test_packed_activations_equal_tensorflow_lite_micro(axis: int) -> None:
    content = packed(axis=axis)
    data = np.arange(-7, 8).astype(np.int8)
    assert np.array_equal(run(lower(load_tflite(content)), data), TflmOracle(content).run(data))


@pytest.mark.parametrize("changes", [{"count": 4}, {"scale": 0.2}, {"values": 2}])
def test_a_pack_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(GraphError, match=r"PACK \(operator 1\)") as told:
        lower(load_tflite(packed(**changes)))
    assert told.value.remedy.startswith("Supported: ")


@pytest.mark.parametrize("seed", [3])
def test_native_c_of_random_shapes_equals_tensorflow_lite_micro(seed: int, tmp_path: Path) -> None:
    content = RandomNetwork(seed, 8, names=("FREE_BATCH", "PACK", "CONV_2D", "FULLY_CONNECTED")).content
    assert {"SHAPE", "PACK"} < {operator.name for operator in load_tflite(content).operators}
    model = harness.rendered(content, tmp_path)
    inputs = harness.draw_inputs(model, 4)
    expected = harness.truth(model, inputs)
    assert harness.interpreter_differences(model, inputs, expected) == []
    assert harness.differences(model, harness.run_native(model, inputs), expected) == []


def test_a_transposed_convolution_takes_an_output_shape_that_is_worked_out() -> None:
    builder = Builder()
    source, result = builder.int8([1, 6, 1, 2], 0.1, 0), builder.int8([1, 12, 1, 3], 0.1, 0)
    weights = builder.tensor([3, 2, 1, 2], np.int8, [0.1], [0], data=np.arange(12).reshape(3, 2, 1, 2))
    sizes, slices = builder.tensor([4], np.int32), [builder.tensor([1], np.int32) for _ in range(2)]
    builder.operator("SHAPE", [source], [sizes], "ShapeOptions")
    for place, taken in enumerate(slices):
        inputs = [sizes, builder.int32([place]), builder.int32([place + 1]), builder.int32([1])]
        builder.operator("STRIDED_SLICE", inputs, [taken], "StridedSliceOptions")
    twice, shape = builder.tensor([1], np.int32), builder.tensor([4], np.int32)
    builder.operator("MUL", [slices[1], builder.int32([2])], [twice], "MulOptions")
    inputs = [slices[0], twice, builder.int32([1, 3])]
    builder.operator("CONCATENATION", inputs, [shape], "ConcatenationOptions", axis=0)
    options = {"padding": SAME, "strideH": 2, "strideW": 1}
    builder.operator("TRANSPOSE_CONV", [shape, weights, source], [result], "TransposeConvOptions", **options)
    content = builder.finish([source], [result])
    data = np.arange(12).astype(np.int8)
    assert np.array_equal(run(lower(load_tflite(content)), data), TflmOracle(content).run(data))


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases that once failed are not on this machine")
@pytest.mark.parametrize("name", ["t-flatten-dense-batchNone", "t-gmp", "t-leaky", "t-io-uint8"])
def test_models_that_were_once_refused_equal_tensorflow_lite_micro(name: str) -> None:
    content = (CASES / f"{name}.tflite").read_bytes()
    network = lower(load_tflite(content))
    for data in np.random.default_rng(0).integers(-128, 128, (4, network.input.size)).astype(np.int8):
        expected = int8_of(TflmOracle(content).run(network.ends.to_file(data)))
        assert np.array_equal(run(network, data).reshape(-1), expected)
