"""`invoke bringup`: settles the open points of the facts sheet on a board."""

from __future__ import annotations

from rich.table import Table

from ecgseg.devices.bringup import bring_up
from ecgseg.output import write_json
from ecgseg.targets import TimeQuality, target_of
from ecgseg.targets.names import APOLLO4P
from ecgseg.terminal import console


def bringup_command(
    target: str = APOLLO4P,
    *,
    port: str | None = None,
    serial_number: str | None = None,
    measure: bool = False,
    json_path: str | None = None,
) -> None:
    """`invoke bringup`: settles the open points of the facts sheet on a board."""
    report = bring_up(target, port=port, serial_number=serial_number, measure=measure)
    modelled = target_of(target).time_quality is TimeQuality.MODELLED
    title = "Simulated, shows only that the questions work" if modelled else "Apollo4 Plus EVB"
    table = Table(title=f"Open points: {title}", title_justify="left")
    for column in ("Point", "Found", "Meaning"):
        table.add_column(column)
    for point in report.points:
        table.add_row(point.name, point.found, point.meaning)
    console.print(table)
    if json_path:
        write_json(report, json_path)
