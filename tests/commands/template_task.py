"""Template of a task's tests. It guards `invoke render` as it stands; copy it to tests/commands/test_<task>.py and
replace the module, the work that must not begin, and the options.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke.loader import FilesystemLoader

from ecgseg import paths
from ecgseg.codegen.manifest import Manifest
from ecgseg.commands import render
from ecgseg.commands.task import declared, start, task_of
from ecgseg.errors import ModelError, OutputError, UsageError


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the task does first that takes time fails the test."""
    monkeypatch.setattr("ecgseg.codegen.render.render", lambda *_, **__: pytest.fail("the work was begun"))


def test_it_stands_in_the_menu_and_every_option_is_explained() -> None:
    menu, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    task = task_of(render.run)
    assert task.name in menu.namespace.task_names
    assert (task.__doc__ or "").endswith(".")
    assert all(option.help.endswith(".") for option in declared(render.Options))


def test_what_it_writes_for_machines_reads_back(tmp_path: Path) -> None:
    assert not start(render.run, model="seg-2-tcn-sm", out=str(tmp_path / "c"), json=str(tmp_path / "result.json"))
    written = Manifest.model_validate_json((tmp_path / "result.json").read_bytes())
    assert written.model == "seg-2-tcn-sm"
    assert written == Manifest.model_validate_json((tmp_path / "c" / "manifest.json").read_bytes())


def test_what_it_prints_is_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(render.run, model="seg-2-tcn-sm", out=str(tmp_path))
    printed = capsys.readouterr().out
    assert "seg-2-tcn-sm" in printed
    assert "MACs" in printed


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("typed", "error", "said"),
    [
        ({"model": "seg-2-tcn-ms"}, UsageError, "Did you mean 'seg-2-tcn-sm'?"),
        ({"model": "seg-2-tcn-sm", "tflite": "x.tflite"}, UsageError, "exclude each other"),
        ({"tflite": "none.tflite"}, ModelError, "none.tflite cannot be read"),
        ({"json": "/dev/null/result.json"}, OutputError, "/dev/null/result.json"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_work(typed: dict[str, str], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said.replace("?", r"\?")):
        start(render.run, **typed)
