"""What tasks write for machines where no room below has the result as it is written."""

from __future__ import annotations

from pydantic import BaseModel

from ecgseg.devices.listing import DeviceEntry


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
