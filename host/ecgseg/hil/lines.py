"""A file that tells how far a test is, a line after the other; a process that goes on reads it and appends.

The first line tells what is tested, and only the same goes on. Lines are appended whole and reach the disk before the
work goes on; of a file that was cut off, as by a loss of power, what is whole counts.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from ecgseg.errors import DataError, UsageError, cause
from ecgseg.files import read_file
from ecgseg.output import append_to, json_line, output_error, write_bytes

Line = TypeVar("Line")
_MAX_BYTES = 256 << 20
_LEAVE_OUT = "Leave out --resume: all is sent again then."


@dataclass
class Lines:
    """The file; without a path nothing is kept, and nothing was compared before.

    Args:
        path: of the file, None for none.
        resumes: goes on with what it has; else it is written anew.

    Attributes:
        not_kept: why something could not be kept, "" when all was.
    """

    path: Path | None = None
    resumes: bool = False
    not_kept: str = ""

    def __post_init__(self) -> None:
        self._file: BinaryIO | None = None
        self._whole = 0

    def open_with(self, head: BaseModel, words: Mapping[str, str], lines: TypeAdapter[Line]) -> list[Line]:
        """Reads what there is, or begins the file; from now on it belongs to this process.

        Args:
            head: what is tested.
            words: what its fields are called.
            lines: what the other lines are.

        Raises:
            UsageError: it is one of another test, or of one that goes on.
            DataError: it is none, or cannot be read.
            OutputError: it cannot be written.
        """
        if self.path is None:
            return []
        first = json_line(head)
        if not self.resumes:
            write_bytes(self.path, first)
        found: list[Line] = []
        try:
            self._file = self.path.open("r+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._whole = len(first)
            if self.resumes:
                found, self._whole = _read(self.path, head, words, lines)
        except BlockingIOError as error:
            raise UsageError(
                "That run still goes on.", f"Another process writes {self.path}.", "Wait for its end."
            ) from error
        except OSError as error:
            raise output_error(self.path, error) from error
        return found

    def append(self, told: BaseModel) -> None:
        """Appends a line; when that fails it is told in `not_kept`, and no other follows."""
        if self._file is None or self.path is None or self.not_kept:
            return
        try:
            self._whole = append_to(self._file, self._whole, json_line(told))
        except OSError as error:
            self.not_kept = f"{output_error(self.path, error).what} This test cannot be resumed where it is stopped."

    def told(self, lines: TypeAdapter[Line]) -> list[Line]:
        """What the file tells by now, behind its first line.

        Args:
            lines: what they are.

        Raises:
            DataError: it cannot be read any more.
        """
        if self.path is None:
            return []
        try:
            return list(_whole(read_file(self.path, _MAX_BYTES).split(b"\n")[1:-1], lines))
        except (OSError, ValueError) as error:
            why = cause(error, "It is none any more.")
            raise DataError(
                f"'{self.path}' cannot be read again.", why, "Leave it alone while a test goes on."
            ) from error

    def remove(self) -> None:
        """Removes the file of a test whose result is written; one that stays does no harm."""
        if self._file is not None and self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            # It tries once more to write what found no room, which is told already.
            with suppress(OSError):
                self._file.close()
            self._file = None


def _read(path: Path, head: BaseModel, words: Mapping[str, str], lines: TypeAdapter[Line]) -> tuple[list[Line], int]:
    """What is told, and how many bytes of the file tell it."""
    try:
        first, *rest = read_file(path, _MAX_BYTES).split(b"\n")[:-1]
        told = type(head).model_validate_json(first)
    except (OSError, ValueError) as error:
        why = cause(error, "It begins otherwise.")
        raise DataError(f"'{path}' tells of no test that was stopped.", why, _LEAVE_OUT) from error
    for name in type(head).model_fields:
        if (mine := getattr(head, name)) != (its := getattr(told, name)):
            raise UsageError(
                "The run that was stopped tested something else.",
                f"{words[name]} was {_shown(its)}, and is {_shown(mine)} now ({path}).",
                "Type the command as it was, with the program as it was. " + _LEAVE_OUT,
            )
    found = list(_whole(rest, lines))
    return found, sum(len(line) + 1 for line in (first, *rest[: len(found)]))


def _whole(rest: Sequence[bytes], lines: TypeAdapter[Line]) -> Iterator[Line]:
    """What is told up to the first line that is damaged."""
    for line in rest:
        try:
            yield lines.validate_json(line)
        except ValidationError:
            return


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
