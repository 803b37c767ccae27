"""What make installs: every package that pyproject.toml names, each pinned with its hash, and nothing else."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from ecgseg import paths

LOCKS = paths.ROOT / "tools" / "locks"
PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
LINE = re.compile(r"([a-z0-9-]+)==([0-9][\w.]*) --hash=sha256:[0-9a-f]{64}")


def pins(name: str) -> dict[str, str]:
    """Version by package of a list; every line must be a pin with a hash."""
    lines = [line for line in (LOCKS / f"{name}.txt").read_text().splitlines() if not line.startswith("#")]
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    return {match[1]: match[2] for match in found if match}


def test_there_is_a_list_for_each_extra() -> None:
    assert {path.stem for path in LOCKS.iterdir()} == {"build", "base", *PROJECT["optional-dependencies"]}


@pytest.mark.parametrize("extra", ["base", *PROJECT["optional-dependencies"]])
def test_every_package_of_the_project_is_locked_as_it_is_allowed(extra: str) -> None:
    required = PROJECT["dependencies"] if extra == "base" else PROJECT["optional-dependencies"][extra]
    locked = pins("base") | pins(extra)
    for requirement in required:
        name, _, allowed = re.fullmatch(r"([\w-]+)(==|)(.*)", requirement).groups()  # type: ignore[union-attr]
        assert name.lower() in locked
        if "==" in requirement:
            assert locked[name.lower()] == allowed


def test_lists_that_are_installed_together_name_a_package_once_or_alike() -> None:
    seen: dict[str, str] = {}
    for path in sorted(LOCKS.iterdir()):
        for name, version in pins(path.stem).items():
            assert seen.setdefault(name, version) == version, name


@pytest.mark.parametrize("extras", ["trian", "dev,trian", "base"])
def test_an_unknown_extra_is_refused_with_those_that_are_known(extras: str) -> None:
    done = subprocess.run(
        ["make", "setup", f"EXTRAS={extras}"], cwd=paths.ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert f"There is no extra '{extras.split(',')[-1]}'." in done.stderr
    assert f"Known: {', '.join(sorted(PROJECT['optional-dependencies']))}." in done.stderr
    assert "Ready" not in done.stdout
