"""`invoke data`: downloads LUDB or QTDB, or verifies the copy that is there."""

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
    from ecgseg.data.databases.download import Source, Verification

DATABASES = ("ludb", "qtdb")


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke data` takes."""

    database: str = option(
        "Database: ludb, or qtdb (Holter ECG, which the stream networks learn from too); default ludb.",
        default="ludb",
        known=lambda: DATABASES,
    )
    folder: Path | None = option("Where to; default data/ludb or data/qtdb.")
    verify: bool = option("Only verify the copy that is there, file by file.", default=False)


def run(options: Options) -> None:
    """Download LUDB (or --database qtdb) from PhysioNet, or --verify the copy that is there.

    Raises:
        DataError: nothing to verify, a damaged copy, or no download.
        OutputError: no room, or no permission.
    """
    from ecgseg.commands.results import DataState
    from ecgseg.data.databases import download
    from ecgseg.data.databases.ludb import find_ludb
    from ecgseg.data.databases.qtdb import find_qtdb

    source, find, local = {
        "ludb": (download.LUDB, find_ludb, paths.LOCAL_LUDB),
        "qtdb": (download.QTDB, find_qtdb, paths.LOCAL_QTDB),
    }[options.database]
    folder = options.folder or (find() if options.verify else None) or local
    result = _fetch(folder, source, verify_only=options.verify)
    missing, damaged = list(result.missing), list(result.damaged)
    if options.json:
        write_json(DataState(folder=str(folder), files=result.files, missing=missing, damaged=damaged), options.json)
    if not result.good:
        raise DataError(
            f"{source.database} in '{folder}' is not whole: {len(missing)} files missing, {len(damaged)} damaged.",
            "First of them: " + ", ".join((missing + damaged)[:5]) + ".",
            f"Download it again with `{source.command}`.",
        )
    whole = f"{result.files:,} files in {data(folder)} have the right SHA-256."
    console.print(f"[green]{source.name} is whole[/green]: {whole}")


def _fetch(folder: Path, source: Source, *, verify_only: bool) -> Verification:
    """Downloads or verifies, with a bar for each stage."""
    from rich.progress import DownloadColumn, TransferSpeedColumn

    from ecgseg.data.databases.download import download, verify

    with progress(DownloadColumn(), TransferSpeedColumn()) as transfer:
        bars = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = transfer.add_task(f"{source.database}: {stage}", total=total or None)
            transfer.update(bars[stage], completed=done, total=total or None)

        return (verify if verify_only else download)(folder, source, show)
