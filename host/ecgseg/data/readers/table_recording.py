"""Reads a table of text (CSV, TSV) of any length in pieces: a row a sample, with or without a column of times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.data.readers.column_names import Role
from ecgseg.data.readers.common import MAX_FILE_BYTES, check_counts, rate_question, result_name, unreadable
from ecgseg.data.readers.table_layout import HEAD_BYTES, LONGEST_LINE, Layout, layout_of
from ecgseg.data.readers.table_rows import Rows
from ecgseg.data.readers.table_times import CLOCK_UNIT, Clock, Times, clock_of
from ecgseg.data.recording import Channel, Signal, Told
from ecgseg.errors import ContentError, DataError
from ecgseg.files import checked_size, read_part

_BLOCK_BYTES = 1 << 20
# Times by which the rate is told.
_CLOCK_BYTES = 1 << 18
_REMEDY = "Write it as one row a sample with the same columns in each, numbers with a dot, in UTF-8."


@dataclass(frozen=True)
class Block:
    """Some whole lines of the file.

    Attributes:
        place, size: its first byte, and how many.
        line: number of its first line.
        rows: lines that are not blank.
        sample: number of its first row's sample.
        gaps: int64 [n, 2], rows in front of which samples are missing, and how many.
    """

    place: int
    size: int
    line: int
    rows: int
    sample: int
    gaps: npt.NDArray[np.int64]

    @property
    def samples(self) -> npt.NDArray[np.int64]:
        """Numbers of the samples in its rows."""
        found = np.arange(self.sample, self.sample + self.rows)
        for row, missing in self.gaps.tolist():
            found[row:] += missing
        return found


class TableRecording:
    """A table of text, read in pieces. Opening it goes through the whole file once, for its lines and times.

    Args:
        path: the file.
        layout: how it is laid out.
        told: its rate, where its times do not tell.

    Attributes:
        name: of its results.
        channels: its columns but times and running numbers.

    Raises:
        OSError: it cannot be read.
        ContentError: it is no table, or its times do not go on evenly.
        DataError: a question that `--rate` answers.
    """

    def __init__(self, path: Path, layout: Layout, told: Told) -> None:
        self._path, self._rows = path, Rows(layout)
        self.name = result_name(path.stem)
        size = checked_size(path, MAX_FILE_BYTES)
        places = _blocks(path, layout.first_byte, size)
        clock = _clock(path, self._rows, places, told)
        times = Times(clock) if layout.time is not None else None
        self._blocks = self._scanned(places, times)
        last = self._blocks[-1]
        samples = int(last.samples[-1]) + 1
        check_counts(len(layout.signals), samples)
        self._starts = [block.sample for block in self._blocks]
        self._values = lru_cache(maxsize=1)(self._read_block)
        for place in layout.signals:
            self._values(len(self._blocks) - 1, place)
        self._columns = layout.signals
        self.channels = tuple(
            Channel(number, layout.columns[place].name, layout.columns[place].unit, clock.rate, samples)
            for number, place in enumerate(layout.signals)
        )

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        values = np.full(end - first, np.nan)
        try:
            for index in range(bisect_right(self._starts, first) - 1, bisect_right(self._starts, end - 1)):
                place = self._blocks[index].samples - first
                inside = (place >= 0) & (place < end - first)
                values[place[inside]] = self._values(index, self._columns[channel.number])[inside]
        except (OSError, ValueError) as error:
            raise unreadable(self._path, error, _REMEDY) from error
        return Signal(values, np.zeros(values.size, np.bool_))

    def _read_block(self, index: int, column: int) -> npt.NDArray[np.float64]:
        block = self._blocks[index]
        numbers, lines = _lines(read_part(self._path, block.place, block.size), block.line)
        if len(lines) != block.rows:
            raise ContentError(f"it has changed at line {block.line} since it was opened")
        return self._rows.numbers(lines, numbers, column)

    def _scanned(self, places: Sequence[tuple[int, int]], times: Times | None) -> list[Block]:
        blocks: list[Block] = []
        line, sample = self._rows.layout.first_line, 0
        for place, size in places:
            interruption.check()
            data = read_part(self._path, place, size)
            numbers, lines = _lines(data, line)
            if lines:
                gaps = np.empty((0, 2), np.int64)
                if times is not None:
                    gaps = times.push(self._rows.times(lines, numbers), numbers)
                blocks.append(Block(place, size, line, len(lines), sample, gaps))
                sample = int(blocks[-1].samples[-1]) + 1
                check_counts(1, sample)
            line += data.count(b"\n")
        if not blocks:
            raise ContentError("it has no rows")
        return blocks


def open_table(path: Path, told: Told) -> TableRecording:
    """The recording of a table.

    Raises:
        DataError: it is none, damaged, or leaves a question open.
    """
    try:
        size = checked_size(path, MAX_FILE_BYTES)
        if not size:
            raise ContentError("it is empty")
        head = read_part(path, 0, HEAD_BYTES)
        whole = head if size <= HEAD_BYTES else head[: head.rfind(b"\n") + 1]
        if not whole:
            raise ContentError(f"its first line has more than {HEAD_BYTES} bytes")
        return TableRecording(path, layout_of(path, whole, told.columns), told)
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise unreadable(path, error, _REMEDY) from error


def _clock(path: Path, rows: Rows, places: Sequence[tuple[int, int]], told: Told) -> Clock:
    """Rate and unit of time, from the first block and from what is told."""
    layout = rows.layout
    if layout.time is None:
        if told.rate is None:
            has_number = any(column.role is Role.NUMBER for column in layout.columns)
            why = "Its rows are numbered, which tells no time." if has_number else "It has no column of times."
            raise rate_question(path, why)
        return Clock(float(told.rate), 1.0, 0.0)
    first = places[0][0]
    size = min(places[-1][0] + places[-1][1] - first, _CLOCK_BYTES)
    data = read_part(path, first, size)
    numbers, lines = _lines(data[: data.rfind(b"\n") + 1] or data, layout.first_line)
    column = layout.columns[layout.time]
    if rows.is_clock(lines):
        column = replace(column, unit=CLOCK_UNIT)
    return clock_of(path, column, rows.times(lines, numbers), numbers, rows.resolution(lines), told.rate)


def _blocks(path: Path, first: int, size: int) -> list[tuple[int, int]]:
    """Places and sizes of blocks that end with a line."""
    found: list[tuple[int, int]] = []
    while first < size:
        data = read_part(path, first, _BLOCK_BYTES)
        whole = len(data) if first + len(data) >= size else data.rfind(b"\n") + 1
        if not whole:
            raise ContentError(f"it has a line of more than {LONGEST_LINE} bytes")
        found.append((first, whole))
        first += whole
        interruption.check()
    if not found:
        raise ContentError("it has no rows")
    return found


def _lines(data: bytes, first_line: int) -> tuple[Sequence[int], list[str]]:
    """Numbers and text of the lines that are not blank."""
    if b"\0" in data:
        raise ContentError(f"it is no text: behind line {first_line} it holds bytes of zero")
    lines = data.replace(b"\r\n", b"\n").decode("latin-1").split("\n")
    if max(map(len, lines)) > LONGEST_LINE:
        raise ContentError(f"it has a line of more than {LONGEST_LINE} bytes behind line {first_line}")
    if not lines[-1].strip():
        lines.pop()
    if all(lines) and not any(map(str.isspace, lines)):
        return range(first_line, first_line + len(lines)), lines
    kept = [(number, line) for number, line in _numbered(lines, first_line) if line.strip()]
    return [number for number, _ in kept], [line for _, line in kept]


def _numbered(lines: Sequence[str], first: int) -> Iterator[tuple[int, str]]:
    return ((first + n, line) for n, line in enumerate(lines))
