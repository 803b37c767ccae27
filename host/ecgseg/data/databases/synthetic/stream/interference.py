"""What a wearable picks up beside the heart: wander, muscle, motion of electrodes, hum, steps, and lost contact.

Levels follow the noise stress test (G. B. Moody et al., Computers in Cardiology 11 (1984) 381-384): electrode motion is
the worst, for its spectrum is that of ECG.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ecgseg.data.databases.synthetic.sampling import RATE, Float64, Rng
from ecgseg.pipeline import LEAD_OFF

# Millivolts of the quietest and the usual recording.
_QUIET = 0.003


def band(samples: int, low: float, high: float, rng: Rng) -> Float64:
    """Noise between two frequencies in Hz, standard deviation 1, [samples]."""
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    gain = ((frequency >= low) & (frequency <= high)) / np.maximum(frequency, 0.5)
    gain = gain if low < 1 else (gain > 0).astype(np.float64)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * gain, samples)
    return np.asarray(noise / max(float(noise.std()), 1e-9))


def bursts(samples: int, share: float, rng: Rng) -> Float64:
    """An envelope that is 1 in bursts of 0.3 to 5 s, which fill about this share of the time, and 0 between."""
    envelope = np.zeros(samples)
    filled = 0.0
    while filled < share * samples:
        length = int(rng.uniform(0.3, 5.0) * RATE)
        start = int(rng.integers(-length // 2, samples))
        shape = np.hanning(length + 2)[1:-1] ** 0.5
        first, last = max(0, start), min(samples, start + length)
        envelope[first:last] = np.maximum(envelope[first:last], shape[first - start : last - start])
        filled += length
    return envelope


def muscle(samples: int, rng: Rng) -> Float64:
    """Muscle noise, broad above 15 Hz."""
    return band(samples, 15.0, 200.0, rng) * (0.3 + bursts(samples, 0.3, rng))


def motion(samples: int, rng: Rng) -> Float64:
    """Motion of electrodes: slow swings and knocks whose spectrum is that of QRS, P and T."""
    swings = band(samples, 0.4, 10.0, rng)
    return (swings + 0.5 * band(samples, 3.0, 20.0, rng)) * bursts(samples, float(rng.uniform(0.1, 0.5)), rng)


def wander(samples: int, rng: Rng) -> Float64:
    """The baseline goes with breathing and drifts."""
    t = np.arange(samples) / RATE
    breath = np.sin(2 * np.pi * (rng.uniform(0.15, 0.5) * t + rng.random()))
    return np.asarray(0.5 * breath + band(samples, 0.02, 0.7, rng))


def hum(samples: int, rng: Rng) -> Float64:
    """The mains and its third harmonic."""
    turns = float(rng.choice([50.0, 60.0])) * np.arange(samples) / RATE + rng.random()
    return np.asarray(np.sin(2 * np.pi * turns) + rng.uniform(0, 0.4) * np.sin(6 * np.pi * turns))


def steps(samples: int, rng: Rng) -> Float64:
    """Jumps of the baseline that creep back, as after a pull at a cable."""
    total = np.zeros(samples)
    for start in rng.integers(0, samples, int(rng.integers(1, 5))):
        decay = np.exp(-np.arange(samples - start) / (RATE * rng.uniform(0.1, 3.0)))
        total[start:] += float(rng.choice([-1, 1]) * rng.uniform(0.3, 1.0)) * decay
    return total


def pulls(samples: int, rng: Rng) -> Float64:
    """As steps, but without end: the electrode is pulled at from once in ten seconds to three times a second."""
    total = np.zeros(samples)
    creep = RATE * float(np.exp(rng.uniform(np.log(0.1), np.log(3.0))))
    decay = np.exp(-np.arange(min(samples, int(6 * creep))) / creep)
    every = RATE / float(np.exp(rng.uniform(np.log(0.1), np.log(3.0))))
    start = rng.exponential(every)
    while start < samples:
        first = int(start)
        last = min(samples, first + decay.size)
        total[first:last] += float(rng.normal()) * decay[: last - first]
        start += rng.exponential(every)
    return total


def knocks(samples: int, rng: Rng) -> Float64:
    """Single swings with the spectrum of QRS complexes, at irregular times: what a running step or a tap looks like."""
    total = np.zeros(samples)
    now = 0.0
    while True:
        now += float(rng.uniform(0.25, 2.5))
        start, length = int(now * RATE), int(rng.uniform(0.04, 0.25) * RATE)
        if start + length >= samples:
            return total
        t = np.linspace(0, 1, length)
        swing = np.sin(2 * np.pi * rng.uniform(0.5, 2.5) * t + rng.uniform(0, 6.28)) * np.hanning(length)
        total[start : start + length] += float(rng.normal()) * swing


def tremor(samples: int, rng: Rng) -> Float64:
    """A shaking hand: 4 to 14 Hz, nearly a sine."""
    rate = float(rng.uniform(4.0, 14.0))
    return band(samples, rate - 0.5, rate + 0.5, rng)


NOISES: dict[str, Callable[[int, Rng], Float64]] = {
    "muscle": muscle,
    "motion": motion,
    "wander": wander,
    "hum": hum,
    "steps": steps,
    "knocks": knocks,
    "tremor": tremor,
}
# Millivolts of each at its usual level in a wearable's recording.
_LEVELS = {"muscle": 0.05, "motion": 0.25, "wander": 0.2, "hum": 0.03, "steps": 0.4, "tremor": 0.03}
# Of the noise stress test: ratios to QRS in decibels, from the worst to the mildest.
_STRESS_DB = {"motion": (0.0, 14.0), "muscle": (-3.0, 10.0), "wander": (-3.0, 8.0)}


def floor(rng: Rng) -> float:
    """Standard deviation in millivolts of the noise that is always there."""
    return _QUIET * float(np.exp(rng.uniform(0.0, 1.8)))


def wearable(samples: int, level: float, rng: Rng) -> Float64:
    """What one lead picks up, millivolts [samples]: noise of the floor, wander, and often more."""
    total = level * band(samples, 0.5, 150.0, rng) + level * band(samples, 15.0, 150.0, rng)
    total += float(rng.uniform(0.0, 0.1)) * wander(samples, rng)
    if rng.random() < 0.5:
        kind = str(rng.choice(list(_LEVELS)))
        total += _LEVELS[kind] * float(np.exp(rng.normal(-0.7, 0.7))) * NOISES[kind](samples, rng)
    return total


def stress(samples: int, height: float, rng: Rng) -> tuple[Float64, bool]:
    """Noise as the noise stress test adds it: of one kind, without end, as loud as QRS.

    Args:
        samples: of the recording.
        height: of QRS from peak to peak, millivolts; the power of the signal is its square over 8.
        rng: source of every draw.

    Returns:
        Millivolts [samples], and whether it hides P and T waves.
    """
    kind = str(rng.choice(list(_STRESS_DB)))
    noise = stress_noise(kind, samples, rng)
    return noise * stress_level(height, float(rng.uniform(*_STRESS_DB[kind]))), kind != "wander"


def stress_noise(kind: str, samples: int, rng: Rng) -> Float64:
    """Noise as the noise stress test has it, made up, of power 1.

    Args:
        kind: "motion" of an electrode, "muscle" or "wander".
        samples: at 500 Hz.
        rng: source of every draw.
    """
    if kind == "motion":
        noise = band(samples, 0.3, 8.0, rng) + 0.5 * band(samples, 3.0, 20.0, rng)
    elif kind == "muscle":
        noise = 0.5 * band(samples, 0.5, 40.0, rng) + band(samples, 5.0, 120.0, rng)
    else:
        noise = band(samples, 0.05, 1.0, rng)
    noise *= np.exp(0.4 * band(samples, 0.02, 0.3, rng))
    return np.asarray(noise / np.sqrt(float(np.mean(noise**2))))


def stress_level(height: float, decibels: float) -> float:
    """Root mean square of noise so many decibels below QRS, whose power is the square of its height over 8."""
    return float(np.sqrt(height**2 / 8 * 10 ** (-decibels / 10)))


def lose_contact(samples: npt.NDArray[np.int16], rng: Rng) -> npt.NDArray[np.int16]:
    """Parts of 0.1 to 4 s become LEAD_OFF, stand still, or stick to a rail; int16 microvolts [samples]."""
    result = samples.copy()
    for _ in range(int(rng.integers(1, 4))):
        length = int(np.exp(rng.uniform(np.log(0.1), np.log(4.0))) * RATE)
        start = int(rng.integers(0, max(1, samples.size - length)))
        kind = rng.choice(["off", "still", "rail"], p=[0.6, 0.2, 0.2])
        stuck = {"off": LEAD_OFF, "still": int(samples[start]), "rail": int(rng.choice([-32767, 32767]))}[str(kind)]
        result[start : start + length] = stuck
    return result
