"""`invoke runs`: the runs that are kept."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.commands.options import JsonOption
from ecgseg.output import write_json
from ecgseg.terminal import console, data


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke runs` takes."""


def run(options: Options) -> None:
    """List the runs of hil-test, soak and demo that are kept, the newest first."""
    from ecgseg.commands.results import RunList
    from ecgseg.report.runs import show_runs
    from ecgseg.runs.folder import kept, place

    found = kept()
    if options.json:
        write_json(RunList.of(found), options.json)
    if found:
        show_runs(found, console)
    else:
        console.print(f"No run is kept in {data(place())}; `invoke hil-test` leaves one.", highlight=False)
