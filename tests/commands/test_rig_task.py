"""`invoke hil-test --rig`: one table, one result, one page, one JUnit file, one exit code for all tests."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import unquote

import pytest
from rich.console import Console

from ecgseg.commands import hil_test, rig_perform
from ecgseg.commands.task import start
from ecgseg.errors import DataError, UsageError
from ecgseg.hil.rig.jobs import Job
from ecgseg.hil.rig.processes import RunState
from ecgseg.hil.rig.result import RigResult, RigRun
from ecgseg.report import rig as rig_report
from ecgseg.runs.folder import ENVIRONMENT, kept
from support.report_pages import result

RIG = """
[[target]]
name = "good"
target = "host"
models = ["seg-4-tcn-sm"]

[[target]]
name = "other"
target = "qemu"
models = ["seg-2-tcn-sm"]
"""
# In the place of invoke: the words of hil-test follow, "--json FILE --html FILE" last.
PRETENDS = """
target="$3"; while [ $# -gt 4 ]; do shift; done
case "$target" in
    host) cp "$GOOD" "$2"; echo page > "$4" ;;
    *) cp "$OTHER" "$2" && exit 1; echo "Error: It is not there." >&2; exit 5 ;;
esac
"""


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.json").write_text(result(target="host").model_dump_json())
    program = tmp_path / "pretends.sh"
    program.write_text(PRETENDS)
    monkeypatch.setenv("GOOD", str(tmp_path / "good.json"))
    monkeypatch.setenv("OTHER", str(tmp_path / "other.json"))
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "runs"))
    monkeypatch.setattr(rig_perform, "INVOKE", ("sh", str(program)))
    monkeypatch.setattr(rig_perform, "_build", lambda rig: None)
    file = tmp_path / "rig.toml"
    file.write_text(RIG)
    return file


def test_one_without_a_verdict_leaves_the_others_theirs_and_its_code(
    rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {name: tmp_path / f"all.{name}" for name in ("json", "html", "junit")}
    assert start(hil_test.run, rig=str(rig), **{name: str(place) for name, place in places.items()}) == 5
    (run,) = kept()
    told = json.loads(places["json"].read_text())
    assert told == json.loads(run.result.read_text())
    assert [(test["name"], test["verdict"]) for test in told["runs"]] == [("good", "pass"), ("other", "incomplete")]
    assert (run.about.verdict, run.about.compared, run.about.unit) == ("incomplete", 2, "tests")
    for page in (places["html"], run.report):
        links = re.findall(r'href="([^"]+)"', page.read_text())
        assert len(links) == 4
        assert all((page.parent / unquote(link)).is_file() for link in links)
    suites = ElementTree.parse(places["junit"]).getroot()
    assert [(suite.get("name"), suite.get("errors")) for suite in suites] == [
        ("good: hil-test seg-4-tcn-sm on host", "0"),
        ("other: hil-test seg-2-tcn-sm on qemu", "1"),
    ]
    out, err = capsys.readouterr()
    assert "INCOMPLETE: 1 of 2 tests passed, 1 has no verdict." in out
    assert "other: It is not there." in out
    assert "good: seg-4-tcn-sm on host" in err


def test_a_byte_that_differs_ends_with_1(rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text(result(verdict="fail", mismatched_bytes=3).model_dump_json())
    assert start(hil_test.run, rig=str(rig)) == 1
    assert "FAIL: 1 of 2 tests passed, 1 differs." in capsys.readouterr().out


def test_a_file_that_is_wrong_leaves_no_run(rig: Path) -> None:
    with pytest.raises(UsageError, match="--rig does not go with --target"):
        start(hil_test.run, rig=str(rig), target="host")
    rig.write_text(RIG.replace("models", "model"))
    with pytest.raises(DataError):
        start(hil_test.run, rig=str(rig))
    assert kept() == []


def test_the_table_fits_80_columns_and_follows_what_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = Console(width=80, force_terminal=True, record=True)
    monkeypatch.setattr(rig_report, "messages", seen)
    name = "a-name-of-20-letters"
    job = Job(name, "apollo4p-sim", "a-model-with-a-very-long-name-of-its-own", (), Path("/x"), "1", 1)
    states = [RunState(job, 12, 1480, False, 12345.6, pid=1), RunState(job)]
    with rig_report.rig_table() as on_change:
        on_change(states)
        drawn = seen.export_text()
    assert max(map(len, drawn.splitlines())) <= 80
    for word in (name, "12/1,480", "differs", "12,346", "waits"):
        assert word in drawn
    ended = RigRun(name=name, target="qemu", model="m", verdict="pass", exit_code=0, done=1, total=1, seconds=2)
    rig_report.show_rig(RigResult.of("r", [ended], 2), seen)
    assert "pass" in seen.export_text()
