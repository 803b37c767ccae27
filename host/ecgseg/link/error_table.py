"""The error table of the link, read from the one file that the firmware is compiled with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecgseg import paths
from ecgseg.errors import BuildError

TABLE = paths.FIRMWARE / "link" / "include" / "ecgseg_link_errors.def"

_TEXT = r'((?:"[^"]*"\s*)+)'
_ENTRY = re.compile(rf"ECGSEG_LINK_ERROR\(\s*(\d+)\s*,\s*(\w+)\s*,\s*{_TEXT},\s*{_TEXT}\)")


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
        BuildError: the file is missing, or an entry in it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(
            "The link's error table cannot be read.", str(error), "Restore it from the repository."
        ) from error
    entries = [
        ErrorEntry(int(number), name, _joined(meaning), _joined(remedy))
        for number, name, meaning, remedy in _ENTRY.findall(text)
    ]
    if len(entries) != text.count("ECGSEG_LINK_ERROR(") or len({e.number for e in entries}) != len(entries):
        raise BuildError(
            f"{path.name} holds an entry that cannot be read, or a number twice.",
            'Each entry is ECGSEG_LINK_ERROR(number, NAME, "meaning", "remedy").',
            "Correct the entry.",
        )
    return {entry.number: entry for entry in entries}


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


def _joined(literals: str) -> str:
    return "".join(re.findall(r'"([^"]*)"', literals))
