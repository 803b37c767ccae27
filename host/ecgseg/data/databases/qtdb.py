"""The QT Database (QTDB) 1.0.0: where it is, its records, what of them is annotated, and its folds.

P. Laguna et al., "A Database for Evaluation of Algorithms for Measurement of QT and Other Waveform Intervals in the
ECG", Computers in Cardiology 24 (1997) 673-676; PhysioNet, doi 10.13026/C24K53; ODC-By 1.0.

A record is 15 minutes of two Holter channels at 250 Hz. `q1c` holds the marks of the first annotator's second pass, for
both channels together: 30 to 100 beats chosen by hand, in one or several runs. What lies between the runs is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ecgseg import paths
from ecgseg.data.databases import loader
from ecgseg.data.databases.declaration import Database, Source
from ecgseg.data.databases.places import Places
from ecgseg.data.databases.stretches import annotated_stretches
from ecgseg.data.readers.wfdb import WfdbReader
from ecgseg.data.records import Record
from ecgseg.errors import DataError, UsageError, cause
from ecgseg.files import is_file, plain, read_text
from ecgseg.pipeline import DEFAULT_INPUT_RATE

ENVIRONMENT = "ECGSEG_QTDB"
SOURCE = "qtdb"
ANNOTATOR = "q1c"
LEADS = ("0", "1")
# Of the files, and of the records that are made of them.
STORED_RATE = 250
RATE = DEFAULT_INPUT_RATE

_NAME = re.compile(r"sel(e?)(\d{2,5})")
# Names with an e are those of the European ST-T database, whose numbers others have too.
_EUROPEAN = 1_000_000
_MAX_LIST_BYTES = 1 << 16


def find_qtdb(option: str | Path | None = None) -> Path | None:
    """Folder of QTDB: the option, the environment variable ECGSEG_QTDB, `data/qtdb`, `../shared/qtdb`; else None.

    Raises:
        DataError: the option or the variable names a folder that does not hold QTDB, or RECORDS cannot be read.
    """
    places = Places(
        "QTDB",
        ENVIRONMENT,
        (paths.LOCAL_QTDB, paths.SHARED_QTDB),
        "The folder must hold RECORDS and .hea, .dat and .q1c of the records that it lists.",
        f"Correct {ENVIRONMENT}, or run `invoke data --database qtdb` to download it.",
    )
    return places.find(option, _holds_qtdb)


def _holds_qtdb(folder: Path) -> bool:
    if not is_file(folder / "RECORDS"):
        return False
    names = list_records(folder)
    return bool(names) and is_file(folder / f"{names[0]}.{ANNOTATOR}")


def list_records(folder: Path) -> tuple[str, ...]:
    """Names of the records that a copy says it has, such as sel100; lines that are no such name are passed over.

    Raises:
        DataError: the list cannot be read.
    """
    try:
        lines = read_text(folder / "RECORDS", _MAX_LIST_BYTES).splitlines()
    except (OSError, ValueError) as error:
        raise DataError(
            f"The list of records of QTDB cannot be read ({folder / 'RECORDS'}).",
            plain(cause(error, "It is no text."), 400),
            "Check the folder with `invoke data --database qtdb --verify`.",
        ) from error
    return tuple(dict.fromkeys(line.strip() for line in lines if _NAME.fullmatch(line.strip())))


def record_number(name: str) -> int:
    """The number that stands for a record where numbers are wanted: sel100 is 100, sele0106 is 1000106.

    Raises:
        UsageError: it is no name of a record.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise UsageError(
            f"'{plain(name, 60)}' is no record of QTDB.",
            "Its records are called sel100, sele0106 and so on.",
            "Correct the --records option.",
        )
    return int(found[2]) + (_EUROPEAN if found[1] else 0)


def load_records(folder: Path, names: Iterable[str], leads: Sequence[str] = LEADS) -> list[Record]:
    """Leads of records at 500 Hz, in the order record, lead.

    Args:
        folder: as from :func:`find_qtdb`.
        names: such as sel100.
        leads: channels, "0" and "1".

    Raises:
        DataError: a file is missing or cannot be read; the message names it.
        UsageError: a name is none of a record.
    """
    return loader.load_records(QTDB, folder, names, leads)


def load_record(folder: Path, name: str, leads: Sequence[str] = LEADS) -> list[Record]:
    """Leads of one record; see :func:`load_records`."""
    return loader.load_record(QTDB, folder, name, leads)


@lru_cache(maxsize=1)
def split() -> dict[str, tuple[str, ...]]:
    """Folds for cross-validation, fold-1 to fold-3; no patient is in two of them.

    They hold 45 of the 105 records. The others are for acceptance alone: nothing is trained or chosen on them.
    """
    text = resources.files("ecgseg.data.databases").joinpath("qtdb-split.json").read_text(encoding="utf-8")
    return {name: tuple(names) for name, names in json.loads(text).items() if name != "about"}


def given_records() -> tuple[str, ...]:
    """All records of the folds: what may be trained on."""
    return tuple(name for names in split().values() for name in names)


def parse_records(text: str) -> tuple[str, ...]:
    """Record names of an option such as `given`, `fold-1` or `sel301,sele0106`.

    Raises:
        UsageError: neither a set nor a name of a record.
    """
    if text == "given":
        return given_records()
    if text in split():
        return split()[text]
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise UsageError(
                f"Records '{plain(text, 60)}' make no sense.",
                f"Known sets: given, {', '.join(split())}; or names such as sel301,sele0106.",
                "Correct the --records option.",
            )
    return names


DOWNLOAD = Source(
    url="https://physionet.org/static/published-projects/qtdb/qt-database-1.0.0.zip",
    files_url="https://physionet.org/files/qtdb/1.0.0/",
    sums_sha256="cb9c8259c62967be372f9084c2ce57fefd35234d9a4f27ff70b5d630d4256849",
    part=tuple(sorted(f"{name}.{suffix}" for name in given_records() for suffix in ("dat", ANNOTATOR))),
    name="QTDB 1.0.0",
    command="invoke data --database qtdb",
    named_by=ENVIRONMENT,
)

QTDB = Database(
    key=SOURCE,
    title="QTDB",
    licence="ODC-By 1.0",
    citation="P. Laguna et al., Computers in Cardiology 24 (1997) 673-676, doi 10.13026/C24K53",
    reader=WfdbReader("{name}", ANNOTATOR),
    find=lambda option: find_qtdb() if option is None else find_qtdb(option),
    select=lambda text: parse_records("given" if text == "test" else text),
    number=record_number,
    sets=split,
    leads=LEADS,
    known="two channels, 0 and 1",
    rate=STORED_RATE,
    stretches=annotated_stretches,
    trainable=given_records,
    to_read="Check the folder with `invoke data --database qtdb --verify`, or download QTDB again with"
    " `invoke data --database qtdb`.",
    to_get="Run `invoke data --database qtdb`, or name a copy with ECGSEG_QTDB.",
    download=DOWNLOAD,
)
