"""What a lead shows of beats: where each wave lies, and its voltage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgseg.data.databases.synthetic.rhythms import Beat, Patient, p_span, qrs_duration, t_span
from ecgseg.data.databases.synthetic.sampling import RATE, Float64, Rng
from ecgseg.data.records import Wave

# Nominal amplitudes in millivolts of P, Q, R, S, T in each lead of a healthy adult.
PROFILE = {
    "i": (0.08, -0.05, 0.60, -0.10, 0.20),
    "ii": (0.13, -0.06, 1.00, -0.15, 0.28),
    "iii": (0.07, -0.08, 0.50, -0.15, 0.10),
    "avr": (-0.10, 0.05, -0.75, 0.12, -0.24),
    "avl": (0.04, -0.05, 0.35, -0.15, 0.08),
    "avf": (0.10, -0.07, 0.70, -0.15, 0.18),
    "v1": (0.05, 0.00, 0.20, -0.90, -0.05),
    "v2": (0.06, 0.00, 0.45, -1.30, 0.40),
    "v3": (0.06, -0.01, 0.80, -0.90, 0.45),
    "v4": (0.07, -0.05, 1.30, -0.50, 0.42),
    "v5": (0.07, -0.08, 1.30, -0.25, 0.36),
    "v6": (0.07, -0.09, 1.00, -0.12, 0.28),
}
LEADS = tuple(PROFILE)


@dataclass(frozen=True)
class Span:
    """A wave in seconds."""

    kind: str
    onset: float
    offset: float


def spans_of(patient: Patient, beats: Sequence[Beat]) -> list[Span]:
    """Where the waves of all beats lie, in order of time."""
    spans: list[Span] = []
    for index, beat in enumerate(beats):
        p = p_span(patient, beat, beats[index - 1] if index else None)
        if p is not None:
            spans.append(Span("P", *p))
        spans.append(Span("QRS", beat.onset, beat.onset + qrs_duration(patient, beat)))
        spans.append(Span("T", *t_span(patient, beat)))
    return spans


def annotated(spans: Sequence[Span], samples: int) -> tuple[Wave, ...]:
    """Waves that lie wholly inside the recording; the cut ones at its ends are not annotated, as in LUDB."""
    waves = []
    for span in spans:
        onset, offset = int(np.ceil(span.onset * RATE)), int(np.floor(span.offset * RATE))
        if onset >= 0 and offset < samples:
            waves.append(Wave(span.kind, onset, (onset + offset) // 2, offset))
    return tuple(waves)


def bump(t: Float64, onset: float, offset: float, skew: float = 0.5) -> Float64:
    """A raised cosine on [onset, offset], 0 outside, its peak of 1 at the fraction `skew`."""
    u = np.clip((t - onset) / (offset - onset), 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * u ** (np.log(0.5) / np.log(skew))))


def ramp(t: Float64, start: float, end: float) -> Float64:
    """0 before start, 1 after end, half a cosine between."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((t - start) / (end - start), 0.0, 1.0)))


def render(t: Float64, patient: Patient, beats: Sequence[Beat], lead: str, rng: Rng) -> Float64:
    """Millivolts of one lead, without noise."""
    amplitudes = np.array(PROFILE[lead]) * np.exp(0.3 * rng.standard_normal(5))
    p, q, r, s, t_wave = amplitudes * (patient.p_gain, 1.0, 1.0, 1.0, patient.t_gain)
    biphasic_p = lead in ("v1", "iii") and rng.random() < 0.4
    spike = float(rng.uniform(0.3, 1.5))
    total = np.zeros_like(t)
    for index, beat in enumerate(beats):
        span = p_span(patient, beat, beats[index - 1] if index else None)
        wobble = 1 + 0.04 * float(rng.standard_normal())
        if span is not None:
            total += wobble * _p_wave(t, span, p, patient.skew_p, biphasic_p)
        total += wobble * _qrs(t, patient, beat, (q, r, s))
        total += wobble * _st_and_t(t, patient, beat, t_wave, float(np.sign(r + s)))
        if beat.origin == "paced":
            total += spike * bump(t, beat.onset - 0.012, beat.onset - 0.006)
    return total


def _p_wave(t: Float64, span: tuple[float, float], amplitude: float, skew: float, biphasic: bool) -> Float64:
    if not biphasic:
        return amplitude * bump(t, *span, skew)
    middle = (span[0] + span[1]) / 2
    return amplitude * (bump(t, span[0], middle) - 0.8 * bump(t, middle, span[1]))


def _qrs(t: Float64, patient: Patient, beat: Beat, qrs: tuple[float, float, float]) -> Float64:
    """Deflections that fill the QRS from its onset to its offset."""
    q, r, s = qrs
    width = qrs_duration(patient, beat)
    begin, end = beat.onset, beat.onset + width
    if beat.origin in ("ventricular", "paced"):
        main = 1.5 * (s if abs(s) > abs(r) else r)
        main = -main if beat.origin == "paced" else main
        return main * (bump(t, begin, begin + 0.85 * width, 0.45) - 0.25 * bump(t, begin + 0.6 * width, end))
    if patient.notched:
        first = r * bump(t, begin, begin + 0.55 * width)
        second = (0.8 * r if abs(r) > abs(s) else s) * bump(t, begin + 0.35 * width, end)
        return first + second
    shape = q * bump(t, begin, begin + 0.35 * width)
    shape += r * bump(t, begin + 0.15 * width, begin + 0.75 * width)
    return shape + s * bump(t, begin + 0.5 * width, end)


def _st_and_t(t: Float64, patient: Patient, beat: Beat, amplitude: float, direction: float) -> Float64:
    """T wave and ST level; a wide QRS turns T against it (secondary repolarisation change)."""
    onset, offset = t_span(patient, beat)
    wide = qrs_duration(patient, beat) > 0.12
    wave = (-direction * abs(amplitude) if wide else amplitude) * bump(t, onset, offset, patient.skew_t)
    if patient.st == 0.0:
        return wave
    end = beat.onset + qrs_duration(patient, beat)
    start = end - 0.3 * qrs_duration(patient, beat)
    level = ramp(t, start, end) * (1 - ramp(t, onset, offset))
    return wave + float(np.sign(amplitude)) * patient.st * level


def atria(t: Float64, rhythm: str, rng: Rng) -> Float64:
    """Fibrillation (4 to 9 Hz, wandering) or flutter (a saw-tooth near 5 Hz), in millivolts."""
    if rhythm == "atrial fibrillation":
        drift = np.cumsum(rng.standard_normal(t.size)) / np.sqrt(RATE)
        phase = 2 * np.pi * rng.uniform(4.5, 8.0) * t + 2.0 * drift
        return np.asarray(rng.uniform(0.01, 0.08) * (np.sin(phase) + 0.4 * np.sin(1.7 * phase + 1)))
    if rhythm == "atrial flutter":
        turns = rng.uniform(4.2, 5.5) * t + rng.random()
        return np.asarray(rng.uniform(0.05, 0.15) * (2 * (turns % 1.0) - 1) * (1 - 0.9 * (turns % 1.0) ** 8))
    return np.zeros_like(t)
