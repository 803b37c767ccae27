"""Which Python `make setup` takes, and which of the system's packages it asks for; programs that only write down."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ecgseg import paths

PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) echo {version} ;;
    *Python.h*|*'get_path("include")'*) echo {headers} ;;
    *ensurepip*) exit {without_venv} ;;
    *"-m venv"*) echo "$0 $*" >>{said}; mkdir -p .venv/bin .venv/packages; cp "$0" .venv/bin/python ;;
    *purelib*) echo .venv/packages ;;
esac
"""
# As if everything else were there.
COMPILER = "#!/bin/sh\necho /bin/sh\n"
APT = """#!/bin/sh
echo "$@" >>{said}
case "$*" in *install*) cp {folder}/kept/* {folder}/ 2>/dev/null ;; esac
true
"""


class Bare:
    """A copy of what sets up, and a PATH whose first folder this test fills."""

    def __init__(self, folder: Path) -> None:
        self.root, self.programs, self.said_in = folder / "root", folder / "programs", folder / "said"
        (self.programs / "kept").mkdir(parents=True)
        for part in ("tools/setup.sh", "tools/ecgseg-beginning.pth", "tools/locks", "pyproject.toml"):
            place = self.root / part
            place.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (paths.ROOT / part).is_dir() else shutil.copy)(paths.ROOT / part, place)
        for name in ("gcc", "arm-none-eabi-gcc", "qemu-system-arm"):
            self.put(name, COMPILER)
        # The system's own would be found behind these.
        for name in ("python3", "python3.11", "python3.12", "python3.13"):
            self.put(name, "#!/bin/sh\nexit 1\n")
        self.put("apt-get", APT.format(said=self.said_in, folder=self.programs))

    def put(self, name: str, text: str, folder: str = ".") -> None:
        path = self.programs / folder / name
        path.write_text(text)
        path.chmod(0o755)

    def python(self, name: str, version: str, folder: str = ".", without_venv: int = 0, headers: str = "/") -> None:
        text = PYTHON.format(version=version, said=self.said_in, without_venv=without_venv, headers=headers)
        self.put(name, text, folder)

    def set_up(self, **environment: str) -> subprocess.CompletedProcess[str]:
        known = {key: value for key, value in os.environ.items() if key != "PYTHON"}
        known["PATH"] = os.pathsep.join([str(self.programs), "/usr/bin", "/bin"])
        return subprocess.run(
            ["tools/setup.sh"],
            cwd=self.root,
            env=known | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def said(self) -> list[str]:
        return self.said_in.read_text().splitlines() if self.said_in.exists() else []


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare(tmp_path)


def test_the_systems_own_python_comes_first_and_then_the_newest(bare: Bare) -> None:
    bare.python("python3.12", "3.12")
    bare.python("python3.11", "3.11")
    done = bare.set_up()
    assert done.returncode == 0, done.stderr
    assert bare.said == [f"{bare.programs}/python3.12 -m venv --clear .venv"]
    shutil.rmtree(bare.root / ".venv")
    bare.python("python3", "3.11")
    assert bare.set_up().returncode == 0
    assert bare.said[1:] == [f"{bare.programs}/python3 -m venv --clear .venv"]


def test_a_python_that_is_asked_for_takes_the_place_of_another(bare: Bare) -> None:
    bare.python("python3", "3.11")
    bare.python("python3.12", "3.12")
    for asked in ("", "python3.12", "python3.12", ""):  # The last asks for none, and keeps what is there.
        assert bare.set_up(**({"PYTHON": asked} if asked else {})).returncode == 0
    assert [line.partition(" ")[0].rpartition("/")[2] for line in bare.said] == ["python3", "python3.12"]


@pytest.mark.parametrize(("found", "asked"), [("3.10", None), ("3.14", None), ("3.10", "python3"), ("", "python9")])
def test_a_python_that_was_not_tested_is_refused_before_anything_is_installed(
    bare: Bare, found: str, asked: str | None
) -> None:
    if found:
        bare.python("python3", found)
    done = bare.set_up(**({"PYTHON": asked} if asked else {}))
    assert done.returncode == 5
    assert f"{asked or 'python3'} {f'is Python {found}, which ' if found else ''}is not supported" in done.stderr
    assert "3.11, 3.12, 3.13" in done.stderr
    assert "PYTHON=" in done.stderr
    assert bare.said == []


@pytest.mark.skipif(os.geteuid() != 0, reason="apt-get is asked by root alone")
@pytest.mark.parametrize(
    ("version", "more"), [("3.11", []), ("3.12", []), ("3.13", ["install -y --no-install-recommends python3.13-dev"])]
)
def test_a_bare_system_gets_its_own_python_and_what_that_needs(bare: Bare, version: str, more: list[str]) -> None:
    if more and os.uname().machine != "x86_64":
        pytest.skip("there is a wheel of everything")
    bare.python("python3", version, folder="kept")
    done = bare.set_up()
    assert done.returncode == 0, done.stderr
    *asked, _ = [line.rpartition("Use-Pty=0 ")[2] for line in bare.said if not line.endswith("update")]
    assert asked == ["install -y --no-install-recommends python3 python3-venv", *more]


@pytest.mark.skipif(os.geteuid() != 0, reason="apt-get is asked by root alone")
def test_the_package_of_venv_is_that_of_the_python_in_question(bare: Bare) -> None:
    bare.python("python3", "3.12", without_venv=1)
    assert bare.set_up().returncode == 0
    assert any(line.endswith("install -y --no-install-recommends python3.12-venv") for line in bare.said)


def test_a_machine_without_apt_is_told_what_is_missing(bare: Bare) -> None:
    bare.python("python3", "3.12")
    (bare.programs / "apt-get").unlink()
    for name in ("bash", "cat", "cut", "dirname", "grep", "head", "sed", "sha256sum", "sort", "tail", "tr", "uname"):
        (bare.programs / name).symlink_to(str(shutil.which(name)))
    (bare.programs / "qemu-system-arm").unlink()
    done = bare.set_up(PATH=str(bare.programs))
    assert done.returncode == 5
    assert "These are not installed: qemu-system-arm." in done.stderr
    assert "no apt-get" in done.stderr
