"""Reads the tables of a flatbuffer, and trusts none of its offsets.

Source of the format: the FlatBuffers internals page (https://flatbuffers.dev/internals/). A table begins with the
signed distance to its vtable, which lies before it or behind; the vtable is its own size, the table's, and the place of
each field in the table, 0 for a field that is left out. What a table refers to lies behind the reference.
"""

from __future__ import annotations

import struct
from typing import Any

_OFFSET, _VTABLE, _PLACE = "I", "i", "H"
_HEAD = 4  # Bytes of a vtable in front of its fields.


class Table:
    """A table; its fields are named by their number in the schema, from 0.

    Args:
        content: the flatbuffer.
        position: of the table in it.

    Raises:
        IndexError, struct.error: here and below, a reference leads out of the content.
    """

    def __init__(self, content: bytes, position: int) -> None:
        self._content, self._position = content, position
        self._vtable = position - int(_number(content, position, _VTABLE))
        self._bytes = int(_number(content, self._vtable, _PLACE))

    @staticmethod
    def root(content: bytes) -> Table:
        """The table at the root of a flatbuffer."""
        return Table(content, int(_number(content, 0, _OFFSET)))

    def number(self, field: int, kind: str, default: Any = 0) -> Any:
        """A number, or "?" for a truth value; the default of a field that is left out.

        Args:
            field: number of the field.
            kind: as the module struct names it.
            default: as the schema has it.
        """
        place = self._place(field)
        return default if place is None else _number(self._content, place, kind)

    def table(self, field: int) -> Table | None:
        """The table that a field refers to, None of one that is left out."""
        place = self._target(field)
        return None if place is None else Table(self._content, place)

    def length(self, field: int) -> int:
        """Elements of a vector, as it claims; 0 of one that is left out."""
        place = self._target(field)
        return 0 if place is None else int(_number(self._content, place, _OFFSET))

    def numbers(self, field: int, kind: str, count: int) -> tuple[Any, ...]:
        """The first elements of a vector of numbers, which has so many at least."""
        place = self._target(field)
        return () if place is None else struct.unpack_from(f"<{count}{kind}", self._content, place + 4)

    def raw(self, field: int, count: int) -> bytes:
        """The first bytes of a vector of bytes, which has so many at least."""
        place = self._target(field)
        if place is None:
            return b""
        if place + 4 + count > len(self._content):
            raise IndexError(place)
        return self._content[place + 4 : place + 4 + count]

    def text(self, field: int) -> bytes:
        """A string, empty where it is left out."""
        return self.raw(field, self.length(field))

    def element(self, field: int, index: int) -> Table:
        """One table of a vector that has so many at least.

        Raises:
            IndexError: the vector is left out.
        """
        place = self._target(field)
        if place is None:
            raise IndexError(field)
        place += 4 + 4 * index
        return Table(self._content, place + int(_number(self._content, place, _OFFSET)))

    def _place(self, field: int) -> int | None:
        entry = _HEAD + 2 * field
        if entry + 2 > self._bytes:
            return None
        place = int(_number(self._content, self._vtable + entry, _PLACE))
        return self._position + place if place else None

    def _target(self, field: int) -> int | None:
        place = self._place(field)
        return None if place is None else place + int(_number(self._content, place, _OFFSET))


def _number(content: bytes, place: int, kind: str) -> Any:
    if place < 0:
        # To struct it would be a place from the end.
        raise IndexError(place)
    (value,) = struct.unpack_from(f"<{kind}", content, place)
    return value
