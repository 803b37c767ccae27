"""A network at other lengths, and as a stream: the bytes of TensorFlow Lite Micro on the record in one piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg import paths
from ecgseg.errors import GraphError, UsageError
from ecgseg.graph.interpret import run
from ecgseg.graph.layers import Alias, Pad
from ecgseg.graph.lengths import LengthError, at_length
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.stream_interpret import StreamingInterpreter
from ecgseg.graph.streaming import stream_of
from support.random_network import RandomNetwork
from support.random_network.streamable import StreamableNetwork
from support.stream_models import SAME, TimeModel
from support.streamed import check, record_of, whole
from support.tflite_builder import conv_options

CAUSAL_STYLE = Path(__file__).parents[1] / "vectors" / "causal-style.tflite"
Int8 = npt.NDArray[np.int8]


@pytest.mark.parametrize("seed", range(16))
def test_random_streams_equal_tflm_on_the_record_in_one_piece(seed: int) -> None:
    network = StreamableNetwork(seed)
    least, granule = network.stream.least, network.stream.granule
    check(network.content, network.stream, [least + extra * granule for extra in (0, 1, 2, 37, 70)], seed)


@pytest.mark.parametrize("seed", range(8))
def test_random_streams_of_all_operators_equal_tflm(seed: int) -> None:
    network = StreamableNetwork(seed, all_kinds=True)
    least, granule = network.stream.least, network.stream.granule
    check(network.content, network.stream, [least + extra * granule for extra in (0, 1, 2, 37)], seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 500, 50))
def test_more_random_streams_equal_tflm(first: int) -> None:
    for seed in range(first, first + 50):
        network = StreamableNetwork(seed, operators=12)
        lengths = [network.stream.least + extra * network.stream.granule for extra in (0, 1, 5, 53)]
        check(network.content, network.stream, lengths, seed)


def test_networks_drawn_for_frames_equal_tflm_or_are_refused() -> None:
    refused, equal = 0, 0
    for seed in range(40):
        network = RandomNetwork(seed, operators=4)
        graph = load_tflite(network.content)
        if network.float_ends:
            continue
        try:
            stream = stream_of(graph)
        except GraphError:
            refused += 1
            continue
        check(network.content, stream, [stream.least, stream.least + 21 * stream.granule], seed)
        equal += 1
    assert refused > 8
    assert equal > 8


def test_a_causal_network_answers_with_the_block() -> None:
    model = TimeModel(channels=1)
    for dilation in (1, 2, 4, 8):
        model.causal(3, dilation)
    content = model.finish()
    stream = stream_of(load_tflite(content), 8)
    assert (stream.block, stream.rows, stream.lag, stream.granule, stream.least) == (8, 8, 0, 1, 1)
    # Of the input two rows of the time before, of the three others twice their dilation.
    assert [store.kept_bytes // store.row_bytes for store in stream.stores.values()] == [2, 4, 8, 16, 0]
    check(content, stream, [1, 2, 7, 8, 9, 100])


def test_nothing_is_computed_twice() -> None:
    graph = load_tflite(CAUSAL_STYLE)
    stream = stream_of(graph)
    blocks = 15
    record = lower(at_length(graph, blocks * stream.block))
    assert blocks * sum(step.layer.macs for step in stream.steps) == record.macs
    assert blocks * sum(step.layer.output_size for step in stream.steps) == sum(
        layer.output_size for layer in record.layers if not isinstance(layer, Alias | Pad)
    )


def test_look_ahead_is_flushed_at_the_end() -> None:
    content = TimeModel().conv(5, padding=SAME).conv(9, dilation=2, padding=SAME).finish()
    stream = stream_of(load_tflite(content), 4)
    assert stream.lag == stream.late == 2 + 8
    check(content, stream, [1, 3, 4, 5, 19, 40])


def test_a_stride_takes_records_of_every_length() -> None:
    model = TimeModel().causal(4, stride=2).conv(3, padding=SAME).causal(2, stride=3)
    stream = stream_of(load_tflite(model.finish()), 5)
    assert (stream.block, stream.rows, stream.granule) == (6, 1, 1)
    check(model.finish(), stream, list(range(1, 20)))


def test_a_skip_over_a_stride_takes_records_that_the_stride_divides() -> None:
    model = TimeModel(channels=2).causal(1)
    skip = model.current
    model.conv(2, stride=2)
    half = model.shape
    model.apply(
        "RESIZE_NEAREST_NEIGHBOR",
        [1, 1, 2 * half[2], half[3]],
        "ResizeNearestNeighborOptions",
        constant=[1, 2 * half[2]],
        alignCorners=False,
        halfPixelCenters=True,
    )
    content = model.join(skip).finish()
    stream = stream_of(load_tflite(content), 4)
    assert stream.granule == 2
    check(content, stream, [2, 4, 22])
    interpreter = StreamingInterpreter(stream)
    interpreter.push(record_of(stream, 5))
    with pytest.raises(UsageError, match="5 positions"):
        interpreter.end()


def test_a_record_begins_anew() -> None:
    content = TimeModel().causal(3).conv(3, padding=SAME).finish()
    stream = stream_of(load_tflite(content), 4)
    interpreter = StreamingInterpreter(stream)
    record = record_of(stream, 30)
    first = np.concatenate([interpreter.push(record), interpreter.end()])
    interpreter.start()
    assert np.array_equal(first, np.concatenate([interpreter.push(record), interpreter.end()]))


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_the_interpreter_takes_the_network_at_another_length(seed: int) -> None:
    network = StreamableNetwork(seed)
    graph = load_tflite(network.content)
    for length in (network.stream.least, network.length + 9 * network.stream.granule):
        record = record_of(network.stream, length, seed)
        result = run(lower(at_length(graph, length)), record).reshape(-1)
        assert np.array_equal(result, whole(network.content, record))


def reshaped(model: TimeModel, shape: list[int]) -> TimeModel:
    return model.apply("RESHAPE", shape, "ReshapeOptions", constant=shape, newShape=shape)


def pooled(model: TimeModel, padding: int) -> TimeModel:
    options = conv_options((1, 1), (1, 1), padding, "NONE")
    del options["dilationHFactor"], options["dilationWFactor"]
    return model.apply("AVERAGE_POOL_2D", model.shape, "Pool2DOptions", filterHeight=1, filterWidth=3, **options)


REFUSED: dict[str, tuple[Callable[[TimeModel], TimeModel], str, str]] = {
    "mean over time": (
        lambda model: model.apply("MEAN", [1, 4], "ReducerOptions", constant=[1, 2], keepDims=False),
        r"MEAN \(operator 2\)",
        "all of time",
    ),
    "softmax over time": (
        lambda model: reshaped(model, [1, 96]).apply("SOFTMAX", [1, 96], "SoftmaxOptions", beta=1.0),
        r"SOFTMAX \(operator 3\)",
        "all of time",
    ),
    "rows joined": (
        lambda model: reshaped(model, [1, 1, 12, 8]),
        r"RESHAPE \(operator 2\)",
        "several rows of time into one",
    ),
    "time moved inward": (
        lambda model: reshaped(model, [1, 1, 4, 24]),
        r"RESHAPE \(operator 2\)",
        "several rows of time into one",
    ),
    "padding of a stride": (
        lambda model: model.conv(3, stride=2, padding=SAME),
        r"CONV_2D \(operator 2\)",
        "depends on the length of the record",
    ),
    "pooling that leaves padding out": (
        lambda model: pooled(model, SAME),
        r"AVERAGE_POOL_2D \(operator 2\)",
        "fewer rows take part",
    ),
    "time doubled": (
        lambda model: model.apply(
            "CONCATENATION", [1, 1, 48, 4], "ConcatenationOptions", axis=2, fusedActivationFunction=0
        ),
        r"CONCATENATION \(operator 2\)",
        "along time",
    ),
    "an axis before time": (
        lambda model: model.apply(
            "RESIZE_NEAREST_NEIGHBOR",
            [1, 2, 24, 4],
            "ResizeNearestNeighborOptions",
            constant=[2, 24],
            alignCorners=False,
            halfPixelCenters=False,
        ),
        r"RESIZE_NEAREST_NEIGHBOR \(operator 2\)",
        "an axis in front of time",
    ),
    "stretched by three": (
        lambda model: model.apply(
            "RESIZE_NEAREST_NEIGHBOR",
            [1, 1, 72, 4],
            "ResizeNearestNeighborOptions",
            constant=[1, 72],
            alignCorners=False,
            halfPixelCenters=False,
        ),
        r"RESIZE_NEAREST_NEIGHBOR \(operator 2\)",
        "which row it takes depends on the length",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_stream_is_refused_by_name(name: str) -> None:
    add, operator, why = REFUSED[name]
    model = TimeModel(channels=2, seed=1)
    content = add(model.causal(2)).finish()
    lower(load_tflite(content))
    with pytest.raises(GraphError, match=operator) as caught:
        stream_of(load_tflite(content))
    assert why in caught.value.why
    assert caught.value.remedy


def test_a_constant_as_long_as_the_record_is_refused() -> None:
    model = TimeModel(channels=2)
    constant = model.builder.int8(model.shape, 0.1, 0, np.arange(48, dtype=np.int8).reshape(1, 1, 24, 2))
    with pytest.raises(GraphError, match=r"ADD \(operator 0\)") as caught:
        stream_of(load_tflite(model.join(constant).finish()))
    assert "from row to row" in caught.value.why


@pytest.mark.parametrize("name", ["seg-2-tcn-sm", "seg-4-tcn-sm", "seg-4-tcn-lg"])
def test_the_networks_of_frames_are_refused_for_their_strides(name: str) -> None:
    with pytest.raises(GraphError, match=r"CONV_2D \(operator 1\) cannot run as a stream"):
        stream_of(load_tflite(paths.MODELS / name / "model.tflite"))


def test_a_length_that_a_window_does_not_fit_is_named() -> None:
    graph = load_tflite(TimeModel().conv(9).finish())
    with pytest.raises(LengthError, match=r"CONV_2D \(operator 0\) does not exist for an input of 8 positions"):
        at_length(graph, 8)
    assert stream_of(graph).least == 9
