"""What looking at this computer comes to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from ecgseg.doctor.versions import Versions

State = Literal["ok", "missing", "doubtful"]


class Finding(BaseModel):
    """One thing that tasks need.

    Attributes:
        name: what it is.
        state: "ok", "missing", or "doubtful": it is there, and may not do.
        found: what was found, such as a version or a place.
        needed_daily: without it the daily commands do not work.
        cost: what does not work as it is, a sentence; "" of what is there.
        mend: the command that mends it, or what to do where no command does; "" of what is there.
    """

    name: str
    state: State
    found: str
    needed_daily: bool = False
    cost: str = ""
    mend: str = ""


class Checkup(BaseModel):
    """What `invoke doctor` found.

    Attributes:
        ready: the daily commands work.
        findings: one thing each, in the order in which they are needed.
        versions: of what computes.
    """

    ready: bool
    findings: list[Finding]
    versions: Versions
