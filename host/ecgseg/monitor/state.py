"""What a viewer is told beside signal and events: one value, replaced whole, that any thread may read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ecgseg.monitor.noise import NO_NOISE
from ecgseg.pipeline.events import Event, EventFlag
from ecgseg.pipeline.times import TICK_RATE

STALE_SECONDS = 5.0
"""Figures of a beat are shown for so long."""
SEARCHING = "looks for beats"


class Phase(StrEnum):
    """How far a session is.

    Attributes:
        BUILDING: the firmware is rendered and built.
        STARTING: the target starts.
        RUNNING: signal goes through it.
        LOST: it has ended, or does not answer; it is started again in a moment.
        ENDED: the session is over.
    """

    BUILDING = "building"
    STARTING = "starting"
    RUNNING = "running"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class Load:
    """What a stream costs its device.

    Attributes:
        a_second: device time, in `unit`, for a second of signal.
        unit: as of a result's `Timing`.
        share: of the time there is, 0 to 1, where the device's time is one; None where it counts.
        quality: "counted", "modelled" or "measured".
    """

    a_second: float
    unit: str
    share: float | None
    quality: str


@dataclass(frozen=True)
class Figures:
    """What the newest beat tells, and what the stream costs; None for what is not known.

    Attributes:
        heart_rate: beats a minute, over up to eight intervals.
        pr_ms, qrs_ms, qt_ms, qtc_ms: of the beat.
        formula: of QTc.
        quality: of its QRS complex, percent.
        latency_s: from R until the beat was told, in signal.
        signal: "good", SEARCHING, or the states it is in: "lead off", "flat", "noisy".
        load: of the device.
        answer_ms: from a block that is sent until all of its answers are there.
        slipped_s: how much the signal is late, because the target is slower than it.
    """

    heart_rate: float | None = None
    pr_ms: int | None = None
    qrs_ms: int | None = None
    qt_ms: int | None = None
    qtc_ms: int | None = None
    formula: str = ""
    quality: int | None = None
    latency_s: float | None = None
    signal: str = SEARCHING
    load: Load | None = None
    answer_ms: float | None = None
    slipped_s: float = 0.0


@dataclass(frozen=True)
class Trouble:
    """What is wrong, why, and what to do: the three parts of an error."""

    what: str
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class State:
    """A session.

    Attributes:
        version: grows with every change.
        phase: how far it is.
        trouble: why it is lost, or what a wish came to that could not be done; None for nothing.
        source: place of the recording among those that can be chosen.
        name: of the recording.
        channels: names of its channels.
        lead: place of the one that the target takes.
        noise: one of NOISES.
        length: samples until the recording begins again.
        writing: path of the recording that is being written; "" for none.
        written: path of the last one that was.
        figures: of the newest beat.
        starts: how often the target was started.
    """

    version: int = 0
    phase: Phase = Phase.BUILDING
    trouble: Trouble | None = None
    source: int = 0
    name: str = ""
    channels: tuple[str, ...] = ()
    lead: int = 0
    noise: str = NO_NOISE
    length: int = 0
    writing: str = ""
    written: str = ""
    figures: Figures = Figures()
    starts: int = 0


def beat_figures(beat: Event, position: int, rate: int) -> Figures:
    """Figures of a beat that was just told.

    Args:
        beat: with ticks from the start of the signal.
        position: samples so far.
        rate: samples a second.
    """
    has_qtc = beat.has(EventFlag.QTC)
    return Figures(
        heart_rate=beat.rate_tenths / 10 if beat.has(EventFlag.RR) else None,
        pr_ms=beat.pr_ms if beat.has(EventFlag.P_ON) else None,
        qrs_ms=beat.qrs_ms,
        qt_ms=beat.qt_ms if beat.has(EventFlag.T_OFF) else None,
        qtc_ms=beat.qtc_ms if has_qtc else None,
        formula=("Bazett" if beat.has(EventFlag.BAZETT) else "Fridericia") if has_qtc else "",
        quality=beat.quality,
        latency_s=round(position / rate - beat.tick / TICK_RATE, 3),
    )
