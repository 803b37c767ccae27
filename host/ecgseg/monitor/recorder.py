"""Keeps what is shown: signals as WFDB, events as annotations and tables such as those of `invoke segment`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.data.recording import Channel
from ecgseg.data.writers.wfdb_signals import SignalWriter
from ecgseg.pipeline.events import Event
from ecgseg.pipeline.times import TICK_RATE
from ecgseg.segment.files import result_files, write_results
from ecgseg.segment.result import Done
from ecgseg.segment.spool import Spool

CLOSING_SECONDS = 4
"""Signal behind the end for which beats of before it are waited for: the latest are told 2 s after their R."""


class Recorder:
    """A recording that is being written.

    Args:
        folder: where to.
        name: of what is shown, letters, digits, `_` and `-`.
        channels: that are shown.
        rate: samples a second.
        first: sample of the take that is its first, at a whole second.

    Attributes:
        base: path of the recording without a suffix.

    Raises:
        OutputError: nothing can be written there; as of all methods.
    """

    def __init__(self, folder: Path, name: str, channels: Sequence[str], rate: int, first: int) -> None:
        self._rate, self._first, self._names = rate, first, channels
        self.base = _free(folder, f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
        self._writer = SignalWriter(self.base, rate, channels)
        self._kept = ExitStack()
        self._spools: dict[int, Spool] = {}
        self._numbers: dict[int, int] = {}
        self._last: int | None = None

    def add(self, samples: npt.NDArray[np.int16]) -> None:
        """Samples int16 [n, channels] that follow."""
        if self._last is None:
            self._writer.add(samples)

    def tell(self, lead: int, events: Iterable[Event]) -> None:
        """Events of a channel, with ticks of the take."""
        shift = self._first // self._rate * TICK_RATE
        for event in events:
            tick = event.tick - shift
            if tick < 0 or (self._last is not None and tick * self._rate >= (self._last - self._first) * TICK_RATE):
                continue
            if lead not in self._spools:
                self._spools[lead] = self._kept.enter_context(Spool(self.base.parent))
                self._numbers[lead] = 0
            self._spools[lead].add(replace(event, tick=tick, number=self._numbers[lead]).pack())
            self._numbers[lead] += 1

    def close(self, position: int) -> None:
        """No more samples; events of those that there are are still taken."""
        self._last = position

    def is_over(self, position: int) -> bool:
        """The last events have come."""
        return self._last is not None and position >= self._last + CLOSING_SECONDS * self._rate

    def end(self) -> bool:
        """Puts everything in its place; tells whether there was anything."""
        with self._kept:
            if not self._writer.samples:
                self._writer.drop()
                return False
            self._writer.end()
            done = [
                Done(self._channel(lead), 1.0, spool, self._writer.samples)
                for lead, spool in sorted(self._spools.items())
            ]
            write_results(result_files(self.base.parent, self.base.name), done, self._rate)
        return True

    def drop(self) -> None:
        """Gives up; nothing of it stays."""
        self._kept.close()
        self._writer.drop()

    def _channel(self, lead: int) -> Channel:
        return Channel(lead, self._names[lead], "mV", float(self._rate), self._writer.samples)


def _free(folder: Path, name: str) -> Path:
    """A path that nothing has yet."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    taken = (".hea", ".dat")
    return next(folder / one for one in names if not any((folder / (one + suffix)).exists() for suffix in taken))
