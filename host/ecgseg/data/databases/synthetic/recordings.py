"""Whole recordings: every rhythm in turn, some disturbed, every fourth from the library."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecgseg.data.databases.synthetic.library import PRESETS, from_library
from ecgseg.data.databases.synthetic.noise import DISTURBANCES, Disturbance, noise
from ecgseg.data.databases.synthetic.rhythms import RHYTHMS, draw_beats, draw_patient
from ecgseg.data.databases.synthetic.sampling import DURATION_S, RATE, Rng
from ecgseg.data.databases.synthetic.stream.recordings import stream_records
from ecgseg.data.databases.synthetic.waves import LEADS, annotated, atria, render, spans_of
from ecgseg.data.records import Record
from ecgseg.errors import UsageError
from ecgseg.pipeline import microvolts

_LIBRARY_EVERY = 4
POPULATIONS = ("frame", "stream")


def synthetic_records(
    count: int,
    leads: int | Sequence[str] = LEADS,
    seed: int = 2026,
    *,
    population: str = "frame",
    duration_s: float = DURATION_S,
    long_qt: float = 0.0,
) -> list[Record]:
    """Synthetic recordings at 500 Hz, in the order recording, lead.

    Args:
        count: recordings.
        leads: lead names, or how many leads to draw for each recording.
        seed: same seed, same bytes.
        population: "frame", which the networks of frames are trained on: every rhythm in turn, 10 s each. "stream":
            patients drawn by the shares of rhythms and anomalies, with noise of a wearable.
        duration_s: length of each recording of the population "stream".
        long_qt: share of further patients of the population "stream" whose QTc is drawn from 0.45 to 0.66 s.

    Returns:
        count * leads records with record numbers from 1.

    Raises:
        UsageError: there is no such population, or its recordings have another length.
    """
    if population == "stream" and duration_s >= 1.0:
        return stream_records(count, leads, seed, duration_s, long_qt)
    if population != "frame" or duration_s != DURATION_S:
        raise UsageError(
            f"There are no recordings of {duration_s:g} s of a population '{population}'.",
            f"Populations: frame ({DURATION_S:g} s each), stream (1 s and more).",
            "Use one of them.",
        )
    return [record for number in range(1, count + 1) for record in frame_recording(number, leads, seed)]


def frame_recording(number: int, leads: int | Sequence[str], seed: int) -> list[Record]:
    """One recording of the population "frame"; see :func:`synthetic_records`."""
    rng = np.random.default_rng([seed, number])
    if isinstance(leads, int):
        chosen = tuple(LEADS[index] for index in sorted(rng.permutation(len(LEADS))[:leads]))
    else:
        chosen = tuple(leads)
    disturbance = "none" if rng.random() < 0.85 else DISTURBANCES[int(rng.integers(1, len(DISTURBANCES)))]
    turn, own = divmod(number, _LIBRARY_EVERY)
    if own == 0:
        return from_library(number, PRESETS[turn % len(PRESETS)], chosen, rng)
    rhythm = RHYTHMS[(number - 1 - turn) % len(RHYTHMS)]
    return synthesise(number, rhythm, chosen, rng=rng, disturbance=disturbance)


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
    patient = draw_patient(rhythm, rate, rng)
    beats = draw_beats(rhythm, patient, rng)
    t = np.arange(int(DURATION_S * RATE)) / RATE
    waves = annotated(spans_of(patient, beats), t.size)
    result = []
    lead_seed = int(rng.integers(2**31))
    event = Disturbance.draw(disturbance, t.size, rng)
    for lead in leads:
        lead_rng = np.random.default_rng([lead_seed, LEADS.index(lead)])
        clean = render(t, patient, beats, lead, lead_rng) + atria(t, rhythm, lead_rng)
        samples, kept = event.apply(microvolts(clean + noise(t, lead_rng)), waves)
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
