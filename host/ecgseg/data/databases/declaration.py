"""What there is to say of a database: the same for those that come with this program and for a user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ecgseg.data.readers.wfdb import About
from ecgseg.data.records import Record, Stretch, Wave

WAVES = ("P", "QRS", "T")
ALL = "all"


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Attributes:
        url: zip archive of the whole data set.
        files_url: folder with its files one by one, SHA256SUMS.txt among them; used when there is no archive.
        sums_sha256: SHA-256 of that list, hexadecimal; of its lines `<digest> <name>` for `part`, when there is one.
        part: files by which a release is known whose whole list is not pinned, in order of name.
        name: of the data set and its release, for people.
        command: what downloads it.
        named_by: what names a copy elsewhere: an option, an environment variable.
    """

    url: str
    files_url: str
    sums_sha256: str
    part: tuple[str, ...] = ()
    name: str = "LUDB 1.0.1"
    command: str = "invoke data"
    named_by: str = "--ludb or ECGSEG_LUDB"

    @property
    def database(self) -> str:
        """Its name without the release."""
        return self.name.partition(" ")[0]


class Reader(Protocol):
    """How the files of a database become records."""

    def place(self, folder: Path, name: str) -> Path:
        """The path of a record without the suffixes of its files, for messages."""
        ...

    def read(self, folder: Path, name: str, leads: Sequence[str], about: About) -> list[Record]:
        """Leads of one record, in the order wanted.

        Raises:
            UNREADABLE of `ecgseg.data.readers.wfdb`, DataError: a file is missing or damaged.
        """
        ...


@dataclass(frozen=True)
class Database:
    """A database.

    Attributes:
        key: what --database takes, and `Record.source`; letters, digits and `-`.
        title: its short name, for people.
        licence, citation: of its data; empty where a user does not say.
        reader: how its files become records, with annotators and the meaning of their symbols.
        find: its folder from what a user typed; None where it is not here.
        select: names of the records that a user's word means: a set, or some of them.
        number: the number of a record in `Record.record_id`, from its name.
        sets: names of records by set; no patient is in two of train, val and test.
        leads: all leads that a record may have, in the order in which they are read.
        leads_of: those of one record in a folder, where records differ; None where all have all.
        known: what a user may type as leads, for a message.
        rate: at which every file of it is sampled, Hz; None where they may differ.
        stretches: the annotated stretches of a record, from its waves; None: from the first mark to the last.
        waves: kinds of waves that are annotated; of others nothing is known.
        trainable: names of the records that may be trained on; None: all.
        to_read: what is done about a record that cannot be read, a sentence.
        to_get: what is done where it is not here, a sentence.
        download: where it comes from, when it can be downloaded.
    """

    key: str
    title: str
    licence: str
    citation: str
    reader: Reader
    find: Callable[[str | Path | None], Path | None]
    select: Callable[[str], tuple[str, ...]]
    number: Callable[[str], int]
    sets: Callable[[], Mapping[str, tuple[str, ...]]]
    leads: tuple[str, ...]
    known: str
    to_read: str
    to_get: str = ""
    leads_of: Callable[[Path, str], tuple[str, ...]] | None = None
    rate: int | None = None
    stretches: Callable[[Sequence[Wave]], tuple[Stretch, ...]] | None = None
    waves: tuple[str, ...] = WAVES
    trainable: Callable[[], tuple[str, ...]] | None = None
    download: Source | None = None
