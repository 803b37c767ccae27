"""What the name of a column says: a time and in what it is counted, a running number, or a signal and its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ecgseg.data.readers.common import NAME_LENGTH, UNIT_LENGTH
from ecgseg.data.recording import scale_of
from ecgseg.files import plain

# Seconds of a unit of time, by its name.
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s", "usec", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanoseconds"), 1e-9),
    **dict.fromkeys(("min", "minutes"), 60.0),
}
_TIMES = ("t", "time", "times", "timestamp", "time stamp", "elapsed time", "elapsed", "date", "datetime", "clock")
_NUMBERS = ("sample", "samples", "sample #", "sample number", "sample index", "index", "idx", "no", "nr", "n", "#", "")
# A unit behind the name: in brackets, behind a slash, or behind a space, a dot or _ where it is one that is known.
_BRACKETS = re.compile(r"(?P<name>.*?)[\s_]*[\[(](?P<unit>[^\[\]()]*)[\])]")
_BEHIND = re.compile(r"(?P<name>.*?)[\s_./]+(?P<unit>[^\s_./]+)")


class Role(Enum):
    """What a column holds."""

    SIGNAL = "signal"
    TIME = "time"
    NUMBER = "number"
    PASSED_OVER = "-"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: as the table has it, without the unit; one line.
        unit: empty where none is told.
        role: what it holds.
    """

    name: str
    unit: str
    role: Role

    @property
    def seconds(self) -> float | None:
        """Of a time: seconds of its unit; None where it has none that is known."""
        return _SECONDS.get(self.unit.lower())


def is_time(name: str) -> bool:
    """Whether something of that name is a time."""
    return column_of(name, "", is_first=False).role is Role.TIME


def column_of(name: str, unit: str, *, is_first: bool) -> Column:
    """What a name says.

    Args:
        name: of the column, `-` for one that is passed over.
        unit: from a line of its own, where the table has one.
        is_first: only the first column may be a running number, or a time called by its unit alone.
    """
    name, told = _divided(name.strip())
    unit = _bare(unit) or told
    base = name.lower().replace("_", " ").strip()
    role = Role.SIGNAL
    if name == Role.PASSED_OVER.value:
        role = Role.PASSED_OVER
    elif base in _TIMES or (is_first and base in _SECONDS):
        role = Role.TIME
        unit = unit or (base if base in _SECONDS else "")
    elif is_first and base in _NUMBERS and not unit:
        role = Role.NUMBER
    return Column(plain(name, NAME_LENGTH), plain(unit, UNIT_LENGTH), role)


def _divided(text: str) -> tuple[str, str]:
    """Name and unit of a header's field."""
    found = _BRACKETS.fullmatch(text)
    if found:
        return found["name"], found["unit"].strip()
    found = _BEHIND.fullmatch(text)
    if found and (scale_of(found["unit"]) is not None or found["unit"].lower() in _SECONDS):
        return found["name"], found["unit"]
    return text, ""


def _bare(unit: str) -> str:
    return unit.strip().strip("[]()").strip()
