"""The windows that a soak has finished, on disk, so that one that was stopped or killed goes on behind them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, TypeAdapter

from ecgseg.hil.journal import HEAD_WORDS, Head
from ecgseg.hil.lines import Lines
from ecgseg.hil.result import Mismatch
from ecgseg.hil.soak.result import Counts, Window

_HEAD_WORDS = HEAD_WORDS | {
    "seed": "The seed",
    "window": "The number of leads in a window",
    "faulty": "The share of faulty leads",
    "restarts": "The number of restarts",
}


class SoakHead(Head):
    """What is tested, and what draws it.

    Attributes:
        seed, window, faulty, restarts: of the options.
    """

    seed: int
    window: int
    faulty: int
    restarts: int


class Differing(BaseModel):
    """A window in which a byte differed: the soak ends with it, whatever the device answers afterwards.

    Attributes:
        differs: its number.
        mismatches: frames of it that differ.
        counts: of it, as far as it came.
    """

    differs: int
    mismatches: list[Mismatch]
    counts: Counts


_LINES: TypeAdapter[Window | Differing] = TypeAdapter(Window | Differing)


@dataclass
class SoakJournal(Lines):
    """The file of a soak.

    A soak that goes on for days would grow by what it remembered of its windows, so they are read from the file.

    Attributes:
        differing: of a window that differed, in this process or before.
    """

    differing: Differing | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._unwritten: list[Window] = []

    def begin(self, head: SoakHead) -> list[Window]:
        """Reads what was finished before, or begins the file.

        Raises:
            EcgsegError: as `Lines.open_with`.
        """
        found = self.open_with(head, _HEAD_WORDS, _LINES)
        self.differing = next((told for told in found if isinstance(told, Differing)), None)
        return [told for told in found if isinstance(told, Window)]

    def keep(self, window: Window) -> None:
        """Appends a window."""
        self.append(window)
        if self.path is None or self.not_kept:
            self._unwritten.append(window)

    def mark(self, differing: Differing) -> None:
        """Appends that a window differs."""
        self.differing = differing
        self.append(differing)

    def windows(self) -> list[Window]:
        """All windows that are finished.

        Raises:
            DataError: the file cannot be read any more.
        """
        return [told for told in self.told(_LINES) if isinstance(told, Window)] + self._unwritten
