"""Writes WFDB annotation files (MIT format) as marks come, so that a file may be of any length.

The format: https://wfdb.io/spec/annot.html (a word of 6 bits of code and 10 bits of samples since the last annotation;
SKIP for longer ones, CHN for the channel, AUX for text).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from ecgseg.data.writers.marks import Mark

_CODES = {"N": 1, "p": 24, "t": 27, "(": 39, ")": 40}
_NOTE, _SKIP, _CHANNEL, _TEXT = 22, 59, 62, 63
_LONGEST = 1023


def annotation_file(marks: Iterable[Mark], rate: int) -> Iterator[bytes]:
    """The bytes of an annotation file, part by part.

    Args:
        marks: in order of time.
        rate: samples a second that the marks count, which the file tells.
    """
    yield _about(rate)
    last = channel = 0
    for mark in marks:
        yield _annotation(_CODES[mark.symbol], mark.sample - last)
        if mark.channel != channel:
            yield _word(_CHANNEL, mark.channel)
        last, channel = mark.sample, mark.channel
    yield _word(0, 0)


def _about(rate: int) -> bytes:
    """The note that tells the rate, and the mark behind notes: one sample after one before the start."""
    text = f"## time resolution: {rate}".encode()
    padded = text + b"\0" * (len(text) % 2)
    return _word(_NOTE, 0) + _word(_TEXT, len(text)) + padded + _skip(-1) + _word(0, 1)


def _annotation(code: int, distance: int) -> bytes:
    if 0 <= distance <= _LONGEST:
        return _word(code, distance)
    return _skip(distance) + _word(code, 0)


def _skip(distance: int) -> bytes:
    """A distance of 32 bits, its upper half first."""
    bits = distance & 0xFFFFFFFF
    return _word(_SKIP, 0) + struct.pack("<HH", bits >> 16, bits & 0xFFFF)


def _word(code: int, value: int) -> bytes:
    return struct.pack("<H", code << 10 | value)
