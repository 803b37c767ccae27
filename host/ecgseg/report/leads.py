"""All leads of a test as rows of a table: which differ, and how far each is from its annotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ecgseg.data.records import WAVE_LABELS, labels
from ecgseg.hil.result import LeadOutcome, ShownLead
from ecgseg.pipeline import UNANNOTATED
from ecgseg.printable import printable
from ecgseg.scoring.intervals import BeatScorer, IntervalScore
from ecgseg.scoring.metrics import Points, confusion_matrix, points_of, weighted_f1


@dataclass(frozen=True)
class LeadFigures:
    """What a lead comes to against its annotation.

    Attributes:
        lead: what is drawn.
        f1: weighted F1 of its samples, None where none is annotated.
        points: by name, such as "P onset"; empty without annotation.
    """

    lead: ShownLead
    f1: float | None
    points: Mapping[str, Points]

    @staticmethod
    def of(lead: ShownLead) -> LeadFigures:
        """Compares the lead with its annotation."""
        if lead.record.span is None or lead.classes not in WAVE_LABELS:
            return LeadFigures(lead, None, {})
        truth = labels(lead.record, lead.classes, lead.record.step)
        known = bool(np.any(truth != UNANNOTATED))
        f1 = weighted_f1(confusion_matrix(lead.device, truth, lead.classes)) if known else None
        return LeadFigures(lead, f1, points_of(lead.record, lead.segments, lead.classes))

    def count(self, kind: str) -> int:
        """How many points are of a kind: "missed" or "surplus"."""
        return sum(len(getattr(points, kind)) for points in self.points.values())

    @cached_property
    def worst(self) -> Mapping[str, tuple[float, float]]:
        """Of each point that was found, the largest error (detected minus annotated) and where it is, both in ms."""
        pairs = {name: points.pairs for name, points in self.points.items() if points.pairs}
        found = {name: max(those, key=lambda pair: abs(pair[1] - pair[0])) for name, those in pairs.items()}
        return {name: (detected - annotated, annotated) for name, (annotated, detected) in found.items()}


@dataclass(frozen=True)
class LeadRow:
    """A line of the table.

    Attributes:
        record, lead: as they are called.
        rhythm: "" where nobody tells it.
        mismatched_bytes: of it; None of a lead that was not compared to its end.
        figures: None of a lead that was not kept.
        index: of its strip among those that are in the page, None without one.
    """

    record: str
    lead: str
    rhythm: str
    mismatched_bytes: int | None
    figures: LeadFigures | None = None
    index: int | None = None

    @property
    def badness(self) -> tuple[bool, float]:
        """Those that differ are worse than any other; then the error of the first point, P onset where there is one."""
        worst = self.figures.worst if self.figures else {}
        first = next(iter(self.figures.points), "") if self.figures else ""
        return bool(self.mismatched_bytes), abs(worst[first][0]) if first in worst else -1.0


@dataclass(frozen=True)
class AllLeads:
    """All leads of a test.

    Attributes:
        rows: the worst first; of equally bad ones in their order.
        points: names of the points that are scored.
        intervals: how far PR, QRS and QT of all leads are off.
    """

    rows: Sequence[LeadRow] = ()
    points: Sequence[str] = ()
    intervals: Mapping[str, IntervalScore] = field(default_factory=dict)

    @property
    def left_out(self) -> int:
        """Leads of which there is no strip."""
        return sum(row.index is None for row in self.rows)

    @staticmethod
    def of(outcomes: Sequence[LeadOutcome], shown: Sequence[ShownLead]) -> AllLeads:
        """Rows of every lead that was compared, and of every lead that can be drawn.

        Args:
            outcomes: of leads that were compared to their end.
            shown: leads that were kept.
        """
        beats = BeatScorer()
        kept: dict[tuple[int, str], LeadFigures] = {}
        for lead in shown:
            beats.add(lead.record, lead.beats)
            kept[lead.record.record_id, printable(lead.record.lead)] = LeadFigures.of(lead)
        rows = [
            _row(outcome.label, outcome.lead, outcome.mismatched_bytes, kept.pop((outcome.record, outcome.lead), None))
            for outcome in outcomes
        ]
        rows += [_row(printable(f.lead.record.label), name, None, f) for (_, name), f in kept.items()]
        points = next((tuple(row.figures.points) for row in rows if row.figures and row.figures.points), ())
        rows.sort(key=lambda row: row.badness, reverse=True)
        return AllLeads(rows, points, beats.intervals())


def _row(record: str, lead: str, mismatched: int | None, figures: LeadFigures | None) -> LeadRow:
    rhythm = printable(figures.lead.record.rhythm) if figures else ""
    return LeadRow(record, lead.upper(), rhythm, mismatched, figures)
