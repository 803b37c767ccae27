"""Figures and configurations that others wrote are read, or refused in a few lines that a user can act on."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecgseg import paths
from ecgseg.errors import ModelError, UsageError
from ecgseg.fuzz.mutate import change_json
from ecgseg.zoo import configuration
from ecgseg.zoo.figures import read_cross_validation, read_metrics, require_folds

COMMITTED = paths.MODELS / "seg-4-tcn-sm"
FILES: dict[str, Callable[[str], Any]] = {
    "metrics.json": read_metrics,
    "cross_validation.json": read_cross_validation,
    "configuration.json": lambda name: configuration.read(configuration.folder(name) / "configuration.json"),
}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the model "here"."""
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def refused(name: str) -> str:
    with pytest.raises(ModelError) as caught:
        FILES[name]("here")
    error = caught.value
    assert error.why
    assert error.remedy
    assert len(str(error)) < 3000
    assert all(line.isprintable() for line in str(error).split("\n"))
    for python in ("Errno", "Error", "pydantic", "input_value", "type="):
        assert python not in str(error)
    return error.why


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        b'{"name": "\\ud800"}',
        json.dumps({f"key\x1b[2J{number}": number for number in range(20_000)}).encode(),
        b'{"' + b"k" * 500_000 + b'": 1}',
        b'"' + b"a" * 900_000 + b'"',
        b" " * (1 << 21),
    ],
    ids=range(9),
)
def test_a_file_of_anything_else_is_one_short_error(name: str, content: bytes, model: Path) -> None:
    (model / name).write_bytes(content)
    refused(name)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_read_or_one_short_error(name: str, model: Path) -> None:
    whole, seeds = (COMMITTED / name).read_bytes(), random.Random(5)
    read = 0
    for _ in range(150):
        changed = b"x" + whole
        for _ in range(seeds.choice((1, 1, 3))):
            changed = change_json(changed, 1 << 20, seeds.randrange(1 << 30))
        (model / name).write_bytes(changed[1:])
        try:
            FILES[name]("here")
            read += 1
        except ModelError:
            refused(name)
    assert read < 150


@pytest.mark.parametrize("f1", [[], [0.9], [0.9, None], [0.9, 1.5], ["NaN", 0.9], [1e400, 0.9]])
def test_a_cross_validation_without_folds_that_can_be_compared_is_refused(f1: list[Any], model: Path) -> None:
    found = json.loads((COMMITTED / "cross_validation.json").read_text())
    (model / "cross_validation.json").write_text(json.dumps(found | {"weighted_f1": f1}))
    assert "weighted_f1" in refused("cross_validation.json")


def test_of_many_broken_rules_the_first_are_told(model: Path) -> None:
    found = json.loads((COMMITTED / "configuration.json").read_text())
    (model / "configuration.json").write_text(json.dumps(found | {f"unknown{n}": "x" * 10_000 for n in range(100)}))
    lines = refused("configuration.json").split("\n")
    assert len(lines) == 11
    assert lines[0].startswith("unknown0: Extra inputs are not permitted (found 'xxx")
    assert lines[0].endswith("...)")
    assert lines[-1] == "and 90 more"


@pytest.mark.parametrize("count", [-1, 0, 1, 21])
def test_folds_that_make_no_sense_are_told_without_tensorflow(count: int) -> None:
    with pytest.raises(UsageError, match="folds make no sense"):
        require_folds(count)
