"""A rig of real targets: two simulated boards, QEMU and a port served over RFC 2217; one dies, one wire is faulty."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ecgseg.commands import hil_test
from ecgseg.commands.task import start
from ecgseg.errors import LinkError
from ecgseg.hil.rig.processes import OnChange, RunState
from ecgseg.hil.runner import HilOptions, run
from ecgseg.image.backends import render_and_build
from ecgseg.models import find_model
from ecgseg.report import rig as rig_report
from ecgseg.runs.folder import ENVIRONMENT
from ecgseg.targets import TargetOptions, open_target
from support.rfc2217_server import served

pytestmark = pytest.mark.slow
MODEL = "seg-2-tcn-sm"
RIG = """
[[target]]
name = "sim-faulty"
target = "apollo4p-sim"
models = ["seg-2-tcn-sm"]
records = "1"
leads = "ii"
inject = "flip=1e-3"

[[target]]
name = "sim-dies"
target = "apollo4p-sim"
models = ["seg-2-tcn-sm"]
records = "1,2"

[[target]]
name = "emulator"
target = "qemu"
models = ["seg-2-tcn-sm"]
records = "1"
leads = "ii"

[[target]]
name = "far"
target = "host"
models = ["seg-2-tcn-sm"]
records = "1"
leads = "ii,v1"
port = "{port}"
"""


@pytest.fixture(scope="module")
def far() -> Iterator[str]:
    """The address of firmware that somebody else started."""
    image = render_and_build("host", find_model(MODEL))
    with open_target("host", image) as running, served(running.port_url) as address:
        yield address


def test_firmware_behind_an_address_is_compared_as_any_other(far: str, tmp_path: Path) -> None:
    options = HilOptions(
        "host", MODEL, records=(1,), leads=("ii",), target_options=TargetOptions(port=far), vectors=tmp_path
    )
    for _ in range(2):  # It is there again when a client has gone.
        assert run(options).result.verdict == "pass"


def test_firmware_of_another_build_behind_an_address_is_a_difference(far: str, tmp_path: Path) -> None:
    options = HilOptions(
        "host", "seg-4-tcn-sm", records=(1,), leads=("ii",), target_options=TargetOptions(port=far), vectors=tmp_path
    )
    found = run(options)
    assert found.result.verdict == "fail"
    assert isinstance(found.error, LinkError)
    assert found.error.what.startswith("Other firmware answers at rfc2217://127.0.0.1:")


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # One that has ended since.
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def test_one_that_dies_and_a_faulty_wire_leave_the_others_their_verdicts(
    far: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    def kill_the_target(states: Sequence[RunState]) -> None:
        state = states[1]
        if state.total and state.pid is not None and not killed:
            killed.extend(children(state.pid))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    @contextmanager
    def watched() -> Iterator[OnChange]:
        yield kill_the_target

    monkeypatch.setattr(rig_report, "rig_table", watched)
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "runs"))
    file, told = tmp_path / "rig.toml", tmp_path / "all.json"
    file.write_text(RIG.format(port=far))
    code = start(hil_test.run, rig=str(file), json=str(told))
    runs = {run["name"]: run for run in json.loads(told.read_text())["runs"]}
    assert killed
    assert {name: run["verdict"] for name, run in runs.items()} == {
        "sim-faulty": "pass",
        "sim-dies": "incomplete",
        "emulator": "pass",
        "far": "pass",
    }
    assert code == runs["sim-dies"]["exit_code"] == 7
    assert "has ended" in runs["sim-dies"]["error"]
    (folder,) = (tmp_path / "runs").glob("*-rig-rig")
    assert json.loads((folder / runs["sim-faulty"]["result"]).read_text())["injected"]["faults"] == "flip=1e-3"
