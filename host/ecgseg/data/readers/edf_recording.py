"""Reads EDF, EDF+ and BDF in pieces, through pyEDFlib; of files with gaps, which it refuses, without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.data.readers.common import check_counts, result_name, unreadable
from ecgseg.data.readers.edf_gaps import EdfGaps
from ecgseg.data.readers.edf_header import Line, read_header
from ecgseg.data.recording import Channel, Signal
from ecgseg.errors import ContentError

_REMEDY = "Copy it anew, or write it anew as EDF+ without gaps (EDF+C)."


class EdfRecording:
    """An EDF, EDF+ or BDF file, read in pieces.

    Args:
        path: the file.

    Attributes:
        name: of its results.
        channels: its signals, without annotations.

    Raises:
        DataError: it is none, cut off, or the times of its gaps (EDF+D) are no times.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = result_name(path.stem)
        try:
            header = read_header(path)
            self._lines = tuple(line for line in header.lines if line.is_signal)
            check_counts(len(self._lines), header.records * min((line.samples for line in self._lines), default=0))
            check_counts(1, header.records * max(line.samples for line in self._lines))
            self._gaps = EdfGaps(path, header) if header.has_gaps else None
        except (OSError, ValueError) as error:
            raise unreadable(path, error, _REMEDY) from error
        self.channels = tuple(
            Channel(number, line.label, line.unit, line.samples / header.seconds, self._samples(line, header.records))
            for number, line in enumerate(self._lines)
        )
        # What else the library wants of a header is known before anything is sent.
        self.read(self.channels[0], 0, 1)

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        line = self._lines[channel.number]
        try:
            if self._gaps is not None:
                return self._gaps.read(line, first, end)
            # Slow to import, and not needed where nothing is read.
            import pyedflib

            # The library prints what it finds wrong: not before the file is what it was.
            read_header(self._path)
            # It opens no file twice at a time.
            file: Any = pyedflib.EdfReader(str(self._path), annotations_mode=pyedflib.DO_NOT_READ_ANNOTATIONS)
            with file:
                stored = np.asarray(file.readSignal(channel.number, first, end - first, digital=True), np.int64)
            if stored.size != end - first:
                raise ContentError(f"it ends before sample {end}")
        except (OSError, ValueError, LookupError, AttributeError) as error:
            raise unreadable(self._path, error, _REMEDY) from error
        return line.values(stored)

    def _samples(self, line: Line, records: int) -> int:
        return line.samples * records if self._gaps is None else self._gaps.samples(line)
