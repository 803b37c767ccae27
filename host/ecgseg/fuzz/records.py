"""An input of a fuzzer as a list of records, so that what is changed inside one reaches what reads it.

A record is its kind, the length of its content in two bytes, lowest first, and the content. Any bytes are such a list:
a length beyond the end ends there, and what is too short for a header is left out. firmware/programs/fuzz reads the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum

HEADER_BYTES = 3
_LONGEST = 0xFFFF


class DeviceRecord(IntEnum):
    """Kinds of a device's input, as firmware/programs/fuzz/fuzz.h explains them."""

    RAW = 0
    REQUEST = 1
    SAMPLES = 2
    AGAIN = 3


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record."""
    position = 0
    while position + HEADER_BYTES <= len(data):
        start = position + HEADER_BYTES
        length = int.from_bytes(data[position + 1 : start], "little")
        yield data[position], data[start : start + length]
        position = start + length


def pack(items: Iterable[tuple[int, bytes]]) -> bytes:
    """The input of which these are the records; contents of at most 65,535 bytes."""
    return b"".join(
        bytes([kind]) + len(content[:_LONGEST]).to_bytes(2, "little") + content[:_LONGEST] for kind, content in items
    )
