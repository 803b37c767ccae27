"""Builds the TCN of a configuration in Keras, and folds its batch normalisation away.

TensorFlow is imported here: only training and quantisation import this module.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from ecgseg.pipeline import FRAME_LENGTH
from ecgseg.zoo.architecture import ArchitectureConfiguration, BlockConfiguration

NORMALISATION_EPSILON = 1e-3
STEM = "stem"
HEAD = "head"


def stages(architecture: ArchitectureConfiguration) -> list[tuple[str, BlockConfiguration, int]]:
    """The normalised convolutions in order: (name, kernel and dilation, stride)."""
    stem = BlockConfiguration(kernel=architecture.stem_kernel, ahead=architecture.stem_ahead)
    blocks = [(f"block{number}", block, 1) for number, block in enumerate(architecture.blocks, start=1)]
    return [(STEM, stem, architecture.stride), *blocks]


def build(architecture: ArchitectureConfiguration, classes: int, *, folded: bool, length: int = FRAME_LENGTH) -> Any:
    """The network: float32 [batch, length, 1] normalised ECG to float32 [batch, length, classes] logits.

    Convolutions run over [1, time] so that the int8 graph holds no EXPAND_DIMS around them.

    Args:
        architecture: what to build.
        classes: number of classes.
        folded: convolutions with bias and no batch normalisation, as they are exported.
        length: samples, a multiple of the architecture's stride.

    Returns:
        keras.Model
    """
    inputs = keras.Input((length, 1), name="ecg")
    x = keras.layers.Reshape((1, length, 1), name="row")(inputs)
    for name, block, stride in stages(architecture):
        padded = x
        if architecture.causal:
            sides = (block.reach - block.ahead, block.ahead)
            padded = keras.layers.ZeroPadding2D(((0, 0), sides), name=f"{name}_padding")(x)
        y = keras.layers.Conv2D(
            architecture.channels,
            (1, block.kernel),
            strides=(1, stride),
            dilation_rate=(1, block.dilation),
            padding="valid" if architecture.causal else "same",
            use_bias=folded,
            kernel_initializer="he_normal",
            name=f"{name}_convolution",
        )(padded)
        if not folded:
            y = keras.layers.BatchNormalization(epsilon=NORMALISATION_EPSILON, name=f"{name}_normalisation")(y)
        y = keras.layers.ReLU(name=f"{name}_relu")(y)
        x = keras.layers.Add(name=f"{name}_skip")([x, y]) if block.residual else y
    x = keras.layers.Conv2D(classes * architecture.stride, (1, 1), name=HEAD)(x)
    logits = keras.layers.Reshape((length, classes), name="logits")(x)
    return keras.Model(inputs, logits, name="tcn")


def fold(model: Any, architecture: ArchitectureConfiguration, classes: int) -> Any:
    """The same function without batch normalisation: w' = w * g, b' = beta - mean * g, g = gamma / sqrt(var + eps)."""
    result = build(architecture, classes, folded=True, length=model.input_shape[1])
    for name, _, _ in stages(architecture):
        kernel = np.asarray(model.get_layer(f"{name}_convolution").kernel)
        norm = model.get_layer(f"{name}_normalisation")
        gain = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + NORMALISATION_EPSILON)
        bias = np.asarray(norm.beta) - np.asarray(norm.moving_mean) * gain
        result.get_layer(f"{name}_convolution").set_weights([kernel * gain, bias])
    result.get_layer(HEAD).set_weights(model.get_layer(HEAD).get_weights())
    return result
