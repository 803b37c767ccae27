"""docs/protocol.md says what the code does; its example is checked without the code it was made with."""

from __future__ import annotations

import re
import zlib

from ecgseg.link.document import PAGE, with_generated_part

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
