"""Streams of labels with their samples at 100 Hz: of beats as they should be, and of whatever a network may say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.beats import BeatFinder
from ecgseg.pipeline.events import Event
from ecgseg.pipeline.faint import FAINT_P


@dataclass(frozen=True)
class Classes:
    """labels uint8 [n] and samples int16 [n] microvolts at 100 Hz."""

    labels: npt.NDArray[np.uint8]
    samples: npt.NDArray[np.int16]

    def pairs(self) -> list[tuple[int, int]]:
        """Class and sample, one after the other."""
        return list(zip(self.labels.tolist(), self.samples.tolist(), strict=True))


def beats(onsets: list[int], length: int, *, p: bool = True, t: bool = True, height: int = 1000) -> Classes:
    """Beats whose QRS complexes have these first samples and are 9 samples long, R in the middle.

    P from 18 to 9 samples before, T from 22 to 41 samples after the QRS onset.
    """
    labels = np.zeros(length, np.uint8)
    samples = np.zeros(length)
    for onset in onsets:
        if p:
            labels[onset - 18 : onset - 8] = 1
            samples[onset - 18 : onset - 8] += 80 * np.hanning(10)
        labels[onset : onset + 9] = 2
        samples[onset : onset + 9] += height * np.hanning(9)
        if t:
            labels[onset + 22 : onset + 42] = 3
            samples[onset + 22 : onset + 42] += 250 * np.hanning(20)
    # A clean line between beats would be a flat one.
    samples += 10 * np.sin(np.arange(length) / 3)
    return Classes(labels, np.rint(samples).astype(np.int16))


def without_t(classes: Classes, onsets: list[int]) -> Classes:
    """Beats as of `beats` without the T waves of these."""
    labels = classes.labels.copy()
    for onset in onsets:
        labels[onset + 22 : onset + 42] = 0
    return Classes(labels, classes.samples)


def with_longer_t(classes: Classes, onset: int, samples: int) -> Classes:
    """Beats as of `beats`; the T wave of this one lasts so many samples longer."""
    labels = classes.labels.copy()
    labels[onset + 42 : onset + 42 + samples] = 3
    return Classes(labels, classes.samples)


def with_p(classes: Classes, onsets: list[int], pr: int = 18) -> Classes:
    """Beats with P waves that begin so many samples before the QRS onsets of these."""
    labels = classes.labels.copy()
    for onset in onsets:
        labels[onset - pr : onset - 8] = 1
    return Classes(labels, classes.samples)


def swings(onsets: list[int], heights: list[int], widths: list[int]) -> Classes:
    """Complexes without P waves, so many microvolts high and samples long."""
    classes = beats(onsets, onsets[-1] + 150, p=False, height=0)
    labels, samples = classes.labels.copy(), classes.samples.astype(float)
    for onset, height, width in zip(onsets, heights, widths, strict=True):
        labels[onset : onset + width] = 2
        labels[onset + width : onset + 9] = 0
        samples[onset : onset + width] += height * np.hanning(width)
    return Classes(labels, np.rint(samples).astype(np.int16))


def from_the_side(intervals: list[int], heights: tuple[int, ...] = (600, -200, 1100, -350)) -> Classes:
    """Four beats with T waves so far apart, of lengths and heights that are not alike."""
    return swings(np.cumsum([60, *intervals]).tolist(), list(heights), [9, 14, 5, 14])


def anything(seed: int, length: int = 3000) -> Classes:
    """Runs of random labels and lengths with every state of the signal; some streams look like beats for a while."""
    rng = np.random.default_rng(seed)
    labels: list[int] = []
    while len(labels) < length:
        if rng.random() < 0.6:
            p = int(rng.choice([1, FAINT_P]))
            for label, least, most in ((p, 3, 14), (0, 0, 12), (2, 3, 14), (0, 0, 20), (3, 4, 30), (0, 0, 60)):
                labels += [label] * int(rng.integers(least, most + 1))
        else:
            labels += [int(rng.integers(0, 7))] * int(rng.choice([1, 2, 5, 6, 9, 30, 100, 400]))
    found = np.array(labels[:length], np.uint8)
    samples = rng.normal(0, rng.choice([1, 30, 400, 12000]), length) + 900 * (found == 2)
    for value, share in ((LEAD_OFF, 0.8), (32767, 0.4), (-32767, 0.3), (12, 0.5)):
        for _ in range(3):
            if rng.random() < share:
                first = int(rng.integers(0, length))
                samples[first : first + int(rng.choice([1, 8, 19, 20, 21, 260, 600]))] = value
    return Classes(found, np.clip(np.rint(samples), -32768, 32767).astype(np.int16))


def spoilt(classes: Classes, where: slice, seed: int) -> Classes:
    """Between QRS complexes there are waves that are too short, as a network sees them in the noise of muscles."""
    rng = np.random.default_rng(seed)
    labels, inside = classes.labels.copy(), np.zeros(classes.labels.size, np.bool_)
    inside[where] = True
    labels[inside & (labels != 2)] = 0
    quiet = np.flatnonzero(inside & (np.convolve(labels == 2, np.ones(17), "same") == 0))
    for first in quiet[rng.integers(6, 12) :: 14]:
        labels[first : first + int(rng.integers(1, 4))] = rng.choice([1, 3])
    return Classes(labels, classes.samples)


def events_of(classes: Classes, finder: BeatFinder | None = None) -> list[Event]:
    """All events of a stream, fetched after every sample; without a finder by the rules as they are."""
    finder = finder or BeatFinder()
    found: list[Event] = []
    for label, sample in classes.pairs():
        assert finder.push(label, sample)
        found += iter(finder.next, None)
    assert finder.end()
    return [*found, *iter(finder.next, None)]
