"""The one loader of every database: from a declaration and a folder to records at 500 Hz."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import gcd
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.data.databases.declaration import ALL, Database
from ecgseg.data.readers.wfdb import UNREADABLE, About
from ecgseg.data.records import Record, Wave
from ecgseg.errors import DataError, UsageError, cause
from ecgseg.files import plain
from ecgseg.pipeline import DEFAULT_INPUT_RATE, LEAD_OFF, microvolts

RATE = DEFAULT_INPUT_RATE


def folder_of(database: Database, option: str | Path | None = None) -> Path:
    """Where a database is.

    Raises:
        DataError: it is not here, or the option names a folder without it.
    """
    folder = database.find(option)
    if folder is None:
        raise DataError(f"{database.title} is not here.", f"It was asked for by {database.key}.", database.to_get)
    return folder


def load_records(
    database: Database, folder: Path, names: Iterable[str], leads: Sequence[str] | None = None
) -> list[Record]:
    """Leads of records at 500 Hz, in the order record, lead.

    Args:
        database: its declaration.
        folder: as from :func:`folder_of`.
        names: of records.
        leads: None for all of the database.

    Raises:
        DataError: a file is missing or cannot be read; the message names the record.
    """
    return [record for name in names for record in load_record(database, folder, name, leads)]


def load_record(database: Database, folder: Path, name: str, leads: Sequence[str] | None = None) -> list[Record]:
    """Leads of one record; see :func:`load_records`."""
    number = database.number(name)
    about = About(number, database.key, name=name if name != str(number) else "")
    base = database.reader.place(folder, name)
    try:
        records = database.reader.read(folder, name, database.leads if leads is None else leads, about)
    except UNREADABLE as error:
        raise DataError(
            f"Record {name} of {database.title} cannot be read ({base}).",
            plain(cause(error, "Its header, signals or annotation are not as the format has them."), 400),
            database.to_read,
        ) from error
    # Its reader catches everything in places, Ctrl-C with it.
    interruption.check()
    for record in records:
        if database.rate is not None and record.rate != database.rate:
            raise DataError(
                f"Record {name} is sampled at {record.rate} Hz ({base}).",
                f"{database.title} is at {database.rate} Hz.",
                f"Resample the record to {database.rate} Hz, or leave it out with --records. {database.to_read}",
            )
    return [_finished(database, record) for record in records]


def parse_leads(database: Database, text: str) -> tuple[str, ...]:
    """Lead names of an option such as `all`, `ii` or `i,v2`.

    Raises:
        UsageError: unknown lead.
    """
    if text == ALL:
        return database.leads
    leads = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    for lead in leads:
        if lead not in database.leads:
            raise UsageError(
                f"There is no lead '{plain(lead, 60)}'.",
                f"{database.title} has {database.known}.",
                "Correct the --leads option.",
            )
    return leads


def require_waves(database: Database, class_count: int) -> None:
    """Refuses a database for a model that tells waves which nobody annotated there: they would count as none.

    Raises:
        DataError: it is so.
    """
    wanted = ("QRS",) if class_count == 2 else ("P", "QRS", "T")
    missing = [wave for wave in wanted if wave not in database.waves]
    if missing:
        raise DataError(
            f"{database.title} has no marks of {' and '.join(missing)} waves.",
            "A model that tells them would learn, and be told, that there are none.",
            "Use a model of two classes for it, or add the marks and correct `waves` in its declaration.",
        )


def _finished(database: Database, record: Record) -> Record:
    record = at_rate(record)
    if database.stretches is not None:
        record = replace(record, annotated=database.stretches(record.waves))
    return record


def at_rate(record: Record, rate: int = RATE) -> Record:
    """A record at another rate, its marks with it."""
    if record.rate == rate:
        return record
    common = gcd(rate, record.rate)
    up, down = rate // common, record.rate // common

    def moved(point: int | None) -> int | None:
        return None if point is None else (2 * up * point + down) // (2 * down)

    waves = tuple(Wave(w.kind, moved(w.onset), moved(w.peak), moved(w.offset)) for w in record.waves)
    spans = record.annotated and tuple((moved(first) or 0, moved(last) or 0) for first, last in record.annotated)
    return replace(record, rate=rate, samples=_resampled(record.samples, up, down), waves=waves, annotated=spans)


def _resampled(samples: npt.NDArray[np.int16], up: int, down: int) -> npt.NDArray[np.int16]:
    """Band-limited; sample n of the result lies at n * down / up. Without contact the last value is held."""
    # Slow to import, and not needed where nothing is resampled.
    from scipy.signal import resample_poly

    good = samples != LEAD_OFF
    last = np.maximum.accumulate(np.where(good, np.arange(samples.size), 0))
    held = np.where(good[last], samples[last], 0) / 1000.0
    finer = microvolts(resample_poly(held, up, down, padtype="line"))
    finer[~good[np.minimum(np.arange(finer.size) * down // up, samples.size - 1)]] = LEAD_OFF
    return finer
