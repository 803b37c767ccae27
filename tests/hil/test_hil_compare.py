"""The comparison finds every difference, counts it right, and accuses the right part."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.hil.compare import compare_frame, difference, first_differing_layer, stage_bytes, stage_name
from ecgseg.link import FrameResult, LayerInfo
from ecgseg.models import find_model
from ecgseg.pipeline import FrameStatus, Segment, class_mask, frames, segments
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter


@lru_cache(maxsize=1)
def reference() -> Segmenter:
    return Segmenter(find_model().data)


@lru_cache(maxsize=1)
def expected() -> ExpectedFrame:
    return reference().expect(synthetic_records(1, ("ii",), seed=5)[0].samples)[1]


def answered(frame: ExpectedFrame) -> FrameResult:
    return FrameResult(
        frame.index,
        frame.status,
        frame.lead_off_samples,
        frame.saturated_samples,
        frame.input.copy(),
        frame.scores.copy(),
        frame.mask.copy(),
        list(frame.segments),
        1,
        2,
        3,
    )


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_difference_is_found_where_it_is_and_counted_once(left: bytes, right: bytes) -> None:
    found = difference("mask", left, right)
    unequal = [
        index for index in range(max(len(left), len(right))) if left[index : index + 1] != right[index : index + 1]
    ]
    if not unequal:
        assert found is None
        return
    assert found is not None
    assert (found.offset, found.count, found.compared) == (unequal[0], len(unequal), max(len(left), len(right)))
    assert found.expected == (left[found.offset] if found.offset < len(left) else None)
    assert found.actual == (right[found.offset] if found.offset < len(right) else None)


def test_equal_frames_differ_in_nothing_and_every_byte_is_compared() -> None:
    comparison = compare_frame(expected(), answered(expected()))
    assert comparison.differences == ()
    assert comparison.mismatched == 0
    assert comparison.compared == 10 + 250 + 1000 + 250 + 5 * len(expected().segments)


def _flipped(values: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed.reshape(-1)[17] ^= 1
    return changed


@pytest.mark.parametrize(
    ("change", "stage", "part"),
    [
        ({"status": FrameStatus.FLAT}, "status", "preprocessor"),
        ({"index": 7}, "status", "preprocessor"),
        ({"lead_off_samples": 3}, "status", "preprocessor"),
        ({"saturated_samples": 3}, "status", "preprocessor"),
        ({"input": "input"}, "input", "preprocessor"),
        ({"scores": "scores"}, "scores", "model (every layer alone is equal)"),
        ({"mask": "mask"}, "mask", "class mask"),
        ({"segments": [Segment(1, 2, 3)]}, "segments", "segments"),
        ({"segments": []}, "segments", "segments"),
    ],
)
def test_one_changed_field_accuses_the_part_that_makes_it(change: dict[str, object], stage: str, part: str) -> None:
    good = answered(expected())
    values = {
        name: _flipped(getattr(good, name)) if isinstance(value, str) else value for name, value in change.items()
    }
    comparison = compare_frame(expected(), replace(good, **values))  # type: ignore[arg-type]
    assert [item.stage for item in comparison.differences] == [stage]
    assert comparison.mismatched > 0
    assert stage_name(comparison.differences[0], None) == part


class Device:
    """Shows the reference's own layers, one of them changed."""

    def __init__(self, data: np.ndarray, wrong: int | None) -> None:
        self._data = data
        self._wrong = wrong

    def layer(self, index: int) -> LayerInfo:
        return self.layers()[index]

    def layers(self) -> list[LayerInfo]:
        from ecgseg import paths
        from ecgseg.codegen.render import render

        manifest = render(find_model().path, paths.BUILD / "generated" / "test-layers", name="test", input_rate=500)
        return [
            LayerInfo(index, layer.name, layer.operator, layer.tensor, layer.bytes, layer.macs)
            for index, layer in enumerate(manifest.layers)
        ]

    def trace(self, layer: int, size: int | None = None) -> bytes:
        data = bytearray(reference().layer(self._data, self.layers()[layer].tensor_index))
        if self._wrong is not None and layer >= self._wrong:
            data[layer + 3] ^= 0x80
        return bytes(data)


@pytest.mark.parametrize("wrong", [0, 2])
def test_the_first_differing_layer_is_named(wrong: int) -> None:
    device = Device(expected().input, wrong)
    found = first_differing_layer(device, reference(), expected().input, device.layers())
    assert found is not None
    assert (found.layer.index, found.difference.offset, found.difference.count) == (wrong, wrong + 3, 1)
    assert f"layer {wrong} {device.layers()[wrong].name}" in found.name


def test_equal_layers_accuse_none() -> None:
    device = Device(expected().input, None)
    assert first_differing_layer(device, reference(), expected().input, device.layers()) is None


def test_the_reference_is_preprocessor_model_and_rules_in_a_row() -> None:
    raw = synthetic_records(1, ("v2",), seed=9)[0].samples
    parameters = reference().parameters
    assert parameters is not None
    wanted = frames(raw, parameters)
    got = reference().expect(raw)
    assert len(got) == len(wanted) == 4
    for index, (frame, result) in enumerate(zip(wanted, got, strict=True)):
        scores = reference().run(frame.data).reshape(250, 4)
        mask = class_mask(scores, frame)
        assert (result.index, result.status) == (index, frame.status)
        assert np.array_equal(result.input, frame.data)
        assert np.array_equal(result.scores, scores)
        assert np.array_equal(result.mask, mask)
        assert result.segments == segments(mask, parameters.rules)
    assert reference().stream(raw).size == raw.size + parameters.delay


def test_the_bytes_of_a_frame_are_laid_out_as_on_the_link() -> None:
    frame = replace(
        expected(), index=0x01020304, lead_off_samples=5, saturated_samples=6, segments=[Segment(3, 2, 258)]
    )
    stages = stage_bytes(frame)
    assert stages["status"] == bytes([4, 3, 2, 1, int(frame.status), 0, 5, 0, 6, 0])
    assert stages["segments"] == bytes([3, 2, 0, 2, 1])
