"""What each form of a convolution's kernel costs, from the table that tools/measure_kernel_costs.py writes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel

from ecgseg.codegen.work import Work

TABLE = Path(__file__).with_name("kernel_costs.json")


class CostRow(BaseModel):
    """One layer that was run.

    Attributes:
        layer: its geometry, in words.
        counts: of `ecgseg.codegen.work.Work`.
        cycles: modelled, of the layer as a model of its own.
        expected: what the coefficients give.
    """

    layer: str
    counts: list[int]
    cycles: int
    expected: int


class FormCosts(BaseModel):
    """What a form costs.

    Attributes:
        coefficients: modelled cycles for each count.
        own: bytes of flash that every layer of this form adds besides its constants.
        code: bytes of flash by symbol that an image with such a layer needs, however many there are.
        rows: what the coefficients were fitted to.
    """

    coefficients: list[float]
    own: int
    code: dict[str, int]
    rows: list[CostRow]

    def cycles(self, work: Work) -> int:
        """Modelled cycles of a layer."""
        pairs = zip(self.coefficients, work.counts, strict=True)
        return max(round(sum(coefficient * count for coefficient, count in pairs)), 0)


class CostTable(BaseModel):
    """The table.

    Attributes:
        note: who writes it and how, in lines.
        generator_version: release of this package.
        sources: SHA-256 over the kernels' sources that were run.
        compiler: that compiled them.
        forms: by name.
    """

    note: list[str]
    generator_version: str
    sources: str
    compiler: str
    forms: dict[str, FormCosts]


@lru_cache(maxsize=1)
def costs() -> CostTable:
    """The committed table."""
    return CostTable.model_validate_json(TABLE.read_text(encoding="utf-8"))


def cycles_of(work: Work) -> int:
    """Modelled cycles of a layer."""
    return costs().forms[work.form].cycles(work)
