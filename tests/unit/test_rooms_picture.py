"""The picture of the rooms shows the contract, the docstrings and the firmware's table as they are."""

from __future__ import annotations

import importlib.util
import sys
import xml.etree.ElementTree as ElementTree
from types import ModuleType

import pytest

from ecgseg import paths


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_rooms", paths.ROOT / "tools" / "draw_rooms.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks for its module there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_committed_picture_is_current(tool: ModuleType) -> None:
    drawn = tool.picture(tool.python_rooms(), tool.firmware_rooms())
    assert (paths.ROOT / "docs" / "images" / "rooms.svg").read_text(encoding="utf-8") == drawn, (
        "run: python tools/draw_rooms.py"
    )
    ElementTree.fromstring(drawn)


def test_every_room_has_one_sentence_of_purpose(tool: ModuleType) -> None:
    rooms = [room for floors in (tool.python_rooms(), tool.firmware_rooms()) for floor in floors for room in floor]
    assert [room.name for room in rooms if not 10 < len(room.purpose) < 160] == []
    folders = {path.parent.name for path in (paths.ROOT / "host" / "ecgseg").glob("*/__init__.py")}
    assert folders <= {room.name.rstrip("/") for room in rooms}


def test_every_folder_of_the_firmware_is_a_room(tool: ModuleType) -> None:
    named = {room.name.rstrip("/") for floor in tool.firmware_rooms() for room in floor}
    holding = {path.parent for path in paths.FIRMWARE.rglob("*.[ch]")} | {
        path.parent for path in paths.FIRMWARE.rglob("*.cc")
    }
    for folder in holding:
        parts = folder.relative_to(paths.FIRMWARE)
        assert any(parts.is_relative_to(name) for name in named), (
            f"firmware/{parts} stands in no row of firmware/README.md"
        )
