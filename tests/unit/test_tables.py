"""Tables of 80 columns cut nothing off, and every table is such a one."""

from __future__ import annotations

import io
import re

from rich.console import Console

from ecgseg import paths
from ecgseg.terminal import Table


def test_what_is_too_long_for_its_column_goes_on_in_the_next_line() -> None:
    address = "https://example.org/" + "a-long-way-down/" * 8
    table = Table("Kind", title="Places", box=None)
    table.add_column("Place")
    table.add_row("page", address)
    text = io.StringIO()
    Console(file=text, width=80).print(table)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert address in re.sub(r"\s", "", text.getvalue())
    assert "…" not in text.getvalue()


def test_no_room_makes_tables_that_cut() -> None:
    made = [
        path.name
        for path in (paths.ROOT / "host").rglob("*.py")
        if re.search(r"from rich\.table import .*\bTable\b", path.read_text(encoding="utf-8"))
    ]
    assert made == []
