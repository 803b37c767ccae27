"""What was shown last: samples, classes and events of some minutes, written by one thread and read by many."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import MODEL_RATE
from ecgseg.pipeline.events import Event

HISTORY_SECONDS = 600
_MOST_EVENTS = 8192


@dataclass(frozen=True)
class Take:
    """What is on a tape.

    Attributes:
        number: counts recordings that were begun; samples are counted from the start of one.
        epoch: counts leads that were chosen; classes and events are those of one.
        rate: samples a second.
        channels: how many.
    """

    number: int
    epoch: int
    rate: int
    channels: int


class Told(NamedTuple):
    """An event, and how many samples there were when it was told."""

    event: Event
    at: int


class Piece(NamedTuple):
    """A stretch of samples [n, channels] or classes [n]; `first` counts from the start of the take."""

    first: int
    values: npt.NDArray[np.int16] | npt.NDArray[np.uint8]


class Tape:
    """The last ten minutes.

    Args:
        seconds: how much is kept.
    """

    def __init__(self, seconds: int = HISTORY_SECONDS) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._take = Take(0, 0, MODEL_RATE, 1)
        self._load(self._take)

    def begin(self, rate: int, channels: int) -> Take:
        """A recording begins; nothing of the one before is kept."""
        with self._lock:
            self._load(Take(self._take.number + 1, self._take.epoch + 1, rate, channels))
            return self._take

    def change(self, first_class: int) -> Take:
        """Another lead is looked at: classes and events are forgotten, samples stay.

        Args:
            first_class: of the classes that come.
        """
        with self._lock:
            take = self._take
            self._take = Take(take.number, take.epoch + 1, take.rate, take.channels)
            self._forget(first_class)
            return self._take

    def _load(self, take: Take) -> None:
        self._take = take
        self._samples = np.zeros((self._seconds * take.rate, take.channels), np.int16)
        self._classes = np.zeros(self._seconds * MODEL_RATE, np.uint8)
        self._head = 0
        self._forget(0)

    def _forget(self, first_class: int) -> None:
        self._first_class = self._class_head = first_class
        self._events: deque[Told] = deque(maxlen=_MOST_EVENTS)
        self._event_head = 0

    @property
    def take(self) -> Take:
        """What is on it."""
        with self._lock:
            return self._take

    @property
    def head(self) -> int:
        """Samples so far."""
        with self._lock:
            return self._head

    def add_samples(self, samples: npt.NDArray[np.int16]) -> None:
        """Samples [n, channels] that follow."""
        with self._lock:
            places = np.arange(self._head, self._head + len(samples)) % len(self._samples)
            self._samples[places] = samples
            self._head += len(samples)

    def add_classes(self, first: int, classes: npt.NDArray[np.uint8]) -> None:
        """Classes from a place on; what is there already stays."""
        with self._lock:
            new = classes[max(0, self._class_head - first) :]
            if first > self._class_head:
                self._first_class = self._class_head = first
            places = np.arange(self._class_head, self._class_head + new.size) % self._classes.size
            self._classes[places] = new
            self._class_head += new.size

    def add_events(self, events: Sequence[Event]) -> None:
        """Events that follow; their ticks count from the start of the take."""
        with self._lock:
            self._events.extend(Told(event, self._head) for event in events)
            self._event_head += len(events)

    def samples(self, first: int, most: int) -> Piece:
        """At most so many samples from a place on, or from the first that is kept."""
        with self._lock:
            first = min(max(first, self._head - len(self._samples), 0), self._head)
            places = np.arange(first, min(first + most, self._head)) % len(self._samples)
            return Piece(first, self._samples[places])

    def classes(self, first: int, most: int) -> Piece:
        """The same of classes."""
        with self._lock:
            oldest = max(self._first_class, self._class_head - self._classes.size)
            first = min(max(first, oldest), self._class_head)
            places = np.arange(first, min(first + most, self._class_head)) % self._classes.size
            return Piece(first, self._classes[places])

    def events(self, first: int) -> tuple[int, list[Told]]:
        """Events from a number on, or from the first that is kept, and the number of the next one."""
        with self._lock:
            kept = self._event_head - len(self._events)
            skipped = max(first - kept, 0)
            return self._event_head, list(self._events)[skipped:] if skipped < len(self._events) else []
