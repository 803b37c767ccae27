"""Builds a segmenter as Keras users write one that is to stream: causal, strided, dilated, residual, looking ahead.

The weights are drawn, not trained: the graph is there for what the converter makes of it (PAD, RESHAPE to and fro,
convolutions with padding VALID). Needs TensorFlow; `tests/vectors/causal-style.tflite` holds the result:

    PYTHONPATH=host:tests python -m support.causal_style tests/vectors/causal-style.tflite
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LENGTH = 250
CLASSES = 4
CHANNELS = 12
DILATIONS = (1, 2, 4, 8)


def build() -> Any:
    """keras.Model, float32 [1, 250, 1] to [1, 250, 4]; it looks 12 samples ahead."""
    import keras

    keras.utils.set_random_seed(11)
    layers = keras.layers
    inputs = keras.Input((LENGTH, 1), batch_size=1)
    x = layers.Conv1D(CHANNELS, 5, strides=2, padding="causal", activation="relu")(inputs)
    for dilation in DILATIONS:
        y = layers.Conv1D(CHANNELS, 3, dilation_rate=dilation, padding="causal", use_bias=False)(x)
        x = layers.Add()([x, layers.ReLU()(layers.BatchNormalization()(y))])
    x = layers.ZeroPadding1D((2, 2))(x)
    x = layers.Conv1D(CHANNELS, 5, activation="relu")(x)
    x = layers.Conv1D(CHANNELS, 9, padding="same", activation="relu")(x)
    x = layers.Reshape((LENGTH, CLASSES))(layers.Conv1D(2 * CLASSES, 1)(x))
    return keras.Model(inputs, x)


def convert(model: Any) -> bytes:
    """Full-integer .tflite, calibrated on noise."""
    import tensorflow as tf

    generator = np.random.default_rng(11)

    def noise() -> Iterator[list[Any]]:
        for _ in range(32):
            yield [generator.normal(0, 1, (1, LENGTH, 1)).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = noise
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(convert(build()))
