"""`invoke version`: release, commit, and versions of what computes."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.commands.options import JsonOption
from ecgseg.output import write_json
from ecgseg.terminal import console


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke version` takes."""


def run(options: Options) -> None:
    """Print the release, its commit, and the versions of what computes (`invoke --version` is that of invoke)."""
    from ecgseg.doctor.versions import versions_here
    from ecgseg.report.checkup import show_versions

    versions = versions_here()
    if options.json:
        write_json(versions, options.json)
    show_versions(versions, console)
