"""Whole recordings of the population, and recordings of anything but a heart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ecgseg.data.databases.synthetic.sampling import RATE, Float64, Rng
from ecgseg.data.databases.synthetic.stream.atria import fibrillation, flutter
from ecgseg.data.databases.synthetic.stream.interference import (
    NOISES,
    band,
    floor,
    lose_contact,
    pulls,
    stress,
    wearable,
)
from ecgseg.data.databases.synthetic.stream.look import draw_look
from ecgseg.data.databases.synthetic.stream.patient import Patient, draw_patient
from ecgseg.data.databases.synthetic.stream.render import render
from ecgseg.data.databases.synthetic.stream.timeline import Timeline, draw_timeline
from ecgseg.data.databases.synthetic.waves import LEADS
from ecgseg.data.records import Record, Wave
from ecgseg.pipeline import LEAD_OFF, microvolts

# Of all recordings, those with a part in which contact is lost.
_LOSE_CONTACT = 0.08
# And those with the noise of the noise stress test.
_STRESSED = 0.15
# No two of the generators of this package draw the same numbers from the same seed.
_STREAM, _NOISE = 101, 102


def stream_records(
    count: int, leads: int | Sequence[str], seed: int, duration_s: float, long_qt: float = 0.0
) -> list[Record]:
    """Recordings of the population, in the order recording, lead; see `synthetic_records`."""
    return [
        record
        for number in range(1, count + 1)
        for record in _recording(number, leads, np.random.default_rng([seed, number, _STREAM]), duration_s, long_qt)
    ]


def _recording(number: int, leads: int | Sequence[str], rng: Rng, duration_s: float, long_qt: float) -> list[Record]:
    if isinstance(leads, int):
        chosen = tuple(LEADS[index] for index in sorted(rng.permutation(len(LEADS))[:leads]))
    else:
        chosen = tuple(leads)
    return stream_recording(number, draw_patient(rng, long_qt=long_qt), chosen, duration_s, rng)


def stream_recording(
    record_id: int, patient: Patient, leads: Sequence[str], duration_s: float, rng: Rng
) -> list[Record]:
    """One recording of a patient.

    Args:
        record_id: its number.
        patient: from :func:`draw_patient`.
        leads: lead names.
        duration_s: its length in seconds.
        rng: source of every draw.

    Returns:
        One record for each lead; waves differ between leads, for each shows something else.
    """
    timeline = draw_timeline(patient.rhythm, duration_s, rng)
    lead_seed, loses_contact = int(rng.integers(2**31)), rng.random() < _LOSE_CONTACT
    stressed = rng.random() < _STRESSED
    samples = int(duration_s * RATE)
    result = []
    for lead in leads:
        lead_rng = np.random.default_rng([lead_seed, LEADS.index(lead)])
        look, level = draw_look(patient, lead, lead_rng), floor(lead_rng)
        clean, waves = render(patient, look, timeline, samples, level, lead_rng)
        clean += _atria(patient, timeline, look.atria, samples, lead_rng)
        if stressed:
            loud, hides = stress(samples, 1.3 * look.size, lead_rng)
            clean += loud
            waves = _qrs_alone(waves) if hides else waves
        raw = microvolts(clean + wearable(samples, level, lead_rng))
        if loses_contact:
            spoilt = lose_contact(raw, lead_rng)
            waves, raw = _hidden(waves, spoilt != raw), spoilt
        result.append(Record(record_id, lead, RATE, raw, waves, patient.rhythm.name, "synthetic"))
    return result


def _atria(patient: Patient, timeline: Timeline, height: float, samples: int, rng: Rng) -> Float64:
    if timeline.flutter:
        return flutter(samples, timeline.flutter, 3 * height, rng)
    if patient.rhythm.course == "fibrillation":
        return fibrillation(samples, height, rng)
    return np.zeros(samples)


def _qrs_alone(waves: Sequence[Wave]) -> tuple[Wave, ...]:
    """P and T waves keep their peak alone: under so much noise no annotator would set their ends."""
    return tuple(wave if wave.kind == "QRS" else replace(wave, onset=None, offset=None) for wave in waves)


def _hidden(waves: Sequence[Wave], lost: npt.NDArray[np.bool_]) -> tuple[Wave, ...]:
    """Waves that touch a lost part keep what lies outside of it as their peak alone: nothing is known of their ends."""
    sums = np.concatenate(([0], np.cumsum(lost)))
    return tuple(
        replace(wave, onset=None, peak=wave.points[len(wave.points) // 2], offset=None)
        if sums[max(wave.points) + 1] > sums[min(wave.points)]
        else wave
        for wave in waves
    )


def noise_records(count: int, seed: int = 2026, duration_s: float = 30.0, *, pulled: float = 0.0) -> list[Record]:
    """Recordings in which no heart beats: noise of every kind, flat lines, lost contact, rails; all of it is NONE.

    Args:
        count: recordings, of one lead each.
        seed: same seed, same bytes.
        duration_s: length of each in seconds.
        pulled: share of them in which an electrode is pulled at all the time.

    Returns:
        Records of source "noise", annotated over their whole length, with no waves.
    """
    return [
        _noise(number, np.random.default_rng([seed, number, _NOISE]), duration_s, pulled)
        for number in range(1, count + 1)
    ]


def _noise(number: int, rng: Rng, duration_s: float, pulled: float) -> Record:
    samples = int(duration_s * RATE)
    kinds = rng.choice(list(NOISES), size=int(rng.integers(1, 4)), replace=False)
    total = floor(rng) * band(samples, 0.5, 150.0, rng)
    for kind in kinds:
        total += float(np.exp(rng.uniform(np.log(0.02), np.log(2.0)))) * NOISES[str(kind)](samples, rng)
    name = " and ".join(str(kind) for kind in kinds)
    if pulled and rng.random() < pulled:
        kept = 0.0 if rng.random() < 0.5 else 1.0
        total = kept * total + float(np.exp(rng.uniform(np.log(0.1), np.log(2.0)))) * pulls(samples, rng)
        total += float(rng.uniform(0.002, 0.02)) * rng.standard_normal(samples)
        name = f"pulls and {name}"
    if rng.random() < 0.15:
        total *= 0.02
    raw = microvolts(total)
    if rng.random() < 0.1:
        raw, name = _still(samples, rng), "flat line"
    if rng.random() < 0.35:
        raw = lose_contact(raw, rng)
    return Record(number, "ii", RATE, raw, (), name, "noise", annotated=((0, samples - 1),))


def _still(samples: int, rng: Rng) -> npt.NDArray[np.int16]:
    """A flat line with at most a few microvolts of converter noise, or no contact at all."""
    if rng.random() < 0.2:
        return np.full(samples, LEAD_OFF, dtype=np.int16)
    quantum = float(rng.choice([0.0, 1.0, 3.0, 10.0]))
    return microvolts((float(rng.normal(0, 500)) + quantum * rng.standard_normal(samples)) / 1000.0)
