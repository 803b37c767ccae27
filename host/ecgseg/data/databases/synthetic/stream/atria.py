"""Atria that beat too fast to be waves of their own: fibrillation and flutter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecgseg.data.databases.synthetic.sampling import RATE, Float64, Rng
from ecgseg.data.databases.synthetic.waves import bump


def fibrillation(samples: int, height: float, rng: Rng) -> Float64:
    """Fibrillatory waves of 4 to 9 Hz, whose rate, height and shape wander; millivolts [samples]."""
    rate = float(rng.uniform(4.2, 8.8)) + 0.35 * _wandering(samples, 1.2, rng)
    turns = np.cumsum(np.clip(rate, 3.8, 9.5)) / RATE
    loud = np.exp(0.35 * _wandering(samples, 0.8, rng))
    sharp = rng.uniform(0.0, 0.6, 3) * np.array([1.0, 0.6, 0.4])
    phases = 2 * np.pi * rng.random(3)
    wave = np.sin(2 * np.pi * turns)
    for harmonic, (share, phase) in enumerate(zip(sharp, phases, strict=True), 2):
        wave = wave + share * np.sin(2 * np.pi * harmonic * turns + phase + 0.5 * _wandering(samples, 0.7, rng))
    second = 0.4 * np.sin(2 * np.pi * np.cumsum(rng.uniform(4, 9) + 0.3 * _wandering(samples, 0.8, rng)) / RATE)
    return np.asarray(height * loud * (wave + second) / 1.5)


def _wandering(samples: int, corner: float, rng: Rng) -> Float64:
    """Noise of standard deviation 1 below `corner` Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    slow = np.fft.irfft(spectrum / (1 + (frequency / corner) ** 4), samples)
    return np.asarray(slow / max(float(slow.std()), 1e-9))


def flutter(samples: int, onsets: Sequence[float], height: float, rng: Rng) -> Float64:
    """A saw-tooth, or in some leads P-like waves with a flat line between; millivolts [samples]."""
    discrete, tooth = rng.random() < 0.4, float(rng.uniform(0.55, 0.85))
    sign = float(rng.choice([-1, 1]))
    t = np.arange(samples) / RATE
    at = np.asarray(onsets)
    turn = np.interp(t, at, np.arange(at.size)) % 1.0
    if discrete:
        return np.asarray(sign * height * bump(turn, 0.0, tooth, 0.45))
    slope = np.where(turn < tooth, turn / tooth, 1 - (turn - tooth) / (1 - tooth))
    # Rounded: a saw-tooth of the body surface has no edges.
    smooth = 0.5 - 0.5 * np.cos(np.pi * slope)
    return np.asarray(sign * height * (0.6 * slope + 0.4 * smooth - 0.5))
