"""`invoke bringup`: settles the open points of the facts sheet on a board."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ecgseg.commands.options import JsonOption, PortOptions
from ecgseg.commands.task import option
from ecgseg.output import write_json
from ecgseg.terminal import console, data, messages


def _board_target() -> str:
    from ecgseg.targets.names import APOLLO4P

    return APOLLO4P


def _targets() -> Collection[str]:
    from ecgseg.image.boards import APOLLO4P_EVB
    from ecgseg.targets import targets_for

    return targets_for(APOLLO4P_EVB)


@dataclass(frozen=True)
class Options(PortOptions, JsonOption):
    """What `invoke bringup` takes."""

    target: str = option(
        "apollo4p, or apollo4p-sim to see what it looks like; default apollo4p.",
        default=_board_target,
        known=_targets,
    )
    measure: bool = option("Hold busy, sleep and deep sleep in turn, to read currents off a meter.", default=False)


def run(options: Options) -> None:
    """Settle on a board what the facts sheet leaves open (docs/bring-up.md)."""
    from ecgseg.devices.bringup import bring_up
    from ecgseg.targets import TimeQuality, target_of
    from ecgseg.terminal import Table

    on_measure = _prompt if options.measure else None
    report = bring_up(options.target, port=options.port, serial_number=options.serial, on_measure=on_measure)
    modelled = target_of(options.target).time_quality is TimeQuality.MODELLED
    title = "Simulated, shows only that the questions work" if modelled else "Apollo4 Plus EVB"
    table = Table(title=f"Open points: {title}")
    for column in ("Point", "Found", "Meaning"):
        table.add_column(column)
    for point in report.points:
        table.add_row(data(point.name), data(point.found), data(point.meaning))
    console.print(table)
    if options.json:
        write_json(report, options.json)


def _prompt(what: str, seconds: int) -> None:
    messages.print(f"Measure now for {seconds} s: {what}.")
