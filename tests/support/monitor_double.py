"""A target of a monitor that is none: it tells a beat each second, and dies when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from ecgseg.data.recording import Channel, Signal
from ecgseg.errors import LinkError, TargetError
from ecgseg.link.stream import Results
from ecgseg.monitor.bench import OnPhase
from ecgseg.monitor.sources import Source
from ecgseg.monitor.state import Load, Phase
from ecgseg.pipeline.events import Event, EventFlag, EventKind

TOLD_AFTER_S = 1


class StreamDouble:
    """Beats at 0.5 s, 1.5 s and so on of the stream, each told a second later; every class is that of the second."""

    def __init__(self, bench: BenchDouble, rate: int) -> None:
        self._bench, self._rate = bench, rate
        self.ticks = self.samples = self._beats = 0
        self.got: list[npt.NDArray[np.int16]] = []

    def push(self, samples: npt.NDArray[np.int16]) -> Iterator[Results]:
        if self._bench.is_dead:
            self._bench.is_dead = False
            raise LinkError("The device does not answer.")
        if not samples.size:
            return
        assert samples.ndim == 1
        self.got.append(samples)
        first = -(-self.samples * 100 // self._rate)
        self.samples += samples.size
        self.ticks += 10 * samples.size
        last = -(-self.samples * 100 // self._rate)
        events = b""
        while (self._beats + TOLD_AFTER_S + 0.5) * self._rate <= self.samples:
            events += beat(200 * self._beats + 100).pack()
            self._beats += 1
        yield Results(first, np.full(last - first, 2, np.uint8), 0, events)


def beat(tick: int) -> Event:
    """A beat with everything known."""
    known = EventFlag.P_ON | EventFlag.P_OFF | EventFlag.T_ON | EventFlag.T_OFF | EventFlag.RR | EventFlag.QTC
    return Event(
        tick, 0, 0, EventKind.BEAT, quality=90, flags=int(known), p_on=-30, p_off=-15, qrs_on=-8, qrs_off=8, t_on=40,
        t_off=70, rr_ms=1000, rate_tenths=600, pr_ms=110, qrs_ms=80, qt_ms=390, qtc_ms=390,
    )  # fmt: skip


class DeskDouble:
    """A device; keeps its streams."""

    def __init__(self, bench: BenchDouble, rate: int) -> None:
        self._bench, self._rate = bench, rate

    def begin(self) -> StreamDouble:
        self._bench.streams.append(StreamDouble(self._bench, self._rate))
        return self._bench.streams[-1]

    def load(self, ticks: int, seconds: float) -> Load:
        return Load(ticks / seconds, "instructions", None, "counted")


class BenchDouble:
    """Where they are started.

    Attributes:
        is_dead: the next samples end the device.
        refuses: so many starts fail.
        starts: rate of every start.
        streams: that were begun.
    """

    def __init__(self) -> None:
        self.is_dead = False
        self.refuses = 0
        self.starts: list[int] = []
        self.streams: list[StreamDouble] = []

    @contextmanager
    def opened(self, rate: int, on_phase: OnPhase) -> Iterator[DeskDouble]:
        on_phase(Phase.STARTING)
        self.starts.append(rate)
        if self.refuses:
            self.refuses -= 1
            raise TargetError("The target cannot be started.", "It is a double.", "Try again.")
        yield DeskDouble(self, rate)


class Ramp:
    """A recording of three channels: sample n of channel c is n modulo 1000, plus 1000 c.

    Args:
        rate: samples a second.
        seconds: how long it is.
        names: of the channels.
    """

    def __init__(self, rate: int = 100, seconds: int = 60, names: tuple[str, ...] = ("i", "ii", "v1")) -> None:
        self.name = "ramp"
        self.channels = tuple(
            Channel(number, name, "uV", float(rate), rate * seconds) for number, name in enumerate(names)
        )

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        values = np.arange(first, end, dtype=np.float64) % 1000 + 1000 * channel.number
        return Signal(values, np.zeros(end - first, np.bool_))


def ramp(rate: int = 100, seconds: int = 60, label: str = "A ramp") -> Source:
    """It as a source."""
    return Source(label, lambda: Ramp(rate, seconds))


class Clock:
    """Seconds that pass by themselves, a bit each time they are looked at.

    Args:
        step: seconds.
    """

    def __init__(self, step: float = 0.02) -> None:
        self.now, self._step = 0.0, step

    def __call__(self) -> float:
        self.now += self._step
        return self.now
