"""Networks of one or two operators, most of them segmenters, for tests of what a model has to be."""

from __future__ import annotations

import numpy as np

from ecgseg.pipeline import FRAME_LENGTH
from support.tflite_builder import SAME, Builder, conv_options


def segmenter(classes: int, *, length: int = FRAME_LENGTH, float_ends: bool = False, last: str = "") -> bytes:
    """A 1x1 convolution: int8 [1, 1, length, 1] to int8 [1, 1, length, classes].

    Args:
        classes: channels of the output.
        length: samples of a frame.
        float_ends: with a QUANTIZE and a DEQUANTIZE around it.
        last: an operator of one input behind it, such as "ABS".
    """
    return _build(classes, length, 1 / 32, float_ends, last)


def scaled(scale: float) -> bytes:
    """A segmenter of four classes with that scale of its input."""
    return _build(4, FRAME_LENGTH, scale, False, "")


def alone() -> bytes:
    """A network that segments nothing: a RELU of int8 [1, 4]."""
    builder = Builder()
    start, end = builder.int8([1, 4], 1 / 8, 0), builder.int8([1, 4], 1 / 8, 0)
    builder.operator("RELU", [start], [end])
    return builder.finish([start], [end])


def _build(classes: int, length: int, scale: float, float_ends: bool, last: str) -> bytes:
    builder = Builder()
    source = start = builder.int8([1, 1, length, 1], scale, 3)
    weights = np.arange(1, classes + 1).reshape(classes, 1, 1, 1) * 40 - 100
    kernel = builder.tensor([classes, 1, 1, 1], np.int8, [0.01] * classes, [0] * classes, 0, weights)
    bias = builder.tensor([classes], np.int32, [0.01 * scale] * classes, [0] * classes, 0, np.arange(classes) * 500)
    target = builder.int8([1, 1, length, classes], scale, 0)
    if float_ends:
        source = builder.tensor([1, 1, length, 1], np.float32)
        builder.operator("QUANTIZE", [source], [start], "QuantizeOptions")
    options = conv_options((1, 1), (1, 1), SAME, "NONE")
    builder.operator("CONV_2D", [start, kernel, bias], [target], "Conv2DOptions", **options)
    if last:
        inner, target = target, builder.int8([1, 1, length, classes], 1 / 128, 0)
        builder.operator(last, [inner], [target])
    if float_ends:
        inner, target = target, builder.tensor([1, 1, length, classes], np.float32)
        builder.operator("DEQUANTIZE", [inner], [target], "DequantizeOptions")
    return builder.finish([source], [target])
