"""What a HIL test sends and an evaluation scores: LUDB where there is one, else synthetic ECG, or what is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ecgseg.data.databases.declaration import WAVES, Database
from ecgseg.data.databases.known import database_of, is_own
from ecgseg.data.databases.loader import folder_of, load_record, parse_leads
from ecgseg.data.databases.ludb import LEADS, LUDB, find_ludb
from ecgseg.data.databases.synthetic import SYNTHETIC
from ecgseg.data.records import Record
from ecgseg.errors import UsageError
from ecgseg.pipeline import DEFAULT_INPUT_RATE

REPLAY = "replay"


@dataclass(frozen=True)
class Inputs:
    """Leads to send, read one recording at a time.

    Attributes:
        source: "ludb", "qtdb", "synthetic", "replay", "file", or the name of a database of the user's own.
        records: record numbers.
        leads: lead names.
        folder: of the database, None for synthetic ECG and a kept vector.
        ready: records that are already in memory, instead of reading any.
        database: where the records come from; None: LUDB where there is a folder, else synthetic ECG.
        names: of the records, where they are not the numbers.
        leads_of_all: leads of all records together, where not every record has every one.
        named: what --database was, for the command that runs this again.
        scored: False leaves the annotation out.
    """

    source: str
    records: tuple[int, ...]
    leads: tuple[str, ...]
    folder: Path | None = None
    ready: tuple[Record, ...] = ()
    database: Database | None = None
    names: tuple[str, ...] = ()
    leads_of_all: int | None = None
    named: str = ""
    scored: bool = True

    @property
    def rate(self) -> int:
        """Samples a second: of a kept vector, or those of the databases."""
        return self.ready[0].rate if self.source == "replay" and self.ready else DEFAULT_INPUT_RATE

    @property
    def count(self) -> int:
        """Leads of all records together."""
        return len(self.records) * len(self.leads) if self.leads_of_all is None else self.leads_of_all

    @property
    def statement(self) -> str:
        """Where the ECG comes from, in one sentence."""
        if self.source == REPLAY:
            return "ECG of a kept vector."
        if self.source == SYNTHETIC.key:
            return (
                "Synthetic ECG with exact ground truth, not of patients: no LUDB was found."
                " `invoke data` downloads it; --ludb or ECGSEG_LUDB name a copy."
            )
        if is_own(self.named):
            return f"ECG of your database {self.source} from {self.folder}."
        return f"ECG of patients: {self._database.title} from {self.folder}."

    @property
    def _database(self) -> Database:
        return self.database or (SYNTHETIC if self.folder is None else LUDB)

    def for_comparison(self) -> Inputs:
        """The same, unscored where not all waves are annotated: what nobody marked would count as not there."""
        complete = self.database is None or set(WAVES) <= set(self.database.waves)
        return self if complete else replace(self, scored=False)

    def __iter__(self) -> Iterator[Record]:
        if self.ready:
            yield from self.ready
            return
        for name in self.names or map(str, self.records):
            for record in load_record(self._database, self.folder or Path(), name, self.leads):
                yield record if self.scored else replace(record, waves=(), annotated=())


def inputs_of(
    database: str, records: str = "test", leads: str = "all", ludb_option: str | Path | None = None
) -> Inputs:
    """Records of a database that the user names.

    Args:
        database: "ludb", "qtdb", "synthetic", or the path of a TOML file that declares one.
        records: a set such as "test", names or numbers; "test" is "given" of QTDB, and all of one without a split.
        leads: names of leads with commas between, or "all".
        ludb_option: folder of LUDB.

    Raises:
        DataError: the database is not here.
        UsageError: there are no such records or leads.
    """
    declared = database_of(database)
    names, wanted = declared.select(records), parse_leads(declared, leads)
    numbers = tuple(map(declared.number, names))
    if declared is SYNTHETIC:
        return Inputs(declared.key, numbers, wanted, named=database)
    folder = folder_of(declared, ludb_option if declared is LUDB else None)
    count = None
    if declared.leads_of is not None:
        count = sum(lead in wanted for name in names for lead in declared.leads_of(folder, name))
        if not count:
            raise UsageError(
                "There is nothing to read.",
                f"None of {len(names)} records of {declared.title} has such a lead.",
                "Correct --records or --leads.",
            )
    return Inputs(declared.key, numbers, wanted, folder, (), declared, names, count, database)


def choose_inputs(records: tuple[int, ...], leads: tuple[str, ...] = LEADS, ludb: str | Path | None = None) -> Inputs:
    """LUDB where it is found; otherwise as many synthetic recordings as records were asked for, numbered from 1.

    Raises:
        DataError: `ludb` or ECGSEG_LUDB names a folder without LUDB.
    """
    folder = find_ludb(ludb)
    if folder is None:
        return Inputs(SYNTHETIC.key, tuple(range(1, len(records) + 1)), leads)
    return Inputs(LUDB.key, records, leads, folder)
