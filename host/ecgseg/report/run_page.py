"""What the pages of tests of frames and of streams have in common: all leads, what differs, times and the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from ecgseg.hil.result import HilRun, ShownLead, Spread
from ecgseg.hil.stream_result import StreamRun
from ecgseg.printable import printable
from ecgseg.report.embedded import embed
from ecgseg.report.excerpt import excerpt
from ecgseg.report.leads import AllLeads, LeadRow
from ecgseg.report.texts import Result, Row, closing_rows, link_rows, provenance_rows, stack_text, tested_rows

MOST_PICTURES = 10
_WORST = 4
_SHARES = (50, 95, 99)


class Differing(Protocol):
    """The part of a mismatch that says of which lead it is."""

    @property
    def record(self) -> int: ...
    @property
    def lead(self) -> str: ...


@dataclass(frozen=True)
class Leads:
    """What a page shows of leads.

    Attributes:
        table: all of them.
        strips: what is embedded, by the index of a row.
        pictured: those of which there is a picture that needs no script: those that differ, or else the worst ones.
        why: which these are, in words.
    """

    table: AllLeads = field(default_factory=AllLeads)
    strips: Sequence[str] = ()
    pictured: Sequence[ShownLead] = ()
    why: str = ""

    @staticmethod
    def of(run: HilRun | StreamRun) -> Leads:
        """Of a test's result and of the leads that were kept."""
        table = AllLeads.of(run.result.by_lead, run.shown)
        rows, strips = embed(table.rows)
        kept = [row.figures.lead for row in rows if row.figures]
        differing = [lead for lead in run.shown if not lead.equal][:MOST_PICTURES]
        if differing:
            why = "Leads that differ" + (f", the first {MOST_PICTURES}." if len(differing) == MOST_PICTURES else ".")
        elif table.points:
            why = f"No lead differs. These are the first of the table above: the largest errors of {table.points[0]}."
        else:
            why = "No lead differs. These are the first ones."
        pictured = [excerpt(lead) for lead in differing or kept[:_WORST]]
        return Leads(replace(table, rows=rows), strips, pictured, why if pictured else "")

    def place(self, item: Differing) -> tuple[str, str, str]:
        """Of a mismatch: the anchor of its picture, "" without one; its record and lead as the table calls them."""
        for number, lead in enumerate(self.pictured, start=1):
            if (lead.record.record_id, lead.record.lead) == (item.record, item.lead):
                return f"lead-{number}", printable(lead.record.label), printable(lead.record.lead).upper()
        return "", str(item.record), item.lead.upper()


def error_text(row: LeadRow, point: str) -> str:
    """The largest error of a point in ms; a dash where there is none."""
    worst = row.figures.worst if row.figures else {}
    return signed(worst[point][0], 0) if point in worst else "–"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, and a minus that is as wide as the plus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def interval_rows(leads: AllLeads) -> list[tuple[str, str, str, str]]:
    """Of each interval: name, how many, median absolute error, mean and SD."""
    return [
        (name, f"{s.beats:,} beats", f"{s.median_ms:.0f} ms", f"{signed(s.mean_ms)} ± {s.sd_ms:.1f} ms")
        for name, s in leads.intervals.items()
    ]


def first_rows(result: Result) -> list[Row]:
    """When, by which command, what computed and what was tested, with every hash."""
    hashes = [("SHA-256 of the model", result.model_sha256), ("SHA-256 of the ELF", result.elf_sha256)]
    return [*provenance_rows(result), *tested_rows(result), *(row for row in hashes if row[1])]


def line_rows(result: Result) -> list[Row]:
    """What the line lost, and what it took."""
    device = f"{result.device_crc_errors:,} damaged packets, {result.device_overruns:,} overruns"
    return [
        *link_rows(result),
        ("Damaged packets", f"{result.crc_errors:,} seen by this host"),
        ("Device saw", device),
        *closing_rows(result),
    ]


def memory_rows(result: Result) -> list[Row]:
    """Bytes of each kind, as far as they are known."""
    memory = result.memory
    known = {"Arena": memory.arena_bytes, "Flash": memory.flash_bytes, "RAM": memory.ram_bytes}
    return [
        ("Deepest stack", stack_text(memory.stack_bytes)),
        *((name, f"{size:,} B") for name, size in known.items() if size),
    ]


def time_rows(times: Mapping[str, Sequence[float]], parts: Mapping[str, Spread]) -> list[tuple[str, ...]]:
    """Of each part: its name, then mean, median, 95 and 99 in a hundred, and the longest.

    Args:
        times: every unit's time by part; what is not in it has no distribution.
        parts: mean and extremes by part.
    """
    rows = []
    for part, spread in parts.items():
        values = times.get(part)
        shares = [f"{value:,.0f}" for value in np.percentile(values, _SHARES)] if values else ["–"] * len(_SHARES)
        rows.append((part.capitalize(), f"{spread.mean:,.0f}", *shares, f"{spread.max:,.0f}"))
    return rows
