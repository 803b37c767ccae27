"""Compares a frame of the device with the reference, byte by byte, and finds where they part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ecgseg.link import FrameResult, LayerInfo
from ecgseg.link.answers import segment_bytes
from ecgseg.link.messages import BY_COMMAND, pack
from ecgseg.link.numbers import Command
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter

STAGES = ("status", "input", "scores", "mask", "segments")
"""What is compared, in the order in which one follows from the other."""

_STATUS = tuple(
    part
    for part in BY_COMMAND[Command.FRAME].answer
    if part.name in ("index", "status", "lead_off_samples", "saturated_samples")
)


class Tracer(Protocol):
    """The part of a device client that shows the layers of its last input."""

    def layer(self, index: int) -> LayerInfo:
        """What it tells about one layer."""
        ...

    def trace(self, layer: int, size: int) -> bytes:
        """Result of one layer on the last input, which is known to have `size` bytes."""
        ...


@dataclass(frozen=True)
class Difference:
    """Where two byte strings part.

    Attributes:
        stage: what was compared.
        offset: first byte that differs.
        expected, actual: that byte on both sides as unsigned value; None past the end of a shorter string.
        count: bytes that differ, missing and surplus ones included.
        compared: bytes compared.
    """

    stage: str
    offset: int
    expected: int | None
    actual: int | None
    count: int
    compared: int


def difference(stage: str, expected: bytes, actual: bytes) -> Difference | None:
    """First difference of two byte strings, None when they are equal."""
    if expected == actual:
        return None
    common = min(len(expected), len(actual))
    length = max(len(expected), len(actual))
    unequal = np.flatnonzero(
        np.frombuffer(expected[:common], dtype=np.uint8) != np.frombuffer(actual[:common], dtype=np.uint8)
    )
    offset = int(unequal[0]) if unequal.size else common
    return Difference(
        stage,
        offset,
        expected[offset] if offset < len(expected) else None,
        actual[offset] if offset < len(actual) else None,
        int(unequal.size) + length - common,
        length,
    )


@dataclass(frozen=True)
class Comparison:
    """Compared bytes of a frame and its differences in the order of the stages; none when all is equal."""

    compared: int
    differences: tuple[Difference, ...]

    @property
    def mismatched(self) -> int:
        """Bytes that differ."""
        return sum(part.count for part in self.differences)


def compare_frame(expected: ExpectedFrame, actual: FrameResult) -> Comparison:
    """Compares every stage of a frame."""
    return compare_stages(stage_bytes(expected), stage_bytes(actual))


def compare_stages(expected: dict[str, bytes], actual: dict[str, bytes]) -> Comparison:
    """Compares named byte strings, in the order of STAGES."""
    found = []
    compared = 0
    for stage in STAGES:
        if stage in expected:
            compared += max(len(expected[stage]), len(actual[stage]))
            part = difference(stage, expected[stage], actual[stage])
            if part:
                found.append(part)
    return Comparison(compared, tuple(found))


@dataclass(frozen=True)
class LayerDifference:
    """The first layer whose result is not the oracle's, or that the device describes as another one.

    Attributes:
        layer: as the host knows it.
        difference: of its result, or of its description.
        told: what in the description is different, "" when it is the result that differs.
    """

    layer: LayerInfo
    difference: Difference
    told: str = ""

    @property
    def name(self) -> str:
        """Layer and its operator in the .tflite, as the user reads it."""
        name = f"layer {self.layer.index} {self.layer.name} (operator {self.layer.operator_index})"
        return f"{name}, told as {self.told}" if self.told else name


def first_differing_layer(
    device: Tracer, reference: Segmenter, data: npt.NDArray[np.int8], layers: Sequence[LayerInfo]
) -> LayerDifference | None:
    """Runs layer after layer on the device and compares each with the oracle's tensor.

    Args:
        device: its last input is `data`.
        reference: the same model on the host.
        data: int8 [input_bytes], the input that both run on.
        layers: all layers in the order they run, as the host knows them: how many there are, and which sizes and
            tensors they have, is not for the device to say.

    Returns:
        The first layer that differs; None when all agree.

    Raises:
        WrongAnswerError: the device tells another size of a result.
    """
    for layer in layers:
        told = described(layer, device.layer(layer.index))
        if told:
            return LayerDifference(layer, Difference("layer", 0, None, None, 1, 1), told)
        part = difference(layer.name, reference.layer(data, layer.tensor_index), device.trace(layer.index, layer.bytes))
        if part:
            return LayerDifference(layer, part)
    return None


def described(known: LayerInfo, told: LayerInfo) -> str:
    """What a device's description of a layer has different, "" when nothing."""
    return ", ".join(
        f"{part.name} {getattr(told, part.name)} instead of {getattr(known, part.name)}"
        for part in fields(LayerInfo)
        if getattr(told, part.name) != getattr(known, part.name)
    )


def stage_name(first: Difference, layer: LayerDifference | None) -> str:
    """The name of the part of the firmware that a frame's first difference accuses."""
    if first.stage in ("status", "input"):
        return "preprocessor"
    if first.stage == "scores":
        return layer.name if layer else "model (every layer alone is equal)"
    return "class mask" if first.stage == "mask" else "segments"


def stage_bytes(frame: ExpectedFrame | FrameResult) -> dict[str, bytes]:
    """The bytes of a frame by stage, little-endian as on the link; the status is that with number and counts."""
    return {
        "status": pack(_STATUS, {part.name: int(getattr(frame, part.name)) for part in _STATUS}),
        "input": frame.input.tobytes(),
        "scores": frame.scores.tobytes(),
        "mask": frame.mask.tobytes(),
        "segments": segment_bytes(frame.segments),
    }
