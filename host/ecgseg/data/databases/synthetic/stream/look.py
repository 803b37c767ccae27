"""What one lead shows of a patient: heights and shapes of all waves, drawn once for a recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgseg.data.databases.synthetic.sampling import Rng
from ecgseg.data.databases.synthetic.stream.patient import Patient
from ecgseg.data.databases.synthetic.stream.shapes import Deflection, Shape, p_shape, qrs_shape, t_shape
from ecgseg.data.databases.synthetic.waves import PROFILE

_FROM_THE_LEFT = ("i", "avl", "v5", "v6")
_FROM_THE_RIGHT = ("v1", "v2")
# How large fibrillatory waves are in a lead, relative to the largest.
_ATRIA = {"v1": 1.0, "ii": 0.7, "iii": 0.7, "avf": 0.7, "v2": 0.6}


@dataclass(frozen=True)
class Look:
    """Shapes, with heights in millivolts.

    Attributes:
        conducted, aberrant, ventricular, paced: QRS complexes by origin, in millivolts.
        size: largest deflection of a conducted QRS.
        p, ectopic_p: P waves; p_height is signed.
        t: T wave of a narrow QRS; t_height is signed.
        wide_t_height: of T behind a wide QRS, against its main deflection.
        st: level between J and T.
        u_height: of U.
        atria: height of fibrillatory or flutter waves.
    """

    qrs: dict[str, Shape]
    size: float
    p: Shape
    p_height: float
    ectopic_p: Shape
    ectopic_p_height: float
    t: Shape
    t_height: float
    wide_t: Shape
    wide_t_heights: dict[str, float]
    st: float
    u_height: float
    atria: float


def draw_look(patient: Patient, lead: str, rng: Rng) -> Look:
    """How a lead sees a patient."""
    nominal = np.array(PROFILE[lead]) * np.exp(0.35 * rng.standard_normal(5))
    if rng.random() < 0.15:
        # A Holter's or a wearable's electrodes lie where no lead of the twelve looks from.
        nominal *= -1
    _, q, r, s, _ = nominal * patient.scale
    conducted = _conducted(patient.conduction, lead, (q, r, s), rng)
    size = _height(conducted)
    parts = {
        "conducted": conducted,
        "aberrant": _bundle_block("right", lead, (q, r, s), rng),
        "ventricular": _ectopic(size, rng),
        "paced": _ectopic(size, rng),
    }
    p_sign = float(np.sign(PROFILE[lead][0])) * (-1.0 if rng.random() < 0.08 else 1.0)
    p_height = p_sign * patient.p_share * size * float(np.exp(0.25 * rng.standard_normal()))
    t_sign = float(np.sign(PROFILE[lead][4]) or 1.0) * float(np.sign(patient.t_share))
    t_height = t_sign * min(abs(patient.t_share) * float(np.exp(0.4 * rng.standard_normal())), 1.2) * size
    right = lead in ("v1", "iii")
    return Look(
        qrs={origin: qrs_shape(each) for origin, each in parts.items()},
        size=size,
        p=p_shape(rng, right=right),
        p_height=p_height,
        ectopic_p=p_shape(rng, right=not right),
        ectopic_p_height=p_height * float(rng.choice([1.0, -1.0], p=[0.6, 0.4]) * rng.uniform(0.6, 1.4)),
        t=t_shape(rng),
        t_height=t_height,
        wide_t=t_shape(rng),
        wide_t_heights={origin: _against(each, rng) for origin, each in parts.items()},
        st=patient.st * size * float(rng.uniform(0.5, 1.2)) * (1.0 if rng.random() < 0.8 else -1.0),
        u_height=abs(t_height) * patient.u_share,
        atria=patient.fibrillation * _ATRIA.get(lead, 0.35) * float(np.exp(0.2 * rng.standard_normal())),
    )


def _height(parts: tuple[Deflection, ...]) -> float:
    u = np.linspace(0.0, 1.0, 101)
    return float(np.abs(qrs_shape(parts)(u)).max())


def _against(parts: tuple[Deflection, ...], rng: Rng) -> float:
    """Height of a T wave that turns against the main deflection, as behind every QRS that spreads from one side."""
    main = max(parts, key=lambda part: abs(part.height) * (part.end - part.begin))
    return -main.height * float(rng.uniform(0.15, 0.5))


def _conducted(conduction: str, lead: str, qrs: tuple[float, float, float], rng: Rng) -> tuple[Deflection, ...]:
    q, r, s = qrs
    if conduction in ("left", "right"):
        return _bundle_block(conduction, lead, qrs, rng)
    if conduction == "hemiblock":
        # The axis turns: what was R becomes S in the inferior leads.
        r, s = (0.4 * r, 1.3 * s - 0.5 * r) if lead in ("ii", "iii", "avf") else (1.2 * r, s)
    first, second = float(rng.uniform(0.28, 0.4)), float(rng.uniform(0.55, 0.75))
    parts = [
        Deflection(0.0, first, q if rng.random() < 0.7 else 0.0),
        Deflection(0.4 * first, second + 0.12, r, float(rng.uniform(0.42, 0.58))),
        Deflection(second - 0.15, 1.0, s, float(rng.uniform(0.35, 0.55))),
    ]
    if rng.random() < 0.15:
        parts.append(Deflection(0.72, 1.0, 0.35 * r))
    if conduction == "intraventricular":
        parts.append(Deflection(0.45, 0.7, -float(rng.uniform(0.3, 0.7)) * r))
    if conduction == "delta":
        slur = [Deflection(0.0, 0.75, float(rng.uniform(0.25, 0.45)) * r, 0.62)]
        return (*slur, *(Deflection(0.3 + 0.7 * p.begin, 0.3 + 0.7 * p.end, p.height, p.skew) for p in parts))
    return tuple(parts)


def _bundle_block(side: str, lead: str, qrs: tuple[float, float, float], rng: Rng) -> tuple[Deflection, ...]:
    """Broad, with a notch where it is seen from the blocked side, and its mirror image from the other."""
    q, r, s = qrs
    size = max(abs(r), abs(s))
    if side == "left":
        if lead in _FROM_THE_LEFT:
            dip = float(rng.uniform(0.7, 1.1))
            return (Deflection(0.0, 0.62, size, 0.45), Deflection(0.38, 1.0, dip * size, 0.5))
        main = -size if lead in ("v1", "v2", "v3") else (r if abs(r) > abs(s) else s)
        return (Deflection(0.0, 0.25, -0.12 * main), Deflection(0.08, 1.0, main, float(rng.uniform(0.42, 0.58))))
    if lead in _FROM_THE_RIGHT:
        second = float(rng.uniform(0.6, 1.4))
        return (
            Deflection(0.0, 0.3, 0.4 * size),
            Deflection(0.18, 0.55, -0.5 * size),
            Deflection(0.4, 1.0, second * size),
        )
    late = -float(rng.uniform(0.2, 0.45)) * (r or size)
    return (
        Deflection(0.0, 0.22, q),
        Deflection(0.08, 0.55, r),
        Deflection(0.3, 0.6, 0.6 * s),
        Deflection(0.5, 1.0, late),
    )


def _ectopic(size: float, rng: Rng) -> tuple[Deflection, ...]:
    """Broad and large, in any direction: where the ectopic begins is chance."""
    main = size * float(rng.uniform(0.8, 2.0)) * float(rng.choice([-1, 1]))
    middle = float(rng.uniform(0.5, 0.85))
    parts = [Deflection(0.0, middle, main, float(rng.uniform(0.4, 0.6)))]
    if rng.random() < 0.7:
        parts.append(Deflection(middle - 0.25, 1.0, -float(rng.uniform(0.1, 0.8)) * main))
    else:
        parts.append(Deflection(middle - 0.35, 1.0, float(rng.uniform(0.4, 0.9)) * main))
    return tuple(parts)
