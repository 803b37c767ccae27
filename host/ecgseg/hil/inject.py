"""Faults that a user asks for: what `--inject` says, and the wire that does it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ecgseg.errors import UsageError
from ecgseg.hil.faults import FaultPlan, FaultyPort
from ecgseg.hil.result import Injected
from ecgseg.link import Port

EXAMPLE = "drop=1e-3,flip=1e-3,dup=1e-3,insert=1e-4,delay=5ms,cut=60s"
CUT_SECONDS = 1.0
"""How long the line stays dead at each cut."""
_RATES = ("drop", "flip", "dup", "insert")
_SECONDS = {"ms": 0.001, "s": 1.0}
_LONGEST_DELAY = 10.0
_SHORTEST_CUT = 2.0


@dataclass(frozen=True)
class Faults:
    """What is done to the line.

    Attributes:
        text: as the user wrote it.
        plan: of both directions.
        seed: chooses the bytes.
    """

    text: str
    plan: FaultPlan
    seed: int = 1


@dataclass
class FaultyWire:
    """Puts the faults between a client and its port, and counts them."""

    faults: Faults
    _ports: list[FaultyPort] = field(default_factory=list)

    def __call__(self, port: Port) -> Port:
        """The port with faults."""
        plan = self.faults.plan
        self._ports.append(FaultyPort(port, to_device=plan, to_host=plan, seed=self.faults.seed))
        return self._ports[-1]

    def told(self) -> Injected:
        """What was done, for the result."""
        return Injected(
            faults=self.faults.text,
            seed=self.faults.seed,
            to_device=sum(port.to_device_faults.total for port in self._ports),
            to_host=sum(port.to_host_faults.total for port in self._ports),
        )


def parse_faults(text: str, seed: int = 1) -> Faults:
    """Reads `drop=1e-3,delay=5ms,cut=60s`.

    drop, flip, dup, insert: the probability that a byte is lost, has one bit changed, comes twice, has a random byte in
    front of it. delay: how long everything is held back in each direction. cut: every so often the line is dead for
    CUT_SECONDS, in both directions.

    Args:
        text: faults with their numbers, each at most once.
        seed: chooses the bytes; any number.

    Raises:
        UsageError: it says something else.
    """
    found: dict[str, float] = {}
    for item in text.split(","):
        name, equals, value = (part.strip() for part in item.partition("="))
        if name not in _READERS or not equals:
            raise _refused(f"--inject does not know '{item.strip()}'.", f"Known are: {', '.join(_READERS)}.")
        if name in found:
            raise _refused(f"--inject has {name} twice.", f"Given: {text}.")
        found[name] = _READERS[name](name, value)
    delay = found.get("delay", 0.0)
    plan = FaultPlan(
        drop=found.get("drop", 0.0),
        flip=found.get("flip", 0.0),
        duplicate=found.get("dup", 0.0),
        insert=found.get("insert", 0.0),
        delay=1.0 if delay else 0.0,
        delay_seconds=delay,
        cut_every_seconds=found.get("cut", 0.0),
        cut_seconds=CUT_SECONDS if "cut" in found else 0.0,
    )
    return Faults(text, plan, seed)


def _rate(name: str, value: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = math.nan
    if not 0.0 <= rate <= 1.0:
        raise _refused(f"--inject {name}={value} is no probability.", "It is a number from 0 to 1, such as 1e-3.")
    return rate


def _duration(name: str, value: str) -> float:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s)", value)
    if match is None:
        raise _refused(f"--inject {name}={value} is no duration.", "It is a number with ms or s behind it.")
    return float(match[1]) * _SECONDS[match[2]]


def _delay(name: str, value: str) -> float:
    seconds = _duration(name, value)
    if seconds > _LONGEST_DELAY:
        raise _refused(f"--inject {name}={value} is too long.", f"At most {_LONGEST_DELAY:.0f} s.")
    return seconds


def _cut(name: str, value: str) -> float:
    seconds = _duration(name, value)
    if seconds < _SHORTEST_CUT:
        raise _refused(
            f"--inject {name}={value} is too short.",
            f"The line is dead for {CUT_SECONDS:.0f} s of it, so it is at least {_SHORTEST_CUT:.0f} s.",
        )
    return seconds


_READERS: dict[str, Callable[[str, str], float]] = {**dict.fromkeys(_RATES, _rate), "delay": _delay, "cut": _cut}


def _refused(what: str, why: str) -> UsageError:
    return UsageError(what, why, f"For example: --inject {EXAMPLE}")
