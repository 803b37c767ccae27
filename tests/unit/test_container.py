"""The container is made by the set-up script of all other machines, from files that are there."""

from __future__ import annotations

import json
import runpy
import subprocess
from pathlib import Path

import pytest

from ecgseg import paths

TOOL = runpy.run_path(str(paths.ROOT / "tools" / "replay_containerfile.py"))
STEPS: list[tuple[str, str]] = TOOL["instructions"](TOOL["CONTAINERFILE"].read_text())
SET_UP = next(number for number, (name, rest) in enumerate(STEPS) if name == "RUN" and "tools/setup.sh" in rest)


def copies(steps: list[tuple[str, str]]) -> list[str]:
    return [source for name, rest in steps if name == "COPY" for source in TOOL["copied"](rest)[0]]


def test_what_is_copied_is_there_and_everything_of_the_repository_is_copied() -> None:
    sources = copies(STEPS)
    assert [source for source in sources if not (paths.ROOT / source).exists()] == []
    listed = subprocess.run(["git", "ls-files"], cwd=paths.ROOT, capture_output=True, text=True, check=False)
    top = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    # Where CI and editors find what starts them.
    assert top - set(sources) <= {".ci", ".devcontainer"}
    assert ".venv" not in sources
    assert "." not in sources


def test_the_set_up_finds_what_it_reads(tmp_path: Path) -> None:
    system = TOOL["Replay"](tmp_path)
    for name, rest in STEPS[:SET_UP]:
        if name in ("WORKDIR", "COPY"):
            system.do(name, rest)
    here = tmp_path / str(system.workdir).lstrip("/")
    for read in ("pyproject.toml", "tools/setup.sh", "tools/ecgseg-beginning.pth", "host/ecgseg/__init__.py"):
        assert (here / read).read_bytes() == (paths.ROOT / read).read_bytes()
    locks = {path.name for path in (paths.ROOT / "tools" / "locks").iterdir()}
    assert {path.name for path in (here / "tools" / "locks").iterdir()} == locks


def test_nothing_but_the_set_up_script_installs_what_the_project_needs() -> None:
    (first, *_), last = [rest for name, rest in STEPS if name == "RUN"], STEPS[SET_UP][1]
    assert "--no-install-recommends ca-certificates git make " in first
    assert last.startswith("tools/setup.sh $EXTRAS ")
    assert sum(name == "RUN" for name, _ in STEPS) == 2


def test_editors_make_their_container_of_the_same_file() -> None:
    folder = paths.ROOT / ".devcontainer"
    told = json.loads((folder / "devcontainer.json").read_text())
    assert (folder / told["build"]["dockerfile"]).resolve() == TOOL["CONTAINERFILE"]
    assert (folder / told["build"]["context"]).resolve() == paths.ROOT
    assert told["postCreateCommand"] == "make setup"


def test_a_step_that_is_not_replayed_and_another_system_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="HEALTHCHECK"):
        TOOL["instructions"]("FROM debian:13\nHEALTHCHECK NONE\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text('VERSION_ID="12"\n')
    with pytest.raises(ValueError, match="is not debian:13-slim"):
        TOOL["Replay"](tmp_path).do("FROM", "debian:13-slim")
    TOOL["Replay"](tmp_path).do("FROM", "debian:12-slim")
