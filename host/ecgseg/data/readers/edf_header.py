"""The header of EDF, EDF+ and BDF files, of which everything is checked before any library sees it.

B. Kemp et al., A simple format for exchange of digitized polygraphic recordings, Electroencephalography and Clinical
Neurophysiology 82 (1992) 391-393; B. Kemp, J. Olivan, European data format 'plus', Clinical Neurophysiology 114 (2003)
1755-1761. BDF is the same with 24 bits (BioSemi).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.data.readers.common import MAX_CHANNELS, MAX_FILE_BYTES, NAME_LENGTH, UNIT_LENGTH
from ecgseg.data.recording import Signal
from ecgseg.errors import ContentError
from ecgseg.files import checked_size, plain, read_part

_BLOCK = 256
_BDF = b"\xffBIOSEMI"
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
# What a signal has in the header, in this order: widths of the fields.
_WIDTHS = {"label": 16, "sensor": 80, "unit": 8, "low": 8, "high": 8, "least": 8, "most": 8, "filter": 80}
_WIDTHS |= {"samples": 8, "reserved": 32}
_MAX_RECORD_SAMPLES = 1 << 24


@dataclass(frozen=True)
class Line:
    """What the header says of a signal: its place, physical and digital extremes, its samples in a record of data."""

    number: int
    label: str
    unit: str
    low: float
    high: float
    least: int
    most: int
    samples: int

    @property
    def is_signal(self) -> bool:
        return self.label not in _ANNOTATIONS

    def values(self, stored: npt.NDArray[np.int64]) -> Signal:
        """Values in the unit of numbers as they are stored."""
        step = (self.high - self.low) / (self.most - self.least)
        values = self.low + (stored - self.least) * step
        return Signal(np.asarray(values, np.float64), (stored <= self.least) | (stored >= self.most))


@dataclass(frozen=True)
class Header:
    """A header.

    Attributes:
        records: records of data.
        seconds: of each.
        lines: the signals in it, annotations among them.
        sample_bytes: 2 of EDF, 3 of BDF.
        has_gaps: the records do not follow one another (EDF+D, BDF+D).
    """

    records: int
    seconds: float
    lines: tuple[Line, ...]
    sample_bytes: int
    has_gaps: bool

    @property
    def first_byte(self) -> int:
        """Where the first record of data is."""
        return _BLOCK * (len(self.lines) + 1)

    @property
    def record_bytes(self) -> int:
        """Of a record of data."""
        return self.sample_bytes * sum(line.samples for line in self.lines)

    def place(self, line: Line) -> slice:
        """Bytes of a signal in each record of data."""
        before = sum(other.samples for other in self.lines[: line.number])
        return slice(self.sample_bytes * before, self.sample_bytes * (before + line.samples))


def read_header(path: Path) -> Header:
    """The header; the file holds what it promises.

    Raises:
        OSError: it cannot be read.
        ContentError: it is none, or the file is shorter.
    """
    size = checked_size(path, MAX_FILE_BYTES)
    head = read_part(path, 0, _BLOCK)
    is_bdf = head[:8] == _BDF
    if len(head) < _BLOCK or not (is_bdf or head[:8] == b"0       "):
        raise ContentError("it does not begin as EDF or BDF")
    text = head[8:].decode("latin-1")
    count = _whole(text[244:248], "signals")
    records, seconds = _whole(text[228:236], "records of data"), _number(text[236:244], "seconds of a record")
    if not 1 <= count <= MAX_CHANNELS + 1 or records < 1 or not 0 < seconds <= 86_400:
        raise ContentError(f"its header tells of {count} signals in {records} records of {seconds:g} s")
    lines = _lines(read_part(path, _BLOCK, _BLOCK * count), count)
    header = Header(records, seconds, lines, 3 if is_bdf else 2, text[184:189] in ("EDF+D", "BDF+D"))
    if _whole(text[176:184], "bytes of the header") != header.first_byte:
        raise ContentError("its header tells a length of itself that does not fit its signals")
    needed = header.first_byte + records * header.record_bytes
    if size < needed:
        raise ContentError(f"its header promises {needed} bytes, and it has {size}: it was cut off")
    return header


def _lines(data: bytes, count: int) -> tuple[Line, ...]:
    if len(data) < _BLOCK * count:
        raise ContentError("its header is cut off")
    text, place = data.decode("latin-1"), 0
    fields: dict[str, list[str]] = {}
    for name, width in _WIDTHS.items():
        fields[name] = [text[place + n * width :][:width].strip() for n in range(count)]
        place += width * count
    return tuple(_line(n, {name: values[n] for name, values in fields.items()}) for n in range(count))


def _line(number: int, told: dict[str, str]) -> Line:
    name = plain(told["label"], NAME_LENGTH)
    low, high = _number(told["low"], "physical minimum"), _number(told["high"], "physical maximum")
    least, most = _whole(told["least"], "digital minimum"), _whole(told["most"], "digital maximum")
    samples = _whole(told["samples"], "samples in a record")
    if low == high or least >= most:
        raise ContentError(f"its signal {name} goes from {low:g} to {high:g}, as {least} to {most}")
    if not 1 <= samples <= _MAX_RECORD_SAMPLES:
        raise ContentError(f"its signal {name} has {samples} samples in a record")
    return Line(number, name, plain(told["unit"], UNIT_LENGTH), low, high, least, most, samples)


def _whole(text: str, what: str) -> int:
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,8}\s*", text):
        raise ContentError(f"its header has '{plain(text.strip(), 20)}' in the place of {what}")
    return int(text)


def _number(text: str, what: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ContentError(f"its header has '{plain(text.strip(), 20)}' in the place of {what}")
    return found
