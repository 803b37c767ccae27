"""Synthetic ECG as a database: recordings of the population "frame" by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecgseg.data.databases import ludb
from ecgseg.data.databases.declaration import Database
from ecgseg.data.databases.synthetic.recordings import frame_recording
from ecgseg.data.databases.synthetic.sampling import RATE
from ecgseg.data.databases.synthetic.waves import LEADS
from ecgseg.data.readers.wfdb import About
from ecgseg.data.records import Record

SEED = 2026


class _Maker:
    """Makes what others read; see `Reader`."""

    def place(self, folder: Path, name: str) -> Path:
        return folder / name

    def read(self, folder: Path, name: str, leads: Sequence[str], about: About) -> list[Record]:
        del folder, about
        return frame_recording(int(name), leads, SEED)


def _as_many(text: str) -> tuple[str, ...]:
    """As many recordings, numbered from 1, as LUDB has records of that name."""
    return tuple(map(str, range(1, len(ludb.parse_records(text)) + 1)))


SYNTHETIC = Database(
    key="synthetic",
    title="Synthetic ECG",
    licence="that of this program",
    citation="",
    reader=_Maker(),
    find=lambda option: Path(),
    select=_as_many,
    number=int,
    sets=dict,
    leads=LEADS,
    known=", ".join(LEADS),
    rate=RATE,
    to_read="It is a mistake of this program: please report it.",
)
