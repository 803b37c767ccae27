"""Disturbances of a wrist sensor, drawn for a whole batch of frames at once.

All functions work on float32 [batch, time] microvolts at 100 Hz, in place, on the rows that the draw selects.
Amplitudes are in standard deviations of the undisturbed row, so that a small lead is not drowned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import WAVE_LABELS
from ecgseg.pipeline import MODEL_RATE, UNANNOTATED
from ecgseg.zoo.recipe import AugmentationConfiguration

Batch = npt.NDArray[np.float32]
Rng = np.random.Generator


def augment(signals: Batch, strengths: AugmentationConfiguration, rng: Rng) -> tuple[Batch, npt.NDArray[np.bool_]]:
    """Disturb a batch.

    Args:
        signals: float32 [batch, time] microvolts; not changed.
        strengths: probabilities and strengths.
        rng: source of every draw; the same state gives the same batch.

    Returns:
        The disturbed batch and its valid mask, bool [batch, time] (False: no contact).
    """
    x = signals.copy()
    spread = x.std(axis=1, keepdims=True) + np.float32(1.0)
    smooth(x, strengths.smoothing_probability, strengths.smoothing, rng)
    rows = _rows(len(x), strengths.wander_probability, rng)
    x[rows] += spread[rows] * baseline_wander(_strength(rows, strengths.wander, rng), x.shape[1], rng)
    rows = _rows(len(x), strengths.hum_probability, rng)
    x[rows] += spread[rows] * mains_hum(_strength(rows, strengths.hum, rng), x.shape[1], rng)
    rows = _rows(len(x), strengths.muscle_probability, rng)
    x[rows] += spread[rows] * muscle_noise(_strength(rows, strengths.muscle, rng), x.shape[1], rng)
    rows = _rows(len(x), strengths.motion_probability, rng)
    x[rows] += spread[rows] * electrode_motion(_strength(rows, strengths.motion, rng), x.shape[1], rng)
    clip(x, strengths.clipping_probability, rng)
    change_level(x, strengths.level_probability, strengths.level, rng)
    gain = np.exp(rng.uniform(-1, 1, (len(x), 1)) * np.log(strengths.gain))
    sign = np.where(rng.random((len(x), 1)) < strengths.polarity_probability, -1.0, 1.0)
    x *= (gain * sign).astype(np.float32)
    return x, contact(x.shape, strengths.lead_off_probability, rng)


def _rows(count: int, probability: float, rng: Rng) -> npt.NDArray[np.intp]:
    return np.flatnonzero(rng.random(count) < probability)


def _strength(rows: npt.NDArray[np.intp], largest: float, rng: Rng) -> npt.NDArray[np.float64]:
    """Amplitudes [rows, 1], the cube of a uniform draw: mostly small, because clean ECG is the common case."""
    return np.asarray(largest * rng.random((rows.size, 1)) ** 3)


def _time(length: int) -> npt.NDArray[np.float64]:
    return np.arange(length)[None, :] / MODEL_RATE


def baseline_wander(amplitude: npt.NDArray[np.float64], length: int, rng: Rng) -> Batch:
    """Breathing and slow drift: three sines of 0.05 to 0.7 Hz; float32 [rows, length]."""
    t = _time(length)
    total = np.zeros((len(amplitude), length))
    for _ in range(3):
        frequency = rng.uniform(0.05, 0.7, amplitude.shape)
        total += rng.uniform(0.2, 1.0, amplitude.shape) * np.sin(
            2 * np.pi * (frequency * t + rng.random(amplitude.shape))
        )
    return (amplitude * total).astype(np.float32)


def mains_hum(amplitude: npt.NDArray[np.float64], length: int, rng: Rng) -> Batch:
    """What the decimator leaves of 50 or 60 Hz (the latter folded to 40 Hz); float32 [rows, length]."""
    mains = rng.choice([50.0, 60.0], amplitude.shape) + rng.uniform(-0.3, 0.3, amplitude.shape)
    phase = 2 * np.pi * (mains * _time(length) + rng.random(amplitude.shape))
    wave: Batch = (amplitude * np.sin(phase)).astype(np.float32)
    return wave


def muscle_noise(amplitude: npt.NDArray[np.float64], length: int, rng: Rng) -> Batch:
    """Broad-band noise that swells and fades; float32 [rows, length]."""
    noise = rng.standard_normal((len(amplitude), length), dtype=np.float32)
    swell = 0.6 + 0.4 * np.sin(
        2 * np.pi * (rng.uniform(0.1, 1.0, amplitude.shape) * _time(length) + rng.random(amplitude.shape))
    )
    return (amplitude * swell * noise).astype(np.float32)


def electrode_motion(amplitude: npt.NDArray[np.float64], length: int, rng: Rng) -> Batch:
    """A jump of the half-cell potential that decays: rise within 30 ms, decay 0.1 to 0.8 s; float32 [rows, length]."""
    since = _time(length) - rng.uniform(-0.2, length / MODEL_RATE, amplitude.shape)
    decay = np.exp(-np.maximum(since, 0) / rng.uniform(0.1, 0.8, amplitude.shape))
    rise = np.clip(since / 0.03 + 1.0, 0.0, 1.0)
    sign = rng.choice([-1.0, 1.0], amplitude.shape)
    wave: Batch = (amplitude * sign * rise * decay).astype(np.float32)
    return wave


def smooth(x: Batch, probability: float, largest: float, rng: Rng) -> None:
    """Another front end's bandwidth: a three-tap filter that smooths or sharpens."""
    rows = _rows(len(x), probability, rng)
    weight = rng.uniform(-0.5 * largest, largest, (rows.size, 1)).astype(np.float32)
    padded = np.pad(x[rows], ((0, 0), (1, 1)), mode="edge")
    x[rows] += weight * (padded[:, :-2] + padded[:, 2:] - 2 * padded[:, 1:-1])


def change_level(x: Batch, probability: float, largest: float, rng: Rng) -> None:
    """Contact that gets better or worse: the gain goes to another one within 0.2 to 2 s."""
    if not probability:
        return
    rows = _rows(len(x), probability, rng)
    gain = np.exp(rng.uniform(-1, 1, (rows.size, 1)) * np.log(largest))
    since = _time(x.shape[1]) - rng.uniform(0, x.shape[1] / MODEL_RATE, (rows.size, 1))
    done = np.clip(since / rng.uniform(0.2, 2.0, (rows.size, 1)), 0.0, 1.0)
    x[rows] *= (1.0 + (gain - 1.0) * done).astype(np.float32)


def scale_waves(
    x: Batch, masks: npt.NDArray[np.integer], probability: float, largest: Sequence[float], rng: Rng
) -> None:
    """Small P waves, tall QRS complexes, flat T waves: each kind of wave by a gain of its own, in place.

    What is scaled is the distance from the straight line between the samples in front of and behind a wave.

    Args:
        x: float32 [batch, time] microvolts.
        masks: labels [batch, time].
        probability: of each row.
        largest: of the classes from 1 on: gains are drawn from 1/largest to largest, log-uniformly.
        rng: source of every draw.
    """
    if not probability:
        return
    time = np.arange(x.shape[1])
    for row in _rows(len(x), probability, rng):
        for kind, most in enumerate(largest, start=1):
            gain = np.exp(rng.uniform(-1, 1) * np.log(most))
            inside = masks[row] == kind
            if inside.any() and not inside.all():
                line = np.interp(time[inside], time[~inside], x[row, ~inside])
                x[row, inside] = line + gain * (x[row, inside] - line)


def interval_clock(mask: npt.NDArray[np.integer], gains: Sequence[float]) -> npt.NDArray[np.float64]:
    """When each sample comes once intervals are longer or shorter: long PR and QT, T waves that run into P waves.

    Args:
        mask: labels of four classes [time].
        gains: ratios by which three parts of each beat last longer: the PQ segment, from the end of QRS to the end of
            T, and from there to the next P wave (or QRS complex, where a beat has no P wave).

    Returns:
        float64 [time], in samples, 0 for the first; P waves and QRS complexes last as long as they did.
    """
    edges = np.flatnonzero(np.diff(mask)) + 1
    first = np.concatenate(([0], edges))
    label = mask[first]
    before, after = np.append(UNANNOTATED, label[:-1]), np.append(label[1:], UNANNOTATED)
    p, qrs, t = (WAVE_LABELS[4][kind] for kind in ("P", "QRS", "T"))
    none = label == 0
    lasts = np.ones(len(label))
    lasts[none & (before == p) & (after == qrs)] = gains[0]
    lasts[(none & (before == qrs) & (after == t)) | (label == t)] = gains[1]
    lasts[none & (before == t) & ((after == p) | (after == qrs))] = gains[2]
    each = np.repeat(lasts, np.diff(np.append(first, len(mask))))
    # A change of pace within some samples, as no clock jumps.
    smooth = np.convolve(np.pad(each, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return np.concatenate(([0.0], np.cumsum(smooth)[:-1]))


def clip(x: Batch, probability: float, rng: Rng) -> None:
    """A front end that saturates: both rails at 0.4 to 0.9 of the row's largest excursion."""
    rows = _rows(len(x), probability, rng)
    rail = rng.uniform(0.4, 0.9, (rows.size, 1)).astype(np.float32) * np.abs(x[rows]).max(axis=1, keepdims=True)
    x[rows] = np.clip(x[rows], -rail, rail)


def contact(shape: tuple[int, ...], probability: float, rng: Rng) -> npt.NDArray[np.bool_]:
    """Lead-off gaps of 50 to 800 ms: bool [batch, time], False inside a gap."""
    valid = np.ones(shape, dtype=np.bool_)
    for row in _rows(shape[0], probability, rng):
        start = int(rng.integers(0, shape[1]))
        valid[row, start : start + int(rng.integers(5, 80))] = False
    return valid
