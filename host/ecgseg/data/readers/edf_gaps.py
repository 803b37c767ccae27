"""Reads EDF+ and BDF+ whose records of data do not follow one another (EDF+D), which pyEDFlib refuses.

Each record tells when it begins, in front of its annotations; between two of them nothing was recorded.
B. Kemp, J. Olivan, European data format 'plus', Clinical Neurophysiology 114 (2003) 1755-1761.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.data.readers.common import check_counts, rows_of
from ecgseg.data.readers.edf_header import Header, Line
from ecgseg.data.recording import Signal
from ecgseg.errors import ContentError

# The first annotation of a record: seconds since the file's start, and no text.
_ONSET = re.compile(rb"([+-]\d{1,9}(?:\.\d{1,9})?)\x14\x14")

# Times of records are often those of a clock in milliseconds; what is less than two of them, or a sample, is no gap.
_ROUNDING_S = 0.002
# Of a sample: so much a time in decimals may be beside it.
_SLACK = 0.1


class EdfGaps:
    """The samples of a file with gaps.

    Args:
        path: the file, as long as its header promises.
        header: of it.

    Raises:
        OSError: it cannot be read.
        ContentError: it does not tell when its records begin, or that one begins before the one in front has ended.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path, self._header = path, header
        onsets = self._onsets()
        self._starts = {line.number: self._starts_of(line, onsets) for line in header.lines if line.is_signal}
        check_counts(1, max(self.samples(line) for line in header.lines if line.is_signal))

    def samples(self, line: Line) -> int:
        """How many a signal has, gaps included."""
        return int(self._starts[line.number][-1]) + line.samples

    def read(self, line: Line, first: int, end: int) -> Signal:
        """The samples first .. end - 1 of a signal, NaN in gaps.

        Raises:
            OSError, ContentError: they cannot be read.
        """
        values, at_rail = np.full(end - first, np.nan), np.zeros(end - first, np.bool_)
        starts = self._starts[line.number]
        record, last = (int(np.searchsorted(starts, place, "right")) for place in (first, end - 1))
        record = max(record - 1, 0)
        for stored in self._records(line, record, last):
            place = starts[record : record + len(stored), None] + np.arange(line.samples) - first
            inside = (place >= 0) & (place < end - first)
            part = line.values(stored[inside])
            values[place[inside]], at_rail[place[inside]] = part
            record += len(stored)
        return Signal(values, at_rail)

    def _records(self, line: Line, first: int, end: int) -> Iterator[npt.NDArray[np.int64]]:
        """Stored numbers of a signal, int64 [records, samples], a few megabytes of the file at a time."""
        header = self._header
        place = header.place(line)
        for data in rows_of(self._path, header.first_byte, header.record_bytes, first, end):
            part = np.frombuffer(data, np.uint8).reshape(-1, header.record_bytes)[:, place]
            yield _numbers(part.reshape(len(part), -1, header.sample_bytes))

    def _onsets(self) -> npt.NDArray[np.float64]:
        """Seconds at which the records begin."""
        header = self._header
        line = next((line for line in header.lines if not line.is_signal), None)
        if line is None:
            raise ContentError("it has gaps (EDF+D), and no annotations that tell where")
        place = header.place(line)
        onsets: list[float] = []
        for data in rows_of(self._path, header.first_byte, header.record_bytes, 0, header.records):
            interruption.check()
            for begin in range(0, len(data), header.record_bytes):
                told = _ONSET.match(data, begin + place.start, begin + place.stop)
                if told is None:
                    raise ContentError(f"it has gaps (EDF+D), and does not tell when record {len(onsets)} begins")
                onsets.append(float(told[1]))
        return np.array(onsets)

    def _starts_of(self, line: Line, onsets: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Number of the first sample of each record: behind the one in front, or later, where its time says so."""
        rate = line.samples / self._header.seconds
        rounding = max(1.0, _ROUNDING_S * rate)
        backward = np.flatnonzero(np.diff(onsets) * rate <= line.samples - rounding)
        if backward.size:
            raise ContentError(f"its record {backward[0] + 1} begins before the one in front of it has ended")
        starts: list[int] = []
        end = 0
        for place in ((onsets - onsets[0]) * rate).tolist():
            starts.append(round(place) if place - end > rounding - _SLACK else end)
            end = starts[-1] + line.samples
        return np.array(starts)


def _numbers(stored: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Little-endian two's complement of 2 or 3 bytes, uint8 [records, samples, bytes]."""
    size = stored.shape[-1]
    found = sum(stored[..., byte].astype(np.int64) << 8 * byte for byte in range(size))
    return np.asarray(found - ((found >> 8 * size - 1) << 8 * size))
