"""The numpy interpreter against TensorFlow Lite Micro on random networks: every tensor, every byte."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.errors import GraphError, UsageError
from ecgseg.graph import interpret
from ecgseg.graph.ends import int8_of
from ecgseg.graph.layers import Network
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.graph.oracle import TflmOracle
from support.random_network import KINDS, RandomNetwork, random_inputs
from support.tflite_builder import Builder


def real_input(network: Network, data: np.ndarray) -> np.ndarray:
    """What TensorFlow Lite Micro has to be fed so that its int8 input is `data`."""
    return network.ends.to_file(data).reshape(network.input.shape)


def check(net: RandomNetwork, seed: int) -> Network | None:
    try:
        network = lower(load_tflite(net.content))
    except GraphError:
        return None  # scales that drifted too far apart; how often is limited by the callers
    oracle = TflmOracle(net.content)
    tensors = [layer.output for layer in network.layers]
    for data in random_inputs(np.random.default_rng(seed), network.input.size, 2):
        expected = oracle.run_all(real_input(network, data), tensors)
        actual = interpret.run_all(network, data)
        for layer in network.layers:
            same = np.array_equal(int8_of(expected[layer.output]), actual[layer.output])
            assert same, f"seed {seed}: {layer.name} (operator {layer.operator})"
    return network


@pytest.mark.parametrize("block", range(4))
def test_random_networks_equal_tflm_in_every_tensor(block: int) -> None:
    accepted = sum(check(RandomNetwork(seed), seed) is not None for seed in range(block * 30, block * 30 + 30))
    assert accepted >= 27


@pytest.mark.parametrize("kind", KINDS)
def test_every_operator_equals_tflm(kind: str) -> None:
    names = [kind, "RESHAPE", "QUANTIZE"]
    networks = [check(RandomNetwork(seed, names=names), seed) for seed in range(12)]
    assert sum(network is not None for network in networks) >= 9


def test_input_of_another_size_is_refused() -> None:
    network = lower(load_tflite(RandomNetwork(0).content))
    with pytest.raises(UsageError):
        interpret.run(network, np.zeros(network.input.size + 1, np.int8))


def test_a_relu_between_scales_whose_ratio_is_nearly_a_tie_equals_tflm() -> None:
    """In double the ratio is 1.24999997, in float 1.25: ties round another way."""
    builder = Builder()
    source = builder.int8([1, 256], 0.3576513, -10)
    target = builder.int8([1, 256], 0.28612104, -20)
    builder.operator("RELU", [source], [target])
    content = builder.finish([source], [target])
    every = np.arange(-128, 128).astype(np.int8)
    expected = TflmOracle(content).run(every).reshape(-1)
    assert np.array_equal(interpret.run(lower(load_tflite(content)), every).reshape(-1), expected)


def test_a_random_network_that_has_one_dimension_left_is_drawn_to_its_end() -> None:
    assert lower(load_tflite(RandomNetwork(800544).content)).layers
