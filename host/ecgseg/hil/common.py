"""What tests of frames and of streams have in common: the image that is tested, and what every result tells."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ecgseg.hil.journal import Journal
from ecgseg.hil.result import LeadOutcome, Memory
from ecgseg.image.boards import board_of
from ecgseg.image.build import Image
from ecgseg.link import DeviceClient, DeviceInfo, DeviceStats, LinkCounters
from ecgseg.printable import printable


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image.

    Attributes:
        flash_bytes, ram_bytes: 0 when unknown: a native process says nothing about the size of a device's image.
        sha256: of the file that is flashed, "" for an image that is not.
        elf_sha256: of the image with its symbols.
    """

    flash_bytes: int
    ram_bytes: int
    sha256: str
    elf_sha256: str

    @staticmethod
    def of(image: Image) -> ImageFacts:
        """The facts of an image that was built."""
        sizes = image.sizes if board_of(image.board).prefix else {}
        flashed = _sha256(image.bin) if image.bin else ""
        return ImageFacts(sizes.get("flash", 0), sizes.get("ram", 0), flashed, _sha256(image.elf))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Counts(Protocol):
    """Bytes so far."""

    @property
    def compared(self) -> int: ...
    @property
    def mismatched(self) -> int: ...


@dataclass
class LeadLog:
    """What came of each lead.

    Attributes:
        counts: of all leads together.
        outcomes: of leads that were compared to their end.
    """

    counts: Counts
    outcomes: list[LeadOutcome] = field(default_factory=list)

    @contextmanager
    def counting(self, record: int, label: str, lead: str) -> Iterator[None]:
        """Keeps what comes of a lead that is compared in the block, unless the block does not come to its end."""
        compared, mismatched, began = self.counts.compared, self.counts.mismatched, time.monotonic()
        yield
        self.outcomes.append(
            LeadOutcome(
                record=record,
                label=printable(label),
                lead=printable(lead),
                compared_bytes=self.counts.compared - compared,
                mismatched_bytes=self.counts.mismatched - mismatched,
                seconds=round(time.monotonic() - began, 3),
            )
        )


class Computed(Protocol):
    """The part of a reference that every result tells of."""

    @property
    def oracle(self) -> str: ...


class Tested(Protocol):
    """The part of a subject that every result tells of."""

    @property
    def target(self) -> str: ...
    @property
    def device(self) -> DeviceClient | None: ...
    @property
    def reference(self) -> Computed: ...
    @property
    def flash_bytes(self) -> int: ...
    @property
    def ram_bytes(self) -> int: ...
    @property
    def image_sha256(self) -> str: ...
    @property
    def elf_sha256(self) -> str: ...
    @property
    def journal(self) -> Journal: ...


def told_by_all(tested: Tested, info: DeviceInfo, stats: DeviceStats | None, started: float) -> dict[str, Any]:
    """Fields that results of both kinds have under one name.

    Args:
        tested: what was tested.
        info: what its device told about itself.
        stats: what it told at the end, None when it did not.
        started: when the test began, of time.monotonic().
    """
    counters = tested.device.counters if tested.device else LinkCounters()
    earlier = tested.journal.counters
    return {
        "target": tested.target,
        "board": info.board,
        "backend": info.backend,
        "model": info.model_name,
        "model_sha256": info.model_sha256,
        "build_id": info.build_id,
        "image_sha256": tested.image_sha256,
        "elf_sha256": tested.elf_sha256,
        "oracle": tested.reference.oracle,
        "requests": counters.requests + earlier.requests,
        "retries": counters.retries + earlier.retries,
        "crc_errors": counters.crc_errors + earlier.crc_errors,
        "device_crc_errors": stats.bad_crc if stats else 0,
        "device_overruns": stats.rx_overruns if stats else 0,
        "memory": Memory(
            arena_bytes=info.arena_bytes,
            stack_bytes=stats.stack_high_water if stats else 0,
            flash_bytes=tested.flash_bytes,
            ram_bytes=tested.ram_bytes,
        ),
        "macs": info.macs,
        "reset_cause": info.reset_cause,
        "fault": str(info.fault) if info.fault else None,
        "seconds": round(time.monotonic() - started, 3),
    }
