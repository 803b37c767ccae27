"""The folder of a run: its name, what it holds when, that none is overwritten and a damaged one harms nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.console import Console

from ecgseg.commands import runs as task
from ecgseg.commands.results import RunList
from ecgseg.commands.task import start
from ecgseg.errors import DataError, OutputError
from ecgseg.hil import provenance
from ecgseg.hil.result import HilResult
from ecgseg.hil.stream_result import StreamResult
from ecgseg.report.runs import show_runs
from ecgseg.runs import folder as runs
from ecgseg.runs.folder import RunFolder
from support.report_pages import ORIGIN, result, stream_result


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are kept."""
    monkeypatch.setenv("ECGSEG_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(provenance, "versions_here", lambda: ORIGIN.versions)
    return tmp_path / "runs"


def begun(name: str = "seg-4-tcn-sm") -> RunFolder:
    return runs.begin("hil-test", name, "host", "invoke hil-test --target host")


def test_the_name_tells_date_model_and_target(place: Path) -> None:
    run = begun()
    assert run.path.parent == place
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}Z-seg-4-tcn-sm-host", run.path.name)
    assert run.about.provenance.command == "invoke hil-test --target host"


def test_runs_of_one_second_do_not_share_a_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance.Provenance, "now", lambda _: ORIGIN)
    names = [begun().path.name for _ in range(3)]
    assert names == [f"2026-01-31T101500Z-seg-4-tcn-sm-host{number}" for number in ("", "-2", "-3")]


def test_a_name_from_a_file_leads_nowhere_else(place: Path) -> None:
    run = begun("../../x\n<b>")
    assert run.path.parent == place
    assert run.path.name.endswith("-_.._x__b_-host")


def test_a_run_that_has_not_ended_has_no_verdict_and_one_that_has_tells_it() -> None:
    run = begun()
    assert runs.opened(run.path).about.verdict is None
    ended = result(verdict="fail", provenance=run.about.provenance)
    run.end(ended)
    about = runs.opened(run.path).about
    assert (about.verdict, about.compared, about.unit) == ("fail", 4, "frames")
    assert HilResult.model_validate_json(run.result.read_bytes()) == ended


def test_of_a_stream_leads_are_counted() -> None:
    run = begun("stream-4-tcn-sm")
    run.end(stream_result())
    about = runs.opened(run.path).about
    assert (about.compared, about.unit) == (1, "leads")
    assert StreamResult.model_validate_json(run.result.read_bytes()) == stream_result()


def test_the_newest_is_listed_first_and_what_is_no_run_is_passed_over(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (3, 1, 2):
        moment = ORIGIN.model_copy(update={"started": f"2026-01-0{day}T10:15:00Z"})
        monkeypatch.setattr(provenance.Provenance, "now", lambda _, moment=moment: moment)
        begun()
    (place / "notes.txt").write_text("mine")
    (place / "empty").mkdir()
    (place / "damaged").mkdir()
    (place / "damaged" / "run.json").write_bytes(b"{\xff")
    assert [run.path.name[:10] for run in runs.kept()] == ["2026-01-03", "2026-01-02", "2026-01-01"]
    with pytest.raises(DataError, match="not the folder of a run"):
        runs.opened(place / "damaged")


def test_a_forgotten_run_leaves_nothing(place: Path) -> None:
    run = begun()
    run.vectors.mkdir()
    (run.vectors / "x.npz").write_bytes(b"")
    run.forget()
    assert list(place.iterdir()) == []


def test_a_place_that_takes_no_folder_is_told(place: Path) -> None:
    place.write_text("a file")
    with pytest.raises(OutputError, match="could not be written"):
        begun()


@pytest.mark.parametrize("model", ["seg-4-tcn-sm", "a-model-of-my-own-with-a-very-long-name-indeed"])
def test_the_list_fits_80_columns_and_tells_the_whole_name_of_the_folder(model: str) -> None:
    run = runs.begin("hil-test", model, "apollo4p-sim", "")
    run.end(result(frames=1_234_567))
    console = Console(width=80, record=True)
    show_runs(runs.kept(), console)
    lines = console.export_text().splitlines()
    # A path is told in one piece, however long it is.
    assert max(len(line) for line in lines[:-1] if not line.startswith("Folders in ")) <= 80
    assert lines[-1] == f"  {run.path.name}"
    assert any("1,234,567 frames" in line for line in lines)


def test_the_task_lists_them_for_people_and_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not start(task.run)
    assert "No run is kept" in capsys.readouterr().out
    run = begun()
    start(task.run, json=str(tmp_path / "runs.json"))
    assert run.path.name in capsys.readouterr().out
    (told,) = RunList.model_validate_json((tmp_path / "runs.json").read_bytes()).runs
    assert told.folder == str(run.path)
    assert (told.model, told.verdict) == ("seg-4-tcn-sm", None)
