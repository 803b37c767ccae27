"""`invoke soak`: what it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ecgseg.commands.options import (
    BackendOptions,
    JsonOption,
    ModelOptions,
    OptimiseOption,
    PortOptions,
    RateOption,
    RecordOptions,
    baud_option,
    target_option,
)
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError

_HOURS = 1.0
_MOST_HOURS = 24 * 366


@dataclass(frozen=True)
class Options(ModelOptions, RecordOptions, BackendOptions, OptimiseOption, RateOption, PortOptions, JsonOption):
    """What `invoke soak` takes."""

    target: str = target_option()
    hours: str | None = option("How long, in hours, such as 8 or 0.5; default 1, and without end with --frames.")
    frames: int | None = option("How many frames; with --hours what is reached first ends the soak.")
    seed: int = option("Draws leads, faults and restarts; default 1.", default=1)
    faulty: int = option("Leads in 1,000 that are sent over a faulty line; default 10.", default=10)
    restarts: int = option("Restarts in 100,000 frames, on average; default 10.", default=10)
    window: int = option("Leads after which memory and answer times are noted; default 250.", default=250)
    baud: int = baud_option()
    resume: bool = option("Go on where the same soak was stopped before.", default=False)
    html: Path | None = option("Where the page goes; default build/reports/.", output=Output.RESULT)


def run(options: Options) -> int:
    """Send ECG for hours, over a faulty line at times and with restarts, and watch memory and answer times for drift.

    Returns:
        0 when every byte is equal and nothing grows; 1 when a byte differs or something grows; that of the signal or
        the error that ended it early.
    """
    from ecgseg.commands.hil_perform import Places
    from ecgseg.commands.soak_perform import perform_soak
    from ecgseg.data.databases.ludb import parse_leads, parse_records
    from ecgseg.hil.runner import HilOptions
    from ecgseg.hil.soak.ready import SoakOptions
    from ecgseg.targets import TargetOptions

    tested = HilOptions(
        target=options.target,
        model=options.model,
        tflite=options.tflite,
        records=parse_records(options.records),
        leads=parse_leads(options.leads),
        ludb=options.ludb,
        backend=options.backend,
        tflm_dir=options.tflm_dir,
        optimise=options.optimise,
        target_options=TargetOptions(port=options.port, baud=options.baud, serial_number=options.serial),
    )
    asked = SoakOptions(
        tested=tested,
        hours=_hours(options),
        frames=_between("frames", options.frames, 1, 10**12),
        window=_between("window", options.window, 1, 100_000) or 0,
        faulty=_between("faulty", options.faulty, 0, 1000) or 0,
        restarts=_between("restarts", options.restarts, 0, 25_000) or 0,
        seed=options.seed,
        rate=options.rate,
    )
    return perform_soak(asked, Places(html=options.html, json=options.json), resume=options.resume)


def _hours(options: Options) -> float | None:
    if options.hours is None:
        return None if options.frames is not None else _HOURS
    try:
        hours = float(options.hours)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= _MOST_HOURS:
        raise UsageError(
            f"--hours {options.hours} is no length of time.",
            f"It is a number of hours above 0, at most {_MOST_HOURS:,}.",
            "Type for example --hours 8.",
        )
    return hours


def _between(name: str, value: int | None, least: int, most: int) -> int | None:
    if value is not None and not least <= value <= most:
        raise UsageError(f"--{name} {value} is not possible.", f"It is {least:,} to {most:,}.", f"Correct --{name}.")
    return value
