"""What can be shown: recordings of one's own, LUDB's records, synthetic ECG; each repeats itself at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.data.choice import choose_channels
from ecgseg.data.databases.ludb import PATIENTS, find_ludb
from ecgseg.data.databases.synthetic import LEADS, RATE, RHYTHMS, synthesise
from ecgseg.data.opening import open_recording
from ecgseg.data.recording import Channel, Recording, Signal, Told, scale_of, stretch
from ecgseg.errors import DataError, UsageError
from ecgseg.pipeline import LEAD_OFF
from ecgseg.printable import printable

MOST_CHANNELS = 12
_BLOCK_SECONDS = 5
_MOST_LABEL = 60

Int16 = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Source:
    """A recording that can be chosen.

    Attributes:
        label: what a user sees of it, one line.
        open: opens it; raises DataError.
        channel, unit: what the user said of it; None for nothing.
    """

    label: str
    open: Callable[[], Recording]
    channel: str | None = None
    unit: str | None = None


def sources_of(
    files: Sequence[Path],
    ludb: Path | None = None,
    told: Told | None = None,
    channel: str | None = None,
    unit: str | None = None,
) -> list[Source]:
    """All that can be chosen: the user's files first, then LUDB where it is, then synthetic ECG.

    Args:
        files: of the user.
        ludb: folder of LUDB.
        told, channel, unit: what the user says of the files.

    Raises:
        DataError: `ludb` names a folder without LUDB.
    """
    found = [
        Source(printable(path.name)[:_MOST_LABEL], partial(open_recording, path, told), channel, unit) for path in files
    ]
    folder = find_ludb(ludb)
    own = None if files else channel
    if folder is not None:
        found += [
            Source(f"LUDB {number}", partial(open_recording, folder / "data" / str(number)), own)
            for number in range(1, PATIENTS + 1)
        ]
    found += [
        Source(f"Synthetic: {rhythm}", partial(Synthetic, number, rhythm), own) for number, rhythm in enumerate(RHYTHMS)
    ]
    return found


class Synthetic:
    """Synthetic ECG of twelve leads as a recording.

    Args:
        number: makes it another one.
        rhythm: one of RHYTHMS.

    Attributes:
        name, channels: as of every recording.
    """

    def __init__(self, number: int, rhythm: str) -> None:
        records = synthesise(number + 1, rhythm, LEADS, rng=np.random.default_rng([2026, number]))
        self.name = f"synthetic-{rhythm.replace(' ', '-')}"
        self._leads = [record.samples for record in records]
        self.channels = tuple(
            Channel(index, record.lead, "uV", float(RATE), record.samples.size) for index, record in enumerate(records)
        )

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        samples = self._leads[channel.number][first:end]
        values = np.where(samples == LEAD_OFF, np.nan, samples.astype(np.float64))
        return Signal(values, np.zeros(samples.size, np.bool_))


class Feed:
    """The channels of a recording that are shown, without an end.

    Args:
        source: the recording; `channel` is the lead to begin with.

    Attributes:
        name: of the recording, letters, digits, `_` and `-`.
        channels: at most 12, of one rate, all of them voltages.
        scales: microvolts of each one's unit.
        rate: samples a second.
        length: samples until it repeats itself.
        lead: place of the lead to begin with among the channels.

    Raises:
        DataError: it cannot be read, or has no channel that is ECG.
        UsageError: it has no such channel.
    """

    def __init__(self, source: Source) -> None:
        self._recording = source.open()
        self.name = self._recording.name
        chosen = choose_channels(self._recording, source.channel, source.unit)
        if len(chosen.channels) > 1:
            raise UsageError(
                "--channel names several channels.",
                "The target takes one; all are shown.",
                "Name the one that it takes.",
            )
        (first,) = chosen.channels
        alike = (channel for channel in self._recording.channels if _is_like(channel, first, source.unit))
        others = [channel for channel in alike if channel != first][: MOST_CHANNELS - 1]
        self.channels = tuple(sorted([first, *others], key=lambda channel: channel.number))
        self.scales = tuple(scale_of(source.unit or channel.unit) or 1.0 for channel in self.channels)
        self.rate, self.length = chosen.rate, first.samples
        self.lead = self.channels.index(first)
        if not self.length:
            raise DataError(f"'{self.name}' holds no samples.", "", "Choose another recording.")
        self._blocks: dict[int, Int16] = {}

    def read(self, first: int, end: int) -> Int16:
        """Samples first .. end - 1, int16 [n, channels] microvolts, counted on when the recording begins again."""
        parts = []
        while first < end:
            place = first % self.length
            number, inside = divmod(place, _BLOCK_SECONDS * self.rate)
            part = self._block(number)[inside : inside + end - first]
            parts.append(part)
            first += len(part)
        return np.concatenate(parts) if parts else np.empty((0, len(self.channels)), np.int16)

    def _block(self, number: int) -> Int16:
        if number not in self._blocks:
            size = _BLOCK_SECONDS * self.rate
            columns: list[Any] = [
                stretch(self._recording, channel, scale, number * size, (number + 1) * size)
                for channel, scale in zip(self.channels, self.scales, strict=True)
            ]
            # The one before is still asked for where a stream begins again.
            self._blocks = {**{n: b for n, b in self._blocks.items() if n == number - 1}, number: np.stack(columns, 1)}
        return self._blocks[number]


def _is_like(channel: Channel, first: Channel, unit: str | None) -> bool:
    """A voltage that was taken together with the first channel."""
    together = channel.rate == first.rate and channel.samples == first.samples
    return together and scale_of(unit or channel.unit) is not None
