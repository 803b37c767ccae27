"""`invoke clean`: removes what was built."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.commands.task import option
from ecgseg.errors import OutputError, UsageError, cause
from ecgseg.terminal import console, data, messages


@dataclass(frozen=True)
class Options:
    """What `invoke clean` takes."""

    data_too: bool = option("Also remove downloaded data.", name="all", default=False)
    vectors: bool = option("Also remove vectors that differed in a test, without asking.", default=False)


def run(options: Options) -> None:
    """Remove what was built (build/), with the runs that are kept there; asks before vectors that differed go.

    Raises:
        UsageError: there are such vectors, and nobody who could be asked.
        OutputError: a folder cannot be removed.
    """
    import shutil

    from ecgseg.runs.folder import vectors_in

    vectors = [] if options.vectors else vectors_in(paths.BUILD)
    if vectors and not _agreed(vectors):
        console.print("Nothing was removed.")
        return
    for folder in (paths.BUILD, *([paths.LOCAL_LUDB] if options.data_too else [])):
        if not folder.exists():
            continue
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise OutputError(
                f"'{folder}' cannot be removed.", cause(error, "The system does not say."), "Check its permissions."
            ) from error
        console.print(f"Removed {data(folder)}.", highlight=False)


def _agreed(vectors: Sequence[Path]) -> bool:
    """Asks whether vectors that differed may go.

    Raises:
        UsageError: nobody is there to answer.
    """
    count = f"{len(vectors)} vector{'s' * (len(vectors) != 1)} that differed"
    if not (sys.stdin.isatty() and messages.is_terminal):
        raise UsageError(
            f"{paths.BUILD} holds {count} in a test.",
            f"They are kept to be run again, such as {vectors[0]}, and nobody is here to be asked.",
            "Copy them elsewhere, or add --vectors to remove them too.",
        )
    messages.print(f"{count}, kept to be run again, would be removed too, such as {data(vectors[0])}.", soft_wrap=True)
    return console.input("Remove them? [y/N] ", markup=False).strip().lower() in ("y", "yes")
