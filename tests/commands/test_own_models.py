"""Models of a user's own, named by path, go wherever --model goes; what they say of themselves is data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.codegen.manifest import Manifest
from ecgseg.commands import evaluate, hil_test, render, train
from ecgseg.commands import zoo as zoo_task
from ecgseg.commands.task import start
from ecgseg.errors import EcgsegError, ModelError, UsageError
from ecgseg.models import MODEL_FILE, find_model, named_place, streams_by_configuration
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo import own_models
from ecgseg.zoo.figures import read_metrics
from support.random_network import RandomNetwork

ZOO_MODEL = paths.MODELS / "seg-2-tcn-sm"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `mine` with a configuration and a model, in a folder that is the working one; the build is elsewhere."""
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    folder = tmp_path / "place" / "mine"
    folder.mkdir(parents=True)
    shutil.copy(ZOO_MODEL / MODEL_FILE, folder)
    content = json.loads((ZOO_MODEL / "configuration.json").read_text())
    changed = content | {"name": "my-network", "description": "[red]bold\x1b[31m\nand long " + "x" * 5000}
    (folder / "configuration.json").write_text(json.dumps(changed))
    monkeypatch.chdir(folder.parent)
    return folder


@pytest.mark.parametrize("typed", ["mine", "./mine", "mine/", "../place/mine", "mine/configuration.json"])
def test_a_folder_is_a_model_by_its_path(mine: Path, typed: str) -> None:
    found = find_model(typed)
    assert (found.name, found.from_zoo) == ("mine", False)
    assert found.data == (mine / MODEL_FILE).read_bytes()
    assert zoo.load(typed).name == "my-network"
    assert zoo.folder(typed).resolve() == mine


def test_a_file_is_a_model_by_its_path_and_the_zoo_keeps_its_names(mine: Path) -> None:
    shutil.copy(mine / MODEL_FILE, "net [1].tflite")
    assert find_model("net [1].tflite").name == "net__1_"
    shutil.copytree(mine, "seg-4-tcn-sm")
    assert find_model("seg-4-tcn-sm").from_zoo
    assert not find_model("./seg-4-tcn-sm").from_zoo
    assert named_place("") is named_place("mien") is named_place("seg-4-tcn-sm") is None
    with pytest.raises(UsageError, match="There is no model 'mien'"):
        find_model("mien")


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    "typed", ["none/here", "x.tflite", "./\0", "/dev/null", "~nobody-has-this-name/x", "empty/", "bare/"]
)
def test_a_path_without_a_model_says_what_why_and_what_to_do(typed: str) -> None:
    Path("empty").mkdir()
    Path("bare").mkdir()
    shutil.copy("mine/configuration.json", "bare")
    with pytest.raises(EcgsegError) as told:
        find_model(typed)
    assert told.value.what
    assert told.value.why
    assert told.value.remedy
    assert ("invoke train --model bare" in told.value.remedy) == (typed == "bare/")


def test_tasks_take_a_folder(mine: Path, tmp_path: Path) -> None:
    assert not start(render.run, model="mine", out=str(tmp_path / "c"), json="manifest.json")
    assert Manifest.model_validate_json(Path("manifest.json").read_bytes()).model == "mine"
    start(evaluate.run, model=str(mine), database="synthetic", records="1", leads="ii", json="scores.json")
    assert json.loads(Path("scores.json").read_text())["results"][0]["model"] == "mine"


@pytest.mark.slow
@pytest.mark.usefixtures("mine")
def test_a_hil_test_takes_a_folder() -> None:
    said = {"target": "host", "database": "synthetic", "records": "1", "leads": "ii"}
    assert start(hil_test.run, model="mine", json="hil.json", **said) == 0
    assert json.loads(Path("hil.json").read_text())["verdict"] == "pass"


def test_models_of_a_folder_are_listed_with_what_is_wrong(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = mine.parent
    shutil.copytree(paths.MODELS / "stream-4-tcn-sm", models / "later")
    (models / "net.tflite").write_bytes(RandomNetwork(14, 4, ("CONV_2D", "DEPTHWISE_CONV_2D")).content)
    for name, content in (("damaged", "{"), ("huge", " " * (2 << 20))):
        (models / name).mkdir()
        (models / name / "configuration.json").write_text(content)
    (models / "new").mkdir()
    zoo.write(zoo.smoke(), models / "new" / "configuration.json")
    (models / "notes").mkdir()
    listed = {model.place.name: model for model in own_models.own_models(models)}
    kinds = {name: model.kind for name, model in listed.items()}
    assert kinds.pop("damaged") == kinds.pop("huge") == "unusable"
    assert kinds == {"mine": "frames", "later": "stream", "net.tflite": "network", "new": "not trained"}
    for name, same in (("mine", "seg-2-tcn-sm"), ("later", "stream-4-tcn-sm")):
        numbers, metrics = listed[name].numbers, read_metrics(same)
        assert numbers is not None
        assert numbers[:2] == (metrics.params, metrics.macs)
    assert len(listed["mine"].about) < 250
    start(zoo_task.run, models=".")
    printed = capsys.readouterr().out
    assert "[red]bold" in printed
    assert "\x1b[31m" not in printed
    assert [model.place for model in own_models.own_models(mine)] == [mine]


@pytest.mark.usefixtures("mine")
def test_a_folder_without_models_or_with_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("empty").mkdir()
    for typed, said in (("empty", "There are no models"), ("absent", "cannot be read"), ("x\0", "cannot be read")):
        with pytest.raises(UsageError, match=said) as told:
            start(zoo_task.run, models=typed)
        assert told.value.why
        assert told.value.remedy
    monkeypatch.setattr(own_models, "MOST_MODELS", 0)
    with pytest.raises(UsageError, match="There are 1 models"):
        start(zoo_task.run, models=".")
    with pytest.raises(UsageError, match="card of a model of the zoo"):
        start(zoo_task.run, measure=True, model="./mine")


def test_what_is_trained_is_told_by_its_configuration_and_goes_beside_it(mine: Path) -> None:
    assert zoo.result_folder("mine", zoo.load("mine")) == Path("mine")
    shutil.copy("mine/configuration.json", "other.json")
    found = zoo.load(str(Path("other.json").absolute()))
    assert zoo.result_folder("./other.json", found) == Path("my-network")
    stream = json.loads((paths.MODELS / "stream-4-tcn-sm" / "configuration.json").read_text())
    Path("stream.json").write_text(json.dumps(stream))
    Path("nonsense.json").write_text("[" * 100_000)
    streams = ("./stream.json", "./other.json", "./nonsense.json", "./none.json", "mine", "stream-4-tcn-sm", "smoke")
    assert [streams_by_configuration(name) for name in streams] == [True, False, False, False, False, True, False]
    shutil.copytree(mine, "my-network")
    (Path("my-network") / "configuration.json").write_text(zoo.smoke().model_dump_json())
    with pytest.raises(UsageError, match="holds another model"):
        start(train.run, config="other.json")


@pytest.mark.usefixtures("mine")
def test_a_configuration_that_is_not_there_or_not_one_is_told_before_tensorflow() -> None:
    Path("wrong.json").write_text('{"name": "x"}')
    with pytest.raises(ModelError, match="is not valid"):
        start(train.run, config="wrong.json")
    with pytest.raises(UsageError, match="There is no configuration"):
        start(train.run, config="none.json")
    with pytest.raises(UsageError, match="Did you mean 'smoke'"):
        start(train.run, model="smokee")
