"""The committed figures of the streams belong to the committed models, and keep to what a stream may cost."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ecgseg.codegen.render_stream import render_stream
from ecgseg.data.databases import qtdb
from ecgseg.data.databases.ludb import split
from ecgseg.graph.load import load_tflite
from ecgseg.models import STREAMS, find_model, model_names, stream_names
from ecgseg.pipeline.stream_segmenter import StreamSegmenter
from ecgseg.report import cards
from ecgseg.zoo import configuration
from ecgseg.zoo.figures import QtdbCrossValidation, StreamMetrics, read_qtdb_cross_validation

MOST_PARAMETERS = {"stream-4-tcn-sm": 5_000, "stream-4-tcn-lg": 13_000}


def test_streams_are_listed_apart_from_frames() -> None:
    assert set(stream_names()) <= set(STREAMS)
    assert not set(model_names()) & set(STREAMS)


@pytest.mark.parametrize("name", stream_names())
def test_metrics_were_measured_on_the_committed_tflite(name: str) -> None:
    metrics = cards.read_metrics(name)
    assert isinstance(metrics, StreamMetrics)
    content = find_model(name).data
    assert metrics.tflite_sha256 == hashlib.sha256(content).hexdigest()
    settings = configuration.load(name)
    assert (metrics.macs, metrics.look_ahead_ms) == (settings.macs, 10 * StreamSegmenter(content).look_ahead)
    assert metrics.params == load_tflite(content).parameter_count


@pytest.mark.parametrize("name", stream_names())
def test_a_stream_keeps_its_budget_and_never_saw_a_test_patient(name: str, tmp_path: Path) -> None:
    settings = configuration.load(name)
    assert settings.parameters <= MOST_PARAMETERS[name]
    assert settings.architecture.look_ahead <= 50
    seen = {*settings.data.training_records, *settings.data.validation_records}
    assert not seen & set(split()["test"])
    assert {record for text in settings.data.qtdb_training for record in qtdb.parse_records(text)} <= set(
        qtdb.given_records()
    )
    assert settings.versions["instruction set"] == "AVX2"
    stream = render_stream(find_model(name).path, tmp_path)
    assert stream.granule == 1
    assert stream.lag == settings.architecture.look_ahead


@pytest.mark.parametrize("name", stream_names())
def test_the_card_is_what_the_figures_render_to(name: str) -> None:
    folder = configuration.folder(name)
    before = {path: path.read_bytes() for path in (folder / "README.md", folder / "confusion_matrix.html")}
    rendered = {path: path.read_bytes() for path in cards.write_card(cards.read_metrics(name))}
    for path, content in before.items():
        assert rendered[path] == content, f"run `invoke zoo --measure --model {name}`"


@pytest.mark.parametrize("name", stream_names())
def test_the_cross_validation_is_that_of_the_committed_recipe(name: str) -> None:
    found = read_qtdb_cross_validation(name)
    assert found is None or found.digest == configuration.load(name).digest(), f"run `{found.command}`"


def test_the_card_keeps_quiet_about_the_folds_of_another_recipe(monkeypatch, tmp_path: Path) -> None:
    name = stream_names()[0]
    metrics, settings = cards.read_metrics(name), configuration.load(name)
    scores = {point: found.model_dump() for point, found in metrics.fiducials.items()}
    monkeypatch.setattr(configuration, "folder", lambda _: tmp_path)
    monkeypatch.setattr(configuration, "load", lambda _: settings)
    for digest, told in ((settings.digest(), True), ("0" * 64, False)):
        kept = QtdbCrossValidation(
            model=name, digest=digest, command="invoke", steps=7, weighted_f1=0.9, fiducials=scores
        )
        (tmp_path / "cross_validation_qtdb.json").write_text(kept.model_dump_json())
        cards.write_card(metrics)
        assert ("by a model that never saw it" in (tmp_path / "README.md").read_text()) == told


@pytest.mark.parametrize(
    ("longest_sum", "told"),
    [(0, "another kind of CPU gives other bytes"), (256, "sums of at most 256 products at a time")],
)
def test_the_card_tells_what_another_cpu_would_come_to(longest_sum, told, monkeypatch, tmp_path: Path) -> None:
    name = stream_names()[0]
    metrics, settings = cards.read_metrics(name), configuration.load(name)
    schedule = settings.schedule.model_copy(update={"longest_sum": longest_sum})
    monkeypatch.setattr(configuration, "load", lambda _: settings.model_copy(update={"schedule": schedule}))
    monkeypatch.setattr(configuration, "folder", lambda _: tmp_path)
    cards.write_card(metrics)
    assert told in (tmp_path / "README.md").read_text()
