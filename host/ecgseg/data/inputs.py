"""What a HIL test sends: LUDB where there is one, synthetic ECG otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecgseg.data.databases.ludb import LEADS, find_ludb, load_record
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import Record

SYNTHETIC_SEED = 2026


@dataclass(frozen=True)
class Inputs:
    """Leads to send, read one recording at a time.

    Attributes:
        source: "ludb", "synthetic" or "replay".
        records: record numbers.
        leads: lead names.
        folder: of LUDB, None for any other source.
        ready: records that are already in memory, instead of reading any.
    """

    source: Literal["ludb", "synthetic", "replay"]
    records: tuple[int, ...]
    leads: tuple[str, ...]
    folder: Path | None = None
    ready: tuple[Record, ...] = ()

    @property
    def count(self) -> int:
        """Leads of all records together."""
        return len(self.records) * len(self.leads)

    @property
    def statement(self) -> str:
        """Where the ECG comes from, in one sentence."""
        if self.source == "ludb":
            return f"ECG of patients: LUDB from {self.folder}."
        if self.source == "replay":
            return "ECG of a kept vector."
        return (
            "Synthetic ECG with exact ground truth, not of patients: no LUDB was found."
            " `invoke data` downloads it; --ludb or ECGSEG_LUDB name a copy."
        )

    def __iter__(self) -> Iterator[Record]:
        if self.ready:
            yield from self.ready
        elif self.folder is not None:
            for number in self.records:
                yield from load_record(self.folder, number, self.leads)
        else:
            wanted = set(self.records)
            for record in synthetic_records(max(self.records), self.leads, SYNTHETIC_SEED):
                if record.record_id in wanted:
                    yield record


def choose_inputs(records: tuple[int, ...], leads: tuple[str, ...] = LEADS, ludb: str | Path | None = None) -> Inputs:
    """LUDB where it is found; otherwise as many synthetic recordings as records were asked for, numbered from 1.

    Raises:
        DataError: `ludb` or ECGSEG_LUDB names a folder without LUDB.
    """
    folder = find_ludb(ludb)
    if folder is None:
        return Inputs("synthetic", tuple(range(1, len(records) + 1)), leads)
    return Inputs("ludb", records, leads, folder)
