"""Finds the reader for a file that a user names: by its suffix, of a table also by how it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ecgseg.data.readers.apple_health import apple_header, open_apple
from ecgseg.data.readers.common import unreadable
from ecgseg.data.readers.edf_recording import EdfRecording
from ecgseg.data.readers.numpy_recording import open_numpy
from ecgseg.data.readers.table_layout import HEAD_BYTES
from ecgseg.data.readers.table_recording import open_table
from ecgseg.data.readers.wav_recording import WavRecording
from ecgseg.data.readers.wfdb_recording import WfdbRecording
from ecgseg.data.recording import Channel, Recording, Signal, Told
from ecgseg.errors import DataError, UsageError
from ecgseg.files import is_file, plain, read_part

TABLES = (".csv", ".tsv", ".txt")
ARRAYS = (".npy", ".npz")
# Formats that tell their rate, by suffix; what has another suffix is WFDB.
_WITH_RATE: dict[str, Callable[[Path], Recording]] = {".wav": WavRecording}
_WITH_RATE |= dict.fromkeys((".edf", ".bdf", ".rec"), EdfRecording)


def open_recording(path: Path, told: Told | None = None) -> Recording:
    """The recording that a path names; of its samples little or nothing is read yet.

    Args:
        path: the file; of WFDB the header, or the recording's name without a suffix.
        told: what a user says beside it.

    Raises:
        DataError: there is none, it cannot be read, or it leaves a question open.
        UsageError: something is told that does not apply to it.
    """
    told = told or Told()
    suffix = path.suffix.lower()
    if suffix in TABLES and is_file(path):
        return _table(path, told)
    if told.columns is not None:
        raise UsageError(
            "--columns says what the columns of a table are.",
            f"'{plain(str(path))}' is none.",
            f"Leave it out. Read as a table: {', '.join(TABLES)}.",
        )
    if suffix in ARRAYS and is_file(path):
        return open_numpy(path, told)
    read = _WITH_RATE.get(suffix, WfdbRecording) if is_file(path) else WfdbRecording
    return _at_rate(read(path), told)


def _table(path: Path, told: Told) -> Recording:
    try:
        header = apple_header(read_part(path, 0, HEAD_BYTES))
        if header is None:
            return open_table(path, told)
        return open_apple(path, header, told)
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "Export it anew from Apple Health, and leave it as it is.") from error


def _at_rate(recording: Recording, told: Told) -> Recording:
    """The recording at the rate that is told in the place of its own."""
    return recording if told.rate is None else _AtRate(recording, told.rate)


class _AtRate:
    """A recording whose file tells a wrong rate.

    Args:
        recording: as its file has it.
        rate: samples a second of all its channels.

    Raises:
        DataError: it has channels of several rates.
    """

    def __init__(self, recording: Recording, rate: int) -> None:
        self._recording = recording
        self.name = recording.name
        if len({channel.rate for channel in recording.channels}) > 1:
            raise DataError(
                f"The channels of '{recording.name}' have several rates.",
                "--rate says one of all of them.",
                "Leave out --rate.",
            )
        self.channels = tuple(replace(channel, rate=float(rate)) for channel in recording.channels)

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        return self._recording.read(self._recording.channels[channel.number], first, end)
