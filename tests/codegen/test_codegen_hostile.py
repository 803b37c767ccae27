"""Damaged models through the whole code generator: one clear error, or C that computes what the graph says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.codegen.program import compile_network
from ecgseg.codegen.render import render
from ecgseg.errors import GraphError
from ecgseg.graph.interpret import run_all
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from support import engine_harness as harness
from support.random_network import RandomNetwork

LARGEST = 1 << 16


def damaged(seed: int) -> bytes:
    """A random network with a few bytes changed, most of them in its structure."""
    content = bytearray(RandomNetwork(seed % 40).content)
    rng = np.random.default_rng(seed)
    for _ in range(int(rng.integers(1, 4))):
        content[int(rng.integers(0, len(content)))] = int(rng.integers(0, 256))
    return bytes(content)


def survivors(count: int) -> list[bytes]:
    """Damaged models that are still models, and small ones."""
    found: list[bytes] = []
    seed = 0
    while len(found) < count:
        seed += 1
        content = damaged(seed)
        try:
            network = lower(load_tflite(content))
            compile_network(network)
        except GraphError:
            continue
        if content != RandomNetwork(seed % 40).content and all(layer.output_size < LARGEST for layer in network.layers):
            found.append(content)
    return found


@pytest.mark.parametrize("block", range(4))
def test_damaged_models_end_in_one_error_or_in_code(block: int, tmp_path: Path) -> None:
    errors: list[GraphError] = []
    rendered = 0
    for seed in range(1000 + 60 * block, 1060 + 60 * block):
        try:
            render(damaged(seed), tmp_path)
            rendered += 1
        except GraphError as error:
            errors.append(error)
    assert all(error.what and error.why and error.remedy for error in errors)
    assert len(errors) > 5
    assert rendered > 0


def test_a_damaged_model_that_renders_computes_what_its_graph_says(tmp_path: Path) -> None:
    for number, content in enumerate(survivors(4)):
        model = harness.rendered(content, tmp_path / str(number))
        inputs = harness.draw_inputs(model, 3, number)
        expected = [run_all(model.network, frame) for frame in inputs]
        assert harness.differences(model, harness.run_native(model, inputs), expected) == []


def test_a_refused_model_leaves_no_files(tmp_path: Path) -> None:
    content = bytearray((paths.MODELS / "seg-4-tcn-sm" / "model.tflite").read_bytes())
    with pytest.raises(GraphError):
        render(bytes(content[: len(content) // 2]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
