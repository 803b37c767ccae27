"""What a HIL test sends of a user's own files: their channels in parts, so that memory holds one part at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg.data.choice import Chosen, choose_channels
from ecgseg.data.inputs import Inputs
from ecgseg.data.opening import open_recording
from ecgseg.data.recording import Channel, Recording, Told, stretch
from ecgseg.data.records import Record
from ecgseg.errors import UsageError

FILE = "file"
"""Source of what comes from files of a user."""
PART_SECONDS = 600
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Opened:
    """A recording and what is sent of it."""

    recording: Recording
    chosen: Chosen


@dataclass(frozen=True)
class FileInputs(Inputs):
    """Channels of files, in parts of ten minutes; each part is a record of its own, which begins anew.

    Attributes:
        opened: the files.
        input_rate: of all of them, Hz.
    """

    opened: tuple[Opened, ...] = ()
    input_rate: int = 0

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.input_rate

    @property
    def count(self) -> int:
        """Channels of all parts together."""
        return sum(_parts(channel) for one in self.opened for channel in one.chosen.channels)

    @property
    def statement(self) -> str:
        """Where the ECG comes from, in one sentence."""
        return "Recordings of your own."

    def told(self) -> list[str]:
        """What is read, a line for each channel."""
        return [f"{one.recording.name}: {line}" for one in self.opened for line in one.chosen.told()]

    def __iter__(self) -> Iterator[Record]:
        number = 0
        for one in self.opened:
            parts = _most_parts(one)
            for part in range(parts):
                number += 1
                name = one.recording.name if parts == 1 else f"{one.recording.name}-{part + 1}"
                yield from self._part(one, part, number, name)

    def _part(self, one: Opened, part: int, number: int, name: str) -> Iterator[Record]:
        length = PART_SECONDS * self.input_rate
        names = _lead_names(one.chosen.channels)
        for channel, scale, lead in zip(one.chosen.channels, one.chosen.scales, names, strict=True):
            if part < _parts(channel):
                samples = stretch(one.recording, channel, scale, part * length, (part + 1) * length)
                yield Record(number, lead, self.input_rate, samples, (), "unknown", FILE, name)


def inputs_of_files(
    files: Sequence[Path], told: Told | None = None, channel: str | None = None, unit: str | None = None
) -> FileInputs:
    """Recordings of a user's own.

    Args:
        files: what `open_recording` takes; at least one.
        told: what the user says of all of them.
        channel, unit: as `choose_channels` takes them.

    Raises:
        DataError: a file cannot be read, or leaves a question open.
        UsageError: there is no such channel, or the files are of several rates.
    """
    recordings = [open_recording(path, told) for path in files]
    opened = tuple(Opened(recording, choose_channels(recording, channel, unit)) for recording in recordings)
    rates = sorted({one.chosen.rate for one in opened})
    if len(rates) > 1:
        raise UsageError(
            f"The files have several rates: {', '.join(f'{rate} Hz' for rate in rates)}.",
            "A device is built for one.",
            "Name files of one rate, and the others in another run.",
        )
    count = sum(map(_most_parts, opened))
    leads = tuple(dict.fromkeys(lead for one in opened for lead in _lead_names(one.chosen.channels)))
    return FileInputs(FILE, tuple(range(1, count + 1)), leads, opened=opened, input_rate=rates[0])


def _parts(channel: Channel) -> int:
    return -(-channel.samples // round(PART_SECONDS * channel.rate))


def _most_parts(one: Opened) -> int:
    return max(map(_parts, one.chosen.channels))


def _lead_names(channels: Sequence[Channel]) -> list[str]:
    """Names of leads, each another one: small letters, digits, `_` and `-`, as in the file names of kept vectors."""
    names: list[str] = []
    for channel in channels:
        name = re.sub(r"[^a-z0-9_-]", "_", channel.label.lower())[:_LONGEST_NAME]
        names.append(name if name not in names else f"{name[: _LONGEST_NAME - 4]}-{channel.number}")
    return names
