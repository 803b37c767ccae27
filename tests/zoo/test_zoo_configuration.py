"""Guards the configurations: helpful refusals, full round trip, no patient in two places, budgets of the zoo."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.commands import train
from ecgseg.commands.task import start
from ecgseg.data.databases.ludb import split
from ecgseg.errors import ModelError, UsageError
from ecgseg.models import ZOO, in_order, model_names
from ecgseg.zoo import configuration as zoo

BUDGETS = {"seg-2-tcn-sm": (2000, 210_000), "seg-4-tcn-sm": (7000, 1_050_000), "seg-4-tcn-lg": (10_000, 1_950_000)}


def as_file(tmp_path, **changes):
    content = zoo.smoke().model_dump(mode="json") | changes
    path = tmp_path / "configuration.json"
    path.write_text(json.dumps(content))
    return path


def test_a_written_configuration_reads_back_equal(tmp_path):
    path = tmp_path / "configuration.json"
    zoo.write(zoo.smoke(), path)
    assert zoo.read(path) == zoo.smoke()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"classes": 3}, "classes"),
        ({"schedule": {"steps": 0}}, "schedule.steps"),
        ({"schedule": {"steps": 100, "warmup_steps": 100}}, "warmup_steps"),
        ({"data": {"leads": ["ii", "x9"]}}, "x9"),
        ({"data": {"training": [1, 2], "validation": [2, 3]}}, "[2]"),
        ({"architecture": {"channels": 8, "stem_kernel": 7, "stride": 3, "blocks": [{}]}}, "architecture.stride"),
        ({"architecture": {"channels": 8, "stem_kernel": 7, "stride": 2, "blocks": []}}, "at least one block"),
    ],
)
def test_a_broken_rule_is_named(tmp_path, changes, named):
    with pytest.raises(ModelError) as error:
        zoo.read(as_file(tmp_path, **changes))
    assert named in str(error.value)
    assert error.value.remedy


def test_a_file_that_is_no_json_is_one_error(tmp_path):
    path = tmp_path / "configuration.json"
    path.write_text("{ not json")
    with pytest.raises(ModelError):
        zoo.read(path)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(UsageError) as error:
        zoo.load("seg-9")
    assert "seg-4-tcn-sm" in str(error.value)


def test_the_digest_follows_what_decides_the_weights_and_nothing_else():
    smoke = zoo.smoke()
    assert smoke.model_copy(update={"description": "other", "versions": {"x": "1"}}).digest() == smoke.digest()
    assert smoke.model_copy(update={"seed": 1}).digest() != smoke.digest()


def test_models_with_equal_teachers_share_one():
    smoke = zoo.smoke()
    teacher = zoo.TeacherConfiguration(classes=4, architecture=smoke.architecture, schedule=smoke.schedule)
    four = smoke.model_copy(update={"teacher": teacher})
    two = smoke.model_copy(update={"name": "two", "classes": 2, "teacher": teacher})
    assert four.teacher_configuration().digest() == two.teacher_configuration().digest()


def test_a_teacher_of_fewer_classes_is_refused(tmp_path):
    smoke = zoo.smoke().model_dump(mode="json")
    teacher = {"classes": 2, "architecture": smoke["architecture"], "schedule": smoke["schedule"]}
    with pytest.raises(ModelError, match="cannot teach"):
        zoo.read(as_file(tmp_path, teacher=teacher))


@pytest.mark.parametrize("name", [name for name in ZOO if name in zoo.names()])
def test_a_zoo_model_keeps_its_budget_and_never_sees_a_test_patient(name):
    configuration = zoo.load(name)
    parameters, macs = BUDGETS[name]
    assert configuration.parameters <= parameters
    assert configuration.macs <= macs
    assert configuration.classes == int(name.split("-")[1])
    seen = {*configuration.data.training_records, *configuration.data.validation_records}
    assert not seen & set(split()["test"])
    assert configuration.versions


def test_every_list_of_models_has_the_order_of_the_zoo():
    assert in_order(["zebra", *reversed(ZOO), "ant"]) == (*ZOO, "ant", "zebra")
    assert zoo.names() == model_names() == ZOO


@pytest.mark.parametrize("page", ["hardware", "performance", "zoo"])
def test_every_page_tells_of_the_models_in_the_order_of_the_zoo(page):
    text = (paths.ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert tuple(dict.fromkeys(re.findall("|".join(ZOO), text))) == ZOO
    assert "\n## " not in text or re.findall("^## (seg-.*)$", text, re.MULTILINE) in ([], list(ZOO))


def test_a_folder_of_another_model_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "configuration.json").write_text(zoo.smoke().model_dump_json())
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "configuration.json").write_text("{")
    zoo.require_own_folder(tmp_path / "mine", zoo.SMOKE)
    zoo.require_own_folder(tmp_path / "new", zoo.SMOKE)
    zoo.require_own_folder(paths.MODELS / "seg-4-tcn-sm", "seg-4-tcn-sm")
    for place, name in (
        (tmp_path / "mine", "seg-4-tcn-sm"),
        (tmp_path / "damaged", zoo.SMOKE),
        (paths.MODELS / "seg-4-tcn-sm", zoo.SMOKE),
        (paths.MODELS / "seg-4-tcn-lg" / ".." / "seg-4-tcn-sm", "seg-4-tcn-lg"),
    ):
        with pytest.raises(UsageError, match="holds another model"):
            zoo.require_own_folder(place, name)
    before = (paths.MODELS / "seg-4-tcn-sm" / "configuration.json").read_bytes()
    with pytest.raises(UsageError, match="seg-4-tcn-sm"):
        start(train.run, model=zoo.SMOKE, out=str(paths.MODELS / "seg-4-tcn-sm"))
    assert (paths.MODELS / "seg-4-tcn-sm" / "configuration.json").read_bytes() == before
