"""How a table of text is laid out: what parts its fields, its decimal sign, its header, and what its columns are.

It is told by the first lines. Where they can be read in two ways that is a question, never a guess.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg.data.readers.column_names import Column, Role, column_of
from ecgseg.data.readers.common import MAX_CHANNELS
from ecgseg.errors import ContentError, DataError
from ecgseg.files import plain

HEAD_BYTES = 1 << 16
LONGEST_LINE = 1 << 14
_LOOKED_AT = 50
_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_CLOCK = re.compile(r"\[?(?:\d{4}-\d\d-\d\d[T ])?\d{1,4}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?")
MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "-", "--", "inf", "+inf", "-inf"))
"""What stands for a sample that was not recorded, in small letters."""


@dataclass(frozen=True)
class Layout:
    """A table's layout.

    Attributes:
        first_byte, first_line: where the rows begin; lines count from 1.
        delimiter: between fields; empty for blanks of any number, or where there is one column.
        decimal_comma: a comma is a decimal sign.
        quote: what fields may be enclosed in.
        columns: what they are.
    """

    first_byte: int
    first_line: int
    delimiter: str
    decimal_comma: bool
    quote: str
    columns: tuple[Column, ...]

    def fields(self, line: str) -> list[str]:
        """The fields of a line, bare, numbers with a dot."""
        found = _split(line, self.delimiter, self.quote) if len(self.columns) > 1 else [_unquoted(line, self.quote)]
        return [field.replace(",", ".") for field in found] if self.decimal_comma else found

    @property
    def time(self) -> int | None:
        """Place of the column of times, or None."""
        return next((place for place, column in enumerate(self.columns) if column.role is Role.TIME), None)

    @property
    def signals(self) -> tuple[int, ...]:
        """Places of the signals."""
        return tuple(place for place, column in enumerate(self.columns) if column.role is Role.SIGNAL)


@dataclass(frozen=True)
class _Lines:
    """The first lines that are no comments: their places in the file, line numbers and text."""

    places: list[int]
    numbers: list[int]
    texts: list[str]


def layout_of(path: Path, head: bytes, told: str | None) -> Layout:
    """The layout of a table.

    Args:
        path: for questions.
        head: its first bytes, whole lines.
        told: what its columns are, where the user says it.

    Raises:
        ContentError: it is no table of numbers.
        DataError: a question that `--columns` answers.
    """
    lines = _first_lines(head)
    quote = _quote(lines)
    delimiter = _delimiter(lines.texts, quote)
    split = [_split(text, delimiter, quote) for text in lines.texts]
    header = _header_lines(lines, split)
    told_names = [name.strip() for name in told.split(",")] if told is not None else None
    if delimiter == "," and _is_one_column_with_commas(split[header:], split[:header], told_names):
        split = [[_unquoted(text, quote)] for text in lines.texts]
    width = len(split[header])
    _check_width(split[header], split[:header], told_names, lines.numbers[header], lines.texts[header])
    if told_names is not None:
        columns = _columns(told_names, [""] * width)
    elif header:
        columns = _columns(split[0], split[1] if header > 1 else [""] * width)
    else:
        _ask_for_columns(path, split, delimiter)
        columns = tuple(Column("", "", Role.SIGNAL) for _ in range(width))
    delimiter = delimiter if width > 1 else ""
    return Layout(lines.places[header], lines.numbers[header], delimiter, delimiter != ",", quote, columns)


def _quote(lines: _Lines) -> str:
    return "'" if lines.texts[0].lstrip().startswith("'") else '"'


def _header_lines(lines: _Lines, split: Sequence[Sequence[str]]) -> int:
    """How many lines come before the first row: names, and maybe units."""
    header = next((n for n, fields in enumerate(split) if _is_row(fields)), len(split))
    if header == len(split):
        raise ContentError(f"it has no row of numbers in its first {len(split)} lines")
    if header > 2:
        raise ContentError(f"line {lines.numbers[2]} is no row of numbers: {plain(lines.texts[2], 60)}")
    return header


def _columns(names: Sequence[str], units: Sequence[str]) -> tuple[Column, ...]:
    several = len(names) > 1
    return tuple(
        column_of(name, unit, is_first=place == 0 and several)
        for place, (name, unit) in enumerate(zip(names, units, strict=True))
    )


def _first_lines(head: bytes) -> _Lines:
    """The first lines that are neither blank nor, at the beginning, comments."""
    _check_text(head)
    lines = _Lines([], [], [])
    place = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    for number, line in enumerate(head[place:].split(b"\n"), 1):
        text = decoded(line).strip("\r")
        is_comment = not lines.texts and (text.lstrip()[:1] in ("#", "%") or text.lower().startswith("sep="))
        if text.strip() and not is_comment and len(lines.texts) < _LOOKED_AT:
            lines.places.append(place)
            lines.numbers.append(number)
            lines.texts.append(text)
        place += len(line) + 1
    if not lines.texts:
        raise ContentError("it holds no lines")
    return lines


def _check_text(head: bytes) -> None:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ContentError("it is text in UTF-16: save it as UTF-8")
    if b"\0" in head:
        raise ContentError("it is no text: it holds bytes of zero")
    if b"\n" not in head and b"\r" in head:
        raise ContentError("its lines end in a carriage return alone: save it with line ends of Unix or Windows")


def decoded(line: bytes) -> str:
    """UTF-8, or what older programs write."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _delimiter(texts: Sequence[str], quote: str) -> str:
    """What parts the fields of the later half of the lines, which are rows, into equally many."""
    later = texts[len(texts) // 2 :]
    for delimiter in ("\t", ";", ","):
        counts = {len(_split(text, delimiter, quote)) for text in later}
        if len(counts) == 1 and counts != {1}:
            return delimiter
    counts = {len(text.split()) for text in later}
    if len(counts) == 1 and counts != {1} and not any("," in text for text in later):
        return ""
    # One column, some of whose numbers have a decimal comma; or rows of different lengths, which are told later.
    return ","


def _split(line: str, delimiter: str, quote: str) -> list[str]:
    if not delimiter:
        return [_unquoted(field, quote) for field in line.split()]
    if quote not in line:
        return [field.strip() for field in line.split(delimiter)]
    try:
        (fields,) = csv.reader([line.strip()], delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    except (csv.Error, ValueError) as error:
        raise ContentError(f"a line of it has quotes that do not end: {plain(line, 60)}") from error
    return [field.strip() for field in fields]


def _unquoted(text: str, quote: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == quote else text


def _is_row(fields: Sequence[str]) -> bool:
    """Numbers, times and what stands for none."""
    return all(_NUMBER.fullmatch(field) or _CLOCK.fullmatch(field) or field.lower() in MISSING for field in fields)


def _is_one_column_with_commas(
    rows: Sequence[Sequence[str]], header: Sequence[Sequence[str]], names: Sequence[str] | None
) -> bool:
    """Whether what looks like two columns of whole numbers is one with decimal commas: there is one name for both."""
    named = len(names) if names is not None else len(header[0]) if header else 0
    return (
        named == 1
        and max(len(row) for row in rows) == 2
        and all(part.lstrip("+-").isdigit() for row in rows for part in row)
    )


def _check_width(
    row: Sequence[str], header: Sequence[Sequence[str]], names: Sequence[str] | None, number: int, text: str
) -> None:
    if len(row) > MAX_CHANNELS + 1:
        raise ContentError(f"it has {len(row)} columns, more than {MAX_CHANNELS + 1}")
    told = len(names) if names is not None else len(header[0]) if header else len(row)
    if len(row) == told and all(len(fields) == told for fields in header[1:]):
        return
    whose = "--columns names" if names is not None else "its header names"
    raise ContentError(f"{whose} {told} columns, and line {number} has {len(row)} fields: {plain(text, 60)}")


def _ask_for_columns(path: Path, rows: Sequence[Sequence[str]], delimiter: str) -> None:
    """Asks what the columns of a table without a header are, where that can be seen in two ways.

    Raises:
        DataError: the question.
    """
    name = plain(str(path))
    if delimiter == "," and len(rows[0]) == 2 and all(field.lstrip("+-").isdigit() for row in rows for field in row):
        raise DataError(
            f"Are there two columns in '{name}', or numbers with a decimal comma?",
            f"It has no header, and a row such as {plain(','.join(rows[0]), 40)} can be read as both.",
            "Name the columns: --columns ecg for one with decimal commas, --columns i,ii (or time_s,ecg) for two.",
        )
    first = [row[0] for row in rows]
    if len(rows[0]) > 1 and len(first) > 2 and all(map(_rises, first[:-1], first[1:])):
        raise DataError(
            f"Is the first column of '{name}' a time?",
            "It has no header, and that column rises from row to row.",
            "Name the columns, with - for one that is passed over: --columns time_s,ecg (or time_ms,ecg), or "
            "--columns -,ecg and --rate HZ.",
        )


def _rises(one: str, other: str) -> bool:
    if _CLOCK.fullmatch(one):
        return True
    try:
        return float(one.replace(",", ".")) < float(other.replace(",", "."))
    except ValueError:
        return False
