"""`invoke clean`: removes what was built."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg import paths
from ecgseg.commands.task import option
from ecgseg.errors import OutputError, cause
from ecgseg.terminal import console, data


@dataclass(frozen=True)
class Options:
    """What `invoke clean` takes."""

    data_too: bool = option("Also remove downloaded data.", name="all", default=False)


def run(options: Options) -> None:
    """Remove what was built (build/).

    Raises:
        OutputError: a folder cannot be removed.
    """
    import shutil

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
