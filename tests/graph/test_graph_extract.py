"""One operator of a model, cut out, computes what it computed inside."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.graph.extract import single_operator
from ecgseg.graph.interpret import run, run_all
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import find_model, model_names

FILES = [find_model(name).path for name in model_names()] + [paths.HEARTKIT_STYLE]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_operator_alone_answers_as_inside_the_model(path) -> None:
    data = path.read_bytes()
    network = lower(load_tflite(data))
    values = run_all(network, np.random.default_rng(7).integers(-128, 128, network.input.size).astype(np.int8))
    cut = [layer for layer in network.layers if len(layer.inputs) == 1 and layer.macs]
    assert cut
    for layer in cut:
        alone = single_operator(data, layer.operator)
        assert len(alone) < len(data)
        assert np.array_equal(run(lower(load_tflite(alone)), values[layer.inputs[0]]).reshape(-1), values[layer.output])


def test_what_is_cut_out_has_one_operator_and_no_tensor_but_its_own() -> None:
    data = find_model("seg-2-tcn-sm").data
    graph = load_tflite(single_operator(data, 3))
    assert [operator.name for operator in graph.operators] == ["CONV_2D"]
    assert {tensor.index for tensor in graph.tensors} == {*graph.operators[0].inputs, *graph.operators[0].outputs}
