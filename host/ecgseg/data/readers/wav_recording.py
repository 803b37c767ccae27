"""Reads a WAV file in pieces: PCM of 8, 16, 24 and 32 bits, floating point of 32 and 64, any number of channels.

Its chunks are those of RIFF (Microsoft, Multimedia Programming Interface and Data Specifications 1.0, and mmreg.h for
WAVE_FORMAT_EXTENSIBLE). A WAV file knows its rate, but no unit: a sample is the number that is stored.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgseg.data.readers.common import MAX_FILE_BYTES, check_counts, joined, result_name, rows_of, signal_of, unreadable
from ecgseg.data.recording import Channel, Signal
from ecgseg.errors import ContentError
from ecgseg.files import checked_size, read_part

_MOST_CHUNKS = 1000
_FORMAT_BYTES = 40
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# In the place of a size that a program did not know while it wrote.
_UNKNOWN = 0xFFFFFFFF
_TYPES = {(_PCM, 8): "u1", (_PCM, 16): "<i2", (_PCM, 32): "<i4", (_FLOAT, 32): "<f4", (_FLOAT, 64): "<f8"}
_REMEDY = "Copy it anew, or write it anew as PCM of 16 bits (scipy.io.wavfile.write)."


@dataclass(frozen=True)
class _Form:
    """How samples are stored.

    Attributes:
        kind: _PCM or _FLOAT.
        bits: of a sample.
        channels: in a row.
        rate: rows a second.
    """

    kind: int
    bits: int
    channels: int
    rate: int

    @property
    def row_bytes(self) -> int:
        return self.channels * self.bits // 8


class WavRecording:
    """A WAV file, read in pieces.

    Args:
        path: the file.

    Attributes:
        name: of its results.
        channels: without names; their unit is not known.

    Raises:
        DataError: it is no WAV file, or cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = result_name(path.stem)
        try:
            self._form, self._start, size = _parsed(path)
            rows = size // self._form.row_bytes
            check_counts(self._form.channels, rows)
        except (OSError, ValueError) as error:
            raise unreadable(path, error, _REMEDY) from error
        self.channels = tuple(Channel(number, "", "", self._form.rate, rows) for number in range(self._form.channels))

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        form = self._form
        try:
            rows = rows_of(self._path, self._start, form.row_bytes, first, end)
            return joined(_signal(data, form, channel.number) for data in rows)
        except (OSError, ValueError) as error:
            raise unreadable(self._path, error, _REMEDY) from error


def _signal(data: bytes, form: _Form, channel: int) -> Signal:
    if (form.kind, form.bits) == (_PCM, 24):
        wide = np.frombuffer(data, np.uint8).reshape(-1, form.channels, 3)[:, channel].astype(np.int64)
        values = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
        values -= (values >> 23) << 24
        return Signal(values.astype(np.float64), (values == -(1 << 23)) | (values == (1 << 23) - 1))
    stored = np.frombuffer(data, _TYPES[form.kind, form.bits]).reshape(-1, form.channels)[:, channel]
    found = signal_of(stored)
    return found._replace(values=found.values - 128) if form.bits == 8 else found


def _parsed(path: Path) -> tuple[_Form, int, int]:
    """How samples are stored, and first byte and bytes of them."""
    file_size = checked_size(path, MAX_FILE_BYTES)
    head = read_part(path, 0, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise ContentError("it does not begin as a WAV file")
    form: _Form | None = None
    place = 12
    for _ in range(_MOST_CHUNKS):
        chunk = read_part(path, place, 8)
        if len(chunk) < 8:
            break
        name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        place += 8
        if name == b"fmt ":
            form = _form(read_part(path, place, min(size, _FORMAT_BYTES)))
        elif name == b"data":
            if form is None:
                raise ContentError("its samples come before their format")
            return form, place, _data_size(size, file_size - place)
        place += size + size % 2
    raise ContentError("it has no samples: it ends, or goes on for ever, before them")


def _data_size(told: int, held: int) -> int:
    if told in (0, _UNKNOWN):
        return held
    if told > held:
        raise ContentError(f"it tells of {told} bytes of samples and holds {held}: it was cut off")
    return told


def _form(data: bytes) -> _Form:
    if len(data) < 16:
        raise ContentError("its format is cut off")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", data[:16])
    if kind == _EXTENSIBLE and len(data) >= 26:
        kind = int.from_bytes(data[24:26], "little")
    if (kind, bits) not in _TYPES and (kind, bits) != (_PCM, 24):
        raise ContentError(f"its samples are of format {kind} with {bits} bits, not PCM or floating point")
    if not channels or not rate:
        raise ContentError(f"it tells of {channels} channels at {rate} samples a second")
    return _Form(kind, bits, channels, rate)
