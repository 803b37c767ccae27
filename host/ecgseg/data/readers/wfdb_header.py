"""Reads WFDB headers, nothing of which is believed before it is checked: https://wfdb.io/spec/header.html.

The library makes room for whatever a header promises, and drops the micro sign of a unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.data.readers.wfdb import MAX_SAMPLES_PER_FRAME, MAX_SIGNALS
from ecgseg.data.readers.wfdb_samples import VALUE_BITS
from ecgseg.data.recording import Signal
from ecgseg.errors import ContentError
from ecgseg.files import plain, read_file

MAX_HEADER_BYTES = 1 << 20
MAX_SEGMENTS = 20_000
# Of a recording; 12 days at 1000 Hz. No file is read as a whole.
MAX_SAMPLES = 1 << 30
_MAX_BITS = 32
# What holds where a header says nothing.
_RATE, _GAIN, _UNIT = 250.0, 200.0, "mV"
_DIFFERENCES = "8"
# In the place of a file or of a segment: there is none.
NOTHING = "~"

_COUNT = r"(\d{1,12})"
_RECORD_LINE = re.compile(
    rf"([\w-]+)(?:/(\d{{1,6}}))?\s+(\d{{1,4}})(?:\s+(\d{{1,9}}(?:\.\d{{0,9}})?)(?:[/(]\S*)?(?:\s+{_COUNT}\b.*)?)?\s*"
)
_SEGMENT_LINE = re.compile(rf"([\w-]+|~)\s+{_COUNT}\s*")
_NUMBER = r"[+-]?\d{1,9}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,2})?"
_SIGNAL_LINE = re.compile(
    r"(?P<file>[\w.-]+|~)\s+(?P<format>\d{1,3})(?:x(?P<per_frame>\d{1,4}))?(?::(?P<skew>\d{1,4}))?"
    rf"(?:\+(?P<first>\d{{1,12}}))?(?:\s+(?P<gain>{_NUMBER})(?:\((?P<baseline>[+-]?\d{{1,10}})\))?(?:/(?P<unit>\S+))?"
    r"(?:\s+(?P<bits>\d{1,2})(?:\s+(?P<zero>[+-]?\d{1,10})(?:\s+[+-]?\d{1,10}){0,2}(?:\s+\d{1,10})?"
    r"(?:\s+(?P<name>.*))?)?)?)?\s*"
)
_DEFAULTS = {"per_frame": "1", "skew": "0", "first": "0", "gain": "0", "bits": "0", "zero": "0", "name": ""}


@dataclass(frozen=True)
class Line:
    """What a header says of a signal: where it is, how it is stored, and what its values are."""

    file: str
    format: str
    per_frame: int
    skew: int
    first_byte: int
    gain: float
    baseline: int
    unit: str
    resolution: int
    zero: int
    name: str

    def values(self, stored: npt.NDArray[np.int64]) -> Signal:
        """Values in the unit of numbers as they are stored."""
        bits = VALUE_BITS[self.format]
        missing = -(1 << (bits - 1))
        values = np.asarray((stored - self.baseline) / self.gain, dtype=np.float64)
        values[stored == missing] = np.nan
        half = 1 << ((self.resolution or bits) - 1)
        at_rail = (stored == self.zero + half - 1) | (stored == max(self.zero - half, missing + 1))
        return Signal(values, at_rail)


@dataclass(frozen=True)
class Header:
    """A header: of a recording of one segment, or of one of several.

    Attributes:
        base: path of the recording without a suffix.
        rate: frames a second.
        frames: as it counts them; 0 where it does not.
        signals: of one segment.
        segments: names and frames.
    """

    base: Path
    rate: float
    frames: int
    signals: tuple[Line, ...]
    segments: tuple[tuple[str, int], ...] = ()


def read_header(base: Path) -> Header:
    """The header of a recording or of a segment.

    Raises:
        OSError: it is not there, or too large.
        ContentError: it is none, or tells of what is not read.
    """
    first, lines = _lines(_text(read_file(base.with_name(f"{base.name}.hea"), MAX_HEADER_BYTES)))
    about = _RECORD_LINE.fullmatch(first)
    if about is None:
        raise ContentError("its header does not begin with name, signals, rate and samples")
    segments, signals, frames = int(about[2] or 0), int(about[3]), int(about[5] or 0)
    rate = float(about[4] or _RATE)
    _check_counts(segments, signals, frames)
    if not rate > 0:
        raise ContentError("its header tells a rate of nothing")
    counted = segments if about[2] else signals
    if len(lines) != counted:
        raise ContentError(f"its header counts {counted} lines and has {len(lines)}")
    if about[2]:
        return Header(base, rate, frames, (), tuple(_segment_line(line) for line in lines))
    return Header(base, rate, frames, tuple(_signal_line(line) for line in lines))


def _lines(text: str) -> tuple[str, list[str]]:
    """The record line, empty where there is none, and the others; comments are passed over."""
    lines = [line for line in re.split(r"\r?\n", text) if line.strip() and not line.startswith("#")]
    return (lines[0], lines[1:]) if lines else ("", [])


def _check_counts(segments: int, signals: int, frames: int) -> None:
    if not 1 <= signals <= MAX_SIGNALS or frames > MAX_SAMPLES or segments > MAX_SEGMENTS:
        raise ContentError(f"its header tells of {signals} signals, {segments} segments and {frames} samples")


def _text(data: bytes) -> str:
    """UTF-8, or what older programs write."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _segment_line(line: str) -> tuple[str, int]:
    found = _SEGMENT_LINE.fullmatch(line)
    if found is None:
        raise ContentError(f"its header names a segment in a way that is not read: {plain(line, 60)}")
    return found[1], int(found[2])


def _signal_line(line: str) -> Line:
    found = _SIGNAL_LINE.fullmatch(line)
    if found is None:
        raise _not_read(line)
    told = {name: text or _DEFAULTS.get(name, "") for name, text in found.groupdict().items()}
    per_frame, bits = int(told["per_frame"]), int(told["bits"])
    if not 1 <= per_frame <= MAX_SAMPLES_PER_FRAME or bits > _MAX_BITS:
        raise _not_read(line)
    _check_format(told["format"], told["file"])
    return Line(
        told["file"],
        told["format"],
        per_frame,
        int(told["skew"]),
        int(told["first"]),
        float(told["gain"]) or _GAIN,
        int(told["baseline"] or told["zero"]),
        plain(told["unit"] or _UNIT, 20),
        bits,
        int(told["zero"]),
        plain(told["name"].strip(), 60),
    )


def _not_read(line: str) -> ContentError:
    return ContentError(f"its header describes a signal in a way that is not read: {plain(line, 60)}")


def _check_format(form: str, file: str) -> None:
    if form == _DIFFERENCES:
        raise ContentError(
            "its samples are stored as differences (format 8), which is not read in pieces: write it anew in format 16"
        )
    if form not in VALUE_BITS and file != NOTHING:
        raise ContentError(f"its samples are in format {form}, which WFDB has not")
