"""Recordings of physiokit: its presets, its segmentation."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ecgseg.data.databases.synthetic.sampling import DURATION_S, RATE, Float64, Rng
from ecgseg.data.databases.synthetic.waves import LEADS
from ecgseg.data.records import Record, Wave
from ecgseg.pipeline import microvolts

_RHYTHMS = {
    "SR": "sinus",
    "AFIB": "atrial fibrillation",
    "LAHB": "left anterior hemiblock",
    "LPHB": "left posterior hemiblock",
    "LBBB": "left bundle branch block",
    "ant_STEMI": "st elevation",
    "high_take_off": "st elevation",
    "random_morphology": "sinus",
}
_KINDS = {1: "P", 2: "QRS", 3: "T"}
PRESETS = tuple(sorted(_RHYTHMS))


def from_library(record_id: int, preset: str, leads: Sequence[str], rng: Rng) -> list[Record]:
    """One recording of physiokit."""
    signal, codes = _library_signal(preset, rng)
    return [
        Record(
            record_id,
            lead,
            RATE,
            microvolts(signal[LEADS.index(lead)]),
            _library_waves(codes[LEADS.index(lead)]),
            _RHYTHMS[preset],
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
        Wave(_KINDS[int(codes[start])], int(start), int(start + end - 1) // 2, int(end - 1))
        for start, end in pairwise(edges.tolist())
        if int(codes[start]) in _KINDS
    )
