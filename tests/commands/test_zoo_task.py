"""`invoke zoo`: what the list tells of a model is of its committed figures."""

from __future__ import annotations

import pytest

from ecgseg.commands import zoo as task
from ecgseg.commands.task import start
from ecgseg.models import model_names, stream_names
from ecgseg.zoo import figures


def test_the_list_tells_the_committed_f1_of_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    start(task.run)
    lines = capsys.readouterr().out.splitlines()
    for name in (*model_names(), *stream_names()):
        f1 = f"{figures.read_metrics(name).weighted_f1:.4f}"
        assert any(line.split()[:1] == [name] and line.rstrip().endswith(f1) for line in lines), name
    assert max(map(len, lines)) <= 80


def test_figures_of_another_tflite_are_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = {
        name: figures.read_metrics(name).model_copy(update={"tflite_sha256": "00" * 32})
        for name in (*model_names(), *stream_names())
    }
    monkeypatch.setattr(figures, "read_metrics", others.__getitem__)
    start(task.run)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {line[0]: line[-1] for line in lines if line and line[0] in others} == dict.fromkeys(others, "-")
