"""Draws docs/images/rooms.svg: the rooms of the Python package and of the firmware, each above what it may use.

    python tools/draw_rooms.py

The order of the Python rooms is the layers contract in pyproject.toml, what a room is for the first sentence of its
docstring; the order of the firmware's rooms and what they are for is the table of firmware/README.md. So the picture
cannot say anything else than what `make lint` and the tests hold. A test draws it again and compares.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

from svg_style import style

from ecgseg import paths
from ecgseg.output import write_text

PICTURE = paths.ROOT / "docs" / "images" / "rooms.svg"
_PACKAGE = paths.ROOT / "host" / "ecgseg"
_WIDTH, _MARGIN, _GAP = 1120, 24, 8
_PYTHON_WIDTH, _HEAD, _LINE = 660, 66, 15
_NARROWEST = 165  # pixels of a box
_CHARACTER = 6.5  # width of a character of the small type, about
_RULES = (
    "text{font-family:system-ui,sans-serif;fill:$ink}.title{font-size:17px;font-weight:600}"
    ".name{font-size:14px;font-weight:600;font-family:ui-monospace,monospace}.purpose{font-size:12px;fill:$soft}"
    ".page{fill:$card}.room{fill:$page;stroke:$line}.note{font-size:12px;fill:$soft}"
)


@dataclass(frozen=True)
class Room:
    """A folder, or a module that stands alone, and what it is for."""

    name: str
    purpose: str


def python_rooms() -> list[list[Room]]:
    """Rooms of host/ecgseg by floor, the top one first."""
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [[_python_room(name.strip()) for name in layer.split("|")] for layer in contract["layers"]]


def _python_room(name: str) -> Room:
    folder = _PACKAGE / name
    module = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    sentence = re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0].rstrip(".")
    return Room(f"{name}/" if folder.is_dir() else f"{name}.py", sentence.replace("`", ""))


def firmware_rooms() -> list[list[Room]]:
    """Rooms of the firmware by floor, from the table of firmware/README.md, the top one first."""
    page = (paths.FIRMWARE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9_/]+)` \| (\d+) \| ([^|]+) \|", page, re.MULTILINE)
    floors = sorted({int(floor) for _, floor, _ in rows}, reverse=True)
    return [
        [Room(f"{name}/", what.strip().replace("`", "")) for name, floor, what in rows if int(floor) == level]
        for level in floors
    ]


def picture(python: Sequence[Sequence[Room]], firmware: Sequence[Sequence[Room]]) -> str:
    """The SVG."""
    left, left_end = _column("host/ecgseg", _MARGIN, _PYTHON_WIDTH, python)
    start = _MARGIN * 2 + _PYTHON_WIDTH
    right, right_end = _column("firmware", start, _WIDTH - start - _MARGIN, firmware)
    height = max(left_end, right_end) + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="Rooms of ecgseg, each above what it may use">\n<style>{style(_RULES)}</style>\n'
        f'<rect width="{_WIDTH}" height="{height}" class="page"/>\n{left}{right}</svg>\n'
    )


def _column(title: str, x: int, width: int, floors: Sequence[Sequence[Room]]) -> tuple[str, int]:
    parts = [f'<text class="title" x="{x}" y="34">{title}</text>\n']
    parts.append(f'<text class="note" x="{x}" y="54">a room may use only rooms below it</text>\n')
    y = _HEAD
    for floor in floors:
        # Rooms of one floor stand beside each other and do not know each other.
        abreast = width // _NARROWEST
        for first in range(0, len(floor), abreast):
            row = floor[first : first + abreast]
            box = (width - _GAP * (len(row) - 1)) // len(row)
            texts = [textwrap.wrap(room.purpose, int((box - 20) / _CHARACTER)) for room in row]
            height = 30 + _LINE * max(len(lines) for lines in texts)
            for place, (room, lines) in enumerate(zip(row, texts, strict=True)):
                parts.append(_box(x + place * (box + _GAP), y, (box, height), room.name, lines))
            y += height + _GAP
    return "".join(parts), y


def _box(x: int, y: int, size: tuple[int, int], name: str, lines: Sequence[str]) -> str:
    texts = "".join(
        f'<text class="purpose" x="{x + 10}" y="{y + 37 + _LINE * number}">{escape(line)}</text>\n'
        for number, line in enumerate(lines)
    )
    return (
        f'<rect class="room" x="{x}" y="{y}" width="{size[0]}" height="{size[1]}" rx="4"/>\n'
        f'<text class="name" x="{x + 10}" y="{y + 20}">{escape(name)}</text>\n{texts}'
    )


def main() -> int:
    """Draws the picture."""
    write_text(PICTURE, picture(python_rooms(), firmware_rooms()))
    print(f"Wrote {PICTURE.relative_to(paths.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
