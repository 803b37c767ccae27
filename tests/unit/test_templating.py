"""One set of rules renders every template: HTML is escaped, C and Markdown are not, and no name goes missing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from ecgseg import paths, templating
from ecgseg.templating import render_template


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The templates of a room of its own."""
    folder = tmp_path / "room" / "templates"
    folder.mkdir(parents=True)
    monkeypatch.setattr(templating, "_PACKAGE", tmp_path)
    monkeypatch.setattr(templating, "_environment", templating._environment.__wrapped__)
    return folder


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("page.html.j2", "&lt;b&gt; &amp; &#34;c&#34;"),
        ("figure.svg.j2", "&lt;b&gt; &amp; &#34;c&#34;"),
        ("code.c.j2", '<b> & "c"'),
        ("page.md.j2", '<b> & "c"'),
        ("style.css.j2", '<b> & "c"'),
    ],
)
def test_what_a_template_is_named_decides_whether_values_are_escaped(room: Path, name: str, shown: str) -> None:
    (room / name).write_text("{{ value }}\n")
    assert render_template("room", name, value='<b> & "c"') == f"{shown}\n"


def test_a_name_that_nobody_gave_is_an_error(room: Path) -> None:
    (room / "code.c.j2").write_text("{{ missing }}")
    with pytest.raises(UndefinedError, match="missing"):
        render_template("room", "code.c.j2")


def test_no_other_module_makes_an_environment() -> None:
    importers = {
        str(path.relative_to(paths.ROOT))
        for path in paths.ROOT.glob("host/**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom) and "jinja2" in ast.unparse(node)
    }
    assert importers == {"host/ecgseg/templating.py"}
