"""Scores of a segmentation: sample by sample, and by fiducial points (onsets and offsets of P, QRS and T)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ecgseg.data.records import CLASS_NAMES, WAVE_LABELS, Record, labels
from ecgseg.pipeline import UNANNOTATED, Segment, milliseconds, offset_tick, onset_tick

TOLERANCE_MS = 150.0
Confusion = npt.NDArray[np.int64]


def confusion_matrix(predicted: npt.NDArray[np.integer], truth: npt.NDArray[np.integer], class_count: int) -> Confusion:
    """Confusion matrix over the annotated samples.

    Args:
        predicted: class of each sample, any shape.
        truth: label of each sample, same shape; 255 takes no part.
        class_count: number of classes.

    Returns:
        int64 [truth, predicted].
    """
    annotated = truth != UNANNOTATED
    pairs = truth[annotated].astype(np.int64) * class_count + predicted[annotated].astype(np.int64)
    return np.bincount(pairs, minlength=class_count**2).reshape(class_count, class_count)


class SampleScores(BaseModel):
    """Sample-wise scores, each between 0 and 1.

    Attributes:
        weighted_f1: F1 of the classes weighted by their true samples.
        macro_f1: plain mean of the classes' F1.
        accuracy: share of samples that are right.
        miou: mean over the classes of intersection over union.
        per_class_f1: by class name.
        confusion: [truth][predicted], counts of samples.
    """

    weighted_f1: float
    macro_f1: float
    accuracy: float
    miou: float
    per_class_f1: dict[str, float]
    confusion: list[list[int]]


def class_f1(confusion: Confusion) -> npt.NDArray[np.float64]:
    """F1 of each class, float64 [classes]; of one that never occurs and is never predicted it is 0."""
    both = confusion.sum(axis=1) + confusion.sum(axis=0)
    f1: npt.NDArray[np.float64] = 2 * np.diag(confusion) / np.maximum(both, 1)
    return f1


def weighted_f1(confusion: Confusion) -> float:
    """Mean of the classes' F1 weighted by their true samples."""
    true = confusion.sum(axis=1)
    return float((class_f1(confusion) * true).sum() / max(int(true.sum()), 1))


def sample_scores(confusion: Confusion) -> SampleScores:
    """Scores of a confusion matrix [truth, predicted]; a class that never occurs and is never predicted scores 0."""
    hits = np.diag(confusion).astype(np.float64)
    true = confusion.sum(axis=1)
    both = true + confusion.sum(axis=0)
    f1 = class_f1(confusion)
    names = CLASS_NAMES[confusion.shape[0]]
    return SampleScores(
        weighted_f1=weighted_f1(confusion),
        macro_f1=float(f1.mean()),
        accuracy=float(hits.sum() / max(int(true.sum()), 1)),
        miou=float((hits / np.maximum(both - hits, 1)).mean()),
        per_class_f1={name: float(value) for name, value in zip(names, f1, strict=True)},
        confusion=confusion.tolist(),
    )


@dataclass(frozen=True)
class Points:
    """Points of one kind in a lead, in milliseconds from its first sample.

    Attributes:
        pairs: annotated and detected point of each that was found.
        missed: annotated points that were not.
        surplus: detected points that nobody annotated, where the annotation is whole.
    """

    pairs: list[tuple[float, float]]
    missed: list[float]
    surplus: list[float]


@dataclass
class FiducialCount:
    """Running count for one kind of point, such as "QRS onset"."""

    true_positives: int = 0
    false_negatives: int = 0
    false_positives: int = 0
    errors_ms: list[float] = field(default_factory=list)


class FiducialScore(BaseModel):
    """Scores of one kind of point at a tolerance of 150 ms.

    Attributes:
        sensitivity, ppv, f1: between 0 and 1.
        mean_ms, sd_ms: of detected minus annotated, over the true positives.
        true_positives, false_negatives, false_positives: counts.
    """

    sensitivity: float
    ppv: float
    f1: float
    mean_ms: float
    sd_ms: float
    true_positives: int
    false_negatives: int
    false_positives: int

    @staticmethod
    def of(count: FiducialCount) -> FiducialScore:
        """Scores of a finished count; a ratio of nothing is 0."""
        errors = np.array(count.errors_ms or [0.0])
        hits = count.true_positives
        return FiducialScore(
            sensitivity=hits / max(hits + count.false_negatives, 1),
            ppv=hits / max(hits + count.false_positives, 1),
            f1=2 * hits / max(2 * hits + count.false_negatives + count.false_positives, 1),
            mean_ms=float(errors.mean()),
            sd_ms=float(errors.std()),
            true_positives=hits,
            false_negatives=count.false_negatives,
            false_positives=count.false_positives,
        )


def match(reference: Sequence[float], detected: Sequence[float], tolerance: float) -> list[tuple[int, int]]:
    """One-to-one matching, nearest pair first; of equally near pairs the earliest.

    Args:
        reference, detected: times in one unit.
        tolerance: largest distance of a pair, inclusive.

    Returns:
        (index in reference, index in detected), each index at most once.
    """
    order = sorted(range(len(detected)), key=detected.__getitem__)
    times = [detected[j] for j in order]
    # A little more than can be near enough, lest a rounded sum decides; of a long record far less than all pairs.
    reach = 1.01 * tolerance
    pairs = sorted(
        (abs(there - detected[j]), i, j)
        for i, there in enumerate(reference)
        for j in order[bisect_left(times, there - reach) : bisect_right(times, there + reach)]
        if abs(there - detected[j]) <= tolerance
    )
    free_reference, free_detected = set(range(len(reference))), set(range(len(detected)))
    chosen = []
    for _, i, j in pairs:
        if i in free_reference and j in free_detected:
            free_reference.remove(i)
            free_detected.remove(j)
            chosen.append((i, j))
    return chosen


def points_of(record: Record, segments: Iterable[Segment], class_count: int) -> dict[str, Points]:
    """Points of a lead by name, such as "QRS onset", with what FiducialScorer says of them.

    Args:
        record: the lead with its annotation.
        segments: what was found in it, in samples at 100 Hz.
        class_count: 2 or 4.
    """
    found = list(segments)
    mask = labels(record, class_count, record.step)
    points = {}
    for kind, label in WAVE_LABELS[class_count].items():
        mine = [segment for segment in found if segment.label == label]
        waves = [wave for wave in record.waves if wave.kind == kind]
        onsets = [wave.onset for wave in waves if wave.onset is not None]
        offsets = [wave.offset for wave in waves if wave.offset is not None]
        begins = [(segment.onset, milliseconds(onset_tick(segment.onset))) for segment in mine]
        ends = [(segment.offset, milliseconds(offset_tick(segment.offset))) for segment in mine]
        points[f"{kind} onset"] = _points(record, mask, onsets, begins)
        points[f"{kind} offset"] = _points(record, mask, offsets, ends)
    return points


def _points(record: Record, mask: npt.NDArray[np.uint8], raw: list[int], detected: list[tuple[int, int]]) -> Points:
    """Annotated raw samples against (sample at 100 Hz, time in ms) of what was found."""
    reference_ms = [1000.0 * point / record.rate for point in raw]
    detected_ms = [float(time) for _, time in detected]
    pairs = match(reference_ms, detected_ms, TOLERANCE_MS)
    hit, matched = {i for i, _ in pairs}, {j for _, j in pairs}
    return Points(
        [(reference_ms[i], detected_ms[j]) for i, j in pairs],
        [time for i, time in enumerate(reference_ms) if i not in hit],
        [float(time) for j, (point, time) in enumerate(detected) if j not in matched and mask[point] != UNANNOTATED],
    )


class FiducialScorer:
    """Collects fiducial points over leads.

    A segment begins half a sample before its first and ends half a sample after its last (ecgseg.pipeline.times).
    A point that the annotator did not set is neither found nor missed, and a detection outside the annotated span or
    where the annotation is incomplete is no false positive.

    Args:
        class_count: 2 or 4; decides which waves are scored.
    """

    def __init__(self, class_count: int) -> None:
        self.class_count = class_count
        self.counts = {
            f"{kind} {end}": FiducialCount() for kind in WAVE_LABELS[class_count] for end in ("onset", "offset")
        }

    def add(self, record: Record, segments: Iterable[Segment]) -> None:
        """Score the segments (samples at 100 Hz) found in one lead."""
        for name, points in points_of(record, segments, self.class_count).items():
            count = self.counts[name]
            count.true_positives += len(points.pairs)
            count.false_negatives += len(points.missed)
            count.false_positives += len(points.surplus)
            count.errors_ms += [detected - annotated for annotated, detected in points.pairs]

    def scores(self) -> dict[str, FiducialScore]:
        """Scores by point, such as "QRS onset"."""
        return {name: FiducialScore.of(count) for name, count in self.counts.items()}
