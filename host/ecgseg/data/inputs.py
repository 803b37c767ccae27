"""What a HIL test sends: LUDB where there is one, synthetic ECG otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecgseg.data.databases import qtdb
from ecgseg.data.databases.ludb import LEADS, find_ludb, load_record, parse_leads, parse_records
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import Record
from ecgseg.errors import DataError, UsageError
from ecgseg.files import plain

SYNTHETIC_SEED = 2026
DATABASES = ("ludb", "qtdb", "synthetic")


@dataclass(frozen=True)
class Inputs:
    """Leads to send, read one recording at a time.

    Attributes:
        source: "ludb", "qtdb", "synthetic" or "replay".
        records: record numbers.
        leads: lead names.
        folder: of LUDB, None for any other source.
        ready: records that are already in memory, instead of reading any.
    """

    source: Literal["ludb", "qtdb", "synthetic", "replay"]
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
        if self.source == "qtdb":
            return f"ECG of patients: QTDB from {self.folder}."
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


def inputs_of(
    database: str, records: str = "test", leads: str = "all", ludb_option: str | Path | None = None
) -> Inputs:
    """Records of a database that the user names.

    Args:
        database: one of DATABASES.
        records: as `parse_records` of LUDB or of QTDB takes them; "test" is "given" of QTDB.
        leads: as `parse_leads` of LUDB takes them; of QTDB "all", "0" or "1".
        ludb_option: folder of LUDB.

    Raises:
        DataError: the database is not here.
        UsageError: there are no such records or leads.
    """
    if database == "qtdb":
        return _qtdb(qtdb.parse_records("given" if records == "test" else records), leads)
    chosen, names = parse_records(records), parse_leads(leads)
    if database == "synthetic":
        return Inputs("synthetic", tuple(range(1, len(chosen) + 1)), names)
    folder = find_ludb(ludb_option)
    if folder is None:
        raise DataError(
            "LUDB is not here.",
            "It was asked for by --database ludb.",
            "Run `invoke data`, or name a copy with --ludb.",
        )
    return Inputs("ludb", chosen, names, folder)


def _qtdb(names: tuple[str, ...], leads: str) -> Inputs:
    folder = qtdb.find_qtdb()
    if folder is None:
        raise DataError(
            "QTDB is not here.",
            "It was asked for by --database qtdb.",
            "Run `invoke data --database qtdb`, or name a copy with ECGSEG_QTDB.",
        )
    chosen = qtdb.LEADS if leads == "all" else tuple(part.strip() for part in leads.split(","))
    if not set(chosen) <= set(qtdb.LEADS):
        raise UsageError(
            f"There are no leads '{plain(leads, 60)}'.",
            "QTDB has two channels, 0 and 1.",
            "Correct the --leads option.",
        )
    ready = tuple(qtdb.load_records(folder, names, chosen))
    return Inputs("qtdb", tuple(dict.fromkeys(record.record_id for record in ready)), chosen, folder, ready)


def choose_inputs(records: tuple[int, ...], leads: tuple[str, ...] = LEADS, ludb: str | Path | None = None) -> Inputs:
    """LUDB where it is found; otherwise as many synthetic recordings as records were asked for, numbered from 1.

    Raises:
        DataError: `ludb` or ECGSEG_LUDB names a folder without LUDB.
    """
    folder = find_ludb(ludb)
    if folder is None:
        return Inputs("synthetic", tuple(range(1, len(records) + 1)), leads)
    return Inputs("ludb", records, leads, folder)
