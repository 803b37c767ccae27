"""When atria and ventricles are excited: sinus rhythm, ectopics, AV block, fibrillation, flutter, pacing.

Rates, intervals and ratios of conduction are those of the textbooks (P. W. Macfarlane et al., Comprehensive
Electrocardiology, 2nd ed., 2010); RR intervals of atrial fibrillation are drawn log-normal above the refractory period
of the AV node (J. Lian et al., BioMedical Engineering OnLine 6 (2007) 9, simulate such a node beat by beat).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ecgseg.data.databases.synthetic.sampling import Rng

# Seconds around a recording in which the heart beats too.
MARGIN_S = 2.5


@dataclass(frozen=True)
class Rhythm:
    """What the rhythm of a patient is made of; seconds, rates a minute.

    Attributes:
        name: for people.
        course: one of COURSES.
        rate: of the ventricles where they follow the atria, else of the atria.
        pr: from the onset of P to that of QRS.
        ectopy: "", "atrial", "blocked atrial", "ventricular", "interpolated", "couplets", "bigeminy" or "trigeminy".
        paced: whether QRS follow a pacing spike.
        breathing: share of the RR interval that goes with breathing.
        pauses: whether the sinus node stops at times.
        coupling: how early an ectopic comes, in RR intervals.
    """

    name: str
    course: str
    rate: float
    pr: float = 0.16
    ectopy: str = ""
    paced: bool = False
    breathing: float = 0.02
    pauses: bool = False
    coupling: float = 0.6


@dataclass(frozen=True)
class Beat:
    """A QRS complex: its onset, and where it comes from: "conducted", "aberrant", "ventricular" or "paced"."""

    onset: float
    origin: str = "conducted"


@dataclass
class Timeline:
    """Onsets of P waves with whether they are ectopic, and beats; seconds from the recording's first sample.

    Attributes:
        atrial: of each P wave its onset and whether it is ectopic.
        beats: in order of time.
        flutter: seconds of the onsets of flutter waves; empty without flutter.
    """

    atrial: list[tuple[float, bool]] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)
    flutter: list[float] = field(default_factory=list)


def draw_timeline(rhythm: Rhythm, duration: float, rng: Rng) -> Timeline:
    """The excitations of a recording of so many seconds and of MARGIN_S before and behind it."""
    timeline = COURSES[rhythm.course](rhythm, duration + MARGIN_S, rng)
    timeline.beats.sort(key=lambda beat: beat.onset)
    timeline.atrial.sort()
    return timeline


def _intervals(rhythm: Rhythm, rng: Rng) -> Callable[[float], float]:
    """RR intervals by time: breathing, slow drift, jitter, and now and then a pause."""
    mean = 60.0 / rhythm.rate
    phase, pace = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.15, 0.35)
    slow, depth = rng.uniform(0.02, 0.08), rng.uniform(0.0, 0.06)

    def interval(now: float) -> float:
        wave = rhythm.breathing * np.sin(2 * np.pi * pace * now + phase[0])
        drift = depth * np.sin(2 * np.pi * slow * now + phase[1])
        result = mean * (1 + wave + drift + 0.008 * float(rng.standard_normal()))
        if rhythm.pauses and rng.random() < 0.1:
            result += float(rng.uniform(1.0, 3.5))
        return max(0.3, float(result))

    return interval


def _sinus(rhythm: Rhythm, end: float, rng: Rng) -> Timeline:
    """P waves that are all conducted, with ectopics between."""
    line = Timeline()
    interval = _intervals(rhythm, rng)
    now = -MARGIN_S + float(rng.uniform(0, 0.5))
    count = 0
    while now < end:
        line.atrial.append((now, False))
        line.beats.append(Beat(now + _jitter(rhythm.pr, rng), "paced" if rhythm.paced else "conducted"))
        following = now + interval(now)
        count += 1
        if _premature(rhythm.ectopy, count, rng):
            following = _ectopic(line, rhythm, (now, following), rng)
        now = following
    return line


def _jitter(pr: float, rng: Rng) -> float:
    return pr * (1 + 0.01 * float(rng.standard_normal()))


def _premature(ectopy: str, count: int, rng: Rng) -> bool:
    """Whether an ectopic follows the sinus beat of this number."""
    every = {"bigeminy": 1, "trigeminy": 2}.get(ectopy)
    if every is not None:
        return count % every == 0 and rng.random() < 0.93
    return ectopy != "" and rng.random() < 0.14


def _ectopic(line: Timeline, rhythm: Rhythm, between: tuple[float, float], rng: Rng) -> float:
    """Adds an ectopic between two sinus P waves; returns when the sinus node fires next."""
    now, following = between
    rr = following - now
    early = float(np.clip(rhythm.coupling + 0.03 * rng.standard_normal(), 0.42, 0.85)) * rr
    if rhythm.ectopy.endswith("atrial"):
        start = now + early
        line.atrial.append((start, True))
        if rhythm.ectopy == "atrial" and early > 0.32:
            line.beats.append(Beat(start + rhythm.pr * 1.08, "aberrant" if rng.random() < 0.15 else "conducted"))
        # The sinus node begins anew, a little later.
        return start + rr * float(rng.uniform(1.0, 1.15))
    qrs = line.beats[-1].onset + max(early, 0.33)
    line.beats.append(Beat(qrs, "ventricular"))
    if rhythm.ectopy == "interpolated" and following > qrs + 0.34:
        return following
    if rhythm.ectopy == "couplets":
        qrs += float(rng.uniform(0.34, 0.5))
        line.beats.append(Beat(qrs, "ventricular"))
    # The next P wave is lost in the ectopic beat; the one after it comes on time.
    return max(now + 2 * rr, qrs + 0.45)


def _wenckebach(rhythm: Rhythm, end: float, rng: Rng) -> Timeline:
    """PR grows from beat to beat until one is not conducted."""
    line = Timeline()
    interval = _intervals(rhythm, rng)
    length, step = int(rng.integers(3, 7)), float(rng.uniform(0.03, 0.09))
    now, place = -MARGIN_S, 0
    while now < end:
        line.atrial.append((now, False))
        if place < length - 1:
            # Steps become smaller.
            line.beats.append(Beat(now + rhythm.pr + step * sum(0.6**k for k in range(place))))
        place = (place + 1) % length
        now += interval(now)
    return line


def _mobitz(rhythm: Rhythm, end: float, rng: Rng) -> Timeline:
    """Constant PR; every second P wave, or one now and then, is not conducted."""
    line = Timeline()
    interval = _intervals(rhythm, rng)
    regular = rng.random() < 0.5
    wide = "aberrant" if rng.random() < 0.4 else "conducted"
    now, count = -MARGIN_S, 0
    while now < end:
        line.atrial.append((now, False))
        if count % 2 == 0 if regular else rng.random() < 0.72:
            line.beats.append(Beat(now + _jitter(rhythm.pr, rng), wide))
        count += 1
        now += interval(now)
    return line


def _dissociated(rhythm: Rhythm, end: float, rng: Rng) -> Timeline:
    """P waves at their rate; beats at theirs, from junction, ventricle or pacemaker."""
    line = Timeline()
    interval = _intervals(rhythm, rng)
    now = -MARGIN_S
    while now < end:
        line.atrial.append((now, False))
        now += interval(now)
    line.beats = _escape(rhythm, end, rng)
    return line


def _escape(rhythm: Rhythm, end: float, rng: Rng) -> list[Beat]:
    """Regular beats that no P wave leads."""
    origin = "paced" if rhythm.paced else str(rng.choice(["conducted", "ventricular"]))
    rate = {"paced": rng.uniform(50, 85), "conducted": rng.uniform(38, 60)}.get(origin, rng.uniform(26, 45))
    beats, now = [], -MARGIN_S + float(rng.uniform(0, 1))
    while now < end:
        beats.append(Beat(now, origin))
        now += 60.0 / rate * (1 + 0.008 * float(rng.standard_normal()))
    return beats


def _without_atria(rhythm: Rhythm, end: float, rng: Rng) -> Timeline:
    """Regular beats and no P wave: of the junction or of the ventricles, paced or not."""
    interval = _intervals(rhythm, rng)
    origin = "paced" if rhythm.paced else "ventricular" if rhythm.ectopy == "ventricular" else "conducted"
    line = Timeline()
    now = -MARGIN_S + float(rng.uniform(0, 0.5))
    while now < end:
        line.beats.append(Beat(now, origin))
        now += interval(now)
    return line


def _fibrillation(rhythm: Rhythm, end: float, rng: Rng) -> Timeline:
    """Irregular beats, each interval a refractory period and a log-normal rest; wide ones now and then."""
    line = Timeline()
    mean = 60.0 / rhythm.rate
    least = max(0.28, float(rng.uniform(0.4, 0.62)) * mean)
    spread = float(rng.uniform(0.35, 0.8))
    now = -MARGIN_S + float(rng.uniform(0, 0.5))
    while now < end:
        # After a long interval a short one may be conducted with a broad QRS.
        origin = "aberrant" if rng.random() < 0.02 else "conducted"
        if rhythm.ectopy and rng.random() < 0.08:
            origin = "ventricular"
        line.beats.append(Beat(now, origin))
        rest = (mean - least) * float(np.exp(spread * rng.standard_normal() - spread**2 / 2))
        now += least + min(rest, 2.5)
    return line


def _flutter(rhythm: Rhythm, end: float, rng: Rng) -> Timeline:
    """Atria at 240 to 340 a minute, of which the AV node conducts every second to fourth."""
    line = Timeline()
    period = 60.0 / float(rng.uniform(240, 340))
    usual = int(np.clip(round(60.0 / rhythm.rate / period), 2, 5))
    steady = rng.random() < 0.6
    delay = float(rng.uniform(0.05, 0.3))
    now, left = -MARGIN_S, 0
    while now < end:
        line.flutter.append(now)
        if left == 0:
            line.beats.append(Beat(now + delay + 0.004 * float(rng.standard_normal())))
            left = usual if steady else int(rng.choice([2, 3, 4, 5], p=[0.4, 0.15, 0.4, 0.05]))
        left -= 1
        now += period * (1 + 0.008 * float(rng.standard_normal()))
    return line


COURSES: dict[str, Callable[[Rhythm, float, Rng], Timeline]] = {
    "sinus": _sinus,
    "wenckebach": _wenckebach,
    "mobitz": _mobitz,
    "dissociated": _dissociated,
    "without atria": _without_atria,
    "fibrillation": _fibrillation,
    "flutter": _flutter,
}
