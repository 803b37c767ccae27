"""Numbers and times of some lines of a table: as fast as numpy reads them, or, where it cannot, one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ecgseg.data.readers.table_layout import MISSING, Layout
from ecgseg.errors import ContentError
from ecgseg.files import plain

Numbers = npt.NDArray[np.float64]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_CLOCK = re.compile(r"(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,4}):(?P<seconds>\d\d(?:\.\d{1,9})?)", re.ASCII)
_FRACTION = re.compile(r"(?:\.(?P<digits>\d*))?(?:[eE](?P<exponent>[+-]?\d{1,3}))?(?:Z|[+-]\d\d:?\d\d)?\]?$")
_DAY_SECONDS = 86_400.0


class Rows:
    """Reads lines of a table.

    Args:
        layout: of the table.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._delimiter = layout.delimiter or None

    def numbers(self, lines: Sequence[str], places: Sequence[int], column: int) -> Numbers:
        """A column of lines, float64 [lines], NaN where a field is empty or says that there is none.

        Args:
            lines: none blank.
            places: their numbers in the file.
            column: its place.

        Raises:
            ContentError: a line has more or fewer fields, or another word.
        """
        fast = self._fast(lines, column)
        if fast is not None:
            return np.where(np.isfinite(fast), fast, np.nan)
        return np.array([_number(field, place) for place, field in self._fields(lines, places, column)])

    def times(self, lines: Sequence[str], places: Sequence[int]) -> Numbers:
        """The column of times, in its unit; of a clock in seconds. Raises ContentError as `numbers`."""
        assert self.layout.time is not None
        fast = self._fast(lines, self.layout.time)
        if fast is not None and np.all(np.isfinite(fast)):
            return fast
        return np.array([_time(field, place) for place, field in self._fields(lines, places, self.layout.time)])

    def resolution(self, lines: Sequence[str]) -> float:
        """The smallest step in which the first of the lines can tell times."""
        assert self.layout.time is not None
        fields = [field for _, field in self._fields(lines[:1000], range(1000), self.layout.time)]
        return float(10.0 ** -min(max(map(_decimals, fields), default=0), 12))

    def is_clock(self, lines: Sequence[str]) -> bool:
        """Whether times are told as a clock does."""
        assert self.layout.time is not None
        return any(":" in field for _, field in self._fields(lines[:1], range(1), self.layout.time))

    def _fast(self, lines: Sequence[str], column: int) -> Numbers | None:
        layout = self.layout
        text = "\n".join(lines)
        if layout.quote in text:
            return None
        if layout.delimiter and text.count(layout.delimiter) != len(lines) * (len(layout.columns) - 1):
            return None
        if layout.decimal_comma:
            lines = text.replace(",", ".").split("\n")
        try:
            found = np.loadtxt(
                list(lines), np.float64, comments=None, delimiter=self._delimiter, usecols=column, ndmin=1
            )
        except (ValueError, IndexError):
            return None
        # Blanks part columns of no number in particular, which numpy does not mind.
        is_whole = bool(layout.delimiter) or all(len(line.split()) == len(layout.columns) for line in lines)
        return found if found.size == len(lines) and is_whole else None

    def _fields(self, lines: Sequence[str], places: Sequence[int], column: int) -> list[tuple[int, str]]:
        found = []
        for place, line in zip(places, lines, strict=False):
            fields = self.layout.fields(line)
            if len(fields) != len(self.layout.columns):
                raise ContentError(
                    f"line {place} has {len(fields)} fields, not {len(self.layout.columns)}: {plain(line, 60)}"
                )
            found.append((place, fields[column]))
        return found


def _decimals(field: str) -> int:
    """Digits behind the point of a number or a time, one with an exponent written out."""
    found = _FRACTION.search(field)
    return len(found["digits"] or "") - int(found["exponent"] or 0) if found else 0


def _number(field: str, place: int) -> float:
    if _NUMBER.fullmatch(field):
        value = float(field)
        return value if np.isfinite(value) else np.nan
    if field.lower() in MISSING:
        return float("nan")
    raise ContentError(f"line {place} has '{plain(field, 40)}' where a number belongs")


def _time(field: str, place: int) -> float:
    if _NUMBER.fullmatch(field):
        return float(field)
    bare = field.strip("[]")
    clock = _CLOCK.fullmatch(bare)
    if clock:
        return 3600.0 * int(clock["hours"] or 0) + 60.0 * int(clock["minutes"]) + float(clock["seconds"])
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError:
        raise ContentError(f"line {place} has '{plain(field, 40)}' where a time belongs") from None
    whole = moment.toordinal() * _DAY_SECONDS + moment.hour * 3600 + moment.minute * 60 + moment.second
    offset = moment.utcoffset()
    return whole + moment.microsecond / 1e6 - (offset.total_seconds() if offset else 0.0)
