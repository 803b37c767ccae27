"""The test templates that CONTRIBUTING.md tells to copy run as they stand, and the page names files that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from ecgseg import paths

pytestmark = pytest.mark.slow

TEMPLATES = {path.stem.removeprefix("template_"): path for path in paths.ROOT.glob("tests/*/template_*.py")}
PAGE = paths.ROOT / "CONTRIBUTING.md"


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_template_passes_as_it_stands(kind: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TEMPLATES[kind])],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_every_recipe_names_its_template_and_files_that_exist() -> None:
    recipes = PAGE.read_text(encoding="utf-8").partition("# Recipes")[2].split("\n## ")[1:]
    assert {recipe.split("\n")[0] for recipe in recipes} == {
        "An operator",
        "A board",
        "A target",
        "A database",
        "A file reader",
        "A task",
        "A page",
    }
    for recipe in recipes:
        kind = recipe.split("\n")[0].split()[-1]
        assert f"Copy `{TEMPLATES[kind].relative_to(paths.ROOT)}`" in recipe
    named = set(re.findall(r"`((?:docs|firmware|host|tests|tools)/[\w/.-]*)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (paths.ROOT / name).exists()] == []
