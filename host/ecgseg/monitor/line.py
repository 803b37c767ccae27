"""One stream of a session through a device, and what it costs there."""

from __future__ import annotations

from ecgseg.monitor.bench import Desk, Stream
from ecgseg.monitor.joints import Joints
from ecgseg.monitor.state import Load
from ecgseg.monitor.tape import Take

# Signal over which costs are measured.
_SECONDS = 2.0


class Line:
    """A stream on its way.

    Args:
        desk: the device.
        stream: on it.
        take: what of the tape it is about.
        lead: the channel that it gets.
        second: of the take at which it begins.
        joints: where its recording begins again.

    Attributes:
        load: device time for a second of signal, over the last two; None at first.
        answer_ms: from a block that is sent until all of its answers are there, the mean of as long; None at first.
    """

    def __init__(self, desk: Desk, stream: Stream, take: Take, lead: int, second: int, joints: Joints) -> None:
        self.stream, self.take, self.lead, self.second, self.joints = stream, take, lead, second, joints
        self.load: Load | None = None
        self.answer_ms: float | None = None
        self._desk = desk
        self._begin()

    def _begin(self) -> None:
        self._ticks, self._samples, self._blocks, self._took = self.stream.ticks, 0, 0, 0.0

    def count(self, samples: int, took: float) -> None:
        """A block went through.

        Args:
            samples: of it.
            took: seconds.
        """
        self._samples += samples
        self._blocks += 1
        self._took += took
        seconds = self._samples / self.take.rate
        if seconds >= _SECONDS:
            self.load = self._desk.load(self.stream.ticks - self._ticks, seconds)
            self.answer_ms = round(1000 * self._took / self._blocks, 1)
            self._begin()
