"""Collects what was found in leads and scores it against their annotation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ecgseg.data.records import Record, labels
from ecgseg.pipeline import MODEL_RATE, UNANNOTATED, Prediction
from ecgseg.scoring.metrics import (
    Confusion,
    FiducialScore,
    FiducialScorer,
    SampleScores,
    confusion_matrix,
    sample_scores,
)

Mask = npt.NDArray[np.uint8]


class Scores(BaseModel):
    """All scores of one group of leads."""

    leads: int
    samples: SampleScores
    fiducials: dict[str, FiducialScore]
    p_false_positives_per_minute: float | None = None


class ScoreCollector:
    """Running scores of one group of leads.

    Args:
        class_count: classes of the model, 2 or 4: of no other number the annotation tells the classes.

    Raises:
        KeyError: another number of classes.
    """

    def __init__(self, class_count: int) -> None:
        self._class_count = class_count
        self._leads = 0
        self._confusion: Confusion = np.zeros((class_count, class_count), dtype=np.int64)
        self._fiducials = FiducialScorer(class_count)
        self._minutes = 0.0

    @property
    def minutes(self) -> float:
        """Annotated time so far; 0 when no lead had an annotation."""
        return self._minutes

    def add(self, record: Record, prediction: Prediction, truth: Mask | None = None) -> None:
        """Adds one lead.

        Args:
            record: the lead with its annotation.
            prediction: what was found in it.
            truth: its labels uint8 [n] at 100 Hz, if they are at hand; made from the record otherwise.
        """
        if truth is None:
            truth = labels(record, self._class_count, record.step)
        self._leads += 1
        self._confusion += confusion_matrix(prediction.mask, truth, self._class_count)
        self._fiducials.add(record, prediction.segments)
        self._minutes += int(np.count_nonzero(truth != UNANNOTATED)) / MODEL_RATE / 60

    def scores(self) -> Scores:
        """Scores of all leads so far."""
        fiducials = self._fiducials.scores()
        p_onset = fiducials.get("P onset")
        rate = p_onset.false_positives / self._minutes if p_onset and self._minutes else None
        return Scores(
            leads=self._leads,
            samples=sample_scores(self._confusion),
            fiducials=fiducials,
            p_false_positives_per_minute=rate,
        )
