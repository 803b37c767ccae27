"""Events on disk while a recording runs: of days of ECG, memory holds one event at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from ecgseg.output import output_error
from ecgseg.pipeline.events import EVENT_BYTES, Event

_AT_ONCE = 1024 * EVENT_BYTES


class Spool:
    """Events in the order in which they came, in a file without a name: whatever ends this process takes it along.

    Args:
        folder: on the disk that results go to.

    Raises:
        OutputError: nothing can be written there; as of `add`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise output_error(folder, error) from error

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, events: bytes) -> None:
        """Appends events as they lie in the device's memory."""
        try:
            self._file.seek(0, 2)
            self._file.write(events)
            self._file.flush()
        except OSError as error:
            raise output_error(self._folder, error) from error

    def __iter__(self) -> Iterator[Event]:
        place = 0
        while True:
            # Several may read at once, each from where it is.
            self._file.seek(place)
            data = self._file.read(_AT_ONCE)
            for at in range(0, len(data) - EVENT_BYTES + 1, EVENT_BYTES):
                yield Event.unpack(data[at : at + EVENT_BYTES])
            place += len(data)
            if len(data) < _AT_ONCE:
                return
