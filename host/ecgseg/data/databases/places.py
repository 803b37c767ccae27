"""Where a copy of a database is looked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg.errors import DataError
from ecgseg.files import expanded


@dataclass(frozen=True)
class Places:
    """Where one database may lie, and what is told when the place that a user names does not hold it.

    Attributes:
        database: its short name.
        environment: variable that may name the folder.
        usual: folders to search when nothing is named.
        must_hold: what a folder of it holds, a sentence.
        remedy: what to do about a wrong name.
    """

    database: str
    environment: str
    usual: Sequence[Path]
    must_hold: str
    remedy: str

    def find(self, option: str | Path | None, holds: Callable[[Path], bool]) -> Path | None:
        """The folder that is named, or the first of the usual ones that holds the database, or None.

        Args:
            option: as the user typed it, before the environment.
            holds: whether a folder holds the database.

        Raises:
            DataError: the named folder does not.
        """
        named = option or os.environ.get(self.environment)
        if not named:
            return next((folder for folder in self.usual if holds(folder)), None)
        folder = expanded(named)
        if not holds(folder):
            raise DataError(f"There is no {self.database} in '{folder}'.", self.must_hold, self.remedy)
        return folder
