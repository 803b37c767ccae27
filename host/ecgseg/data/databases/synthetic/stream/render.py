"""From the excitations of a heart to the millivolts of a lead and the waves that an annotator would mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecgseg.data.databases.synthetic.sampling import Float64, Rng
from ecgseg.data.databases.synthetic.stream.look import Look
from ecgseg.data.databases.synthetic.stream.patient import Patient
from ecgseg.data.databases.synthetic.stream.shapes import Placed, place
from ecgseg.data.databases.synthetic.stream.timeline import Beat, Timeline
from ecgseg.data.databases.synthetic.waves import bump, ramp
from ecgseg.data.records import Wave

_WIDE_S = 0.12
# Waves lower than these shares of QRS, or than twice the noise, are not seen.
_SEEN = {"P": 0.018, "T": 0.03}
_APART = 2
_SHORTEST = 4
# How much of the way down from its peak a wave must have gone before the next may begin, to be told from it.
_DESCENT = 0.35


@dataclass(frozen=True)
class Interval:
    """A beat with its place in time: onset, end of QRS, end of T; seconds."""

    beat: Beat
    onset: float
    qrs_end: float
    t_onset: float
    t_end: float


def intervals(patient: Patient, beats: Sequence[Beat]) -> list[Interval]:
    """Durations of QRS and T of every beat. QT follows the mean of the last RR intervals (L. S. Fridericia's cube root)
    and leaves room before the next beat."""
    result = []
    onsets = [beat.onset for beat in beats]
    for index, beat in enumerate(beats):
        recent = np.diff(onsets[max(0, index - 4) : index + 1])
        rr = float(recent.mean()) if recent.size else 0.8
        following = onsets[index + 1] - beat.onset if index + 1 < len(beats) else rr
        wide = beat.origin != "conducted"
        width = max(patient.qrs_duration, 0.14) if wide else patient.qrs_duration
        width = min(width, 0.45 * following)
        qrs_end = beat.onset + width
        qt = (patient.qtc + 0.6 * max(0.0, width - 0.1)) * float(np.clip(rr, 0.3, 1.6)) ** (1 / 3)
        end = min(max(beat.onset + qt, qrs_end + 0.1), qrs_end + 0.92 * (following - width))
        # ST segments are short or long: T takes from two thirds to nearly all of what QRS leaves.
        t_onset = qrs_end + (0.02 + 0.32 * _chance(patient)) * (end - qrs_end)
        result.append(Interval(beat, beat.onset, qrs_end, t_onset, end))
    return result


def _chance(patient: Patient) -> float:
    """A number from 0 to 1 that is the patient's own."""
    return (patient.qtc * 1000.0) % 1.0


def render(
    patient: Patient, look: Look, timeline: Timeline, samples: int, floor: float, rng: Rng
) -> tuple[Float64, tuple[Wave, ...]]:
    """One lead without noise.

    Args:
        patient, look, timeline: what to draw.
        samples: of the recording.
        floor: millivolts below which noise hides a wave.
        rng: of what differs from beat to beat.

    Returns:
        Millivolts [samples] and the waves that lie wholly inside.
    """
    total = np.zeros(samples)
    beats = intervals(patient, timeline.beats)
    drawn: list[tuple[str, Placed]] = []
    breath = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.35), patient.wobble
    for interval in beats:
        size = 1 + breath[2] * np.sin(breath[0] + 2 * np.pi * breath[1] * interval.onset)
        size *= 1 + 0.02 * float(rng.standard_normal())
        drawn += _ventricles(patient, look, interval, size, total)
    for onset, ectopic in timeline.atrial:
        shape, height = (look.ectopic_p, look.ectopic_p_height) if ectopic else (look.p, look.p_height)
        room = min((i.onset - onset for i in beats if i.onset > onset + 0.05), default=1.0)
        duration = min(patient.p_duration, room - 0.006) if room < patient.p_duration + 0.03 else patient.p_duration
        drawn.append(("P", place(shape, onset, duration, height * (1 + 0.05 * float(rng.standard_normal())))))
    for _, placed in drawn:
        placed.add_to(total)
    return total, _annotation(drawn, samples, look.size, floor, patient.tangent)


def _ventricles(
    patient: Patient, look: Look, interval: Interval, size: float, total: Float64
) -> list[tuple[str, Placed]]:
    """QRS and T of a beat; ST, U and spikes, which are no waves, are added to the recording at once."""
    origin = interval.beat.origin
    qrs = place(look.qrs[origin], interval.onset, interval.qrs_end - interval.onset, size)
    wide = interval.qrs_end - interval.onset > _WIDE_S
    shape, height = (look.wide_t, look.wide_t_heights[origin]) if wide else (look.t, look.t_height)
    wave = place(shape, interval.t_onset, interval.t_end - interval.t_onset, size * height)
    _st(look.st if not wide else 0.25 * height, interval, size).add_to(total)
    if look.u_height:
        place(lambda u: bump(u, 0.0, 1.0, 0.45), interval.t_end + 0.03, 0.16, size * look.u_height).add_to(total)
    if origin == "paced" and patient.spike:
        place(lambda u: bump(u, 0.0, 1.0), interval.onset - 0.012, 0.006, patient.spike).add_to(total)
    return [("QRS", qrs), ("T", wave)]


def _st(level: float, interval: Interval, size: float) -> Placed:
    """The level that QRS ends at, which goes over into T."""
    begin, middle = interval.qrs_end - 0.02, 0.5 * (interval.t_onset + interval.t_end)
    length = middle - begin
    rise = 0.02 / length
    return place(lambda u: ramp(u, 0.0, rise) * (1 - ramp(u, 0.4, 1.0)), begin, length, size * level)


def _annotation(
    drawn: list[tuple[str, Placed]], samples: int, size: float, floor: float, tangent: float
) -> tuple[Wave, ...]:
    """Waves as an annotator sees them: of those that lie upon each other, only what can be told apart."""
    ends = [(kind, placed.ends(kind, tangent), placed) for kind, placed in drawn]
    complexes = [span for kind, span, _ in ends if kind == "QRS"]
    waves: list[Wave] = []
    for kind, span, placed in sorted(ends, key=lambda end: (end[1], end[0])):
        if kind == "P" and any(first - _APART <= placed.peak <= last for first, last in complexes):
            continue
        faint = kind != "QRS" and placed.height < max(_SEEN[kind] * size, 2 * floor)
        waves = _joined(waves, _marked(kind, span, placed.peak, complexes, faint=faint))
    return tuple(wave for wave in _in_order(waves) if min(wave.points) >= 0 and max(wave.points) < samples)


def _marked(kind: str, span: tuple[int, int], peak: int, complexes: Sequence[tuple[int, int]], *, faint: bool) -> Wave:
    """A wave by itself. P ends where QRS begins, at the latest; of a faint or very short one only the peak is known."""
    onset, offset = span
    if kind == "P":
        offset = min([offset, *(first - _APART for first, _ in complexes if peak < first)])
    peak = min(max(peak, onset), offset)
    return Wave(kind, None, peak, None) if faint or offset - onset < _SHORTEST else Wave(kind, onset, peak, offset)


def _in_order(waves: Sequence[Wave]) -> Iterator[Wave]:
    """Waves of which the peak alone is known give way to the marks of their neighbours."""
    last = -(10**9)
    for index, wave in enumerate(waves):
        if len(wave.points) == 1:
            following = min((min(other.points) for other in waves[index + 1 : index + 3]), default=10**9)
            peak = min(max(last + 1, wave.points[0]), following - 1)
            if peak <= last:
                continue
            wave = Wave(wave.kind, None, peak, None)
        last = max(wave.points)
        yield wave


def _joined(waves: list[Wave], wave: Wave) -> list[Wave]:
    """Adds a wave; of two that lie upon each other one ends where the other begins, or neither can be told."""
    before = waves[-1] if waves else None
    if before is None or not before.complete or not wave.complete:
        return [*waves, wave]
    if wave.points[0] > before.points[2] + 1:
        return [*waves, wave]
    return [*waves[:-1], *_told_apart(before, wave)]


def _told_apart(before: Wave, wave: Wave) -> tuple[Wave, Wave]:
    (begin, peak, end), (onset, top, offset) = before.points, wave.points
    if before.kind == "QRS":
        begin = end + _APART
        if offset - begin < _SHORTEST:
            return before, Wave(wave.kind, None, top, None)
        return before, Wave(wave.kind, begin, max(top, begin), offset)
    far_down = onset - _APART > peak + _DESCENT * (end - peak)
    if far_down and (wave.kind == "QRS" or before.kind == "T"):
        return Wave(before.kind, begin, peak, onset - _APART), wave
    blurred = Wave(before.kind, begin if before.kind == "T" else None, peak, None)
    return blurred, wave if wave.kind == "QRS" else Wave(wave.kind, None, max(top, peak + 1), None)
