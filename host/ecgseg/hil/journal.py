"""What a test has compared so far, on disk, so that one that was stopped or killed goes on: a line for each lead.

The first line tells what is tested. Then comes a line for each lead of which every byte was equal: what the device
answered there is what Python computes again, so that ticks, counters of the link and a digest are enough. A lead that
differs is marked as soon as it does, and sent again: what differed once stays a difference, whatever comes then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from ecgseg import __version__
from ecgseg.hil.lines import Lines
from ecgseg.link import FrameResult, LinkCounters
from ecgseg.pipeline.segmenter import ExpectedFrame

HEAD_WORDS = {
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
class Journal(Lines):
    """The file of a test of leads.

    Attributes:
        counters: of the link, over all leads that were compared before.
    """

    counters: LinkCounters = field(default_factory=LinkCounters)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._leads: dict[int, EqualLead] = {}
        self._differing: set[int] = set()

    def begin(self, head: Head) -> None:
        """Reads what was compared before, or begins the file; from now on it belongs to this process.

        Raises:
            EcgsegError: as `Lines.open_with`.
        """
        found = self.open_with(head, HEAD_WORDS, _LINES)
        self._differing = {told.differs for told in found if isinstance(told, DifferingLead)}
        # The last one is sent again, so that the device has computed something when it is asked how deep its stack was.
        equal = [told for told in found if isinstance(told, EqualLead)][:-1]
        self._leads = {lead.index: lead for lead in equal if lead.index not in self._differing}

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
        self.append(EqualLead(index=index, digest=digest, ticks=ticks, **counted))

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
            self.append(DifferingLead(differs=index))

    def differed(self, index: int) -> bool:
        """Whether a lead differs, or did before."""
        return index in self._differing


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
