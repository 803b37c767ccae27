"""Small networks along time, drawn operator by operator, for what a stream takes and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from support.random_network.draws import Draws
from support.random_network.windows import conv_with
from support.tflite_builder import SAME, VALID

__all__ = ["SAME", "VALID", "TimeModel"]


class TimeModel(Draws):
    """A network over [1, 1, length, channels] that grows by method calls.

    Args:
        length: at which it is exported.
        channels: of the input.
        seed: of weights and scales.
    """

    def __init__(self, length: int = 24, channels: int = 1, seed: int = 0) -> None:
        super().__init__(seed)
        self.start = self.current = self.new([1, 1, length, channels], 0.05, 3)

    def pad(self, before: int, behind: int = 0) -> TimeModel:
        """PAD along time."""
        amounts = np.array([[0, 0], [0, 0], [before, behind], [0, 0]], np.int32)
        shape = self.builder.shape(self.current)
        result = self.like(self.current, [1, 1, shape[2] + before + behind, shape[3]])
        self.builder.operator(
            "PAD", [self.current, self.builder.tensor([4, 2], np.int32, data=amounts)], [result], "PadOptions"
        )
        self.current = result
        return self

    def conv(
        self, kernel: int, *, stride: int = 1, dilation: int = 1, padding: int = VALID, channels: int = 4
    ) -> TimeModel:
        """CONV_2D along time."""
        geometry = ((1, kernel), (1, stride), (1, dilation), padding)
        result = conv_with(self, self.builder.shape(self.current), geometry, temporal=True, channels=channels)
        assert result is not None
        self.current = result
        return self

    def causal(self, kernel: int, dilation: int = 1, stride: int = 1, channels: int = 4) -> TimeModel:
        """What Keras exports of Conv1D(padding="causal")."""
        padded = self.pad((kernel - 1) * dilation)
        return padded.conv(kernel, stride=stride, dilation=dilation, channels=channels)

    def apply(
        self, name: str, shape: Sequence[int], options: str | None, constant: Sequence[int] = (), **values: object
    ) -> TimeModel:
        """An operator of the current tensor (twice for CONCATENATION) and a constant, whose output has this shape."""
        fixed = name in ("SOFTMAX", "LOGISTIC")
        result = self.new(shape, 1 / 256, -128) if fixed else self.like(self.current, shape)
        inputs = [self.current] * (2 if name == "CONCATENATION" else 1)
        if constant:
            inputs.append(self.builder.int32(constant))
        self.builder.operator(name, inputs, [result], options, **values)
        self.current = result
        return self

    def join(self, other: int) -> TimeModel:
        """ADD of an earlier tensor."""
        result = self.new(self.builder.shape(self.current), 0.1, 0)
        self.builder.operator(
            "ADD", [self.current, other], [result], "AddOptions", fusedActivationFunction=0, potScaleInt16=True
        )
        self.current = result
        return self

    @property
    def shape(self) -> list[int]:
        """Of the current tensor."""
        return self.builder.shape(self.current)

    def finish(self) -> bytes:
        """The file."""
        return self.builder.finish([self.start], [self.current])


def small_segmenter(channels: int = 8, seed: int = 3) -> bytes:
    """A segmenter of a stream as the zoo's are: strided, dilated, causal but for 20 samples; weights are drawn."""
    model = TimeModel(64, 1, seed=seed).pad(6).conv(7, stride=2, channels=channels)
    for dilation in (1, 2, 4):
        model = model.pad(2 * dilation).conv(3, dilation=dilation, channels=channels)
    model = model.pad(10, 10).conv(3, dilation=10, channels=channels).conv(1, channels=8)
    shape = [1, 1, 64, 4]
    return model.apply("RESHAPE", shape, "ReshapeOptions", constant=shape, newShape=shape).finish()
