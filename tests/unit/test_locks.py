"""What make installs: every package that pyproject.toml names, each pinned with its hash, and nothing else."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from ecgseg import paths

LOCKS = paths.ROOT / "tools" / "locks"
PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"([a-z0-9-]+)==([0-9][\w.]*)(?: ; (.+?))?((?: +--hash=sha256:[0-9a-f]{64})+)")
PYTHONS = ("3.11", "3.12", "3.13")


def locked(name: str) -> dict[str, re.Match[str]]:
    """Pin by package of a list; each must have a hash, and nothing else may be there."""
    text = (LOCKS / f"{name}.txt").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = [PIN.fullmatch(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    return {match[1]: match for match in found if match}


def pins(name: str) -> dict[str, str]:
    """Version by package of a list."""
    return {package: pin[2] for package, pin in locked(name).items()}


def test_there_is_a_list_for_each_extra() -> None:
    assert {path.stem for path in LOCKS.iterdir()} == {"build", "base", *PROJECT["optional-dependencies"]}


@pytest.mark.parametrize("extra", ["base", *PROJECT["optional-dependencies"]])
def test_every_package_of_the_project_is_locked_as_it_is_allowed(extra: str) -> None:
    required = PROJECT["dependencies"] if extra == "base" else PROJECT["optional-dependencies"][extra]
    pinned = pins("base") | pins(extra)
    for requirement in required:
        # Behind a semicolon stands on which computers it is installed.
        wanted = requirement.partition(";")[0]
        name, _, allowed = re.fullmatch(r"([\w-]+)(==|)(.*)", wanted).groups()  # type: ignore[union-attr]
        assert name.lower() in pinned
        if "==" in wanted:
            assert pinned[name.lower()] == allowed


def test_lists_that_are_installed_together_name_a_package_once_or_alike() -> None:
    seen: dict[str, str] = {}
    for path in sorted(LOCKS.iterdir()):
        for name, version in pins(path.stem).items():
            assert seen.setdefault(name, version) == version, name


def test_the_same_pythons_are_allowed_set_up_and_locked() -> None:
    lock = runpy.run_path(str(paths.ROOT / "tools" / "lock.py"))
    assert tuple(lock["PYTHONS"]) == PYTHONS
    assert f'SUPPORTED="{" ".join(PYTHONS)}"' in (paths.ROOT / "tools" / "setup.sh").read_text()
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert [minor for minor in range(9, 17) if f"3.{minor}" in allowed] == [11, 12, 13]


def test_what_is_compiled_for_one_python_is_locked_for_each() -> None:
    """A list that was made for one Python alone is told by its hashes: one wheel fits one Python, unless it says so."""
    short = {}
    for path in sorted(LOCKS.iterdir()):
        for name, pin in locked(path.stem).items():
            try:
                wheel = metadata.distribution(name).read_text("WHEEL") or ""
            except metadata.PackageNotFoundError:
                continue
            # Built here from its source: the one file for all.
            built = "linux_" in wheel and "manylinux" not in wheel
            of_one_python = re.search(r"^Tag: cp3\d+-cp3\d+-", wheel, re.MULTILINE)
            hashes = len(re.findall("--hash", pin[4]))
            if of_one_python and hashes < (1 if built else len(PYTHONS)):
                short[name] = hashes
    assert short == {}


def test_a_package_without_a_wheel_for_a_python_brings_what_builds_it() -> None:
    assert {"cython", "numpy", "setuptools"} == set(locked("build"))
    for name in ("cython", "numpy"):
        assert locked("build")[name][3].strip() == 'python_version >= "3.13"'


def test_only_what_the_project_limits_to_some_computers_is_locked_for_these_alone() -> None:
    limited = {name: pin[3].strip() for name, pin in locked("base").items() if pin[3]}
    assert limited == {"tflite-micro": "platform_system == 'Linux' and platform_machine == 'x86_64'"}


# What only an extra installs, by the module that is imported.
OF_EXTRAS = {
    "tensorflow": "train",
    "keras": "train",
    "dask": "train",
    "distributed": "train",
    "neurokit2": "peers",
    "atheris": "fuzz",
    "pyarrow": "parquet",
}


def imported() -> set[str]:
    """Packages that the code imports, anywhere, beside Python's own."""
    found = set()
    for path in (paths.ROOT / "host").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    return found - sys.stdlib_module_names - {"ecgseg"}


def test_the_set_up_of_the_demo_installs_what_every_task_without_an_extra_needs() -> None:
    packages = metadata.packages_distributions()
    missing = {
        module
        for module in imported() - set(OF_EXTRAS)
        if not any(name.lower().replace("_", "-") in pins("base") for name in packages.get(module, [module]))
    }
    assert missing == set()
    for module, extra in OF_EXTRAS.items():
        names = [name.lower().replace("_", "-") for name in packages.get(module, [module])]
        assert any(name in pins(extra) for name in names), module


@pytest.mark.parametrize("extras", ["trian", "dev,trian", "base"])
def test_an_unknown_extra_is_refused_with_those_that_are_known(extras: str) -> None:
    done = subprocess.run(
        ["make", "setup", f"EXTRAS={extras}"], cwd=paths.ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert f"There is no extra '{extras.split(',')[-1]}'." in done.stderr
    assert f"Known: {', '.join(sorted(PROJECT['optional-dependencies']))}." in done.stderr
    assert "Ready" not in done.stdout


PYTHON = """#!/bin/sh
echo "$@" >> said
case "$*" in *purelib*) echo "$PWD/.venv/packages" ;; *version_info*) echo "{version}" ;; esac
""".replace("{version}", "{}.{}".format(*sys.version_info))


@pytest.fixture
def set_up(tmp_path: Path) -> Path:
    """A folder that was set up twice with the extra dev, by a Python that only writes down what it is asked for."""
    for part in ("tools/setup.sh", "tools/ecgseg-beginning.pth", "tools/locks", "pyproject.toml"):
        place = tmp_path / part
        place.parent.mkdir(exist_ok=True)
        (shutil.copytree if (paths.ROOT / part).is_dir() else shutil.copy)(paths.ROOT / part, place)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (tmp_path / ".venv" / "packages").mkdir()
    python.write_text(PYTHON)
    python.chmod(0o755)
    environment = {**os.environ, "PYTHON": sys.executable}
    for _ in range(2):  # The second time everything is there.
        done = subprocess.run(
            ["tools/setup.sh", "dev"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    return tmp_path


def test_setting_up_installs_the_lists_by_hash_and_nothing_else(set_up: Path) -> None:
    installs = [line for line in (set_up / "said").read_text().splitlines() if " install " in line]
    *lists, project = installs
    assert [re.findall(r"tools/locks/(\w+)\.txt", line) for line in lists] == [["build"], ["base", "dev"]]
    assert all("--require-hashes" in line for line in lists)
    assert all("--no-deps" in line for line in installs)
    assert all("--no-build-isolation" in line for line in installs)
    assert project.endswith(" -e .")


def test_setting_up_puts_the_line_that_python_runs_first_beside_the_packages(set_up: Path) -> None:
    (copied,) = (set_up / ".venv" / "packages").iterdir()
    assert copied.read_text() == (paths.ROOT / "tools" / "ecgseg-beginning.pth").read_text()
