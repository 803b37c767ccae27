"""What tasks write for machines where no room below has the result as it is written."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from ecgseg.devices.listing import DeviceEntry
from ecgseg.runs.folder import RunAbout, RunFolder


class DataState(BaseModel):
    """What `invoke data` found: folder, files listed, and those missing or damaged."""

    folder: str
    files: int
    missing: list[str]
    damaged: list[str]


class BuiltImage(BaseModel):
    """What `invoke build` made: files, build id, and bytes by section with flash and RAM in total."""

    board: str
    model: str
    model_sha256: str
    build_id: str
    elf: str
    bin: str | None
    sizes: dict[str, int]


class DeviceList(BaseModel):
    """What `invoke devices` found."""

    devices: list[DeviceEntry]


class KeptRun(RunAbout):
    """A run that is kept: its folder, and what its run.json says."""

    folder: str


class RunList(BaseModel):
    """What `invoke runs` found, the newest first."""

    runs: list[KeptRun]

    @staticmethod
    def of(found: Sequence[RunFolder]) -> RunList:
        """The list of folders that were found."""
        return RunList(runs=[KeptRun(folder=str(run.path), **run.about.model_dump()) for run in found])
