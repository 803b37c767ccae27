"""A device that finds a beat every second whatever it hears: what it answers is known without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.link.stream import Results
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.times import TICK_RATE

Samples = npt.NDArray[np.int16]
FLAGS = EventFlag.P_ON | EventFlag.P_OFF | EventFlag.T_ON | EventFlag.T_OFF | EventFlag.RR | EventFlag.QTC


def beat(number: int, **changed: int) -> Event:
    """The beat half a second after second `number`; of every fourth no P wave was found."""
    told = {"flags": int(FLAGS), "quality": 90, "p_on": -36, "p_off": -16, "qrs_on": -9, "qrs_off": 10, "t_on": 30}
    told |= {"t_off": 70, "rr_ms": 1000, "rate_tenths": 600, "pr_ms": 135, "qrs_ms": 95, "qt_ms": 395, "qtc_ms": 395}
    if number % 4 == 3:
        told |= {"flags": int(FLAGS & ~(EventFlag.P_ON | EventFlag.P_OFF)), "p_on": 0, "p_off": 0, "pr_ms": 0}
    return Event(TICK_RATE * number + TICK_RATE // 2, number, 0, EventKind.BEAT, **(told | changed))


def metronome(
    rate: int, *, event: Callable[[int], Event] = beat, on_samples: Callable[[int], None] = lambda count: None
) -> Any:
    """In the place of `ecgseg.segment.runner.opened`.

    Args:
        rate: raw samples a second that it expects to be asked for.
        event: what it finds in a second.
        on_samples: is told how many samples it got so far, and may raise what a device may.
    """

    def listen(parts: Iterable[Samples]) -> Iterator[Results]:
        heard = told = 0
        for part in parts:
            heard += part.size
            on_samples(heard)
            events = b"".join(event(number).pack() for number in range(told, heard // rate))
            yield Results(0, np.empty(0, np.uint8), told, events)
            told = heard // rate

    @contextmanager
    def opened(options: object, asked: int, on_wait: object) -> Iterator[Any]:
        assert asked == rate
        yield listen

    return opened
