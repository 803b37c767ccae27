"""`invoke devices`: probes and serial ports, and what answers on them."""

from __future__ import annotations

from pydantic import BaseModel
from rich.table import Table

from ecgseg.devices.flash import DeviceEntry, devices
from ecgseg.output import write_json
from ecgseg.terminal import console


def devices_command(*, ask_all: bool = False, json_path: str | None = None) -> None:
    """`invoke devices`: probes and serial ports, and what answers on them."""
    entries = devices(ask_all=ask_all)
    table = Table(title="Probes and serial ports", title_justify="left")
    for column in ("Kind", "Name", "Description", "What answers"):
        table.add_column(column)
    for entry in entries:
        table.add_row(entry.kind, entry.name, entry.description, entry.answer)
    console.print(table)
    if not any(entry.kind == "port" for entry in entries):
        console.print("There is no USB serial port.")
    if json_path:
        write_json(_Devices(devices=entries), json_path)


class _Devices(BaseModel):
    devices: list[DeviceEntry]
