"""Functions of one value."""

from __future__ import annotations

import numpy as np

from support.random_network.draws import Draws


def _rescaled(net: Draws, name: str, spread: tuple[float, float], options: str | None = None, **values: float) -> int:
    """An operator whose output scale is of the order of its input's."""
    scale, _ = net.builder.quantisation(net.current)
    factor = float(np.exp(net.rng.normal(*spread)))
    result = net.new(net.builder.shape(net.current), float(np.float32(scale * factor)), net.zero_point())
    net.builder.operator(name, [net.current], [result], options, **values)
    return result


def _fixed(net: Draws, name: str, scale: float, zero_point: int) -> int:
    """An operator whose output is quantised by what it can reach."""
    result = net.new(net.builder.shape(net.current), scale, zero_point)
    net.builder.operator(name, [net.current], [result])
    return result


def leaky_relu(net: Draws) -> int:
    """LEAKY_RELU, now and then of a slope above one, of none, or downward."""
    alpha = float(net.rng.choice([0.01, 0.1, 0.2, 0.3, 0.0, 1.5, -0.25, float(np.exp(net.rng.normal(-2, 1)))]))
    return _rescaled(net, "LEAKY_RELU", (-0.2, 0.4), "LeakyReluOptions", alpha=alpha)


def elu(net: Draws) -> int:
    """ELU."""
    return _rescaled(net, "ELU", (-0.2, 0.5))


def hard_swish(net: Draws) -> int:
    """HARD_SWISH."""
    return _rescaled(net, "HARD_SWISH", (-0.2, 0.6), "HardSwishOptions")


def tanh(net: Draws) -> int:
    """TANH."""
    return _fixed(net, "TANH", 1 / 128, 0)
