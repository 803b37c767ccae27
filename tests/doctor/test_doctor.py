"""`invoke doctor` and `invoke version`: what is there, what is missing, what that costs and what mends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ecgseg import __version__, paths
from ecgseg.commands import doctor, version
from ecgseg.commands.task import start
from ecgseg.doctor import computer, needs, packages, versions
from ecgseg.doctor.checkup import CHECKS, check_up
from ecgseg.doctor.findings import Checkup, Finding
from ecgseg.link import ports
from ecgseg.report.checkup import show_checkup, version_rows
from support.without_tflm import hide_tflm

COMPILER = """#!/bin/sh
case $1 in
    --version) echo "{name} 12.2.0";;
    -print-file-name=*) file=${{1#*=}}; case " {without} " in *" $file "*) echo "$file";; *) echo "/lib/$file";; esac;;
esac
"""
Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A PATH of its own; the function puts a program on it that answers what is asked."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("ECGSEG_JLINK", raising=False)
    monkeypatch.setattr(versions, "version", lambda program: f"{Path(program).name} 1")
    monkeypatch.setattr(needs, "version", lambda program: f"{Path(program).name} 1")

    def put(name: str, without: str = "") -> None:
        path = folder / name
        path.write_text(COMPILER.format(name=name, without=without))
        path.chmod(0o755)

    return put


@pytest.fixture
def tools(programs: Programs) -> None:
    for name in ("gcc", "arm-none-eabi-gcc", "qemu-system-arm", "git", "JLinkExe"):
        programs(name)


def of(checkup: Checkup, name: str) -> Finding:
    (found,) = (finding for finding in checkup.findings if finding.name == name)
    return found


@pytest.mark.usefixtures("tools")
def test_a_computer_with_everything_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "version", lambda name: packages_by_name()[name])
    monkeypatch.setattr(computer, "_may_open_ports", lambda: True)
    monkeypatch.setattr(ports, "serial_ports", list)
    monkeypatch.setattr(computer, "_database", lambda title, *_: Finding(name=title, state="ok", found="there"))
    checkup = check_up()
    assert [finding for finding in checkup.findings if finding.state != "ok"] == []
    assert checkup.ready


def packages_by_name() -> dict[str, str]:
    """Every package that is pinned, by its version."""
    names = [path.stem for path in packages.LOCKS.glob("*.txt")]
    return {name: told for lock in names for name, told, _ in packages._PIN.findall(lock_text(lock))}


def lock_text(lock: str) -> str:
    return (packages.LOCKS / f"{lock}.txt").read_text()


@pytest.mark.usefixtures("programs")
def test_without_tools_the_daily_commands_do_not_work_and_each_is_told_how_to_come_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(doctor.run, json=str(tmp_path / "doctor.json")) == 1
    printed = capsys.readouterr().out
    checkup = Checkup.model_validate_json((tmp_path / "doctor.json").read_bytes())
    assert not checkup.ready
    for name in ("gcc", "arm-none-eabi-gcc", "qemu-system-arm"):
        finding = of(checkup, name)
        assert finding.needed_daily
        assert finding.state == "missing"
        assert "hil-test" in finding.cost
        assert f"    {finding.mend}\n" in printed
    assert not of(checkup, "J-Link Commander").needed_daily
    assert "first of all mend: gcc, arm-none-eabi-gcc" in printed


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("compiler", "without", "named"),
    [
        ("gcc", "crt1.o", "C library"),
        ("gcc", "libasan.so crt1.o", "C library and AddressSanitizer"),
        ("arm-none-eabi-gcc", "libc_nano.a", "newlib"),
    ],
)
def test_a_compiler_without_its_library_does_not_do(
    compiler: str, without: str, named: str, programs: Programs
) -> None:
    programs(compiler, without)
    finding = of(check_up(), compiler)
    assert finding.state == "missing"
    assert named in finding.found
    assert "apt-get install" in finding.mend


@pytest.mark.usefixtures("programs")
def test_everything_that_is_missing_fits_80_columns() -> None:
    findings = [finding for check in CHECKS for finding in check()]
    findings += [*computer.extras(), Finding(name="x" * 20, state="missing", found="y " * 60, cost="z " * 90, mend="w")]
    checkup = Checkup(ready=False, findings=findings, versions=versions.versions_here())
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    show_checkup(checkup, console)
    assert max(len(line) for line in console.export_text().splitlines()) <= 80


def test_packages_that_are_missing_or_of_another_version_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = packages_by_name()
    monkeypatch.setattr(packages, "version", lambda name: "0.0.1" if name == "numpy" else pinned[name])
    (finding,) = needs.base_packages()
    assert finding.state == "doubtful"
    assert "numpy 0.0.1" in finding.found

    def absent(name: str) -> str:
        raise packages.PackageNotFoundError(name)

    monkeypatch.setattr(packages, "version", lambda name: absent(name) if name == "wfdb" else pinned[name])
    (finding,) = needs.base_packages()
    assert (finding.state, finding.needed_daily, finding.mend) == ("missing", True, "make setup")
    assert "wfdb" in finding.found


@pytest.mark.parametrize(("python", "state"), [("3.10.13", "missing"), ("3.14.0rc1", "missing"), ("3.11.2", "ok")])
def test_a_python_that_was_not_tested_is_told(python: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.platform, "python_version", lambda: python)
    (finding,) = needs.python()
    assert finding.state == state
    assert state == "ok" or "make setup" in finding.mend


@pytest.mark.parametrize("python", ["3.12.3", "3.13.5"])
def test_the_pythons_of_ubuntu_and_of_the_next_debian_do(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.platform, "python_version", lambda: python)
    (finding,) = needs.python()
    assert (finding.state, finding.found) == ("ok", python)


def test_what_is_not_for_this_computer_is_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = 'here==1 ; python_version >= "3" \\\n    --hash=sha256:0\nthere==2 ; python_version < "3" \\\n'
    (tmp_path / "base.txt").write_text(lines)
    monkeypatch.setattr(packages, "LOCKS", tmp_path)
    found = packages.packages_of("base")
    assert found.pinned == {"here": "1"}
    assert found.missing == ("here",)


def test_without_tflite_micro_the_daily_commands_work_and_a_note_tells_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = packages_by_name()

    def installed(name: str) -> str:
        if name in packages.OF_THE_ORACLE:
            raise packages.PackageNotFoundError(name)
        return pinned[name]

    monkeypatch.setattr(packages, "version", installed)
    (finding,) = needs.base_packages()
    assert finding.state == "ok"
    (finding,) = needs.oracle()
    assert (finding.state, finding.needed_daily) == ("ok", False)
    hide_tflm(monkeypatch)
    (finding,) = needs.oracle()
    assert (finding.state, finding.needed_daily) == ("missing", False)
    assert "ecgseg's interpreter" in finding.found
    assert finding.cost.startswith("Nothing but training")


def test_every_extra_of_the_project_is_looked_at() -> None:
    assert {f"{name}.txt" for name in (*computer.EXTRAS, "base", "build")} == {
        path.name for path in packages.LOCKS.glob("*.txt")
    }


def test_what_cannot_be_looked_at_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def databases() -> list[Finding]:
        raise ModuleNotFoundError("No module named 'wfdb'", name="wfdb")

    monkeypatch.setattr("ecgseg.doctor.checkup.CHECKS", (databases,))
    (finding,) = check_up().findings
    assert (finding.name, finding.state) == ("Databases", "missing")
    assert "wfdb" in finding.found


def test_a_variable_that_names_a_wrong_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECGSEG_LUDB", str(tmp_path))
    ludb, _ = computer.databases()
    assert ludb.state == "missing"
    assert str(tmp_path) in ludb.found
    assert "ECGSEG_LUDB" in ludb.mend


@pytest.mark.parametrize(("free", "state"), [(computer.NEEDED_BYTES, "ok"), (computer.NEEDED_BYTES - 1, "missing")])
def test_a_full_disk_is_told(free: int, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(free))
    (finding,) = computer.disk()
    assert finding.state == state


def test_a_port_without_permission_costs_the_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = ports.SerialPort(str(tmp_path / "ttyACM0"), "J-Link", "1", True)
    monkeypatch.setattr(ports, "serial_ports", lambda: [port])
    (finding,) = computer.ports()
    assert finding.state == "missing"
    assert "ttyACM0" in finding.found
    assert "dialout" in finding.mend
    monkeypatch.setattr(os, "access", lambda *_: True)
    (finding,) = computer.ports()
    assert finding.state == "ok"


def test_the_commit_is_told_and_whether_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert (versions.versions_here().commit, versions.versions_here().changed) == (None, None)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    (tmp_path / "old.py").write_text("")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "One."], check=True)
    # As a hook sets it: of another repository.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    found = versions.versions_here()
    assert found.ecgseg == __version__
    assert found.changed is False
    assert found.commit is not None
    assert len(found.commit) == 40
    (tmp_path / "new.py").write_text("")
    changed = versions.versions_here()
    assert (changed.commit, changed.changed) == (found.commit, True)
    assert dict(version_rows(changed))["commit"] == f"{found.commit[:12]}, with changes that are not committed"


def test_version_tells_what_computes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert not start(version.run, json=str(tmp_path / "version.json"))
    told = versions.Versions.model_validate_json((tmp_path / "version.json").read_bytes())
    printed = capsys.readouterr().out
    assert printed.startswith(f"ecgseg {told.ecgseg}\n")
    for name in ("numpy", "tflite-micro"):
        assert f"{name} {told.packages[name]}" in printed


@pytest.mark.slow
def test_bash_completes_tasks_and_options(tmp_path: Path) -> None:
    script = tmp_path / "complete.sh"
    script.write_text(
        "source <(invoke --print-completion-script bash)\n"
        'of() { COMP_WORDS=($1 "$2"); _complete_invoke invoke "$2"; echo "${COMPREPLY[*]}"; }\n'
        'of "invoke" "doc"\nof "invoke hil-test --target host" "--back"\n'
    )
    # As in a shell in which the environment is active.
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(
        ["bash", str(script)], cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["doctor", "--backend"]
