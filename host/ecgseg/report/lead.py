"""What every drawing of a lead shows: its name, a row for each mask, and in a row a span for each wave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import CLASS_NAMES, labels
from ecgseg.hil.result import ShownLead
from ecgseg.pipeline import UNANNOTATED, runs

Mask = npt.NDArray[np.uint8]
_LETTERS = {"PWAVE": "P", "TWAVE": "T"}


class Span(NamedTuple):
    """A run of one class.

    Attributes:
        name: of the class; None for what nobody annotated.
        first, last: samples at 100 Hz, both inclusive.
    """

    name: str | None
    first: int
    last: int

    @property
    def letter(self) -> str:
        """What is written into it."""
        return _LETTERS.get(self.name or "", self.name or "")


def lead_name(lead: ShownLead) -> str:
    """Record and lead."""
    return f"Record {lead.record.label}, lead {lead.record.lead.upper()}"


def rows(lead: ShownLead) -> list[tuple[str, Mask]]:
    """The masks uint8 [n] at 100 Hz by name, from the upper to the lower row; without an annotation only two."""
    shown = [("Python", lead.reference), ("Device", lead.device)]
    if lead.record.span is not None:
        shown.insert(0, ("Annotation", labels(lead.record, lead.classes, lead.record.step)))
    return shown


def spans(mask: Mask, lead: ShownLead) -> Iterator[Span]:
    """The waves of a mask uint8 [n] at 100 Hz and what is not annotated of it, in order."""
    names: dict[int, str | None] = {UNANNOTATED: None, **dict(enumerate(CLASS_NAMES.get(lead.classes, ())))}
    for run in runs(mask):
        yield Span(names.get(run.label, str(run.label)), run.onset, run.offset)
