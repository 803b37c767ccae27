"""Synthetic ECG with exact ground truth: rhythms and morphologies that a data set has too few of.

A quarter of the recordings comes from physiokit (`physiokit.ecg.synthesize`: sinus rhythm, bundle branch block,
hemiblocks, ST elevation and more, with its own segmentation). The rest comes from the generator here, for what the
library does not have: waves of compact support, so that onset and offset are exact; atrial fibrillation and flutter
without P waves, ectopic and paced beats, conduction blocks, ST deviation, rates from 30 to 200 a minute, lead-off gaps,
flat lines and clipping. Everything is a function of the seed.

Intervals follow the usual ranges of adult 12-lead ECG (P. W. Macfarlane et al., Comprehensive Electrocardiology,
2nd ed., 2010); QT follows L. S. Fridericia's cube root (Acta Med. Scand. 53 (1920) 469-486).
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import LEADS, Record, Wave
from ecgseg.errors import UsageError
from ecgseg.pipeline import LEAD_OFF, microvolts

Float64 = npt.NDArray[np.float64]
Rng = np.random.Generator

RATE = 500
DURATION_S = 10.0
RHYTHMS = (
    "sinus",
    "sinus bradycardia",
    "sinus tachycardia",
    "sinus arrhythmia",
    "atrial fibrillation",
    "atrial flutter",
    "first degree block",
    "left bundle branch block",
    "right bundle branch block",
    "left anterior hemiblock",
    "st elevation",
    "st depression",
    "ventricular pacing",
    "ventricular ectopy",
    "atrial ectopy",
)
DISTURBANCES = ("none", "lead off", "flat line", "clipping")
_LIBRARY_EVERY = 4
_LIBRARY_RHYTHMS = {
    "SR": "sinus",
    "AFIB": "atrial fibrillation",
    "LAHB": "left anterior hemiblock",
    "LPHB": "left posterior hemiblock",
    "LBBB": "left bundle branch block",
    "ant_STEMI": "st elevation",
    "high_take_off": "st elevation",
    "random_morphology": "sinus",
}
_LIBRARY_KINDS = {1: "P", 2: "QRS", 3: "T"}
_NO_P = ("atrial fibrillation", "atrial flutter", "ventricular pacing")

# Nominal amplitudes in millivolts of P, Q, R, S, T in each lead of a healthy adult.
_PROFILE = {
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


@dataclass(frozen=True)
class Patient:
    """What stays the same from beat to beat; seconds and millivolts.

    Attributes:
        rate: heart rate per minute.
        p_duration, pr_interval, qrs_duration, qtc: intervals.
        p_gain, t_gain: amplitudes relative to the nominal ones.
        st: ST deviation in millivolts (in leads of positive T).
        skew_p, skew_t: where the peak lies, 0.5 is the middle.
        notched: a second R in a wide QRS.
    """

    rate: float
    p_duration: float
    pr_interval: float
    qrs_duration: float
    qtc: float
    p_gain: float
    t_gain: float
    st: float
    skew_p: float
    skew_t: float
    notched: bool


@dataclass(frozen=True)
class Beat:
    """One beat: its QRS onset in seconds, the interval to the next beat, its origin and whether a P wave leads it."""

    onset: float
    interval: float
    origin: str
    has_p: bool


@dataclass(frozen=True)
class _Span:
    """A wave in seconds."""

    kind: str
    onset: float
    offset: float


def synthetic_records(count: int, leads: int | Sequence[str] = LEADS, seed: int = 2026) -> list[Record]:
    """Synthetic recordings of 10 s at 500 Hz, every rhythm in turn, in the order recording, lead.

    Args:
        count: recordings.
        leads: lead names, or how many leads to draw for each recording.
        seed: same seed, same bytes.

    Returns:
        count * leads records with record numbers from 1.
    """
    result: list[Record] = []
    for number in range(1, count + 1):
        rng = np.random.default_rng([seed, number])
        if isinstance(leads, int):
            chosen = tuple(LEADS[index] for index in sorted(rng.permutation(len(LEADS))[:leads]))
        else:
            chosen = tuple(leads)
        disturbance = "none" if rng.random() < 0.85 else DISTURBANCES[int(rng.integers(1, len(DISTURBANCES)))]
        turn, own = divmod(number, _LIBRARY_EVERY)
        if own == 0:
            result.extend(_from_library(number, sorted(_LIBRARY_RHYTHMS)[turn % len(_LIBRARY_RHYTHMS)], chosen, rng))
        else:
            rhythm = RHYTHMS[(number - 1 - turn) % len(RHYTHMS)]
            result.extend(synthesise(number, rhythm, chosen, rng=rng, disturbance=disturbance))
    return result


def synthesise(
    record_id: int,
    rhythm: str,
    leads: Sequence[str] = LEADS,
    *,
    rng: Rng,
    rate: float | None = None,
    disturbance: str = "none",
) -> list[Record]:
    """One recording of the generator.

    Args:
        record_id: its number.
        rhythm: one of RHYTHMS.
        leads: lead names.
        rng: source of every draw.
        rate: heart rate from 30 to 200 a minute; None draws one that suits the rhythm.
        disturbance: one of DISTURBANCES.

    Returns:
        One record for each lead, with the same waves in each.

    Raises:
        UsageError: unknown rhythm, lead or disturbance, or a rate out of range.
    """
    _check(rhythm, leads, rate, disturbance)
    patient = _patient(rhythm, rate, rng)
    beats = _beats(rhythm, patient, rng)
    t = np.arange(int(DURATION_S * RATE)) / RATE
    spans = _spans(patient, beats)
    result = []
    waves = _waves(spans, t.size)
    lead_seed = int(rng.integers(2**31))
    event = _Disturbance.draw(disturbance, t.size, rng)
    for lead in leads:
        lead_rng = np.random.default_rng([lead_seed, LEADS.index(lead)])
        clean = _render(t, patient, beats, lead, lead_rng) + _atria(t, rhythm, lead_rng)
        samples, kept = event.apply(microvolts(clean + _noise(t, lead_rng)), waves)
        result.append(Record(record_id, lead, RATE, samples, kept, rhythm, "synthetic"))
    return result


def _check(rhythm: str, leads: Sequence[str], rate: float | None, disturbance: str) -> None:
    unknown = [lead for lead in leads if lead not in LEADS]
    if rhythm not in RHYTHMS or unknown or disturbance not in DISTURBANCES:
        raise UsageError(
            f"There is no synthetic rhythm '{rhythm}', lead {unknown} or disturbance '{disturbance}'.",
            f"Rhythms: {', '.join(RHYTHMS)}. Disturbances: {', '.join(DISTURBANCES)}.",
            "Use one of them.",
        )
    if rate is not None and not 30 <= rate <= 200:
        raise UsageError(f"A heart rate of {rate} is out of range.", "", "Use 30 to 200 a minute.")


def _patient(rhythm: str, rate: float | None, rng: Rng) -> Patient:
    low, high = {
        "sinus bradycardia": (30, 58),
        "sinus tachycardia": (100, 200),
        "atrial fibrillation": (50, 160),
        "atrial flutter": (70, 150),
        "ventricular pacing": (50, 90),
    }.get(rhythm, (55, 110))
    wide = rhythm in ("left bundle branch block", "right bundle branch block", "ventricular pacing")
    st = {"st elevation": rng.uniform(0.1, 0.4), "st depression": -rng.uniform(0.08, 0.25)}.get(rhythm, 0.0)
    chosen = float(rng.uniform(low, high)) if rate is None else rate
    return Patient(
        rate=chosen,
        p_duration=float(rng.uniform(0.07, 0.12)),
        pr_interval=float(rng.uniform(0.21, 0.32) if rhythm == "first degree block" else rng.uniform(0.12, 0.20)),
        qrs_duration=float(rng.uniform(0.12, 0.17) if wide else rng.uniform(0.07, 0.11)),
        qtc=float(rng.uniform(0.36, 0.45) + (0.04 if wide else 0.0)),
        p_gain=float(rng.uniform(0.4, 1.8)),
        t_gain=float(rng.uniform(0.4, 1.6) * (rng.choice([-1, 1], p=[0.15, 0.85]))),
        st=float(st),
        skew_p=float(rng.uniform(0.4, 0.6)),
        skew_t=float(rng.uniform(0.5, 0.68)),
        notched=bool(wide and rng.random() < 0.7),
    )


def _beats(rhythm: str, patient: Patient, rng: Rng) -> list[Beat]:
    """Beats that cover the recording and a little more on both sides."""
    mean = 60.0 / patient.rate
    irregular = {"atrial fibrillation": 0.22, "sinus arrhythmia": 0.12, "atrial flutter": 0.05}.get(rhythm, 0.02)
    breathing = 0.08 if rhythm == "sinus arrhythmia" else 0.01
    origin = "paced" if rhythm == "ventricular pacing" else "sinus"
    ectopic = {"ventricular ectopy": "ventricular", "atrial ectopy": "atrial"}.get(rhythm)
    beats: list[Beat] = []
    now = -float(rng.uniform(0.3, 1.0)) * mean
    early = False
    while now < DURATION_S + 1.0:
        interval = mean * (1 + irregular * float(rng.standard_normal()) + breathing * np.sin(2 * np.pi * 0.25 * now))
        interval = float(np.clip(interval, max(0.29, 0.55 * mean), 2.1))
        this = ectopic if early and ectopic else origin
        early = ectopic is not None and not early and rng.random() < 0.25
        if early:
            interval *= float(rng.uniform(0.62, 0.78))
        elif this == "ventricular":
            interval *= 1.3
        has_p = rhythm not in _NO_P and this != "ventricular"
        beats.append(Beat(now, max(interval, 0.29), this, has_p))
        now += beats[-1].interval
    return beats


def _qrs_duration(patient: Patient, beat: Beat) -> float:
    return max(patient.qrs_duration, 0.14) if beat.origin == "ventricular" else patient.qrs_duration


def _t_span(patient: Patient, beat: Beat) -> tuple[float, float]:
    """Onset and offset of T: QT by Fridericia, at most what the interval to the next beat leaves."""
    qrs_end = beat.onset + _qrs_duration(patient, beat)
    room = beat.interval - _qrs_duration(patient, beat)
    end = min(beat.onset + patient.qtc * beat.interval ** (1 / 3), qrs_end + 0.82 * room)
    return qrs_end + 0.35 * (end - qrs_end), end


def _p_span(patient: Patient, beat: Beat, previous: Beat | None) -> tuple[float, float] | None:
    """Onset and offset of P; None when it would drown in the T wave of the beat before."""
    if not beat.has_p:
        return None
    end = beat.onset - 0.35 * patient.pr_interval
    start = max(beat.onset - patient.pr_interval, end - patient.p_duration)
    if previous is not None and start < _t_span(patient, previous)[1] + 0.01:
        return None
    return start, end


def _spans(patient: Patient, beats: Sequence[Beat]) -> list[_Span]:
    spans: list[_Span] = []
    for index, beat in enumerate(beats):
        p = _p_span(patient, beat, beats[index - 1] if index else None)
        if p is not None:
            spans.append(_Span("P", *p))
        spans.append(_Span("QRS", beat.onset, beat.onset + _qrs_duration(patient, beat)))
        spans.append(_Span("T", *_t_span(patient, beat)))
    return spans


def _waves(spans: Sequence[_Span], samples: int) -> tuple[Wave, ...]:
    """Waves that lie wholly inside the recording; the cut ones at its ends are not annotated, as in LUDB."""
    waves = []
    for span in spans:
        onset, offset = int(np.ceil(span.onset * RATE)), int(np.floor(span.offset * RATE))
        if onset >= 0 and offset < samples:
            waves.append(Wave(span.kind, onset, (onset + offset) // 2, offset))
    return tuple(waves)


def _bump(t: Float64, onset: float, offset: float, skew: float = 0.5) -> Float64:
    """A raised cosine on [onset, offset], 0 outside, its peak of 1 at the fraction `skew`."""
    u = np.clip((t - onset) / (offset - onset), 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * u ** (np.log(0.5) / np.log(skew))))


def _ramp(t: Float64, start: float, end: float) -> Float64:
    """0 before start, 1 after end, half a cosine between."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((t - start) / (end - start), 0.0, 1.0)))


def _render(t: Float64, patient: Patient, beats: Sequence[Beat], lead: str, rng: Rng) -> Float64:
    """Millivolts of one lead, without noise."""
    amplitudes = np.array(_PROFILE[lead]) * np.exp(0.3 * rng.standard_normal(5))
    p, q, r, s, t_wave = amplitudes * (patient.p_gain, 1.0, 1.0, 1.0, patient.t_gain)
    biphasic_p = lead in ("v1", "iii") and rng.random() < 0.4
    spike = float(rng.uniform(0.3, 1.5))
    total = np.zeros_like(t)
    for index, beat in enumerate(beats):
        span = _p_span(patient, beat, beats[index - 1] if index else None)
        wobble = 1 + 0.04 * float(rng.standard_normal())
        if span is not None:
            total += wobble * _p_wave(t, span, p, patient.skew_p, biphasic_p)
        total += wobble * _qrs(t, patient, beat, (q, r, s))
        total += wobble * _st_and_t(t, patient, beat, t_wave, float(np.sign(r + s)))
        if beat.origin == "paced":
            total += spike * _bump(t, beat.onset - 0.012, beat.onset - 0.006)
    return total


def _p_wave(t: Float64, span: tuple[float, float], amplitude: float, skew: float, biphasic: bool) -> Float64:
    if not biphasic:
        return amplitude * _bump(t, *span, skew)
    middle = (span[0] + span[1]) / 2
    return amplitude * (_bump(t, span[0], middle) - 0.8 * _bump(t, middle, span[1]))


def _qrs(t: Float64, patient: Patient, beat: Beat, qrs: tuple[float, float, float]) -> Float64:
    """Deflections that fill the QRS from its onset to its offset."""
    q, r, s = qrs
    width = _qrs_duration(patient, beat)
    begin, end = beat.onset, beat.onset + width
    if beat.origin in ("ventricular", "paced"):
        main = 1.5 * (s if abs(s) > abs(r) else r)
        main = -main if beat.origin == "paced" else main
        return main * (_bump(t, begin, begin + 0.85 * width, 0.45) - 0.25 * _bump(t, begin + 0.6 * width, end))
    if patient.notched:
        first = r * _bump(t, begin, begin + 0.55 * width)
        second = (0.8 * r if abs(r) > abs(s) else s) * _bump(t, begin + 0.35 * width, end)
        return first + second
    shape = q * _bump(t, begin, begin + 0.35 * width)
    shape += r * _bump(t, begin + 0.15 * width, begin + 0.75 * width)
    return shape + s * _bump(t, begin + 0.5 * width, end)


def _st_and_t(t: Float64, patient: Patient, beat: Beat, amplitude: float, direction: float) -> Float64:
    """T wave and ST level; a wide QRS turns T against it (secondary repolarisation change)."""
    onset, offset = _t_span(patient, beat)
    wide = _qrs_duration(patient, beat) > 0.12
    wave = (-direction * abs(amplitude) if wide else amplitude) * _bump(t, onset, offset, patient.skew_t)
    if patient.st == 0.0:
        return wave
    end = beat.onset + _qrs_duration(patient, beat)
    start = end - 0.3 * _qrs_duration(patient, beat)
    level = _ramp(t, start, end) * (1 - _ramp(t, onset, offset))
    return wave + float(np.sign(amplitude)) * patient.st * level


def _atria(t: Float64, rhythm: str, rng: Rng) -> Float64:
    """Fibrillation (4 to 9 Hz, wandering) or flutter (a saw-tooth near 5 Hz), in millivolts."""
    if rhythm == "atrial fibrillation":
        drift = np.cumsum(rng.standard_normal(t.size)) / np.sqrt(RATE)
        phase = 2 * np.pi * rng.uniform(4.5, 8.0) * t + 2.0 * drift
        return np.asarray(rng.uniform(0.01, 0.08) * (np.sin(phase) + 0.4 * np.sin(1.7 * phase + 1)))
    if rhythm == "atrial flutter":
        turns = rng.uniform(4.2, 5.5) * t + rng.random()
        return np.asarray(rng.uniform(0.05, 0.15) * (2 * (turns % 1.0) - 1) * (1 - 0.9 * (turns % 1.0) ** 8))
    return np.zeros_like(t)


def _noise(t: Float64, rng: Rng) -> Float64:
    """Mild noise of a resting recording, in millivolts."""
    wander = rng.uniform(0, 0.08) * np.sin(2 * np.pi * (rng.uniform(0.1, 0.4) * t + rng.random()))
    return np.asarray(wander + rng.uniform(0.002, 0.015) * rng.standard_normal(t.size))


@dataclass(frozen=True)
class _Disturbance:
    """Something that happens to a recording between two samples."""

    kind: str
    start: int
    end: int

    @staticmethod
    def draw(kind: str, samples: int, rng: Rng) -> _Disturbance:
        start = int(rng.integers(0, samples // 2))
        return _Disturbance(kind, start, start + int(rng.integers(RATE // 4, 3 * RATE)))

    def apply(
        self, samples: npt.NDArray[np.int16], waves: tuple[Wave, ...]
    ) -> tuple[npt.NDArray[np.int16], tuple[Wave, ...]]:
        """Samples and what remains known of the waves."""
        if self.kind == "none":
            return samples, waves
        result = samples.copy()
        if self.kind == "clipping":
            rail = max(1, int(0.6 * np.abs(samples.astype(np.int32)).max()))
            scaled = np.clip(samples.astype(np.int64), -rail, rail) * 32767 // rail
            return scaled.astype(np.int16), waves
        result[self.start : self.end] = LEAD_OFF if self.kind == "lead off" else samples[self.start]
        return result, tuple(self._hide(wave) for wave in waves)

    def _hide(self, wave: Wave) -> Wave:
        """A wave that the event touches keeps its peak alone: nothing can be said about its ends."""
        assert wave.onset is not None
        assert wave.offset is not None
        if wave.offset < self.start or wave.onset >= self.end:
            return wave
        return replace(wave, onset=None, offset=None)


def _from_library(record_id: int, preset: str, leads: Sequence[str], rng: Rng) -> list[Record]:
    """One recording of physiokit."""
    signal, codes = _library_signal(preset, rng)
    return [
        Record(
            record_id,
            lead,
            RATE,
            microvolts(signal[LEADS.index(lead)]),
            _library_waves(codes[LEADS.index(lead)]),
            _LIBRARY_RHYTHMS[preset],
            "synthetic",
        )
        for lead in leads
    ]


def _library_signal(preset: str, rng: Rng) -> tuple[Float64, npt.NDArray[np.int64]]:
    """Millivolts and codes, both [12, samples]. The library draws from global states, set from `rng` and put back."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        # The library switches warnings off for the whole process when it is imported.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Slow to import and needed by nothing else.
            import physiokit as pk
            from physiokit.ecg.synthetic.defines import EcgPreset

            random.seed(int(rng.integers(2**31)))
            np.random.seed(int(rng.integers(2**31)))
            signal, codes, _ = pk.ecg.synthesize(
                signal_length=int(DURATION_S * RATE),
                sample_rate=RATE,
                leads=len(LEADS),
                heart_rate=float(rng.uniform(45, 130)),
                preset=EcgPreset(preset),
                noise_multiplier=float(rng.uniform(0.1, 0.6)),
                p_multiplier=float(rng.uniform(0.6, 1.6)),
                t_multiplier=float(rng.uniform(0.6, 1.6)),
            )
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
    return np.asarray(signal, dtype=np.float64), np.asarray(codes, dtype=np.int64)


def _library_waves(codes: npt.NDArray[np.int64]) -> tuple[Wave, ...]:
    """Waves from physiokit's code of every sample; the runs that touch an end are cut and not annotated."""
    edges = np.flatnonzero(np.diff(codes)) + 1
    return tuple(
        Wave(_LIBRARY_KINDS[int(codes[start])], int(start), int(start + end - 1) // 2, int(end - 1))
        for start, end in pairwise(edges.tolist())
        if int(codes[start]) in _LIBRARY_KINDS
    )
