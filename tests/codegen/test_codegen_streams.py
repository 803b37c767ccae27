"""Streamed layers: every row is there when it is read, and nothing is overwritten that is still needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.codegen.rows import Axis, RowView, steps
from ecgseg.codegen.streams import ROWS, Group, Use

HEARTKIT_STYLE = Path(__file__).parents[1] / "vectors" / "heartkit-style.tflite"


@st.composite
def chains(draw: st.DrawFn) -> list[Axis]:
    """Axes of one to four layers that fit each other."""
    rows = draw(st.integers(2, 120))
    axes = []
    for _ in range(draw(st.integers(1, 4))):
        kernel, stride, dilation = draw(st.integers(1, 7)), draw(st.integers(1, 4)), draw(st.integers(1, 9))
        reach = (kernel - 1) * dilation + 1
        pad = draw(st.integers(0, reach - 1))
        behind = draw(st.integers(0, reach - 1))
        out_rows = (rows + pad + behind - reach) // stride + 1
        assume(out_rows >= 2)
        axes.append(Axis(rows, out_rows, kernel, stride, dilation, pad))
        rows = out_rows
    return axes


def inputs_of(axis: Axis, row: int) -> list[int]:
    """Input rows under an output row, without those in the padding."""
    taps = (row * axis.stride - axis.pad + tap * axis.dilation for tap in range(axis.kernel))
    return [tap for tap in taps if 0 <= tap < axis.in_rows]


@given(chains(), st.integers(1, 20))
def test_every_row_is_computed_once_from_rows_that_are_held(axes: list[Axis], rows: int) -> None:
    computed = [0] * len(axes)
    held = [0] * len(axes)
    for parts in steps(axes, rows):
        for part in parts:
            assert part.first == computed[part.position]
            held[part.position] = part.held_from
            for row in range(part.first, part.end):
                needed = inputs_of(axes[part.position], row)
                assert all(part.reads_from <= tap for tap in needed)
                if part.position:
                    before = part.position - 1
                    assert all(held[before] <= tap < computed[before] for tap in needed)
            computed[part.position] = part.end
    assert computed == [axis.out_rows for axis in axes]


@given(chains(), st.integers(1, 9), st.integers(1, 9))
def test_the_result_never_grows_into_input_that_is_still_read(axes: list[Axis], in_bytes: int, out_bytes: int) -> None:
    sizes = [*(1 for _ in axes[:-1]), out_bytes]
    reads = [in_bytes, *(1 for _ in axes[:-1])]
    views = tuple(RowView(axis, size, (read,), {}) for axis, size, read in zip(axes, sizes, reads, strict=True))
    group = Group(0, len(axes) - 1, views)
    distance = group.clearance(0, 0, in_place=False)
    written = 0
    for parts in group.steps:
        for part in parts:
            if part.position == len(axes) - 1:
                # The kernel may write all of its rows before it reads the last of its input.
                written = part.end * out_bytes
            if part.position == 0:
                lowest = min(
                    (tap for row in range(part.first, part.end) for tap in inputs_of(axes[0], row)), default=None
                )
                assert lowest is None or distance + lowest * in_bytes >= written


@given(chains())
def test_no_more_rows_are_held_than_there_is_memory_for(axes: list[Axis]) -> None:
    views = tuple(RowView(axis, 1, (1,), {}) for axis in axes)
    group = Group(0, len(axes) - 1, views)
    for position in range(len(axes) - 1):
        most = group.held_rows[position]
        assert all(
            part.end - part.held_from <= most for parts in group.steps for part in parts if part.position == position
        )
        assert most <= axes[position].out_rows


def test_a_gain_per_channel_is_not_taken_to_go_through_memory_in_order(tmp_path: Path) -> None:
    """Its lines run along time, so rows that one channel has passed are read again for the next."""

    def last_gain(candidates: Sequence[Group], use: Callable[[Sequence[Group]], Use]) -> tuple[Group, ...]:
        return tuple(group for group in candidates if (group.first, group.last) == (22, 22))

    manifest = render(HEARTKIT_STYLE, tmp_path, select=last_gain)
    assert manifest.layers[22].name == "MUL"
    assert manifest.layers[22].streamed
    read, written = (
        next(buffer for buffer in manifest.buffers if buffer.name == f"tensor {manifest.layers[layer].tensor}")
        for layer in (17, 22)
    )
    apart = read.offset + read.size <= written.offset or written.offset + written.size <= read.offset
    assert apart or read.offset - written.offset >= ROWS * 32


def test_a_separable_network_needs_a_third_less_memory_than_layer_by_layer(tmp_path: Path) -> None:
    whole = render(HEARTKIT_STYLE, tmp_path / "whole", select=lambda candidates, use: ())
    streamed = render(HEARTKIT_STYLE, tmp_path / "streamed")
    assert not any(layer.streamed for layer in whole.layers)
    assert {layer.name for layer in streamed.layers if layer.streamed} >= {"DEPTHWISE_CONV_2D", "CONV_2D"}
    assert streamed.arena_bytes <= 2 * whole.arena_bytes // 3


@pytest.mark.parametrize("name", ["seg-2-tcn-sm", "seg-4-tcn-lg"])
def test_layers_that_gain_nothing_are_not_streamed(name: str, tmp_path: Path) -> None:
    manifest = render(paths.MODELS / name / "model.tflite", tmp_path)
    assert not any(layer.streamed for layer in manifest.layers)
