"""The layers that tools/measure_kernel_costs.py runs: for every form of a kernel a few, each as a .tflite file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "tests")]

from support.tflite_builder import SAME, Builder, conv_options  # noqa: E402

_LONG = ("by_8", "by_10", "by_16", "of_8", "of_16", "of_20")
PHASES = tuple(
    f"phases_{pairs}_{count}"
    for pairs in (1, 2, 3, 4)
    for count in ("by_1", "by_4", *(_LONG if pairs < 3 else ()), "parts_by_4", "parts_by_8")
)
WAYS, ENDS = ("pointwise", "taps", "bytes"), ("brief", "long", "sums")
CONV = tuple(f"conv_{way}_{end}" for way in WAYS for end in ENDS)

# Multiples of what a round takes.
_CHANNELS = {
    "by_1": (3, 5, 9, 14),
    "by_4": (4, 12, 20, 28),
    "by_8": (8, 24, 40),
    "by_10": (20, 40),
    "by_16": (16, 32, 48),
    "of_8": (8,),
    "of_16": (16,),
    "of_20": (20,),
    "pointwise": (4, 8, 16, 20, 28, 36, 48),
    "taps": (4, 8, 12, 16, 20),
    "bytes": (1, 2, 3, 5, 10, 14),
}
_PARTS = {
    "parts_by_4": ((40, 2), (56, 2), (64, 4), (88, 2), (48, 4), (128, 4)),
    "parts_by_8": ((48, 2), (64, 4), (96, 4), (112, 2), (80, 2), (128, 4)),
}
"""Channels, and how many parts they are to come in."""
_OUT = {"sums": (3, 8, 5, 14), "": (4, 8, 14, 20)}
_LENGTHS, _DILATIONS = (60, 97, 125, 200, 250), (1, 2, 4, 8, 16)
_ROWS = {"phases": 16, "conv": 24}
_SMALL = 15
"""Weights whose sums fit their lanes."""
_LANE, _LARGEST, _INPUTS = 1 << 21, 127, 255


@dataclass(frozen=True)
class Shape:
    """A convolution along time.

    Attributes:
        length: of the input.
        in_channels, out_channels: sizes.
        taps, dilation, stride: of the window.
        weights: the smallest and the largest, of either sign.
        out_zero: zero point of the output.
        activation: what is clamped.
        seed: of the weights.
    """

    length: int
    in_channels: int
    out_channels: int
    taps: int
    dilation: int
    stride: int
    weights: tuple[int, int]
    out_zero: int
    activation: str
    seed: int

    @property
    def words(self) -> str:
        """What it is."""
        more = f", dilation {self.dilation}" if self.dilation > 1 else ""
        more += f", stride {self.stride}" if self.stride > 1 else ""
        return f"{self.taps} taps{more}, {self.in_channels} to {self.out_channels} channels, {self.length} steps"


def shapes_of(form: str) -> list[Shape]:
    """The grid of a form, the same every time."""
    kind, first, rest = form.split("_", 2)
    rng = np.random.default_rng([ord(letter) for letter in form])
    return [
        _phases(rng, int(first), rest, row) if kind == "phases" else _conv(rng, first, rest, row)
        for row in range(_ROWS[kind])
    ]


def _phases(rng: np.random.Generator, pairs: int, count: str, row: int) -> Shape:
    taps = 2 * pairs - (row % 2 if pairs > 1 else 0)
    if count in _PARTS:
        channels, parts = _PARTS[count][row % len(_PARTS[count])]
        # In between what fits that many parts and what fits half of them.
        largest = min(0.75 * parts * _LANE / (channels * taps * _INPUTS), _LARGEST)
        weights = (round(0.9 * largest), round(largest))
    else:
        channels, weights = _CHANNELS[count][row % len(_CHANNELS[count])], (0, _SMALL)
    return Shape(
        length=_LENGTHS[row % len(_LENGTHS)],
        in_channels=channels,
        out_channels=int(rng.choice(_OUT[""])),
        taps=taps,
        dilation=int(rng.choice(_DILATIONS)),
        stride=1,
        weights=weights,
        out_zero=-128,
        activation="NONE",
        seed=row,
    )


def _conv(rng: np.random.Generator, way: str, end: str, row: int) -> Shape:
    channels = _CHANNELS[way]
    taps = 1 if way == "pointwise" else int(rng.integers(2, 10))
    return Shape(
        length=_LENGTHS[row % len(_LENGTHS)],
        in_channels=channels[row % len(channels)],
        out_channels=int(rng.choice(_OUT.get(end, _OUT[""]))),
        taps=taps,
        dilation=1 if taps == 1 else int(rng.choice((1, 1, 2, 4, 8))),
        stride=1 if way == "pointwise" else int(rng.choice((1, 2))),
        weights=(0, _SMALL),
        out_zero=5 if end != "brief" else -128,
        activation="RELU" if end == "sums" else "NONE",
        seed=row,
    )


def model_of(shape: Shape) -> bytes:
    """The .tflite file of a layer; its sums stay within the range in which every form is exact."""
    builder = Builder()
    rng = np.random.default_rng(shape.seed)
    source = builder.int8([1, 1, shape.length, shape.in_channels], 1 / 32, 3)
    low, high = shape.weights
    weights = rng.integers(low, high + 1, (shape.out_channels, 1, shape.taps, shape.in_channels))
    weights *= rng.choice([-1, 1], weights.shape)
    multipliers = rng.uniform(1.0, 1.9, shape.out_channels) * 2.0**-9
    scales = [float(np.float32(multiplier * 32)) for multiplier in multipliers]
    steps = -(-shape.length // shape.stride)
    result = builder.int8([1, 1, steps, shape.out_channels], 1.0, shape.out_zero)
    kernel = builder.tensor(weights.shape, np.int8, scales, [0] * shape.out_channels, 0, weights.astype(np.int8))
    bias = builder.tensor(
        [shape.out_channels], np.int32, [scale / 32 for scale in scales], [0] * shape.out_channels, 0,
        rng.integers(-500, 500, shape.out_channels).astype(np.int32),
    )  # fmt: skip
    options = conv_options((1, shape.stride), (1, shape.dilation), SAME, shape.activation)
    builder.operator("CONV_2D", [source, kernel, bias], [result], "Conv2DOptions", **options)
    return builder.finish([source], [result])
