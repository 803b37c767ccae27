"""Scores what a stream found in leads, and what a peer found in the same ones: waves, intervals, heart rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ecgseg.data.records import Record
from ecgseg.pipeline import Prediction, segments
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.parameters import SegmentRules
from ecgseg.pipeline.reported import waves_of
from ecgseg.pipeline.times import milliseconds
from ecgseg.scoring.collector import ScoreCollector
from ecgseg.scoring.intervals import Beat, BeatScorer, IntervalScore, RateScore, segment_beats
from ecgseg.scoring.metrics import FiducialScore, SampleScores

_CLASSES = 4
_FINE = 16.0  # parts of a tick


class DelineationScores(BaseModel):
    """Scores of a group of leads.

    Attributes:
        leads: how many.
        samples: class by class, sample by sample.
        fiducials: of onsets and offsets.
        intervals: by name, of beats that were found and are annotated.
        rate: of the heart rate; None where it is known of no lead.
        p_false_positives_per_minute: P waves that nobody annotated.
    """

    leads: int
    samples: SampleScores
    fiducials: dict[str, FiducialScore]
    intervals: dict[str, IntervalScore]
    rate: RateScore | None
    p_false_positives_per_minute: float | None


@dataclass(frozen=True)
class Delineation:
    """What was found in a lead: classes and waves at 100 Hz, and beats."""

    prediction: Prediction
    beats: Sequence[Beat]

    @staticmethod
    def of_segments(prediction: Prediction) -> Delineation:
        """Of one who marks waves alone."""
        return Delineation(prediction, segment_beats(prediction.segments))

    @staticmethod
    def of_events(classes: npt.NDArray[np.uint8], events: Iterable[Event]) -> Delineation:
        """Of a device that reports beats.

        Args:
            classes: uint8 [n], class of every sample.
            events: of the same stream, which began at tick 0.
        """
        listed = list(events)
        waves = waves_of(listed, classes.size)
        return Delineation(Prediction(classes, waves), [beat_of(e) for e in listed if e.kind == EventKind.BEAT])


def beat_of(event: Event) -> Beat:
    """A reported beat in milliseconds."""

    def at(offset: int, flag: EventFlag | None = None) -> float | None:
        return float(milliseconds(event.tick + offset)) if flag is None or event.has(flag) else None

    return Beat(
        r=milliseconds(1) * (event.tick + event.r_fine / _FINE),
        qrs_on=at(event.qrs_on),
        qrs_off=at(event.qrs_off),
        p_on=at(event.p_on, EventFlag.P_ON),
        t_off=at(event.t_off, EventFlag.T_OFF),
    )


class DelineationCollector:
    """Running scores of a group of leads."""

    def __init__(self) -> None:
        self._scores = ScoreCollector(_CLASSES)
        self._beats = BeatScorer()

    def add(self, record: Record, found: Delineation) -> None:
        """Adds a lead."""
        self._scores.add(record, found.prediction)
        self._beats.add(record, found.beats)

    def scores(self) -> DelineationScores | None:
        """Scores of all leads so far; None when nothing was annotated."""
        if not self._scores.minutes:
            return None
        scores = self._scores.scores()
        return DelineationScores(
            leads=scores.leads,
            samples=scores.samples,
            fiducials=scores.fiducials,
            intervals=self._beats.intervals(),
            rate=self._beats.rate(),
            p_false_positives_per_minute=scores.p_false_positives_per_minute,
        )


def classes_alone(classes: npt.NDArray[np.uint8]) -> Prediction:
    """Mask and segments of classes by the rules of segments."""
    return Prediction(classes, segments(classes, SegmentRules.for_classes(_CLASSES)))
