"""Draws a whole network, and inputs for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from support.random_network import elementwise, functions, picks, shapes, windows
from support.random_network.draws import Draws

_FIRST: dict[str, Callable[[Draws], int | None]] = {
    "CONV_2D": windows.conv,
    "DEPTHWISE_CONV_2D": windows.depthwise,
    "TRANSPOSE_CONV": windows.transpose_conv,
    "FULLY_CONNECTED": windows.fully_connected,
    "ADD": elementwise.add,
    "MUL": elementwise.mul,
    "EXTREME": elementwise.extreme,
    "MEAN": elementwise.mean,
    "RELU": elementwise.relu,
    "LOGISTIC": elementwise.logistic,
    "SOFTMAX": elementwise.softmax,
    "RESHAPE": shapes.reshape,
    "PAD": shapes.pad,
    "CONCATENATION": shapes.concatenation,
    "POOL": windows.pool,
    "RESIZE_NEAREST_NEIGHBOR": shapes.resize,
    "QUANTIZE": elementwise.requantise,
}
# Those that came later: what a seed draws of the first ones stays what it was.
_LATER: dict[str, Callable[[Draws], int | None]] = {
    "SUB": elementwise.subtract,
    "REDUCE_MAX": elementwise.largest,
    "LEAKY_RELU": functions.leaky_relu,
    "ELU": functions.elu,
    "HARD_SWISH": functions.hard_swish,
    "TANH": functions.tanh,
    "FREE_BATCH": shapes.free_batch,
    "PACK": shapes.pack,
    "TRANSPOSE": picks.transpose,
    "STRIDED_SLICE": picks.strided_slice,
    "SPLIT": picks.split,
}
_KINDS = _FIRST | _LATER
KINDS = tuple(_KINDS)


class RandomNetwork(Draws):
    """Draws a network.

    Args:
        seed: everything follows from it.
        operators: number of operators drawn, at most.
        names: operators to draw from, such as all of `KINDS`; the first ones that there were when None.
    """

    def __init__(self, seed: int, operators: int = 6, names: Sequence[str] | None = None) -> None:
        super().__init__(seed)
        self.float_ends = self.rng.random() < 0.15
        # Drawn apart from the rest, which stays what it was.
        unsigned = np.random.default_rng([seed, 8]).random() < 0.2 and names is not None and set(names) >= set(_LATER)
        self.uint8_ends = unsigned and not self.float_ends
        self.input = self._input()
        self.current = self.input
        kinds = list(names) if names is not None else list(_FIRST)
        for _ in range(int(self.rng.integers(1, operators + 1))):
            self.pool.append(self.current)
            self._step(kinds)
        if self.current == self.input:
            self.current = elementwise.requantise(self)
        self.content = self._finish()

    def _step(self, kinds: list[str]) -> None:
        for _ in range(20):
            result = _KINDS[str(self.rng.choice(kinds))](self)
            if result is not None:
                self.current = result
                return

    def _input(self) -> int:
        size = self.choice([1, 2, 3, 5, 17, 31, 50, 125, 250], [1, 1, 1, 2, 4, 4, 4, 2, 2])
        channels = self.choice([1, 2, 3, 4, 5, 8, 12, 16], [5, 1, 2, 3, 1, 3, 1, 3])
        kind = self.choice(["row", "flat", "column", "image"], [5, 3, 2, 2])
        if kind == "image":
            shape = [1, int(self.rng.integers(1, 9)), int(self.rng.integers(1, 12)), channels]
        else:
            shape = {"row": [1, 1, size, channels], "flat": [1, size, channels], "column": [1, size, 1, channels]}[kind]
        return self.new(shape, self.scale(), self.zero_point())

    def _finish(self) -> bytes:
        builder = self.builder
        inputs, outputs = [self.input], [self.current]
        if self.float_ends:
            source = builder.tensor(builder.shape(self.input), np.float32)
            result = builder.tensor(builder.shape(self.current), np.float32)
            builder.operator("QUANTIZE", [source], [self.input], "QuantizeOptions")
            operators = builder.graph.operators
            operators.insert(0, operators.pop())
            builder.operator("DEQUANTIZE", [self.current], [result], "DequantizeOptions")
            inputs, outputs = [source], [result]
        if self.uint8_ends:
            inputs, outputs = self._unsigned()
        return builder.finish(inputs, outputs)

    def _unsigned(self) -> tuple[list[int], list[int]]:
        """A QUANTIZE from uint8 in front and one to uint8 behind, which may rescale."""
        builder, ends = self.builder, []
        for index in (self.input, self.current):
            scale, zero_point = builder.quantisation(index)
            if self.rng.random() < 0.4:
                scale, zero_point = float(np.float32(scale * 1.3)), int(self.rng.integers(-128, 128))
            ends.append(builder.tensor(builder.shape(index), np.uint8, [scale], [zero_point + 128]))
        builder.operator("QUANTIZE", ends[:1], [self.input], "QuantizeOptions")
        operators = builder.graph.operators
        operators.insert(0, operators.pop())
        builder.operator("QUANTIZE", [self.current], ends[1:], "QuantizeOptions")
        return ends[:1], ends[1:]


def random_inputs(rng: np.random.Generator, size: int, count: int) -> npt.NDArray[np.int8]:
    """int8 [count, size]: uniform noise, narrow noise, and now and then only edges."""
    uniform = rng.integers(-128, 128, (count, size))
    narrow = np.clip(rng.normal(0, 25, (count, size)), -128, 127)
    edges = rng.choice([-128, 127], (count, size))
    kind = rng.random((count, 1))
    return np.where(kind < 0.5, uniform, np.where(kind < 0.85, narrow, edges)).astype(np.int8)
