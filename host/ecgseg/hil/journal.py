"""What a test has compared so far, on disk, so that one that was stopped or killed goes on: a line for each lead.

The first line tells what is tested. Then comes a line for each lead of which every byte was equal: what the device
answered there is what Python computes again, so that ticks, counters of the link and a digest are enough. A lead that
differs is marked as soon as it does, and sent again: what differed once stays a difference, whatever comes then. Lines
are appended whole and reach the disk before the next lead; of a file that was cut off, as by a loss of power, what is
whole counts.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from ecgseg import __version__
from ecgseg.errors import DataError, UsageError, cause
from ecgseg.files import read_file
from ecgseg.link import FrameResult, LinkCounters
from ecgseg.output import append_to, json_line, output_error, write_bytes
from ecgseg.pipeline.segmenter import ExpectedFrame

_MAX_BYTES = 256 << 20
_WORDS = {
    "ecgseg": "The release of ecgseg",
    "target": "The target",
    "backend": "The backend",
    "model_sha256": "The model's SHA-256",
    "build_id": "The image's build id",
    "source": "What was sent",
    "records": "What was sent of records",
    "leads": "What was sent of leads",
    "rate": "The rate",
}
_LEAVE_OUT = "Leave out --resume: all is sent again then."


class Head(BaseModel):
    """What is tested; only the same goes on.

    Attributes:
        ecgseg: release of the program.
        target, backend, model_sha256, build_id: what runs.
        source, records, leads, rate: what is sent.
    """

    ecgseg: str = __version__
    target: str
    backend: str
    model_sha256: str
    build_id: str
    source: str
    records: tuple[int, ...]
    leads: tuple[str, ...]
    rate: int


Ticks = Annotated[int, Field(ge=0, lt=1 << 63)]
Count = Annotated[int, Field(ge=0, lt=1 << 31)]


class EqualLead(BaseModel):
    """A lead of which every byte was equal.

    Attributes:
        index: its place among those that are sent.
        digest: SHA-256 of its samples and of what Python computed.
        ticks: device time, part by part: a row for each frame, or one of a stream.
        requests, retries, crc_errors: of the link, for this lead.
    """

    index: int
    digest: str
    ticks: list[list[Ticks]]
    requests: Count
    retries: Count
    crc_errors: Count


class DifferingLead(BaseModel):
    """A lead of which some byte differed, by its place among those that are sent."""

    differs: int


_LINES: TypeAdapter[EqualLead | DifferingLead] = TypeAdapter(EqualLead | DifferingLead)
OTHERWISE = "answered otherwise before the test was stopped"
"""What is told of a lead that differed before, and does not now."""


@dataclass
class Journal:
    """The file; without a path nothing is kept, and nothing was compared before.

    Args:
        path: of the file, None for none.
        resumes: goes on with what it has; else it is written anew.

    Attributes:
        counters: of the link, over all leads that were compared before.
        not_kept: why leads could not be kept, "" when they were.
    """

    path: Path | None = None
    resumes: bool = False
    counters: LinkCounters = field(default_factory=LinkCounters)
    not_kept: str = ""

    def __post_init__(self) -> None:
        self._file: BinaryIO | None = None
        self._whole = 0
        self._leads: dict[int, EqualLead] = {}
        self._differing: set[int] = set()

    def begin(self, head: Head) -> None:
        """Reads what was compared before, or begins the file; from now on it belongs to this process.

        Raises:
            UsageError: it is one of another test, or of one that goes on.
            DataError: it is none, or cannot be read.
            OutputError: it cannot be written.
        """
        if self.path is None:
            return
        line = json_line(head)
        if not self.resumes:
            write_bytes(self.path, line)
        try:
            self._file = self.path.open("r+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._whole = self._read(self.path, head) if self.resumes else len(line)
        except BlockingIOError as error:
            raise UsageError(
                "That run still goes on.", f"Another process writes {self.path}.", "Wait for its end."
            ) from error
        except OSError as error:
            raise output_error(self.path, error) from error

    def _read(self, path: Path, head: Head) -> int:
        """Reads what was compared before; returns how many bytes of the file tell of it."""
        try:
            first, *lines = read_file(path, _MAX_BYTES).split(b"\n")[:-1]
            told = Head.model_validate_json(first)
        except (OSError, ValueError) as error:
            why = cause(error, "It begins otherwise.")
            raise DataError(f"'{path}' tells of no test that was stopped.", why, _LEAVE_OUT) from error
        for name in Head.model_fields:
            if (mine := getattr(head, name)) != (its := getattr(told, name)):
                raise UsageError(
                    "The run that was stopped tested something else.",
                    f"{_WORDS[name]} was {_shown(its)}, and is {_shown(mine)} now ({path}).",
                    "Type the command as it was, with the program as it was. " + _LEAVE_OUT,
                )
        found = list(_whole(lines))
        self._differing = {told.differs for told in found if isinstance(told, DifferingLead)}
        # The last one is sent again, so that the device has computed something when it is asked how deep its stack was.
        equal = [told for told in found if isinstance(told, EqualLead)][:-1]
        self._leads = {lead.index: lead for lead in equal if lead.index not in self._differing}
        return sum(len(line) + 1 for line in (first, *lines[: len(found)]))

    def earlier(self, index: int, digest: str, rows: int, parts: int) -> list[list[int]] | None:
        """Ticks of a lead of which every byte was equal before; None for one that has to be sent.

        Args:
            index: its place among those that are sent.
            digest: of `digest_of`, now.
            rows, parts: of its ticks.
        """
        lead = self._leads.get(index)
        if lead is None or lead.digest != digest or [len(row) for row in lead.ticks] != [parts] * rows:
            return None
        self.counters.requests += lead.requests
        self.counters.retries += lead.retries
        self.counters.crc_errors += lead.crc_errors
        return lead.ticks

    def keep(self, index: int, digest: str, ticks: list[list[int]], link: LinkCounters) -> None:
        """Appends a lead of which every byte was equal; when that fails it is told in `not_kept`, and no other follows.

        Args:
            index, digest: as for `earlier`.
            ticks: of the device.
            link: what the link counted for this lead.
        """
        counted = {"requests": link.requests, "retries": link.retries, "crc_errors": link.crc_errors}
        self._append(EqualLead(index=index, digest=digest, ticks=ticks, **counted))

    def settle(self, index: int, digest: str, ticks: list[list[int]], link: LinkCounters, *, equal: bool) -> bool:
        """Keeps what came of a lead that was sent to its end; failing as `keep` does.

        Args:
            index, digest, ticks, link: as for `keep`.
            equal: every byte was.

        Returns:
            False for a lead that is equal and was not before: it stays a difference (OTHERWISE).
        """
        if not equal:
            self.mark(index)
        elif self.differed(index):
            return False
        else:
            self.keep(index, digest, ticks, link)
        return True

    def mark(self, index: int) -> None:
        """Appends that a lead differs, once; failing as `keep` does."""
        if index not in self._differing:
            self._differing.add(index)
            self._append(DifferingLead(differs=index))

    def differed(self, index: int) -> bool:
        """Whether a lead differs, or did before."""
        return index in self._differing

    def _append(self, told: BaseModel) -> None:
        if self._file is None or self.path is None or self.not_kept:
            return
        try:
            self._whole = append_to(self._file, self._whole, json_line(told))
        except OSError as error:
            self.not_kept = f"{output_error(self.path, error).what} This test cannot be resumed where it is stopped."

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


def digest_of(samples: bytes, *expected: bytes) -> str:
    """SHA-256 of what is sent and of what Python computed of it."""
    digest = hashlib.sha256(samples)
    for part in expected:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def counted_since(now: LinkCounters, before: LinkCounters) -> LinkCounters:
    """What a link has counted since a copy of its counters was made."""
    return LinkCounters(**{part.name: getattr(now, part.name) - getattr(before, part.name) for part in fields(before)})


def answers_of(expected: Sequence[ExpectedFrame], ticks: Sequence[Sequence[int]]) -> Iterator[FrameResult]:
    """What a device answered that was equal in every byte.

    Args:
        expected: frames of a lead.
        ticks: preprocess, inference and postprocess of each.
    """
    for frame, (preprocess, inference, postprocess) in zip(expected, ticks, strict=True):
        same = {part.name: getattr(frame, part.name) for part in fields(frame)}
        yield FrameResult(**same, preprocess_ticks=preprocess, inference_ticks=inference, postprocess_ticks=postprocess)


def _whole(lines: Sequence[bytes]) -> Iterator[EqualLead | DifferingLead]:
    """What is told up to the first line that is damaged."""
    for line in lines:
        try:
            yield _LINES.validate_json(line)
        except ValidationError:
            return


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
