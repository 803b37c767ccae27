"""`invoke devices`: probes and serial ports, and what answers on them."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.commands.options import JsonOption
from ecgseg.commands.task import option
from ecgseg.output import write_json
from ecgseg.terminal import console, data


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke devices` takes."""

    ask_all: bool = option("Ask every serial port, not only those of a J-Link.", name="all", default=False)


def run(options: Options) -> None:
    """List debug probes and serial ports, and what answers on them."""
    from ecgseg.commands.results import DeviceList
    from ecgseg.devices.listing import devices
    from ecgseg.terminal import Table

    entries = devices(ask_all=options.ask_all)
    table = Table(title="Probes and serial ports")
    for column in ("Kind", "Name", "Description", "What answers"):
        table.add_column(column)
    for entry in entries:
        # What a device, or its USB descriptor, calls itself is shown as it is.
        table.add_row(*(data(text) for text in (entry.kind, entry.name, entry.description, entry.answer)))
    console.print(table)
    if not any(entry.kind == "port" for entry in entries):
        console.print("There is no USB serial port.")
    if options.json:
        write_json(DeviceList(devices=entries), options.json)
