"""How far silicon is from the simulator's timing model: the factor and range that every displayed modelled time uses.

Modelled cycles are never multiplied by it: they are what the model says, exactly, and tests hold them. Times, loads and
energies are what a board will show, so they are: seconds = cycles * factor / clock, between low and high.
`tools/calibrate_timing.py` makes the table from programs whose cycles others measured; docs/simulator.md explains it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, Field, computed_field

from ecgseg.targets.options import TimingCase

TABLE = Path(__file__).parent / "apollo4p_sim" / "calibration.json"
"""The committed table."""


class File(BaseModel):
    """A file that was read: its path in the repository and its SHA-256."""

    path: str
    sha256: str


class Part(BaseModel):
    """One part of a program that was measured.

    Attributes:
        name: of the part.
        measured: core cycles on silicon, as its source tells them.
        modelled: core cycles of the timing model, expected case.
        counts: it takes part in the range; otherwise `note` says why not.
        note: what there is to know about it.
    """

    name: str
    measured: float = Field(gt=0)
    modelled: int = Field(gt=0)
    counts: bool = True
    note: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float:
        """Silicon over model: above 1 the model is too fast."""
        return round(self.measured / self.modelled, 4)


class Witness(BaseModel):
    """Programs of one source.

    Attributes:
        name: what it is called here.
        repository, commit: where its programs come from.
        silicon: part, clock, memories and caches that it was measured on, and who says so; in lines.
        same_part: it was measured on an Apollo4 Plus.
        files: what was read; headers are not listed.
        parts: in the order of execution; at least one counts.
    """

    name: str
    repository: str
    commit: str
    silicon: list[str]
    same_part: bool
    files: list[File]
    parts: list[Part]

    @property
    def counting(self) -> list[Part]:
        """The parts that take part in the calibration."""
        return [part for part in self.parts if part.counts]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float:
        """Silicon over model, all parts that count together."""
        return round(sum(part.measured for part in self.counting) / sum(part.modelled for part in self.counting), 4)


class Calibration(BaseModel):
    """What a modelled cycle is in cycles of silicon.

    Attributes:
        note: who writes the table and how, in lines.
        compiler: of what the sources give as C and C++.
        factor: expected.
        low, high: between which silicon is expected.
        model: modelled cycles of the mix of instructions in tools/witness by timing case: which model was calibrated.
        witnesses: what the three come from.
    """

    note: list[str]
    compiler: str
    factor: float
    low: float
    high: float
    model: dict[TimingCase, int]
    witnesses: list[Witness]

    @property
    def factors(self) -> tuple[float, float, float]:
        """Lowest, expected, highest."""
        return self.low, self.factor, self.high


@lru_cache(maxsize=1)
def calibration() -> Calibration:
    """The committed calibration of the timing model."""
    return Calibration.model_validate_json(TABLE.read_text(encoding="utf-8"))
