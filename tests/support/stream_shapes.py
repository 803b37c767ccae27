"""Networks of the shape of the zoo's streams with drawn weights: what they cost does not depend on the weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from support.random_network.windows import conv_with
from support.stream_models import VALID, TimeModel

LENGTH = 400
CLASSES = 4
STRIDE = 2


class _Shape(TimeModel):
    """Weights and scales as training gives them: a few large weights a channel, factors of 2^-9 to 2^-6."""

    def weights(self, shape: Sequence[int]) -> npt.NDArray[np.int8]:
        values = np.clip(np.rint(self.rng.normal(0, 36, shape)), -127, 127)
        return values.astype(np.int8)

    def weight_scales(self, channels: int, per_channel: bool) -> npt.NDArray[np.float32]:
        return (0.01 * np.exp(self.rng.normal(0, 0.25, channels))).astype(np.float32)

    def activation(self) -> str:
        return "NONE"

    def zero_point(self) -> int:
        return 4

    def causal_with(self, kernel: int, dilation: int, ahead: int, stride: int, channels: int) -> None:
        """PAD and a convolution with padding VALID that looks ahead."""
        self.pad((kernel - 1) * dilation - ahead, ahead)
        self.conv(kernel, dilation=dilation, stride=stride, channels=channels)


def stream_shape(channels: int) -> bytes:
    """A .tflite: stem of stride 2, eight dilated blocks of three taps, one of five, head; it looks 46 samples ahead.

    Args:
        channels: of stem and blocks.
    """
    model = _Shape(length=LENGTH, channels=1, seed=5)
    model.causal_with(7, 1, 2, STRIDE, channels)
    for dilation in (1, 2, 4, 8, 16, 32, 64, 4):
        model.causal_with(3, dilation, 20 if dilation == 32 else 0, 1, channels)
    model.causal_with(5, 1, 2, 1, channels)
    geometry = ((1, 1), (1, 1), (1, 1), VALID)
    head = conv_with(model, model.shape, geometry, temporal=False, channels=CLASSES * STRIDE)
    assert head is not None
    model.current = head
    shape = [1, 1, LENGTH, CLASSES]
    return model.apply("RESHAPE", shape, "ReshapeOptions", constant=shape, newShape=shape).finish()
