"""A network of one convolution that a delineator can run: levels of the smoothed signal are its classes."""

from __future__ import annotations

import numpy as np

from support.tflite_builder import VALID, Builder, conv_options

LENGTH = 1000
BEHIND, AHEAD = 2, 3
# How far above the mean a sample is, in steps of the input, where T and QRS begin. On much ECG that makes beats.
_LEVELS = {3: 8, 2: 16}
_SCALE = 1 / 16
_WEIGHT = 8


def delineator_model(classes: int = 4) -> bytes:
    """int8 [1, 1, 1000, 1] to int8 [1, 1, 1000, classes]; it looks AHEAD samples ahead.

    The score of a class is a line over the level, steeper for each that begins higher, so the largest score changes
    from class to class at the levels.
    """
    builder = Builder()
    start = builder.int8([1, 1, LENGTH, 1], _SCALE, 3)
    padded = builder.int8([1, 1, LENGTH + BEHIND + AHEAD, 1], _SCALE, 3)
    amounts = builder.tensor([4, 2], np.int32, data=np.array([[0, 0], [0, 0], [BEHIND, AHEAD], [0, 0]], np.int32))
    builder.operator("PAD", [start, amounts], [padded], "PadOptions")
    taps = BEHIND + AHEAD + 1
    # All but one count, so that a spike is as wide as a QRS complex.
    weights = np.zeros((classes, 1, taps, 1), np.int8)
    bias = np.zeros(classes, np.int32)
    below = 0
    for slope, (label, level) in enumerate(_LEVELS.items(), 1):
        if label < classes:
            below -= level * _WEIGHT * (taps - 1)
            weights[label, 0, 1:] = slope * _WEIGHT
            bias[label] = below
    kernel = builder.tensor(list(weights.shape), np.int8, [0.01] * classes, [0] * classes, 0, weights)
    offsets = builder.tensor([classes], np.int32, [0.01 * _SCALE] * classes, [0] * classes, 0, bias)
    result = builder.int8([1, 1, LENGTH, classes], 0.01 * _SCALE * 160, 0)
    options = conv_options((1, 1), (1, 1), VALID, "NONE")
    builder.operator("CONV_2D", [padded, kernel, offsets], [result], "Conv2DOptions", **options)
    return builder.finish([start], [result])
