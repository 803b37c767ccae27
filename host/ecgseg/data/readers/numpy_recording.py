"""Reads arrays of numpy: one of a .npy in pieces, those of an .npz together; nothing in them is run.

An array of one dimension is a channel. Of two dimensions the longer one is time. It tells neither rate nor unit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.data.readers.column_names import is_time
from ecgseg.data.readers.common import (
    MAX_FILE_BYTES,
    NAME_LENGTH,
    check_counts,
    joined,
    rate_question,
    result_name,
    rows_of,
    signal_of,
    unreadable,
)
from ecgseg.data.recording import Channel, Recording, Signal, Told
from ecgseg.errors import ContentError
from ecgseg.files import (
    MAX_ARRAY_HEADER,
    ArrayHeader,
    array_header,
    checked_size,
    plain,
    read_arrays,
    read_file,
    read_part,
)

# An archive is unpacked as a whole.
MAX_ARCHIVE_BYTES = 256 << 20
_REMEDY = "Write it with numpy.save as plain numbers: [samples], or [samples, channels]."


def open_numpy(path: Path, told: Told) -> Recording:
    """The recording of a .npy or .npz file.

    Raises:
        DataError: it is none, damaged, of no numbers, or its rate is not told.
    """
    try:
        recording = (
            ArchiveRecording(path, told.rate or 1) if path.suffix.lower() == ".npz" else ArrayRecording(path, told)
        )
    except (OSError, ValueError) as error:
        raise unreadable(path, error, _REMEDY) from error
    if told.rate is None:
        raise rate_question(path, "An array of numpy does not tell.")
    return recording


class ArrayRecording:
    """The array of a .npy file, read in pieces.

    Args:
        path: the file.
        told: its rate.

    Attributes:
        name: of its results.
        channels: without names; their unit is not known.

    Raises:
        OSError: it cannot be read.
        ContentError: it is no array of numbers.
    """

    def __init__(self, path: Path, told: Told) -> None:
        self._path = path
        self.name = result_name(path.stem)
        size = checked_size(path, MAX_FILE_BYTES)
        header = array_header(read_part(path, 0, MAX_ARRAY_HEADER))
        samples, count, self._is_interleaved = _layout(header)
        if header.start + header.dtype.itemsize * samples * count != size:
            raise ContentError(
                f"its array of shape {header.shape} does not fit its {size} bytes: it was cut off, or grew"
            )
        self._header, self._count, self._samples = header, count, samples
        self.channels = tuple(Channel(number, "", "", told.rate or 1, samples) for number in range(count))

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        width = self._header.dtype.itemsize
        together = self._count if self._is_interleaved else 1
        start = self._header.start + (0 if self._is_interleaved else channel.number * self._samples * width)
        column = channel.number if self._is_interleaved else 0
        try:
            rows = rows_of(self._path, start, together * width, first, end)
            return joined(
                signal_of(np.frombuffer(data, self._header.dtype).reshape(-1, together)[:, column]) for data in rows
            )
        except (OSError, ValueError) as error:
            raise unreadable(self._path, error, _REMEDY) from error


class ArchiveRecording:
    """The arrays of an .npz file, each a channel of that name or, of two dimensions, several.

    Args:
        path: the file.
        rate: samples a second.

    Attributes:
        name: of its results.
        channels: their unit is not known. What is called a time, what is one number, and text are none.

    Raises:
        OSError: it cannot be read.
        ContentError: it is damaged, too large, or holds no numbers.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self.name = result_name(path.stem)
        self._signals: list[npt.NDArray[np.generic]] = []
        names: list[str] = []
        for key, array in _arrays(path).items():
            if array.dtype.kind not in "iuf" or not array.ndim or is_time(key):
                continue
            samples, count, is_interleaved = _layout(ArrayHeader(array.dtype, array.shape, False, 0))
            rows = array.reshape(samples, count).T if is_interleaved else array.reshape(count, samples)
            self._signals += list(rows)
            names += [plain(key, NAME_LENGTH) if count == 1 else f"{plain(key, NAME_LENGTH)}-{n}" for n in range(count)]
        check_counts(len(names), min((signal.size for signal in self._signals), default=0))
        self.channels = tuple(
            Channel(number, name, "", rate, signal.size)
            for number, (name, signal) in enumerate(zip(names, self._signals, strict=True))
        )

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        return signal_of(self._signals[channel.number][first:end])


def _arrays(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    try:
        return read_arrays(read_file(path, MAX_ARCHIVE_BYTES), MAX_ARCHIVE_BYTES)
    except OSError as error:
        if checked_size(path, MAX_FILE_BYTES) > MAX_ARCHIVE_BYTES:
            raise ContentError(
                f"it has more than {MAX_ARCHIVE_BYTES} bytes, and is unpacked as a whole: a .npy is read in pieces"
            ) from error
        raise


def _layout(header: ArrayHeader) -> tuple[int, int, bool]:
    """Samples and channels of an array, and whether the samples of all channels at one time lie together."""
    if header.dtype.kind not in "iuf":
        raise ContentError(f"it is of type {header.dtype}, not of numbers")
    if not 1 <= len(header.shape) <= 2:
        raise ContentError(f"it has {len(header.shape)} dimensions, not one or two")
    if len(header.shape) == 1:
        samples, count, is_interleaved = header.shape[0], 1, True
    else:
        rows, columns = header.shape
        if rows == columns:
            raise ContentError(f"its shape {header.shape} does not tell which of the two is time")
        samples, count = max(rows, columns), min(rows, columns)
        is_interleaved = (rows > columns) != header.is_fortran
    check_counts(count, samples)
    return samples, count, is_interleaved
