"""A channel on its way: section by section through a device, what is found joined and kept."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.data.recording import Channel, Recording, pieces
from ecgseg.errors import DataError
from ecgseg.link.stream import Results
from ecgseg.segment.check import Comparison, Difference
from ecgseg.segment.progress import Finished, Progress, finished
from ecgseg.segment.result import Done
from ecgseg.segment.sections import Joint, Section, sections_of
from ecgseg.segment.spool import Spool

# Sent at a time: how often progress is told, and how much is lost of what a device had found when it is stopped.
_SECONDS_AT_ONCE = 2

Samples = npt.NDArray[np.int16]
Stream = Callable[[Iterable[Samples]], Iterator[Results]]


@dataclass(frozen=True)
class Step:
    """How far it is.

    Attributes:
        channel: that runs.
        index: its place among those that are sent, from 0.
        done, total: seconds of its signal.
        equal: no byte differed so far.
    """

    channel: Channel
    index: int
    done: float
    total: float
    equal: bool


OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Outgoing:
    """What is sent.

    Attributes:
        recording, channel, scale: the samples.
        index: place of the channel among those that are sent.
        rate: samples a second.
    """

    recording: Recording
    channel: Channel
    scale: float
    index: int
    rate: int

    def pieces(self, section: Section) -> Iterator[Samples]:
        """The samples of a section's stream."""
        return pieces(self.recording, self.channel, self.scale, section.first, section.last)


class Sending:
    """A channel on its way.

    Args:
        outgoing: the channel.
        spool: gets its events.
        folder: of results.
        comparison: makes what compares a stream with Python; None where nothing is compared.
        progress: what is finished is kept there; None where nothing is.
        on_step: is told how far it is.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        spool: Spool,
        folder: Path,
        comparison: Callable[[], Comparison] | None,
        progress: Progress | None,
        on_step: OnStep,
    ) -> None:
        self._outgoing, self._spool, self._folder = outgoing, spool, folder
        self._comparison, self._progress, self._on_step = comparison, progress, on_step
        self._left = sections_of(outgoing.channel.samples, outgoing.rate)
        self._joint = Joint()
        self._samples = self._compared = 0
        self._difference: Difference | None = None

    @property
    def done(self) -> Done:
        """What was found until now."""
        sent = self._outgoing
        return Done(sent.channel, sent.scale, self._spool, self._samples, self._compared, self._difference)

    @property
    def is_done(self) -> bool:
        """Nothing is left to be sent."""
        return not self._left

    def take(self, earlier: Iterable[tuple[Finished, bytes]]) -> None:
        """Takes sections that are finished from an earlier run, of this channel, from its first on.

        Raises:
            DataError: the recording has other samples than it had.
        """
        for told, events in earlier:
            if self._left and (told.channel, told.section) == (self._outgoing.index, self._left[0].number):
                section = self._left.pop(0)
                self._require_same(section, told.samples_crc)
                self._spool.add(events)
                self._samples = section.end
                self._compared += told.compared_bytes
                self._difference = self._difference or told.difference
        self._joint.follow(self._spool)

    def run(self, stream: Stream) -> None:
        """Sends what is left, and tells how far it is."""
        self._tell()
        while self._left:
            self._send(self._left[0], stream)
            self._left.pop(0)
        self._tell()

    def _send(self, section: Section, stream: Stream) -> None:
        """Sends a section; what is found until it stops is kept, whatever stops it."""
        comparison = None if self._difference or self._comparison is None else self._comparison()
        with Spool(self._folder) as told:
            parts = _Parts(self._outgoing, section, comparison, self._sent)
            try:
                for results in stream(parts):
                    told.add(results.events)
                    if comparison:
                        comparison.answered(results)
                if comparison:
                    comparison.ended()
            except BaseException:
                self._keep(section, told, comparison, is_whole=False)
                raise
            # A section is kept and counted as finished, or neither.
            with interruption.held():
                compared = self._compared
                events = self._keep(section, told, comparison, is_whole=True)
                if self._progress:
                    place = self._outgoing.index, section.number
                    counts = self._compared - compared, self._difference
                    self._progress.add(finished(place, parts.crc, events, *counts), events)

    def _keep(self, section: Section, told: Spool, comparison: Comparison | None, *, is_whole: bool) -> bytes:
        """Joins the events of a section to those before; returns them."""
        if not is_whole and self._samples <= section.begin:
            events = b""
        else:
            events = b"".join(event.pack() for event in self._joint.join(section, told, is_whole=is_whole))
        self._spool.add(events)
        if comparison:
            self._compared += comparison.compared_bytes
            self._difference = comparison.difference
            if self._difference:
                since = {"since_s": section.first_second}
                self._difference = self._difference.model_copy(update=since)
        return events

    def _require_same(self, section: Section, crc: int) -> None:
        found = 0
        for piece in self._outgoing.pieces(section):
            found = _added(found, piece)
            interruption.check()
        if found != crc:
            channel = self._outgoing.channel
            raise DataError(
                f"'{self._outgoing.recording.name}' is not what it was when the run was stopped.",
                f"The samples of channel {channel.label} from second {section.first_second} on are others.",
                "Leave out --resume: all of it is sent again then.",
            )

    def _sent(self, section: Section, samples: int, comparison: Comparison | None) -> None:
        self._samples = section.counted(samples)
        self._tell(comparison)
        interruption.check()

    def _tell(self, comparison: Comparison | None = None) -> None:
        sent = self._outgoing
        equal = self._difference is None and (comparison is None or comparison.difference is None)
        self._on_step(Step(sent.channel, sent.index, self._samples / sent.rate, sent.channel.seconds, equal))


class _Parts:
    """A section in small parts; one counts as sent when the next is asked for.

    Attributes:
        crc: of the samples that were asked for.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        section: Section,
        comparison: Comparison | None,
        on_sent: Callable[[Section, int, Comparison | None], None],
    ) -> None:
        self._outgoing, self._section = outgoing, section
        self._comparison, self._on_sent = comparison, on_sent
        self.crc = 0

    def __iter__(self) -> Iterator[Samples]:
        length = round(_SECONDS_AT_ONCE * self._outgoing.rate)
        sent = 0
        for piece in self._outgoing.pieces(self._section):
            for first in range(0, piece.size, length):
                part = piece[first : first + length]
                if self._comparison:
                    self._comparison.sent(part)
                self.crc = _added(self.crc, part)
                yield part
                sent += part.size
                self._on_sent(self._section, sent, self._comparison)


def _added(crc: int, samples: Samples) -> int:
    return zlib.crc32(np.ascontiguousarray(samples, dtype="<i2").tobytes(), crc)
