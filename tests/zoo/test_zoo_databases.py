"""A configuration names databases with their shares; older ones keep their meaning; what cannot be is told first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.commands import data, evaluate, hil_test, train
from ecgseg.commands.task import start
from ecgseg.data.databases import ludb
from ecgseg.errors import DataError, EcgsegError, ModelError, UsageError
from ecgseg.pipeline import UNANNOTATED
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo import corpus as corpora
from ecgseg.zoo.named_databases import wanted_databases
from ecgseg.zoo.recipe import DataConfiguration
from support.lazily import needs_tensorflow
from support.own_database import CONFIGURATION, DECLARED, write

WARD = {"database": "ward.toml", "weight": 0.75}


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ward")
    write(folder)
    return folder


def configured(folder: Path, *databases: dict[str, Any], **changes: Any) -> Path:
    """The example's configuration with these databases, the rest of it synthetic."""
    content = json.loads(CONFIGURATION)
    content["data"] |= {"synthetic_records": 4, "databases": list(databases)} | changes
    path = folder / "changed.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_database_of_ones_own_gets_its_share_and_needs_no_ludb(
    ward: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ludb, "find_ludb", lambda option: pytest.fail("LUDB was looked for"))
    monkeypatch.chdir(tmp_path)
    configuration = zoo.read(configured(ward, WARD | {"border": 2}))
    corpus = corpora.load_corpus(configuration)
    assert corpus.training == ()
    assert {record.name for record in corpus.patients} == {"w1", "w2"}
    assert {record.name for record in corpus.validation} == {"w3"}
    source = corpora.batches(configuration, corpus)
    assert [share for _, share in source.banks] == [0.25, 0.75]
    assert [bank.border for bank, _ in source.banks] == [0, 2]
    assert "75 % ward" in corpus.source
    signals, targets = source(0)
    assert signals.shape == (32, 250, 1)
    assert targets.shape == (32, 250)
    written = tmp_path / "configuration.json"
    zoo.write(configuration, written)
    assert zoo.read(written) == configuration, "a file elsewhere still names the same database"


def test_a_training_does_not_go_on_from_one_on_other_data(ward: Path) -> None:
    configuration = zoo.read(configured(ward, WARD | {"database": "changed.toml"}))
    marked_on = DECLARED.replace('"p" }', '"" }')
    changes = (DECLARED, DECLARED.replace('w2 = "ann"', 'w2 = "eve"'), marked_on)
    seen = []
    for text in (*changes, DECLARED):
        (ward / "changed.toml").write_text(text, encoding="utf-8")
        seen.append(corpora.load_corpus(configuration).fingerprint)
    assert len(set(seen[:-1])) == len(changes)
    assert seen[-1] == seen[0]


def test_a_configuration_without_databases_is_what_it_was() -> None:
    assert "databases" not in zoo.smoke().model_dump(mode="json")["data"]
    for name in zoo.every_name():
        assert zoo.load(name).data.needs_ludb


def test_what_is_left_comes_from_ludb(ward: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ludb, "find_ludb", lambda option: None)
    path = configured(ward, WARD | {"weight": 0.5})
    with pytest.raises(DataError, match="needs LUDB") as told:
        corpora.load_corpus(zoo.read(path))
    assert "25 %" in told.value.why
    whole = DataConfiguration.model_validate({"databases": [{"database": "ludb", "weight": 0.9}]})
    assert not whole.needs_ludb
    assert DataConfiguration.model_validate({"databases": [{"database": "ludb", "weight": 0.8}]}).needs_ludb


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight": 0.9}, "more than 1 together"),
        ({"weight": 0.0}, "weight"),
        ({"database": "synthetic"}, "keys of its own"),
        ({"database": "mitdb"}, "known are ludb, qtdb and FILE.toml"),
        ({"colour": 1}, "colour"),
        ({"training": []}, "training"),
        ({"database": "none.toml"}, "none.toml cannot be read"),
        ({"training": "trian"}, "no records 'trian'"),
        ({"validation": ["w1"]}, "both trained on and validated on"),
        ({"leads": ["v9"]}, "no lead 'v9'"),
        ({"database": "qtdb", "training": "given", "validation": ["sel30"]}, "acceptance alone"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_read(
    ward: Path, change: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecgseg.data.databases.qtdb.find_qtdb", lambda: ward)
    path = configured(ward, WARD | change)
    with pytest.raises(EcgsegError) as told:
        list(wanted_databases(zoo.read(path)))
    assert said in str(told.value)
    assert told.value.remedy


def test_a_database_without_p_and_t_waves_is_for_models_of_two_classes(ward: Path) -> None:
    (ward / "qrs.toml").write_text(DECLARED.replace("[rhythm]", 'waves = ["QRS"]\n[rhythm]'), encoding="utf-8")
    path = configured(ward, WARD | {"database": "qrs.toml"})
    with pytest.raises(DataError, match="no marks of P and T waves"):
        start(train.run, config=str(path))
    with pytest.raises(DataError, match="no marks of P and T waves"):
        start(evaluate.run, database=str(ward / "qrs.toml"))


def test_nothing_to_choose_on_is_told(ward: Path) -> None:
    path = configured(ward, WARD | {"validation": []})
    with pytest.raises(DataError, match="nothing to choose ward-model on"):
        corpora.load_corpus(zoo.read(path))


def test_the_task_tells_what_is_in_a_database(ward: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(data.run, database=str(ward / "ward.toml"), json=str(tmp_path / "state.json"))
    printed = capsys.readouterr().out
    for said in ("4 records", "mlii, v5_left", "train 2, val 1, test 1", "CC0", "The ward, 2026"):
        assert said in printed
    assert json.loads((tmp_path / "state.json").read_text())["damaged"] == []
    with pytest.raises(UsageError, match="--folder"):
        start(data.run, database=str(ward / "ward.toml"), folder=str(tmp_path))
    with pytest.raises(UsageError, match="nothing to download"):
        start(data.run, database="synthetic")
    with pytest.raises(UsageError, match="Folds are made"):
        start(evaluate.run, database=str(ward / "ward.toml"), cv=3)


def test_a_model_is_scored_on_a_database(ward: Path, tmp_path: Path) -> None:
    scores, page = tmp_path / "scores.json", tmp_path / "page.html"
    start(evaluate.run, database=str(ward / "ward.toml"), leads="mlii", json=str(scores), html=str(page))
    (result,) = json.loads(scores.read_text())["results"]
    assert (result["source"], result["names"], result["leads"]) == ("ward", ["w5"], ["mlii"])
    assert result["whole"]["samples"]["weighted_f1"] > 0.5
    assert "1 record of ward" in page.read_text()


@pytest.mark.slow
@pytest.mark.train
def test_a_model_is_trained_scored_and_sent_without_touching_the_package(
    ward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_tensorflow()
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    path = configured(ward, WARD)
    content = json.loads(path.read_text())
    content["schedule"] |= {"steps": 60, "evaluate_every": 30}
    path.write_text(json.dumps(content))
    start(train.run, config=str(path))
    model, database = str(ward / "ward-model"), str(ward / "ward.toml")
    start(evaluate.run, model=model, database=database, json=str(tmp_path / "scores.json"))
    (result,) = json.loads((tmp_path / "scores.json").read_text())["results"]
    assert result["model"] == "ward-model"
    assert result["whole"]["samples"]["weighted_f1"] > 0.3
    sent = {"target": "host", "model": model, "database": database, "html": str(tmp_path / "hil.html")}
    assert start(hil_test.run, json=str(tmp_path / "hil.json"), **sent) == 0
    compared = json.loads((tmp_path / "hil.json").read_text())
    assert (compared["verdict"], compared["source"], compared["leads"]) == ("pass", "ward", ["mlii", "v5_left"])
    assert "a database of your own, ward" in (tmp_path / "hil.html").read_text()


def streamed(ward: Path) -> Path:
    """The example's configuration as one of a stream that learns for a moment."""
    content = json.loads(configured(ward, WARD, synthetic_population="stream", synthetic_seconds=20).read_text())
    content |= {"name": "stream-ward", "kind": "stream", "frame_length": 1000}
    blocks = [{"kernel": 3, "dilation": dilation, "residual": False} for dilation in (1, 2, 4)]
    content["architecture"] |= {"blocks": blocks, "causal": True, "stem_ahead": 2}
    content["schedule"] |= {"steps": 4, "batch": 4, "warmup_steps": 1, "evaluate_every": 2}
    path = ward / "streamed.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_stream_learns_from_windows_of_a_database_of_ones_own(ward: Path) -> None:
    configuration = zoo.read(streamed(ward))
    corpus = corpora.load_corpus(configuration)
    source = corpora.batches(configuration, corpus)
    assert [share for _, share in source.banks] == [0.25, 0.75]
    signals, targets = source(0)
    assert signals.shape == (4, 1000, 1)
    assert set(np.unique(targets)) == {0, 1, 2, 3, UNANNOTATED}
    frames, labels = corpora.undisturbed(configuration, corpus.validation)
    assert frames.shape[1:] == (1000, 1)
    assert np.count_nonzero(labels != UNANNOTATED) > 1000


@pytest.mark.slow
@pytest.mark.train
def test_a_stream_is_trained_and_sent_without_touching_the_package(
    ward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_tensorflow()
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    # Its instruction set is held still from the start of a process.
    words = [sys.executable, "-m", "invoke", "train", "--config", str(streamed(ward))]
    trained = subprocess.run(words, cwd=paths.ROOT, capture_output=True, text=True)
    assert trained.returncode == 0, trained.stderr
    sent = {"target": "host", "model": str(ward / "stream-ward"), "database": str(ward / "ward.toml")}
    assert start(hil_test.run, json=str(tmp_path / "hil.json"), **sent) == 0
    compared = json.loads((tmp_path / "hil.json").read_text())
    assert (compared["verdict"], compared["kind"], compared["source"]) == ("pass", "stream", "ward")


def test_a_configuration_that_is_not_valid_names_the_database(ward: Path) -> None:
    with pytest.raises(ModelError, match="is not valid"):
        zoo.read(configured(ward, WARD | {"leads": "ii"}))
