"""What is in a database of a user's own, and which of its records cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ecgseg.data.databases.declaration import ALL, WAVES, Database
from ecgseg.data.databases.loader import folder_of, load_record
from ecgseg.errors import DataError

# Wraps names of records, with what is done to them, to show progress.
Progress = Callable[[Iterable[str], str], Iterable[str]]


@dataclass(frozen=True)
class Checked:
    """What reading all of it found.

    Attributes:
        records: how many there are.
        minutes: of all leads together.
        waves: by kind how many are marked, and how many of them have onset and offset.
        damaged: name of each record that cannot be used, and why.
    """

    records: int
    minutes: float
    waves: dict[str, tuple[int, int]]
    damaged: tuple[tuple[str, str], ...]


def check(database: Database, progress: Progress | None = None) -> Checked:
    """Reads every record, one at a time.

    Raises:
        DataError: the database is not here.
    """
    folder, names = folder_of(database), database.select(ALL)
    marked, complete = dict.fromkeys(WAVES, 0), dict.fromkeys(WAVES, 0)
    minutes = 0.0
    damaged = []
    for name in progress(names, "records") if progress else names:
        try:
            records = load_record(database, folder, name)
        except DataError as error:
            damaged.append((name, error.why or error.what))
            continue
        for record in records:
            minutes += record.samples.size / record.rate / 60
            for wave in record.waves:
                if wave.kind in marked:
                    marked[wave.kind] += 1
                    complete[wave.kind] += wave.complete
        if not any(record.spans for record in records):
            damaged.append((name, "Nothing in it is annotated."))
    return Checked(len(names), minutes, {kind: (marked[kind], complete[kind]) for kind in WAVES}, tuple(damaged))
