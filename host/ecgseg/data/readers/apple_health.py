"""Reads an electrocardiogram as Apple Health exports it: lines of a name and a value, then a column of numbers.

The watch tells the rate that it measured, such as 512.844 hertz, of a sensor of 512 Hz; the names, the word behind the
rate and the decimal sign are those of the phone's language, so a line is known by its value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ecgseg.data.readers.column_names import Column, Role
from ecgseg.data.readers.common import NAME_LENGTH
from ecgseg.data.readers.table_layout import Layout, decoded
from ecgseg.data.readers.table_recording import TableRecording
from ecgseg.data.recording import Told, scale_of
from ecgseg.errors import ContentError
from ecgseg.files import plain

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_RATE = re.compile(r"(\d{2,4}(?:[.,]\d{1,6})?)\s+[^\W\d_]+\.?")
_MOST_LINES = 40
_LEAST_LINES = 3
NOMINAL = 512
"""Samples a second of the watch's sensor. What it tells differs by up to a few thousandths, as its clock does."""
_NEAR = 0.01


@dataclass(frozen=True)
class AppleHeader:
    """What stands in front of the samples.

    Attributes:
        rate: as the file tells it; None where it does not.
        layout: of the column of samples, its name that of the lead.
    """

    rate: float | None
    layout: Layout


def apple_header(head: bytes) -> AppleHeader | None:
    """The header of an export; None where a file is none.

    Args:
        head: its first bytes.
    """
    place = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(head[place:].split(b"\n")[:_MOST_LINES], 1):
        text = decoded(line).strip()
        name, comma, value = text.partition(",")
        if len(pairs) >= _LEAST_LINES and _NUMBER.fullmatch(text.strip('"')):
            return _header(pairs, place, number)
        if text and (not comma or _NUMBER.fullmatch(name)):
            return None
        pairs += [(name, value.strip('" '))] if text else []
        place += len(line) + 1
    return None


def _header(pairs: list[tuple[str, str]], place: int, line: int) -> AppleHeader | None:
    rates = [found for _, value in pairs if (found := _RATE.fullmatch(value))]
    units = [index for index, (_, value) in enumerate(pairs) if scale_of(value) is not None]
    if not rates and not units:
        return None
    unit = pairs[units[0]][1] if units else ""
    lead = pairs[units[0] - 1][1] if units and units[0] else ""
    column = Column("" if _RATE.fullmatch(lead) else plain(lead, NAME_LENGTH), unit, Role.SIGNAL)
    # Whole numbers have no decimal sign, and one line may be the only one that has.
    layout = Layout(place, line, "", True, '"', (column,))
    # The heart rate, in beats a minute, is told in the same way.
    rate = max((float(found[1].replace(",", ".")) for found in rates), default=None)
    return AppleHeader(rate, layout)


def open_apple(path: Path, header: AppleHeader, told: Told) -> TableRecording:
    """The recording of an export.

    Raises:
        OSError: it cannot be read.
        ContentError: behind its header it is no column of numbers.
        DataError: it tells no rate, and none is told.
    """
    if told.columns is not None:
        raise ContentError("it is an export of Apple Health, which has one column: leave out --columns")
    return TableRecording(path, header.layout, Told(rate=told.rate or _rate(header.rate)))


def _rate(told: float | None) -> int | None:
    if told is None:
        return None
    return NOMINAL if abs(told / NOMINAL - 1) <= _NEAR else round(told)
