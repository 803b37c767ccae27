"""Who the patient is and when his heart beats: rhythms, intervals, beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgseg.data.databases.synthetic.sampling import DURATION_S, Rng

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
_NO_P = ("atrial fibrillation", "atrial flutter", "ventricular pacing")


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


def draw_patient(rhythm: str, rate: float | None, rng: Rng) -> Patient:
    """A patient with a rhythm of RHYTHMS; a rate of None draws one that suits it."""
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


def draw_beats(rhythm: str, patient: Patient, rng: Rng) -> list[Beat]:
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


def qrs_duration(patient: Patient, beat: Beat) -> float:
    """Seconds; a beat that begins in the ventricles is wide."""
    return max(patient.qrs_duration, 0.14) if beat.origin == "ventricular" else patient.qrs_duration


def t_span(patient: Patient, beat: Beat) -> tuple[float, float]:
    """Onset and offset of T: QT by Fridericia, at most what the interval to the next beat leaves."""
    qrs_end = beat.onset + qrs_duration(patient, beat)
    room = beat.interval - qrs_duration(patient, beat)
    end = min(beat.onset + patient.qtc * beat.interval ** (1 / 3), qrs_end + 0.82 * room)
    return qrs_end + 0.35 * (end - qrs_end), end


def p_span(patient: Patient, beat: Beat, previous: Beat | None) -> tuple[float, float] | None:
    """Onset and offset of P; None when it would drown in the T wave of the beat before."""
    if not beat.has_p:
        return None
    end = beat.onset - 0.35 * patient.pr_interval
    start = max(beat.onset - patient.pr_interval, end - patient.p_duration)
    if previous is not None and start < t_span(patient, previous)[1] + 0.01:
        return None
    return start, end
