"""Noise of three kinds at a stated signal-to-noise ratio, for evaluation: seeded by record, lead and kind."""

from __future__ import annotations

import zlib
from dataclasses import replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import Record

SNR_LEVELS_DB = (24.0, 18.0, 12.0, 6.0, 0.0, -6.0)
Float = npt.NDArray[np.float64]


class NoiseKind(Enum):
    """The three kinds of the MIT-BIH noise stress test, synthesised.

    G. B. Moody, W. K. Muldrow, R. G. Mark, "A noise stress test for arrhythmia detectors", Computers in Cardiology
    11 (1984) 381-384.
    """

    BASELINE_WANDER = "baseline wander"
    MUSCLE = "muscle artefact"
    ELECTRODE_MOTION = "electrode motion"


def _band(rng: np.random.Generator, size: int, rate: int, low: float, high: float) -> Float:
    from scipy import signal as dsp  # takes a second to import, and most evaluations add no noise

    sections = dsp.butter(2, [low, high], "bandpass", fs=rate, output="sos")
    shaped: Float = dsp.sosfilt(sections, rng.normal(size=size + 10 * rate))[10 * rate :]
    return shaped


def _motion(rng: np.random.Generator, size: int, rate: int) -> Float:
    """Sudden shifts of the baseline, about one a second, each dying away within half a second, over slow wander."""
    kicks = np.where(rng.random(size) < 1.0 / rate, rng.normal(size=size), 0.0)
    decay = np.exp(-np.arange(3 * rate) / (0.5 * rate))
    shifts = np.convolve(kicks, decay)[:size]
    wander = _band(rng, size, rate, 0.3, 8.0)
    motion: Float = shifts / (shifts.std() + 1e-9) + 0.5 * wander / wander.std()
    return motion


def noise_of(kind: NoiseKind, size: int, rate: int, rng: np.random.Generator) -> Float:
    """Noise float64 [size] of unit power."""
    if kind is NoiseKind.BASELINE_WANDER:
        raw = _band(rng, size, rate, 0.05, 0.5)
    elif kind is NoiseKind.MUSCLE:
        raw = _band(rng, size, rate, 15.0, 0.45 * rate)
    else:
        raw = _motion(rng, size, rate)
    raw = raw - raw.mean()
    unit: Float = raw / float(np.sqrt(np.mean(raw**2)))
    return unit


def add_noise(record: Record, kind: NoiseKind, snr_db: float) -> Record:
    """The record with noise added at that ratio of the powers of (record minus its median) and noise.

    The noise depends on record number, lead and kind alone, so every model gets the same.
    """
    clean = record.samples.astype(np.float64)
    power = np.mean((clean - np.median(clean)) ** 2)
    seed = zlib.crc32(f"{record.record_id} {record.lead} {kind.value}".encode())
    noise = noise_of(kind, clean.size, record.rate, np.random.default_rng(seed))
    noisy = clean + noise * np.sqrt(power / 10 ** (snr_db / 10))
    return replace(record, samples=np.clip(np.rint(noisy), -32767, 32767).astype(np.int16))
