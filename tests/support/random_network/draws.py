"""What every drawn operator shares: the network so far, and draws of scales, weights and activations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from support.tflite_builder import Builder

MAX_ELEMENTS = 6000
MAX_MACS = 400_000


class Draws:
    """A network being drawn.

    Args:
        seed: everything follows from it.

    Attributes:
        builder: the file so far.
        pool: tensors that a later operator may read again.
        current: the tensor that the next operator reads.
    """

    current: int

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()
        self.pool: list[int] = []

    def choice(self, values: Sequence[object], weights: Sequence[float] | None = None) -> object:
        """One of the values."""
        p = None if weights is None else np.array(weights, float) / sum(weights)
        return values[int(self.rng.choice(len(values), p=p))]

    def scale(self) -> float:
        """Scale of an activation."""
        return float(np.float32(np.exp(self.rng.normal(-3.5, 0.8))))

    def zero_point(self) -> int:
        """Zero point, often at an edge."""
        return int(self.choice([-128, 127, 0, int(self.rng.integers(-128, 128))], [4, 1, 2, 5]))

    def new(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        """New activation."""
        return self.builder.int8(shape, scale, zero_point)

    def like(self, index: int, shape: Sequence[int]) -> int:
        """New activation quantised like another."""
        scale, zero_point = self.builder.quantisation(index)
        return self.builder.int8(shape, scale, zero_point)

    def image(self) -> list[int] | None:
        """Shape of the current tensor if it is [1, h, w, c]; else it is reshaped on the way half of the time."""
        shape = self.builder.shape(self.current)
        if len(shape) == 4:
            return shape
        if len(shape) == 3:
            self.current = self.reshape_to([1, 1, *shape[1:]])
            return self.builder.shape(self.current)
        return None

    def weights(self, shape: Sequence[int]) -> npt.NDArray[np.int8]:
        """int8 weights; now and then all at the edges."""
        kind = self.choice(["normal", "uniform", "edge", "sparse"], [6, 2, 1, 1])
        if kind == "normal":
            values = self.rng.normal(0, 40, shape)
        elif kind == "uniform":
            values = self.rng.integers(-127, 128, shape).astype(float)
        elif kind == "edge":
            values = self.rng.choice([-127.0, 127.0, -128.0], shape)
        else:
            values = self.rng.normal(0, 60, shape) * (self.rng.random(shape) < 0.2)
        return np.clip(np.rint(values), -128, 127).astype(np.int8)

    def weight_scales(self, channels: int, per_channel: bool) -> npt.NDArray[np.float32]:
        """One scale or one per channel."""
        base = np.exp(self.rng.normal(-4.5, 0.5))
        spread = np.exp(self.rng.normal(0, self.choice([0.1, 0.5, 1.5]), channels if per_channel else 1))
        return (base * spread).astype(np.float32)

    def activation(self) -> str:
        """Fused activation."""
        return str(self.choice(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"], [4, 5, 2, 1]))

    def accumulating_output(
        self,
        shape: Sequence[int],
        in_scale: float,
        scales: npt.NDArray[np.float32],
        weights: npt.NDArray[np.int8],
        axis: int,
        activation: str,
    ) -> tuple[int, str]:
        """Output tensor of a layer that sums products, and the activation that fits it."""
        energy = np.sqrt((weights.astype(float) ** 2).sum(axis=tuple(i for i in range(weights.ndim) if i != axis)))
        spread = float(np.median(energy * in_scale * scales) * 60) or in_scale
        scale = float(np.float32(spread / self.choice([30, 60, 120, 10], [3, 3, 1, 1])))
        zero_point = -128 if activation != "NONE" and self.rng.random() < 0.7 else self.zero_point()
        if activation == "RELU_N1_TO_1":
            scale = max(scale, 1 / 100)
            zero_point = int(np.clip(zero_point, -100, 100))
        return self.new(shape, scale, zero_point), activation

    def reshape_to(self, shape: list[int]) -> int:
        """RESHAPE of the current tensor."""
        result = self.like(self.current, shape)
        self.builder.operator(
            "RESHAPE", [self.current, self.builder.int32(shape)], [result], "ReshapeOptions", newShape=shape
        )
        return result
