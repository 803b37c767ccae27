"""What a soak sends when: records, faults of the line and restarts, drawn by its seed alone, window by window."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ecgseg.hil.faults import FaultPlan

Restart = Literal["told", "power"]
"""The device is told to restart; or its process is ended, and another one started."""
_POWER_SHARE = 0.2
_LOWEST, _HIGHEST = -5.0, -3.0  # powers of ten: faults a byte
_DELAY_SECONDS = 0.005
_KINDS = ("drop", "flip", "duplicate", "insert", "delay")


@dataclass(frozen=True)
class Sent:
    """A lead of a window.

    Attributes:
        lead: its place among those that are drawn from.
        samples: how many of its samples are sent; all but in front of a restart.
        faults: of the line while it is sent.
        seed: chooses the bytes that they hit.
        restart: what happens behind it, in the middle of another stream.
    """

    lead: int
    samples: int
    faults: FaultPlan | None = None
    seed: int = 0
    restart: Restart | None = None


@dataclass(frozen=True)
class Plan:
    """How a soak is drawn.

    Attributes:
        seed: draws it.
        sizes: samples of every lead that is drawn from.
        leads: of a window.
        faulty: probability that a lead is sent over a faulty line.
        restarts: probability of a restart behind a lead.
        power: the process of the target can be ended.
    """

    seed: int
    sizes: Sequence[int] = field(repr=False)
    leads: int
    faulty: float
    restarts: float
    power: bool

    def window(self, number: int) -> Iterator[Sent]:
        """The leads of a window; it is shorter when the process is ended in it."""
        draw = random.Random(f"{self.seed} {number}")
        for _ in range(self.leads):
            sent = self._lead(draw)
            yield sent
            if sent.restart == "power":
                return

    def _lead(self, draw: random.Random) -> Sent:
        lead = draw.randrange(len(self.sizes))
        size = self.sizes[lead]
        faults = _faults(draw) if draw.random() < self.faulty else None
        seed = draw.getrandbits(31)
        if draw.random() >= self.restarts:
            return Sent(lead, size, faults, seed)
        restart: Restart = "power" if self.power and draw.random() < _POWER_SHARE else "told"
        return Sent(lead, draw.randint(1, size), faults, seed, restart)


def _faults(draw: random.Random) -> FaultPlan:
    kind, rate = draw.choice(_KINDS), 10 ** draw.uniform(_LOWEST, _HIGHEST)
    return FaultPlan(
        drop=rate if kind == "drop" else 0.0,
        flip=rate if kind == "flip" else 0.0,
        duplicate=rate if kind == "duplicate" else 0.0,
        insert=rate if kind == "insert" else 0.0,
        delay=draw.random() if kind == "delay" else 0.0,
        delay_seconds=_DELAY_SECONDS,
    )
