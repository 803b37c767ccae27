"""The same network as :func:`ecgseg.zoo.builder.build`, computed the way two CPU cores like it.

A dilated convolution over a row is a gather of shifted copies and one matrix product; compiled by XLA this is
several times faster than TensorFlow's convolution at 8 to 64 channels, and it is repeatable to the bit in one thread.
The weights are those of the Keras model, so that nothing has to be copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ecgseg.zoo.architecture import ArchitectureConfiguration
from ecgseg.zoo.builder import HEAD, NORMALISATION_EPSILON, stages
from ecgseg.zoo.products import product

_MOMENTUM = 0.99


@dataclass(frozen=True)
class _Stage:
    kernel: Any
    norm: Any
    width: int
    dilation: int
    stride: int
    residual: bool
    sides: tuple[int, int] | None


class Forward:
    """Runs a model of :func:`ecgseg.zoo.builder.build` (not folded) as matrix products.

    Args:
        model: whose weights are used.
        architecture, classes: that it was built from.
        longest_sum: see :func:`ecgseg.zoo.products.product`.
    """

    def __init__(self, model: Any, architecture: ArchitectureConfiguration, classes: int, longest_sum: int = 0) -> None:
        self._classes = classes
        self._longest_sum = longest_sum
        self._head = model.get_layer(HEAD)
        self._stages = [
            _Stage(
                model.get_layer(f"{name}_convolution").kernel,
                model.get_layer(f"{name}_normalisation"),
                block.kernel,
                block.dilation,
                stride,
                block.residual,
                (block.reach - block.ahead, block.ahead) if architecture.causal else None,
            )
            for name, block, stride in stages(architecture)
        ]

    def __call__(self, x: Any, *, training: bool) -> Any:
        """Logits.

        Args:
            x: float32 [batch, time, 1].
            training: normalise by the batch and update the running statistics.

        Returns:
            float32 [batch, time, classes].
        """
        time = x.shape[1]
        for stage in self._stages:
            y = tf.nn.relu(_normalise(_convolve(x, stage, self._longest_sum), stage.norm, training))
            x = x + y if stage.residual else y
        width = x.shape[2]
        rows, kernel = tf.reshape(x, [-1, width]), tf.reshape(self._head.kernel, [width, -1])
        flat = product(rows, kernel, self._longest_sum)
        return tf.reshape(flat + self._head.bias, [-1, time, self._classes])


def _convolve(x: Any, stage: _Stage, longest_sum: int) -> Any:
    """Convolution, padded as the stage says or by TensorFlow's SAME: float32 [batch, time, in] to [.., out]."""
    time, width = x.shape[1], x.shape[2]
    steps = -(-time // stage.stride)
    span = (stage.width - 1) * stage.dilation + 1
    padding = max((steps - 1) * stage.stride + span - time, 0)
    sides = stage.sides or (padding // 2, padding - padding // 2)
    padded = tf.pad(x, [[0, 0], sides, [0, 0]])
    reach = (steps - 1) * stage.stride + 1
    taps = [padded[:, tap * stage.dilation : tap * stage.dilation + reach : stage.stride] for tap in range(stage.width)]
    columns = tf.reshape(tf.concat(taps, -1), [-1, stage.width * width])
    kernel = tf.reshape(stage.kernel, [stage.width * width, -1])
    return tf.reshape(product(columns, kernel, longest_sum), [-1, steps, kernel.shape[1]])


def _normalise(x: Any, norm: Any, training: bool) -> Any:
    if training:
        mean, variance = tf.nn.moments(x, [0, 1])
        norm.moving_mean.assign(norm.moving_mean * _MOMENTUM + mean * (1 - _MOMENTUM))
        norm.moving_variance.assign(norm.moving_variance * _MOMENTUM + variance * (1 - _MOMENTUM))
    else:
        mean, variance = tf.convert_to_tensor(norm.moving_mean), tf.convert_to_tensor(norm.moving_variance)
    gain = tf.math.rsqrt(variance + NORMALISATION_EPSILON) * norm.gamma
    return x * gain + (norm.beta - mean * gain)
