"""The QT Database (QTDB) 1.0.0: where it is, its records, what of them is annotated, and its folds.

P. Laguna et al., "A Database for Evaluation of Algorithms for Measurement of QT and Other Waveform Intervals in the
ECG", Computers in Cardiology 24 (1997) 673-676; PhysioNet, doi 10.13026/C24K53; ODC-By 1.0.

A record is 15 minutes of two Holter channels at 250 Hz. `q1c` holds the marks of the first annotator's second pass, for
both channels together: 30 to 100 beats chosen by hand, in one or several runs. What lies between the runs is not known.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption, paths
from ecgseg.data.databases.places import Places
from ecgseg.data.readers import wfdb
from ecgseg.data.records import Record, Stretch, Wave
from ecgseg.errors import DataError, UsageError, cause
from ecgseg.files import is_file, plain, read_text
from ecgseg.pipeline import DEFAULT_INPUT_RATE, LEAD_OFF, microvolts

ENVIRONMENT = "ECGSEG_QTDB"
SOURCE = "qtdb"
ANNOTATOR = "q1c"
LEADS = ("0", "1")
# Of the files, and of the records that are made of them.
STORED_RATE = 250
RATE = DEFAULT_INPUT_RATE
_FACTOR = RATE // STORED_RATE

_NAME = re.compile(r"sel(e?)(\d{2,5})")
# Names with an e are those of the European ST-T database, whose numbers others have too.
_EUROPEAN = 1_000_000
_MAX_LIST_BYTES = 1 << 16
# Two annotated beats further apart than this, in medians of the record, have beats between them that are not annotated:
# in the given records, the beat annotations of the source databases show one between all pairs beyond 1.74 medians and
# between none up to 1.5.
_LONGEST_RR = 1.6


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
    return [record for name in names for record in load_record(folder, name, leads)]


def load_record(folder: Path, name: str, leads: Sequence[str] = LEADS) -> list[Record]:
    """Leads of one record; see :func:`load_records`."""
    about = wfdb.About(record_number(name), SOURCE, lambda comments: "unknown", name)
    base = folder / name
    try:
        records = wfdb.read_channels(base, ANNOTATOR, [int(lead) for lead in leads], about)
    except wfdb.UNREADABLE as error:
        raise DataError(
            f"Record {name} of QTDB cannot be read ({base}).",
            plain(cause(error, "Its header, signals or annotation are not as the format has them."), 400),
            "Check the folder with `invoke data --database qtdb --verify`, or download QTDB again with"
            " `invoke data --database qtdb`.",
        ) from error
    # Its reader catches everything in places, Ctrl-C with it.
    interruption.check()
    for record in records:
        if record.rate != STORED_RATE:
            raise DataError(
                f"Record {name} is sampled at {record.rate} Hz ({base}).",
                f"QTDB is at {STORED_RATE} Hz.",
                "Check the folder with `invoke data --database qtdb --verify`.",
            )
    return [_at_rate(record) for record in records]


def _at_rate(record: Record) -> Record:
    """A record of 250 Hz at 500 Hz, its stretches known."""
    waves = tuple(Wave(wave.kind, _up(wave.onset), _up(wave.peak), _up(wave.offset)) for wave in record.waves)
    return replace(
        record, rate=RATE, samples=_interpolated(record.samples), waves=waves, annotated=annotated_stretches(waves)
    )


def _up(point: int | None) -> int | None:
    return None if point is None else _FACTOR * point


def _interpolated(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Twice as many samples, band-limited; sample n lies at 2 n. Where there is no contact the last value is held."""
    # Slow to import, and not needed where nothing is read.
    from scipy.signal import resample_poly

    good = samples != LEAD_OFF
    last = np.maximum.accumulate(np.where(good, np.arange(samples.size), 0))
    held = np.where(good[last], samples[last], 0) / 1000.0
    finer = microvolts(resample_poly(held, _FACTOR, 1, padtype="line"))
    finer[np.repeat(~good, _FACTOR)] = LEAD_OFF
    return finer


def annotated_stretches(waves: Sequence[Wave]) -> tuple[Stretch, ...]:
    """Stretches in which every wave is annotated.

    A run of annotated beats ends where the next beat is so late that others lie between. Every QRS is followed by a T
    wave; where none is annotated after one, as in all of sel35 and sel37, it was left out, and nothing is known before
    the next mark. Where most beats of a record have a P wave, one without has it hidden in the T wave before, or is an
    ectopic beat; nothing is known before its QRS.

    Args:
        waves: of one record, in order of time.

    Returns:
        First and last raw sample of each stretch, in order of time.
    """
    known = [wave for wave in waves if wave.points]
    bounds = pairwise([0, *_breaks(known), len(known)]) if known else ()
    runs = [[point for wave in known[start:end] for point in wave.points] for start, end in bounds]
    return tuple((min(points), max(points)) for points in runs)


def _breaks(known: Sequence[Wave]) -> list[int]:
    """Indices of the waves before which a stretch ends."""
    beats = [index for index, wave in enumerate(known) if wave.kind == "QRS"]
    times = [_middle(known[index]) for index in beats]
    longest = _LONGEST_RR * float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    with_p = 2 * sum(wave.kind == "P" for wave in known) >= len(beats)
    breaks = []
    for index, (before, after) in enumerate(pairwise(known), 1):
        following = bisect_left(beats, index)
        late = 0 < following < len(beats) and times[following] - times[following - 1] > longest
        if _interrupted(before.kind, after.kind, late=late, with_p=with_p):
            breaks.append(index)
    return breaks


def _interrupted(before: str, after: str, *, late: bool, with_p: bool) -> bool:
    """True when something may lie between two consecutive waves of these kinds."""
    if before == "QRS":
        return after not in ("T", "?")
    if before == "P":
        return False
    # Of a beat's own waves only P comes before its QRS: a run ends behind T or U.
    return (late and after == "P") or ((late or with_p) and after == "QRS")


def _middle(wave: Wave) -> int:
    return wave.peak if wave.peak is not None else min(wave.points)


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
