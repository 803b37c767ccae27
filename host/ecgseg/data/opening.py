"""Finds the reader for a file that a user names."""

from __future__ import annotations

from pathlib import Path

from ecgseg.data.readers.wfdb_recording import WfdbRecording
from ecgseg.data.recording import Recording


def open_recording(path: Path) -> Recording:
    """The recording that a path names; of its samples nothing is read yet.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    return WfdbRecording(path)
