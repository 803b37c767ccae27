"""The memory plan: nothing that is needed is overwritten, and the report shows the plan."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ecgseg import paths
from ecgseg.codegen.kernels.elementwise import merge_axes
from ecgseg.codegen.plan import ALIGNMENT, Buffer, plan
from ecgseg.codegen.render import render
from ecgseg.errors import OutputError
from ecgseg.report.memory import memory_picture, memory_steps, memory_table, write_report

MODEL = paths.MODELS / "seg-4-tcn-sm" / "model.tflite"
lifetimes = st.tuples(st.integers(1, 500), st.integers(0, 12), st.integers(0, 6))


@given(st.lists(lifetimes, min_size=1, max_size=14))
def test_buffers_alive_together_never_overlap(drawn: list[tuple[int, int, int]]) -> None:
    buffers = [Buffer("", size, first, first + length) for size, first, length in drawn]
    result = plan(buffers)
    for i, one in enumerate(buffers):
        assert result.offsets[i] % ALIGNMENT == 0
        assert result.offsets[i] + one.size <= result.size
        for j, other in enumerate(buffers[:i]):
            if one.first <= other.last and other.first <= one.last:
                apart = result.offsets[i] + one.size <= result.offsets[j]
                assert apart or result.offsets[j] + other.size <= result.offsets[i]


@given(
    st.lists(lifetimes, min_size=2, max_size=14),
    st.dictionaries(st.tuples(st.integers(0, 13), st.integers(0, 13)), st.integers(-300, 600), max_size=8),
)
def test_buffers_that_may_overlap_keep_their_distance(
    drawn: list[tuple[int, int, int]], allowed: dict[tuple[int, int], int]
) -> None:
    buffers = [Buffer("", size, first, first + length) for size, first, length in drawn]
    # One direction for a pair, as for a layer that reads one and writes the other.
    distances = {(a, b): d for (a, b), d in allowed.items() if a < b < len(buffers)}
    result = plan(buffers, distances)
    for i, one in enumerate(buffers):
        for j, other in enumerate(buffers[:i]):
            if one.first <= other.last and other.first <= one.last:
                apart = (
                    result.offsets[i] + one.size <= result.offsets[j]
                    or result.offsets[j] + other.size <= result.offsets[i]
                )
                distance = distances.get((j, i))
                assert apart or (distance is not None and result.offsets[j] - result.offsets[i] >= distance)


@given(st.lists(lifetimes, min_size=1, max_size=14))
def test_the_arena_is_no_larger_than_all_buffers_side_by_side(drawn: list[tuple[int, int, int]]) -> None:
    buffers = [Buffer("", size, first, first + length) for size, first, length in drawn]
    assert plan(buffers).size <= sum(-(-buffer.size // ALIGNMENT) * ALIGNMENT for buffer in buffers)


def test_axes_that_both_operands_walk_alike_become_one() -> None:
    assert merge_axes((1, 4, 5, 6), ((120, 30, 6, 1), (120, 30, 6, 1))) == [(120, 1, 1)]
    assert merge_axes((1, 4, 5, 6), ((120, 30, 6, 1), (0, 0, 0, 1))) == [(20, 6, 0), (6, 1, 1)]
    assert merge_axes((3, 1), ((1, 1), (0, 0))) == [(3, 1, 0)]


def test_report_shows_every_layer_and_the_whole_arena(tmp_path: Path) -> None:
    manifest = render(MODEL, tmp_path, name="seg-4-tcn-sm")
    steps = memory_steps(manifest)
    assert [step.name for step in steps] == [layer.name for layer in manifest.layers]
    assert max(step.used_bytes for step in steps) <= manifest.arena_bytes < max(step.used_bytes for step in steps) + 4
    drawing = ET.fromstring(memory_picture(manifest))
    rectangles = drawing.findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(rectangles) == len(manifest.buffers)
    console = Console(record=True, width=200)
    console.print(memory_table(manifest))
    assert f"arena {manifest.arena_bytes:,} bytes" in console.export_text()
    page = tmp_path / "memory.html"
    write_report(manifest, page)
    text = page.read_text()
    assert "<svg" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    manifest = render(MODEL, tmp_path)
    with pytest.raises(OutputError, match="could not be written"):
        write_report(manifest, tmp_path / "manifest.json" / "memory.html")
