"""What may be said about a target when it is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from ecgseg.link import DEFAULT_BAUD, Port


class TimingCase(StrEnum):
    """Which end of a range of cycles counts, where the core's documentation gives a range."""

    BEST = "best"
    EXPECTED = "expected"
    WORST = "worst"


@dataclass(frozen=True)
class SimulatorOptions:
    """What can be different about a simulated part and how it is used.

    Attributes:
        trim: INFO1 trim revision.
        probe: a debug probe is attached: the cycle counter counts (facts 2.8).
        deliver_faults: faults go to the program's handlers, as on the part, instead of stopping the simulation.
        timing: of the timing model.
    """

    trim: int = 6
    probe: bool = False
    deliver_faults: bool = False
    timing: TimingCase = TimingCase.EXPECTED


@dataclass(frozen=True)
class TargetOptions:
    """What a user may say about a target; each target uses what concerns it.

    Attributes:
        port: serial port of a real board, e.g. /dev/ttyACM0.
        baud: baud rate.
        serial_number: serial number of the debug probe, when several are plugged in.
        start_seconds: how long a start may take until the first answer.
        answer_seconds: first wait for an answer; None for what suits the target.
        wire: puts something between the port and its client, such as faults.
        simulator: of a target whose time is modelled.
    """

    port: str | None = None
    baud: int = DEFAULT_BAUD
    serial_number: str | None = None
    start_seconds: float = 20.0
    answer_seconds: float | None = None
    wire: Callable[[Port], Port] | None = None
    simulator: SimulatorOptions = field(default_factory=SimulatorOptions)
