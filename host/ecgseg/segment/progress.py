"""What a run has finished, on disk, so that one that was stopped goes on: RECORD.progress, section after section.

A line of JSON that tells what is run, then of each finished section a line of JSON and the bytes of its events. Each is
appended whole and carries a hash; of a file that was cut off, as by a loss of power, what is whole counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, Field, ValidationError

from ecgseg import __version__
from ecgseg.errors import DataError, UsageError, cause
from ecgseg.files import plain
from ecgseg.output import append_to, discard, json_line, output_error, write_bytes
from ecgseg.pipeline.events import EVENT_BYTES
from ecgseg.segment.check import Difference
from ecgseg.segment.sections import LEAD_SECONDS, SECTION_SECONDS, TAIL_SECONDS

_LONGEST_LINE = 1 << 16
# More than any right device tells of a section.
_MOST_EVENTS = 1 << 20


class SentChannel(BaseModel):
    """A channel that is sent: its number and name, how many samples it has, and what its unit is in microvolts."""

    number: int
    name: str
    samples: int
    microvolts: float


class Run(BaseModel):
    """What is run; only the same goes on.

    Attributes:
        ecgseg: version of the program.
        recording, rate, channels: what is sent.
        target, model_sha256, bazett, check: where, through what and how.
        sections: seconds of a section, in front of it and behind it.
    """

    ecgseg: str = __version__
    recording: str
    rate: int
    channels: list[SentChannel]
    target: str
    model_sha256: str
    bazett: bool
    check: bool
    sections: tuple[int, int, int] = (SECTION_SECONDS, LEAD_SECONDS, TAIL_SECONDS)


class Finished(BaseModel):
    """A section that was sent to its end.

    Attributes:
        channel: its place among those that are sent, from 0.
        section: its number.
        samples_crc: CRC-32 of the samples of its stream, int16 little-endian.
        events: how many there are.
        events_sha256: of their bytes.
        compared_bytes, difference: as in `ChannelResult`.
    """

    channel: int = Field(ge=0)
    section: int = Field(ge=0)
    samples_crc: int = Field(ge=0, lt=1 << 32)
    events: int = Field(ge=0, le=_MOST_EVENTS)
    events_sha256: str
    compared_bytes: int = Field(ge=0)
    difference: Difference | None


def finished(
    place: tuple[int, int], samples_crc: int, events: bytes, compared_bytes: int, difference: Difference | None
) -> Finished:
    """What is told of a section: channel and number, and what came of it."""
    return Finished(
        channel=place[0],
        section=place[1],
        samples_crc=samples_crc,
        events=len(events) // EVENT_BYTES,
        events_sha256=hashlib.sha256(events).hexdigest(),
        compared_bytes=compared_bytes,
        difference=difference,
    )


class Progress:
    """The file of a run.

    Args:
        path: of the file.
        run: what is run.
        resumes: goes on with what the file has; else it is written anew, as soon as something is finished.

    Attributes:
        earlier: sections that are finished already, with the bytes of their events, in the order of sending.

    Raises:
        UsageError: the file is one of another run.
        DataError: it is none, or cannot be read.
    """

    def __init__(self, path: Path, run: Run, *, resumes: bool = False) -> None:
        self._path, self._run = path, run
        self._whole = 0
        self.earlier: list[tuple[Finished, bytes]] = []
        if resumes and path.exists():
            try:
                with path.open("rb") as file:
                    self._read(file)
            except OSError as error:
                raise DataError(
                    f"'{path}' could not be read.", cause(error, "The system does not say."), "Leave out --resume."
                ) from error
        self.is_begun = bool(self.earlier)

    def add(self, section: Finished, events: bytes) -> None:
        """Appends a section.

        Raises:
            OutputError: it cannot be written.
        """
        data = json_line(section) + events
        if self._whole:
            try:
                with self._path.open("r+b") as file:
                    self._whole = append_to(file, self._whole, data)
            except OSError as error:
                raise output_error(self._path, error) from error
        else:
            data = json_line(self._run) + data
            write_bytes(self._path, data)
            self._whole = len(data)
        self.is_begun = True

    def remove(self) -> None:
        """All is done.

        Raises:
            OutputError: it cannot be removed.
        """
        discard(self._path)

    def _read(self, file: BinaryIO) -> None:
        line = file.readline(_LONGEST_LINE)
        try:
            told = Run.model_validate_json(line)
        except ValidationError as error:
            raise DataError(
                f"'{self._path}' tells of no run that was stopped.", "It begins otherwise.", "Leave out --resume."
            ) from error
        self._require(told)
        self._whole = file.tell()
        while True:
            line = file.readline(_LONGEST_LINE)
            try:
                section = Finished.model_validate_json(line)
            except ValidationError:
                return
            if not line.endswith(b"\n"):
                return
            events = file.read(section.events * EVENT_BYTES)
            if hashlib.sha256(events).hexdigest() != section.events_sha256:
                return
            self.earlier.append((section, events))
            self._whole = file.tell()

    def _require(self, told: Run) -> None:
        """Refuses a file of another run, by what is another."""
        mine, its = self._run.model_dump(), told.model_dump()
        for name, words in _WORDS.items():
            if mine[name] != its[name]:
                raise UsageError(
                    f"The run that was stopped had {words}.",
                    f"It was {_shown(its[name])}, and is {_shown(mine[name])} now ({self._path}).",
                    "Type the command as it was, or leave out --resume: all is sent again then.",
                )


_WORDS = {
    "ecgseg": "another version of ecgseg",
    "recording": "another recording",
    "rate": "another rate",
    "channels": "other channels, units or lengths",
    "target": "another target",
    "model_sha256": "another model",
    "bazett": "another formula of QTc",
    "check": "another --check",
    "sections": "other sections",
}


def _shown(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        named = plain(str(value["name"] or value["number"]))
        return f"{named} of {value['samples']} samples, 1 is {value['microvolts']:.6g} microvolts"
    return plain(str(value))
