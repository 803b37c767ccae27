"""A missing optional package is told before any work, with the line that installs it."""

from __future__ import annotations

import sys

import pytest

from ecgseg.commands import evaluate, segment, train, zoo
from ecgseg.commands.task import start
from ecgseg.data import inputs
from ecgseg.errors import ToolMissingError, UsageError
from ecgseg.models import find_model
from ecgseg.scoring import evaluate as scoring

NEEDS = {
    "peers": ({"peers": True}, "neurokit2", "make setup EXTRAS=dev,peers"),
    "float": ({"against_float": True}, "tensorflow", "make setup EXTRAS=dev,train"),
    "cv": ({"cv": 5}, "tensorflow", "make setup EXTRAS=dev,train"),
    "on": ({"cv": 5, "on": "tcp://10.0.0.5:8786"}, "distributed", "make setup EXTRAS=dev,train"),
}


@pytest.mark.parametrize("option", NEEDS)
def test_evaluate_tells_a_missing_extra_before_it_scores(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options, module, line = NEEDS[option]
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(scoring, "score", lambda *_: pytest.fail("a model was scored"))
    monkeypatch.setattr(inputs, "choose_inputs", lambda *_: pytest.fail("records were looked for"))
    with pytest.raises(ToolMissingError) as caught:
        start(evaluate.run, **options)
    assert "is not installed" in caught.value.what
    assert line in caught.value.remedy


def test_segment_tells_a_missing_pyarrow_before_it_opens_a_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ToolMissingError, match="pyarrow is not installed") as caught:
        start(segment.run, file="nowhere", parquet="all.parquet")
    assert "make setup EXTRAS=dev,parquet" in caught.value.remedy


def test_training_and_measuring_tell_missing_tensorflow_before_they_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    for run, typed in ((train.run, {"model": "smoke"}), (zoo.run, {"train": True}), (zoo.run, {"measure": True})):
        with pytest.raises(ToolMissingError, match="TensorFlow is not installed") as caught:
            start(run, **typed)
        assert "make setup EXTRAS=dev,train" in caught.value.remedy


def test_float_of_a_tflite_is_refused_before_the_model_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    tflite = str(find_model("seg-2-tcn-sm").path)
    monkeypatch.setattr(scoring, "score", lambda *_: pytest.fail("a model was scored"))
    with pytest.raises(UsageError, match="--float needs a model of the zoo"):
        start(evaluate.run, tflite=tflite, against_float=True)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"records": "1-4"}, "--records"),
        ({"leads": "ii"}, "--leads"),
        ({"noise": True, "peers": True}, "--noise, --peers"),
        ({"against_float": True}, "--float"),
        ({"html": "x.html"}, "--html"),
    ],
)
def test_an_option_that_cross_validation_would_ignore_is_refused(options: dict[str, object], named: str) -> None:
    with pytest.raises(UsageError) as caught:
        start(evaluate.run, cv=5, **options)
    assert caught.value.what == f"--cv does not go with {named}."
