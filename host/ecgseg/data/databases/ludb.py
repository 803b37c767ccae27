"""Reads the Lobachevsky University Electrocardiography Database (LUDB) 1.0.1 from its WFDB files.

A. I. Kalyakulina et al., "LUDB: A New Open-Access Validation Tool for Electrocardiogram Delineation Algorithms",
IEEE Access 8 (2020) 186181-186190, doi 10.1109/ACCESS.2020.3029211; PhysioNet, doi 10.13026/eegm-h675; ODC-By 1.0.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import wfdb

from ecgseg import paths
from ecgseg.data.records import LEADS, Record, Wave
from ecgseg.errors import DataError
from ecgseg.pipeline import microvolts

ENVIRONMENT = "ECGSEG_LUDB"
_KINDS = {"p": "P", "N": "QRS", "t": "T"}


def find_ludb(option: str | Path | None = None) -> Path | None:
    """Folder of LUDB: the option, the environment variable ECGSEG_LUDB, `data/ludb`, `../shared/ludb`; else None.

    Raises:
        DataError: the option or the variable names a folder that does not hold LUDB.
    """
    named = option or os.environ.get(ENVIRONMENT)
    if named:
        folder = Path(named).expanduser()
        if not _holds_ludb(folder):
            raise DataError(
                f"There is no LUDB in '{folder}'.",
                "The folder must hold RECORDS and data/1.hea to data/200.hea.",
                f"Correct --ludb or {ENVIRONMENT}, or run `invoke data` to download it.",
            )
        return folder
    return next((folder for folder in (paths.LOCAL_LUDB, paths.SHARED_LUDB) if _holds_ludb(folder)), None)


def _holds_ludb(folder: Path) -> bool:
    return (folder / "data" / "1.hea").is_file()


def load_records(folder: Path, record_ids: Iterable[int], leads: Sequence[str] = LEADS) -> list[Record]:
    """Leads of records, in the order record, lead.

    Args:
        folder: as from :func:`find_ludb`.
        record_ids: numbers from 1 to 200.
        leads: lower-case lead names.

    Raises:
        DataError: a file is missing or cannot be read; the message names it.
    """
    return [record for number in record_ids for record in load_record(folder, number, leads)]


def load_record(folder: Path, record_id: int, leads: Sequence[str] = LEADS) -> list[Record]:
    """Leads of one record; see :func:`load_records`."""
    base = folder / "data" / str(record_id)
    try:
        signal: Any = wfdb.rdrecord(str(base))
        names = [name.lower() for name in signal.sig_name]
        samples = microvolts(signal.p_signal)
        return [
            Record(
                record_id=record_id,
                lead=lead,
                rate=int(signal.fs),
                samples=np.ascontiguousarray(samples[:, names.index(lead)]),
                waves=parse_waves(*_annotation(base, lead)),
                rhythm=_rhythm(signal.comments),
                source="ludb",
            )
            for lead in leads
        ]
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"Record {record_id} of LUDB cannot be read ({base}).",
            f"{type(error).__name__}: {error}",
            "Check the folder with `invoke data --verify`, or download LUDB again with `invoke data`.",
        ) from error


def _annotation(base: Path, lead: str) -> tuple[list[int], list[str]]:
    annotation: Any = wfdb.rdann(str(base), lead)
    return [int(sample) for sample in annotation.sample], list(annotation.symbol)


def _rhythm(comments: Sequence[str]) -> str:
    for comment in comments:
        if comment.startswith("Rhythm:"):
            return comment.removeprefix("Rhythm:").strip().rstrip(".")
    return "unknown"


def parse_waves(samples: Sequence[int], symbols: Sequence[str]) -> tuple[Wave, ...]:
    """Waves from LUDB's marks: "(" onset, p/N/t peak, ")" offset, any of which may be missing.

    Marks of one kind that follow each other directly are several annotators' marks of one point; their median stands.

    Args:
        samples: raw sample of each mark, in order of time.
        symbols: the mark, one of ( ) p N t.
    """
    waves: list[Wave] = []
    onset: int | None = None
    open_wave: Wave | None = None
    for sample, symbol in _collapse(samples, symbols):
        if symbol == ")":
            if open_wave is not None:
                waves.append(Wave(open_wave.kind, open_wave.onset, open_wave.peak, sample))
            else:
                waves.append(Wave("?", onset, None, sample))
            open_wave = onset = None
            continue
        if open_wave is not None:
            waves.append(open_wave)
            open_wave = None
        if symbol == "(":
            if onset is not None:
                waves.append(Wave("?", onset, None, None))
            onset = sample
        else:
            open_wave = Wave(_KINDS[symbol], onset, sample, None)
            onset = None
    if open_wave is not None:
        waves.append(open_wave)
    elif onset is not None:
        waves.append(Wave("?", onset, None, None))
    return tuple(waves)


def _collapse(samples: Sequence[int], symbols: Sequence[str]) -> list[tuple[int, str]]:
    groups: list[tuple[list[int], str]] = []
    for sample, symbol in zip(samples, symbols, strict=True):
        if groups and groups[-1][1] == symbol:
            groups[-1][0].append(sample)
        else:
            groups.append(([sample], symbol))
    return [(int(np.median(group)), symbol) for group, symbol in groups]
