"""The committed figures belong to the committed models, and the committed pages to the committed figures."""

from __future__ import annotations

import hashlib

import pytest

from ecgseg import paths
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import model_names
from ecgseg.report import cards
from ecgseg.zoo import configuration


@pytest.mark.parametrize("name", model_names())
def test_metrics_were_measured_on_the_committed_tflite(name: str) -> None:
    metrics = cards.read_metrics(name)
    content = (configuration.folder(name) / "model.tflite").read_bytes()
    assert metrics.tflite_sha256 == hashlib.sha256(content).hexdigest()
    graph = load_tflite(content)
    assert metrics.params == graph.parameter_count
    assert metrics.macs == lower(graph).macs


@pytest.mark.parametrize("name", model_names())
def test_the_int8_graph_is_what_the_configuration_says(name: str) -> None:
    settings = configuration.load(name)
    metrics = cards.read_metrics(name)
    assert (metrics.params, metrics.macs) == (settings.parameters, settings.macs)


@pytest.mark.parametrize("name", model_names())
def test_the_cross_validation_is_of_the_committed_recipe(name: str) -> None:
    result = cards.read_cross_validation(name)
    assert (result.model, result.digest) == (name, configuration.load(name).digest()), f"run `{result.command}`"
    assert len(result.weighted_f1) == 5


@pytest.mark.parametrize("name", model_names())
def test_the_card_is_what_the_figures_render_to(name: str) -> None:
    metrics = cards.read_metrics(name)
    folder = configuration.folder(name)
    before = {path: path.read_bytes() for path in (folder / "README.md", folder / "confusion_matrix.html")}
    rendered = {path: path.read_bytes() for path in cards.write_card(metrics)}
    for path, content in before.items():
        assert rendered[path] == content, f"run `invoke zoo --measure --model {name}`"


def test_the_zoo_page_is_what_the_figures_render_to() -> None:
    page = paths.ROOT / "docs" / "zoo.md"
    before = page.read_bytes()
    assert cards.write_zoo_page().read_bytes() == before, "run `invoke zoo --docs`"
