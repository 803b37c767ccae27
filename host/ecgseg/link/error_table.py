"""The error table of the link, read from the one file that the firmware is compiled with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecgseg import paths
from ecgseg.link.definitions import read_calls

TABLE = paths.FIRMWARE / "link" / "include" / "ecgseg_link_errors.def"


@dataclass(frozen=True)
class ErrorEntry:
    """One error: its number on the wire, its name, what it means and what to do about it."""

    number: int
    name: str
    meaning: str
    remedy: str


@lru_cache(maxsize=4)
def error_table(path: Path = TABLE) -> dict[int, ErrorEntry]:
    """All errors by number.

    Args:
        path: the X-macro file.

    Raises:
        BuildError: the file is missing, an entry in it cannot be read, or a number or name stands twice.
    """
    table: dict[int, ErrorEntry] = {}
    for call in read_calls(path):
        if call.macro != "ECGSEG_LINK_ERROR":
            raise call.place.error(f"{call.macro} stands where only ECGSEG_LINK_ERROR may stand.")
        call.expect(4)
        entry = ErrorEntry(call.number(0), call.word(1), call.text(2), call.text(3))
        if entry.number in table or entry.name in {known.name for known in table.values()}:
            raise call.place.error(f"The number {entry.number} or the name {entry.name} stands twice.")
        table[entry.number] = entry
    return table


def error_entry(number: int) -> ErrorEntry:
    """Entry of an error number; an unknown number gets one that says so."""
    unknown = ErrorEntry(
        number,
        f"ERROR_{number}",
        "The device answered with an error number that this host does not know.",
        "Use a host of the same release as the firmware.",
    )
    return error_table().get(number, unknown)


def error_number(name: str) -> int:
    """Number of an error name such as "WRONG_INDEX".

    Raises:
        KeyError: there is no such name.
    """
    for entry in error_table().values():
        if entry.name == name:
            return entry.number
    raise KeyError(name)
