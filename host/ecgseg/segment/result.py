"""What became of a recording, for machines and for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import BaseModel

from ecgseg.data.recording import Channel
from ecgseg.data.writers.tables import LONE_P, ChannelEvents, stretches
from ecgseg.errors import EcgsegError
from ecgseg.interruption import Stopped
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.times import TICK_RATE
from ecgseg.segment.check import Difference
from ecgseg.segment.spool import Spool


class ChannelResult(BaseModel):
    """One channel.

    Attributes:
        channel: its number in the recording, from 0.
        name: what the recording calls it.
        seconds: of signal that the device got.
        complete: that is all there is.
        beats: how many it found.
        heart_rate: lowest, median and highest beats a minute, over up to eight intervals each; None without any.
        p_absent: share of the beats without a P wave; None without beats.
        quality: mean over the beats, percent; None without beats.
        seconds_of: of lead_off, flat, noisy, gap and overrun, where there was any.
        lone_p: P waves without a QRS complex.
        compared_bytes: that were equal to Python's, with `--check`.
        difference: the first that was not.
        picture: file name of its picture, empty where none was drawn.
        microvolts: of the unit that its values are in.
    """

    channel: int
    name: str
    seconds: float
    complete: bool
    beats: int
    heart_rate: tuple[float, float, float] | None
    p_absent: float | None
    quality: float | None
    seconds_of: dict[str, float]
    lone_p: int
    compared_bytes: int = 0
    difference: Difference | None = None
    picture: str = ""
    microvolts: float = 1000.0


class SegmentResult(BaseModel):
    """A recording.

    Attributes:
        recording: its name.
        target, model, model_sha256: what ran, and where.
        rate: of the recording's samples, Hz.
        checked: it was compared with Python.
        oracle: what computed there: "ecgseg's interpreter"; "" of what was not compared.
        complete: all channels were sent to their end.
        stopped_by: why not; empty otherwise.
        channels: those that were begun, in their order.
        files: what was written, by kind: annotations, beats, signal.
    """

    recording: str
    target: str
    model: str
    model_sha256: str
    rate: int
    checked: bool
    oracle: str = ""
    complete: bool
    stopped_by: str = ""
    channels: list[ChannelResult] = []
    files: dict[str, str] = {}


@dataclass(frozen=True)
class Done:
    """A channel that was sent, with its events.

    Attributes:
        channel, scale: of the recording.
        spool: its events.
        samples: raw ones that the device got.
        compared_bytes, difference: as in `ChannelResult`.
    """

    channel: Channel
    scale: float
    spool: Spool
    samples: int
    compared_bytes: int = 0
    difference: Difference | None = None

    @property
    def told(self) -> ChannelEvents:
        """What tables are made of."""
        seconds = self.samples / self.channel.rate
        return ChannelEvents(self.channel.label, self.spool, seconds, self.samples == self.channel.samples)


@dataclass
class Segmented:
    """What came of a recording; `error` says why it is not all, and is to be told."""

    done: list[Done] = field(default_factory=list)
    error: EcgsegError | Stopped | None = None


def channel_result(done: Done) -> ChannelResult:
    """The figures of a channel; its events are read once and none is kept."""
    told = done.told
    counts: Counter[str] = Counter()
    rates: Counter[int] = Counter()
    quality = 0
    for event in _beats(told.events):
        counts["beats"] += 1
        counts["p_absent"] += not (event.has(EventFlag.P_ON) or event.has(EventFlag.P_OFF))
        quality += event.quality
        if event.has(EventFlag.RR):
            rates[event.rate_tenths] += 1
    ticks: Counter[str] = Counter()
    for what, begin, end in stretches(told):
        counts[what] += 1
        ticks[what] += 0 if end is None else end - begin
    beats = counts["beats"]
    return ChannelResult(
        channel=done.channel.number,
        name=done.channel.name,
        seconds=told.seconds,
        complete=told.complete,
        beats=beats,
        heart_rate=_spread(rates),
        p_absent=counts["p_absent"] / beats if beats else None,
        quality=quality / beats if beats else None,
        seconds_of={what: count / TICK_RATE for what, count in sorted(ticks.items()) if what != LONE_P},
        lone_p=counts[LONE_P],
        compared_bytes=done.compared_bytes,
        difference=done.difference,
        microvolts=done.scale,
    )


def _beats(events: Iterable[Event]) -> Iterable[Event]:
    return (event for event in events if event.kind == EventKind.BEAT)


def _spread(rates: Counter[int]) -> tuple[float, float, float] | None:
    """Lowest, median and highest of tenths."""
    if not rates:
        return None
    left = (rates.total() - 1) // 2
    for rate in sorted(rates):
        left -= rates[rate]
        if left < 0:
            break
    return min(rates) / 10, rate / 10, max(rates) / 10
