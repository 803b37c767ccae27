"""`invoke doctor`: what this computer has of what the tasks need."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.commands.options import JsonOption
from ecgseg.output import write_json
from ecgseg.terminal import console


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke doctor` takes."""


def run(options: Options) -> int:
    """Look at what this computer has and lacks: what works, what does not, and the command that mends it.

    Returns:
        0 when the daily commands work, else 1.
    """
    from ecgseg.doctor.checkup import check_up
    from ecgseg.report.checkup import show_checkup

    checkup = check_up()
    if options.json:
        write_json(checkup, options.json)
    show_checkup(checkup, console)
    return 0 if checkup.ready else 1
