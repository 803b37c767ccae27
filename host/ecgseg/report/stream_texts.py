"""What a HIL test of a stream found, in words and rows: the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping

from ecgseg.hil.stream_result import StreamResult
from ecgseg.report.texts import Row, closing_rows, link_rows, memory_text, tested_rows, time_note
from ecgseg.scoring.delineation import DelineationScores

DEVICE = "Device"


def summary_rows(result: StreamResult) -> list[Row]:
    """Name and value of everything worth a line."""
    streams, *device = stream_rows(result)
    answers, *device = device
    rows = [*tested_rows(result), streams, answers, *link_rows(result), *device]
    rows += [("Work", work_text(result))] if result.timing.parts else []
    rows.append(("Memory", memory_text(result)))
    return [*rows, *closing_rows(result)]


def stream_rows(result: StreamResult) -> list[Row]:
    """What was streamed and answered, then what the device told of its stream."""
    rows = [
        ("Streams", f"{result.streams:,} of {result.planned_streams:,}, {result.signal_seconds:,.1f} s of signal"),
        ("Answers", f"{result.samples:,} classes, {result.events:,} events"),
    ]
    if result.stream:
        told = result.stream
        rows.append(("Looks ahead", f"{told.look_ahead_ms} ms, in blocks of {10 * told.block} ms"))
        rows.append(("Stream", f"{told.memory_bytes:,} B of RAM, {told.state_bytes:,} B of them the network's state"))
    return rows


def work_text(result: StreamResult) -> str:
    """Device time for a second of signal, with its unit."""
    (spread,) = result.timing.parts.values()
    extremes = f"{spread.min:,.0f} to {spread.max:,.0f}"
    return f"{spread.mean:,.0f} {result.timing.unit} a second of signal ({extremes}, {time_note(result)})"


def reached(result: StreamResult) -> str:
    """How far a test came."""
    records = f"{len(result.records):,} of {result.planned_records:,} records"
    return f"{result.streams:,} of {result.planned_streams:,} streams, {records}"


def all_scores(result: StreamResult) -> Mapping[str, DelineationScores]:
    """Scores of the device, then of its peers, by name."""
    return ({DEVICE: result.scores} if result.scores else {}) | result.peers


def point_rows(scores: DelineationScores) -> list[tuple[str, str, str, str]]:
    """Of each kind of point: name, F1 and sensitivity in percent, mean and SD of the error in ms."""
    return [
        (name, f"{100 * s.f1:.2f}", f"{100 * s.sensitivity:.2f}", f"{s.mean_ms:+.1f} ± {s.sd_ms:.1f}")
        for name, s in scores.fiducials.items()
        if s.true_positives + s.false_negatives + s.false_positives
    ]


def beat_rows(scores: DelineationScores) -> list[tuple[str, str, str, str]]:
    """Of each interval and of the heart rate: name, how many, median absolute error, and more of it."""
    rows = [
        (name, f"{s.beats:,} beats", f"{s.median_ms:.0f} ms", f"{s.mean_ms:+.1f} ± {s.sd_ms:.1f} ms")
        for name, s in scores.intervals.items()
    ]
    if scores.rate:
        rate = scores.rate
        within = f"{100 * rate.within_1_bpm:.1f} % within 1/min"
        rows.append(("Heart rate", f"{rate.leads:,} leads", f"{rate.median_bpm:.2f}/min", within))
    if scores.p_false_positives_per_minute is not None:
        rows.append(("P invented", "", f"{scores.p_false_positives_per_minute:.1f} a minute", ""))
    return rows


def rhythm_rows(scores: Mapping[str, DelineationScores]) -> list[tuple[str, ...]]:
    """By rhythm: leads, F1 of each onset in percent, P invented a minute, leads within 1 bpm in percent."""
    rows = []
    for rhythm, found in sorted(scores.items(), key=lambda item: (-item[1].leads, item[0])):
        onsets = [_f1(found, f"{wave} onset") for wave in ("P", "QRS", "T")]
        invented = found.p_false_positives_per_minute
        rate = f"{100 * found.rate.within_1_bpm:.0f}" if found.rate else "–"
        rows.append((rhythm, str(found.leads), *onsets, "–" if invented is None else f"{invented:.1f}", rate))
    return rows


def _f1(scores: DelineationScores, name: str) -> str:
    point = scores.fiducials.get(name)
    known = point is not None and point.true_positives + point.false_negatives
    return f"{100 * point.f1:.1f}" if point is not None and known else "–"
