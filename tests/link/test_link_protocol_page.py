"""docs/protocol.md and the module of numbers say what the description says; the page's example is checked without the
code it was made with."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

from ecgseg.errors import OutputError
from ecgseg.link.description import description
from ecgseg.link.document import NUMBERS, PAGE, main, numbers_module, with_generated_part

_ROW = re.compile(r"^\| ([^|]+) \| `([0-9a-f ]+)` \| `([0-9a-f ]+)` \|$", re.MULTILINE)


def uncobs(data: bytes) -> bytes:
    """COBS as section 1 of the page tells it."""
    out = bytearray()
    while data:
        length, data = data[0], data[1:]
        out += data[: length - 1]
        data = data[length - 1 :]
        if length != 0xFF and data:
            out.append(0)
    return bytes(out)


def test_the_generated_part_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_generated_part(page), "run: python -m ecgseg.link.document"


def test_the_module_of_numbers_is_up_to_date() -> None:
    assert NUMBERS.read_text(encoding="utf-8") == numbers_module(), "run: python -m ecgseg.link.document"


def test_one_call_renews_both_files(tmp_path: Path) -> None:
    page, numbers = tmp_path / "protocol.md", tmp_path / "numbers.py"
    whole = PAGE.read_text(encoding="utf-8")
    page.write_text(whole.replace("HELLO", "HALLO"), encoding="utf-8")
    main(page, numbers)
    assert page.read_text(encoding="utf-8").count("HALLO") == whole[: whole.index("## 5.")].count("HELLO")
    assert numbers.read_bytes() == NUMBERS.read_bytes()


def test_a_missing_page_is_one_clear_error_and_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        main(tmp_path / "absent.md", tmp_path / "numbers.py")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("record", ["REQUEST_HEADER", "ANSWER_HEADER"])
def test_the_tables_of_bodies_are_those_of_the_description(record: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    offset = 0
    for field in description().records[record].fields:
        assert f"| {offset} | {field.name} | {field.kind} |" in page
        offset += field.least
    assert f"| {offset} | payload |" in page


def test_the_worked_example_is_right() -> None:
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) == 3
    for _, body_hex, wire_hex in rows:
        body, wire = bytes.fromhex(body_hex), bytes.fromhex(wire_hex)
        assert wire[0] == wire[-1] == 0
        assert 0 not in wire[1:-1]
        assert uncobs(wire[1:-1]) == body + zlib.crc32(body).to_bytes(4, "little")


def test_the_page_tells_the_crc_check_value() -> None:
    assert f"0x{zlib.crc32(b'123456789'):08X}" in PAGE.read_text(encoding="utf-8")
