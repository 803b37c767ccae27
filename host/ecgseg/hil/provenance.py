"""Where a result comes from: when, by which command, and what computed."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel

from ecgseg.doctor.versions import Versions, versions_here


class Provenance(BaseModel):
    """Where a result comes from.

    Attributes:
        started: when the test began, UTC, such as "2026-01-31T10:15:00Z".
        command: the command line as it was typed, "" when none was.
        versions: release and commit of this program, and of what computes here.
    """

    started: str
    command: str
    versions: Versions

    @staticmethod
    def now(command: str) -> Provenance:
        """Of a test that begins at this moment on this computer."""
        return Provenance(started=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", command=command, versions=versions_here())
