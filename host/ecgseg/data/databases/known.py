"""The database that a user names: one of those that are declared here, or a file that declares his own."""

from __future__ import annotations

from ecgseg.choices import choose
from ecgseg.data.databases import own
from ecgseg.data.databases.declaration import Database
from ecgseg.data.databases.ludb import LUDB
from ecgseg.data.databases.qtdb import QTDB
from ecgseg.data.databases.synthetic import SYNTHETIC
from ecgseg.files import expanded

DATABASES = {database.key: database for database in (LUDB, QTDB, SYNTHETIC)}
SUFFIX = ".toml"


def is_own(word: str) -> bool:
    """Whether a word names a file that declares a database."""
    return word.endswith(SUFFIX)


def database_of(word: str) -> Database:
    """The database of a name or of a TOML file.

    Raises:
        UsageError: there is no such database.
        DataError: the file is not valid, or its folder does not hold what it says.
    """
    if is_own(word):
        return own.declared(expanded(word))
    return DATABASES[choose("database", word, (*DATABASES, f"FILE{SUFFIX}"), "--database")]
