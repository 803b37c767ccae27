"""`invoke data`: downloads LUDB, or verifies the copy that is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg import paths
from ecgseg.commands.options import JsonOption
from ecgseg.commands.task import option
from ecgseg.errors import DataError
from ecgseg.output import write_json
from ecgseg.terminal import console, data, progress

if TYPE_CHECKING:
    from ecgseg.data.databases.download import Verification


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke data` takes."""

    folder: Path | None = option("Where to; default data/ludb.")
    verify: bool = option("Only verify the copy that is there, file by file.", default=False)


def run(options: Options) -> None:
    """Download LUDB from PhysioNet (or --verify the copy that is there).

    Raises:
        DataError: nothing to verify, a damaged copy, or no download.
        OutputError: no room, or no permission.
    """
    from ecgseg.commands.results import DataState
    from ecgseg.data.databases.ludb import find_ludb

    folder = options.folder or (find_ludb() if options.verify else None) or paths.LOCAL_LUDB
    result = _fetch(folder, verify_only=options.verify)
    missing, damaged = list(result.missing), list(result.damaged)
    if options.json:
        write_json(DataState(folder=str(folder), files=result.files, missing=missing, damaged=damaged), options.json)
    if not result.good:
        raise DataError(
            f"LUDB in '{folder}' is not whole: {len(missing)} files missing, {len(damaged)} damaged.",
            "First of them: " + ", ".join((missing + damaged)[:5]) + ".",
            "Download it again with `invoke data`.",
        )
    whole = f"{result.files:,} files in {data(folder)} have the right SHA-256."
    console.print(f"[green]LUDB 1.0.1 is whole[/green]: {whole}")


def _fetch(folder: Path, *, verify_only: bool) -> Verification:
    """Downloads or verifies, with a bar for each stage."""
    from rich.progress import DownloadColumn, TransferSpeedColumn

    from ecgseg.data.databases import download as source

    with progress(DownloadColumn(), TransferSpeedColumn()) as transfer:
        bars = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = transfer.add_task(f"LUDB: {stage}", total=total or None)
            transfer.update(bars[stage], completed=done, total=total or None)

        return source.verify(folder, progress=show) if verify_only else source.download(folder, progress=show)
