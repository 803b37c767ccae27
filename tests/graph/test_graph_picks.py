"""TRANSPOSE, STRIDED_SLICE and SPLIT: one layer, which takes bytes in another order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.layers import Alias, Pick
from ecgseg.graph.lengths import at_length
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.streaming import stream_of
from ecgseg.image.tflm.render import ResolvedOperator, operators_of
from support import engine_harness as harness
from support.random_network import RandomNetwork
from support.streamed import check
from support.tflite_builder import Builder

Shape = tuple[int, ...]


def finished(builder: Builder, source: int, result: int) -> bytes:
    """With a QUANTIZE behind it, so that something is computed where the operator is but another shape."""
    last = builder.int8(builder.shape(result), 0.2, 0)
    builder.operator("QUANTIZE", [result], [last], "QuantizeOptions")
    return builder.finish([source], [last])


def transposed(
    shape: Shape = (1, 2, 9, 4), order: tuple[int, ...] = (0, 2, 1, 3), out: Shape = (), scale: float = 0.1
) -> bytes:
    builder = Builder()
    source = builder.int8(shape, 0.1, 0)
    result = builder.int8(out or [shape[axis] for axis in order], scale, 0)
    builder.operator("TRANSPOSE", [source, builder.int32(order)], [result], "TransposeOptions")
    return finished(builder, source, result)


def sliced(
    key: tuple[slice, ...] = (slice(0, 1), slice(2, 9, 3), slice(0, 4)),
    shape: Shape = (1, 12, 4),
    out: Shape = (),
    axes: int | None = None,
    **masks: int,
) -> bytes:
    """STRIDED_SLICE by slices that all have a begin; one without an end runs to the last, or first, element."""
    builder = Builder()
    source = builder.int8(shape, 0.1, 0)
    taken = [np.arange(size)[part] for part, size in zip(key, shape, strict=True)]
    shrunk = masks.get("shrinkAxisMask", 0)
    sizes = [len(indices) for axis, indices in enumerate(taken) if not shrunk >> axis & 1]
    result = builder.int8(out or sizes, 0.1, 0)
    ends = sum((part.stop is None) << axis for axis, part in enumerate(key))
    parts = ([part.start for part in key], [part.stop or 0 for part in key], [part.step or 1 for part in key])
    inputs = [source, *(builder.int32(values[:axes]) for values in parts)]
    builder.operator("STRIDED_SLICE", inputs, [result], "StridedSliceOptions", endMask=ends, **masks)
    return finished(builder, source, result)


def parted(
    shape: Shape = (1, 6, 4), axis: int = 2, parts: int = 2, out: Shape = (), told: int = 0, all_used: bool = True
) -> bytes:
    """SPLIT whose parts are all read again by CONCATENATION, in reverse, or only the last of them."""
    builder = Builder()
    source = builder.int8(shape, 0.1, 0)
    place = axis % len(shape)
    part = out or (*shape[:place], shape[place] // parts, *shape[place + 1 :])
    results = [builder.int8(part, 0.1, 0) for _ in range(parts)]
    builder.operator("SPLIT", [builder.int32([axis]), source], results, "SplitOptions", numSplits=told or parts)
    if not all_used:
        return finished(builder, source, results[-1])
    joined = builder.int8(shape, 0.1, 0)
    builder.operator("CONCATENATION", results[::-1], [joined], "ConcatenationOptions", axis=place)
    return finished(builder, source, joined)


WHOLE = slice(0, None)
ACCEPTED: dict[str, Callable[[], bytes]] = {
    "channels in front": lambda: transposed((1, 5, 4), (0, 2, 1)),
    "an image": transposed,
    "an image turned": lambda: transposed((1, 3, 4, 5), (0, 3, 2, 1)),
    "five axes": lambda: transposed((1, 2, 3, 4, 2), (0, 3, 1, 4, 2)),
    "axes of size 1": lambda: transposed((1, 1, 9, 4), (0, 2, 1, 3)),
    "a part of time": sliced,
    "backwards": lambda: sliced((WHOLE, slice(11, None, -1), slice(3, 0, -2))),
    "counted from the end": lambda: sliced((slice(-1, None), slice(-10, -1, 2), slice(-3, None))),
    "beyond the end": lambda: sliced((slice(0, 9), slice(3, 99, 2), slice(-9, 3))),
    "one channel that is dropped": lambda: sliced((WHOLE, WHOLE, slice(2, 3)), shrinkAxisMask=4),
    "the last channel that is dropped": lambda: sliced((WHOLE, WHOLE, slice(-1, None)), shrinkAxisMask=4),
    "every other place of an image": lambda: sliced((WHOLE, slice(1, 4, 2), slice(0, 5, 2), WHOLE), (1, 4, 5, 3)),
    "all of it": lambda: sliced((WHOLE, WHOLE, WHOLE)),
    "one value": lambda: sliced((slice(0, 1), slice(7, 8), slice(1, 2))),
    "parts of the channels": parted,
    "parts of time": lambda: parted(axis=-2, parts=3),
    "one part": lambda: parted(parts=1),
    "a part that nothing else reads": lambda: parted(parts=4, all_used=False),
}
REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "an axis twice": ("TRANSPOSE", lambda: transposed(order=(0, 2, 2, 3)), "Order"),
    "a negative axis": ("TRANSPOSE", lambda: transposed(order=(0, 2, 1, -1)), "Order"),
    "six axes": ("TRANSPOSE", lambda: transposed((1, 1, 2, 3, 2, 2), (0, 1, 3, 2, 5, 4)), "Order"),
    "another shape": ("TRANSPOSE", lambda: transposed(out=(1, 2, 9, 4)), "leads to"),
    "another quantisation": ("TRANSPOSE", lambda: transposed(scale=0.3), "quantised differently"),
    "another size": ("STRIDED_SLICE", lambda: sliced(out=(1, 4, 4)), "leads to [1, 3, 4]"),
    "nothing": ("STRIDED_SLICE", lambda: sliced((WHOLE, slice(5, 5), WHOLE), out=(1, 1, 4)), "leads to [1, 0, 4]"),
    "two axes of three": ("STRIDED_SLICE", lambda: sliced(axes=2), "are not 3 constants"),
    "a new axis": ("STRIDED_SLICE", lambda: sliced(newAxisMask=1), "adds axes"),
    "an end behind the begin": ("STRIDED_SLICE", lambda: sliced(offset=True), "counts its end from its begin"),
    "one index outside": (
        "STRIDED_SLICE",
        lambda: sliced((WHOLE, slice(12, 13), WHOLE), out=(1, 4), shrinkAxisMask=2),
        "no one index of axis 1",
    ),
    "other parts than it says": ("SPLIT", lambda: parted(told=3), "2 parts"),
    "parts that differ": ("SPLIT", lambda: parted((1, 5, 3), parts=2), "3 in 2 parts"),
    "parts of another size": ("SPLIT", lambda: parted(out=(1, 6, 3)), "leads to [1, 6, 2]"),
}


@pytest.mark.parametrize("form", ACCEPTED)
def test_numpy_equals_tensorflow_lite_micro(form: str, tmp_path: Path) -> None:
    model = harness.rendered(ACCEPTED[form](), tmp_path)
    inputs = harness.draw_inputs(model, 3)
    assert harness.interpreter_differences(model, inputs, harness.truth(model, inputs)) == []


@pytest.mark.parametrize("form", ["an image turned", "backwards", "a part that nothing else reads"])
def test_native_c_equals_tensorflow_lite_micro(form: str, tmp_path: Path) -> None:
    model = harness.rendered(ACCEPTED[form](), tmp_path)
    inputs = harness.draw_inputs(model, 3)
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("form", ["five axes", "backwards", "parts of the channels"])
def test_the_cortex_m4_form_equals_tensorflow_lite_micro(form: str, tmp_path: Path) -> None:
    model = harness.rendered(ACCEPTED[form](), tmp_path)
    inputs = harness.draw_inputs(model, 3)
    assert harness.differences(model, harness.run_m4(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.parametrize("form", REFUSED)
def test_what_no_kernel_computes_is_refused_with_the_operators_name(form: str) -> None:
    name, model, reason = REFUSED[form]
    with pytest.raises(GraphError) as told:
        lower(load_tflite(model()))
    assert f"{name} (operator 0)" in told.value.what
    assert reason in told.value.why
    assert told.value.remedy.startswith("Supported: ")


def test_what_keeps_the_order_of_bytes_is_nothing_but_a_shape_and_what_nothing_reads_is_left_out() -> None:
    for form in ("axes of size 1", "all of it", "one part"):
        assert isinstance(lower(load_tflite(ACCEPTED[form]())).layers[0], Alias)
    layers = lower(load_tflite(ACCEPTED["a part that nothing else reads"]())).layers
    assert [type(layer) for layer in layers[:-1]] == [Pick]


STREAMS = {
    "every other channel": lambda: sliced((WHOLE, WHOLE, slice(0, None, 2))),
    "channels backwards, time counted from its end": lambda: sliced((WHOLE, slice(-12, 12), slice(3, 0, -1))),
    "a channel that is dropped": lambda: sliced((slice(0, 1), WHOLE, WHOLE), shrinkAxisMask=1),
    "parts of the channels": parted,
    "channels of an image": lambda: transposed((1, 9, 2, 4), (0, 1, 3, 2)),
    "an axis moved behind time": lambda: transposed((1, 1, 9, 4), (0, 2, 3, 1)),
}


@pytest.mark.parametrize("form", STREAMS)
def test_what_leaves_time_alone_runs_as_a_stream_and_at_other_lengths(form: str) -> None:
    content = STREAMS[form]()
    check(content, stream_of(load_tflite(content), 7), [9, 24, 40])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (sliced(), "takes a part of time"),
        (sliced((WHOLE, slice(11, None, -1), WHOLE)), "takes a part of time"),
        (parted(axis=1), "splits time"),
        (transposed((1, 9, 2, 4), (0, 2, 1, 3)), "with an axis in front of time"),
    ],
)
def test_what_changes_time_is_no_stream(content: bytes, reason: str) -> None:
    with pytest.raises(GraphError, match=reason):
        stream_of(load_tflite(content))


@pytest.mark.parametrize(("name", "parse"), [("TRANSPOSE", "Transpose"), ("SPLIT", "Split")])
def test_random_networks_hold_it_and_firmware_resolves_it(name: str, parse: str) -> None:
    drawn = [load_tflite(RandomNetwork(seed, names=(name,)).content) for seed in range(5)]
    assert name in {operator.name for graph in drawn for operator in graph.operators}
    content: dict[str, Any] = {"TRANSPOSE": transposed, "SPLIT": parted}
    assert ResolvedOperator(name, parse) in operators_of(content[name]())
    assert lower(at_length(load_tflite(parted()), 20)).input.shape == (1, 20, 4)
