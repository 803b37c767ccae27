"""Compares what a device finds with Python, byte for byte, while it runs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field

from ecgseg.graph.streaming import MOST_ROWS
from ecgseg.link.stream import Results
from ecgseg.pipeline.delineator import Delineation, Delineator
from ecgseg.pipeline.events import EVENT_BYTES


class Difference(BaseModel):
    """The first byte that differs.

    Attributes:
        what: "class" or "event".
        number: of the class (a sample at 100 Hz) or the event, from 0.
        expected, actual: bytes of it on the host and from the device, hexadecimal; empty where there is none.
        since_s: second of the recording at which the stream began that it is of.
    """

    what: Literal["class", "event"]
    number: int
    expected: str = Field(pattern="^[0-9a-f]*$")
    actual: str = Field(pattern="^[0-9a-f]*$")
    since_s: int = 0


class _Pair:
    """Bytes of one kind from both sides, of which those that are equal are forgotten."""

    def __init__(self, what: Literal["class", "event"], size: int) -> None:
        self._what, self._size = what, size
        self.expected, self.actual = bytearray(), bytearray()
        self.compared = 0

    def compare(self, *, at_end: bool = False) -> Difference | None:
        """The first difference in what both sides have told; at the end also what only one side has."""
        length = min(len(self.expected), len(self.actual))
        length -= length % self._size
        if self.expected[:length] != self.actual[:length]:
            equal = (self.expected[at] == self.actual[at] for at in range(length))
            return self._difference(next(at for at, same in enumerate(equal) if not same))
        del self.expected[:length], self.actual[:length]
        self.compared += length
        return self._difference(0) if at_end and (self.expected or self.actual) else None

    def _difference(self, at: int) -> Difference:
        first = at - at % self._size
        part = slice(first, first + self._size)
        number = (self.compared + first) // self._size
        expected, actual = bytes(self.expected[part]), bytes(self.actual[part])
        return Difference(what=self._what, number=number, expected=expected.hex(), actual=actual.hex())


class Comparison:
    """One channel on both sides.

    Args:
        model: bytes of the .tflite.
        rate: of the raw samples, Hz.
        after_bazett: as the device was told.

    Attributes:
        difference: the first, None while every byte is equal.
    """

    def __init__(self, model: bytes, rate: int, *, after_bazett: bool) -> None:
        self._twin = Delineator(model, rate, after_bazett=after_bazett, block=MOST_ROWS)
        self._classes, self._events = _Pair("class", 1), _Pair("event", EVENT_BYTES)
        self.difference: Difference | None = None

    @property
    def compared_bytes(self) -> int:
        """Bytes that were equal."""
        return self._classes.compared + self._events.compared

    def sent(self, samples: npt.NDArray[np.int16]) -> None:
        """The device is given these samples."""
        if self.difference is None:
            self._expect(self._twin.push(samples))

    def answered(self, results: Results) -> None:
        """The device has answered."""
        if self.difference is None:
            self._classes.actual += results.classes.tobytes()
            self._events.actual += results.events
            self.difference = self._classes.compare() or self._events.compare()

    def ended(self) -> None:
        """The device has answered all."""
        if self.difference is None:
            self._expect(self._twin.end())
            self.difference = self._classes.compare(at_end=True) or self._events.compare(at_end=True)

    def _expect(self, found: Delineation) -> None:
        self._classes.expected += found.classes.tobytes()
        for event in found.events:
            self._events.expected += event.pack()
