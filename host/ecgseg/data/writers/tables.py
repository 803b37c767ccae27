"""Writes beats, and what became of the signal, as tables (CSV, RFC 4180); every column tells its unit.

A field that is not known is empty. Times are seconds from the recording's first sample.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ecgseg.pipeline.events import POINTS_OF_A_BEAT, Event, EventFlag, EventKind
from ecgseg.pipeline.times import TICK_RATE
from ecgseg.printable import printable

BEAT_COLUMNS = (
    "channel",
    "r_s",
    "p_onset_s",
    "p_offset_s",
    "qrs_onset_s",
    "qrs_offset_s",
    "t_onset_s",
    "t_offset_s",
    "rr_ms",
    "heart_rate_bpm",
    "pr_ms",
    "qrs_ms",
    "qt_ms",
    "qtc_ms",
    "qtc_formula",
    "p_absent",
    "r_mv",
    "quality_percent",
)
SIGNAL_COLUMNS = ("channel", "what", "begin_s", "end_s", "duration_s")

BEGINS = {
    EventKind.LEAD_OFF_BEGIN: "lead_off",
    EventKind.FLAT_BEGIN: "flat",
    EventKind.NOISY_BEGIN: "noisy",
}
ENDS = {
    EventKind.LEAD_OFF_END: "lead_off",
    EventKind.FLAT_END: "flat",
    EventKind.NOISY_END: "noisy",
}
LOSSES = {EventKind.GAP: "gap", EventKind.OVERRUN: "overrun"}
LONE_P, COMPLETE, STOPPED = "p_without_qrs", "complete", "stopped"


@dataclass(frozen=True)
class ChannelEvents:
    """What was found in a channel.

    Attributes:
        name: of the channel.
        events: in the order in which the device told them.
        seconds: of the channel, as far as the device got it.
        complete: it got all of it.
    """

    name: str
    events: Iterable[Event]
    seconds: float
    complete: bool


def beat_table(channels: Iterable[ChannelEvents]) -> Iterator[str]:
    """Lines of the table of beats, one a beat, channel by channel."""
    yield _line(BEAT_COLUMNS)
    for channel in channels:
        name = cell(channel.name)
        for event in channel.events:
            if event.kind == EventKind.BEAT:
                yield _line((name, *beat_fields(event)))


def beat_fields(event: Event) -> Iterator[str]:
    """A beat in the columns behind the channel's name."""
    has_p = event.has(EventFlag.P_ON) or event.has(EventFlag.P_OFF)
    yield f"{(16 * event.tick + event.r_fine) / (16 * TICK_RATE):.4f}"
    for name, flag in POINTS_OF_A_BEAT:
        yield _seconds(event.tick + getattr(event, name)) if event.has(flag) else ""
    has_rr, has_qtc = event.has(EventFlag.RR), event.has(EventFlag.QTC)
    yield str(event.rr_ms) if has_rr else ""
    yield f"{event.rate_tenths / 10:.1f}" if has_rr else ""
    yield str(event.pr_ms) if event.has(EventFlag.P_ON) else ""
    yield str(event.qrs_ms)
    yield str(event.qt_ms) if event.has(EventFlag.T_OFF) else ""
    yield str(event.qtc_ms) if has_qtc else ""
    yield ("bazett" if event.has(EventFlag.BAZETT) else "fridericia") if has_qtc else ""
    yield "0" if has_p else "1"
    yield f"{event.r_uv / 1000:.3f}"
    yield str(event.quality)


def signal_table(channels: Iterable[ChannelEvents]) -> Iterator[str]:
    """Lines of the table of stretches without beats to trust, lone P waves, and how far each channel was done."""
    yield _line(SIGNAL_COLUMNS)
    for channel in channels:
        for fields in signal_fields(channel):
            yield _line((cell(channel.name), *fields))


def signal_fields(channel: ChannelEvents) -> Iterator[tuple[str, str, str, str]]:
    """What is no beat, in the columns behind the channel's name: what, begin, end and duration."""
    for what, begin, end in stretches(channel):
        known = ("", "") if end is None else (_seconds(end), _seconds(end - begin))
        yield what, _seconds(begin), *known
    done = f"{channel.seconds:.3f}"
    yield COMPLETE if channel.complete else STOPPED, "0.000", done, done


def stretches(channel: ChannelEvents) -> Iterator[tuple[str, int, int | None]]:
    """Kind, first tick and last tick of what is no beat; the last is None where it is not known."""
    last = round(channel.seconds * TICK_RATE)
    open_since: dict[str, int] = {}
    for event in channel.events:
        if event.kind in BEGINS:
            open_since[BEGINS[EventKind(event.kind)]] = event.tick
        elif event.kind in ENDS:
            what = ENDS[EventKind(event.kind)]
            yield what, open_since.pop(what, event.tick - event.length), event.tick
        elif event.kind in LOSSES:
            yield LOSSES[EventKind(event.kind)], event.tick, event.tick + event.length
        elif event.kind == EventKind.LONE_P:
            yield LONE_P, event.tick, event.tick + event.p_off if event.has(EventFlag.P_OFF) else None
    for what, begin in open_since.items():
        yield what, begin, max(last, begin)


def cell(text: str) -> str:
    """Words of a file as a field: on one line, and no formula to a program that calculates with tables."""
    shown = printable(text)
    return f"'{shown}" if shown[:1] in tuple("=+-@") else shown


def _seconds(tick: int) -> str:
    return f"{tick / TICK_RATE:.3f}"


def _line(fields: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()
