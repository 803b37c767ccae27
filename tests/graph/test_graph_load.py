"""Hostile, damaged and unsupported .tflite files: always one clear GraphError, never a crash or a wrong graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgseg.errors import GraphError
from ecgseg.graph.load import MAX_FILE_BYTES, load_tflite, read_model
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from ecgseg.models import find_model
from support.random_network import KINDS, RandomNetwork
from support.tflite_builder import SAME, Builder, conv_options

CONV = conv_options((1, 1), (1, 1), SAME, "NONE")


def simple(change: Callable[[Builder], None] = lambda builder: None) -> bytes:
    """input 0 -> CONV_2D (weights 1, bias 2) -> 3 -> QUANTIZE -> 4, changed before it is written."""
    builder = Builder()
    builder.int8([1, 1, 8, 2], 0.1, 0)
    builder.tensor([2, 1, 3, 2], np.int8, [0.01, 0.02], [0, 0], 0, np.ones((2, 1, 3, 2), np.int8))
    builder.tensor([2], np.int32, [0.001, 0.002], [0, 0], 0, np.zeros(2, np.int32))
    builder.int8([1, 1, 8, 2], 0.1, 0)
    builder.int8([1, 1, 8, 2], 0.2, 3)
    builder.operator("CONV_2D", [0, 1, 2], [3], "Conv2DOptions", **CONV)
    builder.operator("QUANTIZE", [3], [4], "QuantizeOptions")
    change(builder)
    return builder.finish([0], [4])


def refused(content: bytes) -> GraphError:
    with pytest.raises(GraphError) as caught:
        lower(load_tflite(content))
    assert caught.value.what
    assert caught.value.why
    assert caught.value.remedy
    return caught.value


def outcome(content: bytes) -> GraphError | None:
    """The error that the file ends in, None when it is accepted; anything else escapes and fails the test."""
    try:
        lower(load_tflite(content))
    except GraphError as error:
        return error if error.what and error.why else pytest.fail(f"an error that says too little: {error}")
    return None


def set_shape(index: int, shape: list[int]) -> Callable[[Builder], None]:
    def change(builder: Builder) -> None:
        builder.graph.tensors[index].shape = shape

    return change


def set_scale(index: int, scale: float) -> Callable[[Builder], None]:
    def change(builder: Builder) -> None:
        builder.graph.tensors[index].quantization.scale = [scale] * len(builder.graph.tensors[index].quantization.scale)

    return change


def rename(index: int, code: int) -> Callable[[Builder], None]:
    def change(builder: Builder) -> None:
        builder.model.operatorCodes[index].builtinCode = code
        builder.model.operatorCodes[index].deprecatedBuiltinCode = min(code, 127)

    return change


def edges(index: int, inputs: list[int], outputs: list[int]) -> Callable[[Builder], None]:
    def change(builder: Builder) -> None:
        builder.graph.operators[index].inputs = inputs
        builder.graph.operators[index].outputs = outputs

    return change


def reverse(builder: Builder) -> None:
    builder.graph.operators.reverse()


def two_subgraphs(builder: Builder) -> None:
    builder.model.subgraphs.append(builder.graph)


def variable(builder: Builder) -> None:
    builder.graph.tensors[0].isVariable = True


def short_weights(builder: Builder) -> None:
    builder.model.buffers[1].data = builder.model.buffers[1].data[:-1]


def huge_bias(builder: Builder) -> None:
    builder.model.buffers[2].data = np.frombuffer(np.full(2, 2**31 - 1, np.int32).tobytes(), np.uint8)


def no_options(builder: Builder) -> None:
    builder.graph.operators[0].builtinOptions = None
    builder.graph.operators[0].builtinOptionsType = 0


def uint8_input(builder: Builder) -> None:
    builder.graph.tensors[0].type = 3


def contents_of_what_has_none(builder: Builder) -> None:
    builder.model.buffers[0].data = np.zeros(1, np.uint8)


def no_buffers(builder: Builder) -> None:
    builder.model.buffers = []
    for tensor in builder.graph.tensors:
        tensor.buffer = 0


def with_contents(index: int) -> Callable[[Builder], None]:
    def change(builder: Builder) -> None:
        data = np.zeros(int(np.prod(builder.graph.tensors[index].shape)), np.uint8)
        builder.graph.tensors[index].buffer = len(builder.model.buffers)
        buffer = type(builder.model.buffers[0])()
        buffer.data = data
        builder.model.buffers.append(buffer)

    return change


# What TensorFlow Lite Micro would write over, which the oracle gives whatever is loaded.
WRITTEN_OVER: dict[str, Callable[[Builder], None]] = {
    "contents of what has none": contents_of_what_has_none,
    "no buffers": no_buffers,
    "an input with contents": with_contents(0),
    "a result with contents": with_contents(3),
    "an output with contents": with_contents(4),
}


@pytest.mark.parametrize("name", WRITTEN_OVER)
def test_what_the_runtime_would_write_over_is_refused_before_it_sees_it(name: str) -> None:
    with pytest.raises(GraphError) as caught:
        TflmOracle(simple(WRITTEN_OVER[name]))
    assert "While reading it" in caught.value.why


HOSTILE: dict[str, Callable[[Builder], None]] = {
    "huge shape": set_shape(0, [1, 1 << 20, 1 << 20, 2]),
    "zero size": set_shape(0, [1, 0, 8, 2]),
    "negative size": set_shape(0, [1, 1, -8, 2]),
    "wrong output shape": set_shape(3, [1, 1, 7, 2]),
    "batch of two": set_shape(0, [2, 1, 8, 2]),
    "rank 2 input": set_shape(0, [8, 2]),
    "NaN scale": set_scale(0, float("nan")),
    "infinite scale": set_scale(3, float("inf")),
    "zero scale": set_scale(0, 0.0),
    "negative scale": set_scale(1, -0.1),
    "tiny output scale": set_scale(3, 1e-20),
    "unknown operator": rename(1, 9999),
    "operator without a kernel": rename(1, 47),
    "cycle": edges(0, [4, 1, 2], [3]),
    "tensor written twice": edges(1, [3], [3]),
    "input written": edges(1, [3], [0]),
    "index out of range": edges(1, [77], [4]),
    "negative index": edges(1, [-5], [4]),
    "no inputs": edges(1, [], [4]),
    "output is a constant": edges(1, [3], [1]),
    "weights are computed": edges(0, [0, 3, 2], [3]),
    "wrong order": reverse,
    "two subgraphs": two_subgraphs,
    "variable": variable,
    "short weights": short_weights,
    "accumulator overflow": huge_bias,
    "no options": no_options,
    "uint8 input": uint8_input,
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_graph_is_one_clear_error(name: str) -> None:
    refused(simple(HOSTILE[name]))


def test_the_unchanged_graph_is_accepted() -> None:
    assert [layer.name for layer in lower(load_tflite(simple())).layers] == ["CONV_2D", "QUANTIZE"]


def test_unsupported_operator_is_named_with_its_index_and_what_is_supported() -> None:
    error = refused(simple(rename(1, 47)))
    assert "(operator 1)" in error.what
    assert "CONV_2D" in error.remedy


@pytest.mark.parametrize("code", [38, 37])
def test_space_to_batch_explains_the_batch_dimension(code: int) -> None:
    error = refused(simple(rename(1, code)))
    assert "batch" in error.why
    assert "fixed to 1" in error.remedy


def test_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    refused(b"")
    refused(b"\x89PNG" * 100)
    refused(b"\x1c\x00\x00\x00TFL3" + b"\xff" * 4000)
    with pytest.raises(GraphError):
        load_tflite(tmp_path / "missing.tflite")
    with pytest.raises(GraphError):
        load_tflite(tmp_path)


def test_a_model_that_cannot_be_read_or_is_far_too_large_is_told_whoever_reads_it(tmp_path: Path) -> None:
    missing, large = tmp_path / "missing.tflite", tmp_path / "large.tflite"
    with large.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    for read in (load_tflite, read_model, lambda path: find_model(tflite=path)):
        with pytest.raises(GraphError) as told:
            read(missing)
        assert told.value.what == f"The model {missing} cannot be read."
        assert told.value.why == "No such file or directory."
        with pytest.raises(GraphError, match=f"{MAX_FILE_BYTES + 1} bytes"):
            read(large)


def test_every_truncation_is_refused() -> None:
    content = simple()
    for length in range(0, len(content) - 4, 3):
        # The file's last bytes may be padding that nothing points to.
        assert outcome(content[:length]) is not None or length > len(content) - 64


@given(seed=st.integers(0, 50), changes=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 255)), max_size=6))
@settings(max_examples=150, deadline=None)
def test_random_bytes_end_in_a_graph_or_one_error(seed: int, changes: list[tuple[int, int]]) -> None:
    content = bytearray(RandomNetwork(seed, operators=4).content)
    for position, value in changes:
        content[position % len(content)] = value
    outcome(bytes(content))


@given(seed=st.integers(0, 50), changes=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 255)), max_size=3))
@settings(max_examples=100, deadline=None)
def test_random_bytes_of_every_operator_end_in_a_network_or_error(seed: int, changes: list[tuple[int, int]]) -> None:
    content = bytearray(RandomNetwork(seed, operators=4, names=KINDS).content)
    for position, value in changes:
        content[position % len(content)] = value
    outcome(bytes(content))


@given(position=st.integers(0, 1 << 30), value=st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF]))
@settings(max_examples=150, deadline=None)
def test_wrong_offsets_and_lengths_end_in_a_graph_or_one_error(position: int, value: int) -> None:
    content = bytearray(simple())
    position = position % (len(content) // 4) * 4
    content[position : position + 4] = value.to_bytes(4, "little")
    outcome(bytes(content))
