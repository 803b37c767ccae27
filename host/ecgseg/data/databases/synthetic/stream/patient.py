"""Who the patient is: a rhythm, at most two anomalies, and how much of everything."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ecgseg.data.databases.synthetic.sampling import Rng
from ecgseg.data.databases.synthetic.stream.timeline import Rhythm

# Names of rhythms and their shares in a hundred patients.
RHYTHM_SHARES = {
    "sinus": 22,
    "sinus tachycardia": 12,
    "sinus bradycardia": 4,
    "sinus arrhythmia": 4,
    "sinus pauses": 2,
    "first degree block": 7,
    "second degree block, Wenckebach": 3,
    "second degree block, Mobitz": 3,
    "third degree block": 3,
    "atrial fibrillation": 17,
    "atrial flutter": 8,
    "supraventricular tachycardia": 2,
    "junctional rhythm": 1,
    "ventricular rhythm": 1,
    "ventricular pacing": 3,
    "sequential pacing": 3,
    "atrial ectopy": 5,
}
ECTOPY_SHARES = {
    "": 60,
    "ventricular": 10,
    "bigeminy": 8,
    "trigeminy": 5,
    "couplets": 3,
    "interpolated": 3,
    "atrial": 8,
    "blocked atrial": 3,
}
CONDUCTION_SHARES = {"": 70, "left": 7, "right": 8, "hemiblock": 5, "intraventricular": 5, "delta": 5}


@dataclass(frozen=True)
class Patient:
    """What stays the same from beat to beat; seconds, millivolts, ratios.

    Attributes:
        rhythm: the course of atria and ventricles.
        conduction: "", "left", "right", "hemiblock", "intraventricular" or "delta".
        p_duration, qrs_duration, qtc: durations.
        scale: size of all QRS complexes relative to the nominal.
        p_share, t_share: heights of P and T relative to QRS.
        st: ST deviation relative to QRS.
        u_share: height of U relative to T, 0 without.
        fibrillation: height of fibrillatory or flutter waves in millivolts.
        wobble: how much heights vary from beat to beat.
        tangent: how the offset of T is annotated (see `Placed.ends`).
        spike: height of pacing spikes in millivolts.
    """

    rhythm: Rhythm
    conduction: str
    p_duration: float
    qrs_duration: float
    qtc: float
    scale: float
    p_share: float
    t_share: float
    st: float
    u_share: float
    fibrillation: float
    wobble: float
    tangent: float
    spike: float


def draw_patient(rng: Rng, name: str | None = None, *, long_qt: float = 0.0) -> Patient:
    """A patient with the rhythm of that name of RHYTHM_SHARES; None draws one by its share.

    Args:
        rng: source of every draw.
        name: of the rhythm.
        long_qt: share of patients beside those of the population whose QTc is drawn from 0.45 to 0.66 s.
    """
    rhythm = _rhythm(name or _pick(RHYTHM_SHARES, rng), rng)
    conduction = "" if rhythm.paced else _pick(CONDUCTION_SHARES, rng)
    if rhythm.course in ("fibrillation", "flutter") and conduction == "delta":
        conduction = ""
    if conduction == "delta":
        rhythm = replace(rhythm, pr=float(rng.uniform(0.085, 0.12)))
    wide = conduction in ("left", "right", "intraventricular", "delta")
    st = float(rng.normal(0, 0.015) if rng.random() < 0.75 else rng.uniform(-0.25, 0.35))
    patient = Patient(
        rhythm=rhythm,
        conduction=conduction,
        p_duration=float(rng.uniform(0.092, 0.16) if rng.random() < 0.75 else rng.uniform(0.06, 0.22)),
        qrs_duration=float(rng.uniform(0.115, 0.17) if wide else rng.uniform(0.065, 0.108)),
        qtc=_qtc(rhythm.rate, rng),
        scale=float(np.exp(rng.normal(0, 0.45))),
        p_share=float(np.exp(rng.uniform(np.log(0.025), np.log(0.28)))),
        t_share=_t_share(rng),
        st=st,
        u_share=float(rng.uniform(0.03, 0.2) if rng.random() < 0.3 else 0.0),
        fibrillation=float(np.exp(rng.uniform(np.log(0.015), np.log(0.2)))),
        wobble=float(rng.uniform(0.01, 0.08)),
        tangent=float(rng.random()),
        spike=float(rng.uniform(0.0, 2.0)),
    )

    if long_qt and rng.random() < long_qt:
        return replace(patient, qtc=float(rng.uniform(0.45, 0.66)))
    return patient


def _qtc(rate: float, rng: Rng) -> float:
    """By Fridericia, whose cube root leaves QT too long when the heart is fast."""
    if rng.random() < 0.15:
        return float(rng.uniform(0.33, 0.58))
    return float(np.clip(rng.normal(0.438, 0.03), 0.36, 0.52)) - 0.0009 * float(np.clip(rate - 90, 0, 80))


def _t_share(rng: Rng) -> float:
    """Mostly a quarter of QRS, in one of five patients so flat that P is as high."""
    height = np.exp(rng.normal(np.log(0.25), 0.5)) if rng.random() < 0.8 else rng.uniform(0.03, 0.12)
    return float(height * rng.choice([-1, 1], p=[0.15, 0.85]))


def _pick(shares: dict[str, int], rng: Rng) -> str:
    weights = np.array(list(shares.values()), dtype=np.float64)
    return str(rng.choice(list(shares), p=weights / weights.sum()))


def _rhythm(name: str, rng: Rng) -> Rhythm:
    low, high, course = {
        "sinus tachycardia": (100, 182, "sinus"),
        "sinus bradycardia": (36, 58, "sinus"),
        "second degree block, Wenckebach": (60, 110, "wenckebach"),
        "second degree block, Mobitz": (60, 120, "mobitz"),
        "third degree block": (60, 115, "dissociated"),
        "atrial fibrillation": (45, 170, "fibrillation"),
        "atrial flutter": (60, 160, "flutter"),
        "supraventricular tachycardia": (135, 190, "without atria"),
        "junctional rhythm": (38, 75, "without atria"),
        "ventricular rhythm": (40, 175, "without atria"),
        "ventricular pacing": (55, 90, "without atria"),
    }.get(name, (52, 105, "sinus"))
    rhythm = Rhythm(name, course, float(rng.uniform(low, high)), _pr(name, rng), coupling=float(rng.uniform(0.5, 0.75)))
    if name == "ventricular pacing" and rng.random() < 0.4:
        rhythm = replace(rhythm, course="dissociated")
    return replace(
        rhythm,
        ectopy=_ectopy(name, rng),
        paced="pacing" in name,
        breathing=float(rng.uniform(0.06, 0.18) if name == "sinus arrhythmia" else rng.uniform(0.0, 0.04)),
        pauses=name == "sinus pauses",
    )


def _pr(name: str, rng: Rng) -> float:
    if name == "first degree block":
        return float(rng.uniform(0.21, 0.36))
    if name == "sinus tachycardia":
        return float(rng.uniform(0.1, 0.17))
    return float(rng.uniform(0.11, 0.21))


def _ectopy(name: str, rng: Rng) -> str:
    if name == "atrial ectopy":
        return str(rng.choice(["atrial", "blocked atrial"], p=[0.75, 0.25]))
    if name in ("ventricular rhythm", "atrial fibrillation"):
        return "ventricular" if name == "ventricular rhythm" or rng.random() < 0.3 else ""
    if name in ("sinus", "sinus bradycardia", "first degree block", "sinus arrhythmia"):
        return _pick(ECTOPY_SHARES, rng)
    return ""
