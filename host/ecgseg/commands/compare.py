"""`invoke compare`: what changed from one run to another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg.commands.options import JsonOption
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.output import write_json
from ecgseg.terminal import console


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke compare` takes."""

    before: str | None = option(
        "The first run: a folder or name that `invoke runs` lists, or a file of --json of hil-test, soak or profile.",
        positional=True,
    )
    after: str | None = option("The run after it, named likewise.", positional=True)
    html: Path | None = option("Also write a page.", output=Output.RESULT)


def run(options: Options) -> int:
    """Tell what changed from a run to a later one in bytes, accuracy, time, memory and size; 1 when something is worse.

    Returns:
        0 when no figure is worse, else 1.
    """
    from ecgseg.report.comparison import show_comparison, write_comparison
    from ecgseg.runs.compare import compare
    from ecgseg.runs.reading import read_result

    if options.before is None or options.after is None:
        raise UsageError(
            "Two runs are to be named.",
            "They stand behind the task; `invoke runs` lists them.",
            "Type: invoke compare BEFORE AFTER",
        )
    found = compare(read_result(options.before), read_result(options.after))
    if options.json:
        write_json(found, options.json)
    if options.html:
        write_comparison(found, options.html)
    show_comparison(found, console)
    return int(found.regression)
