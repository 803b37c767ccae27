"""`invoke data`: downloads LUDB or QTDB, verifies the copy that is there, or reads a database of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg import paths
from ecgseg.commands.options import JsonOption
from ecgseg.commands.task import option
from ecgseg.errors import DataError, UsageError
from ecgseg.output import write_json
from ecgseg.terminal import console, data, progress, tracking

if TYPE_CHECKING:
    from ecgseg.data.databases.declaration import Database, Source
    from ecgseg.data.databases.download import Verification


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke data` takes."""

    database: str = option(
        "Database: ludb, qtdb (Holter ECG, which the stream networks learn from too), or FILE.toml of your own"
        " (docs/data.md), which is read and checked; default ludb.",
        default="ludb",
    )
    folder: Path | None = option("Where to; default data/ludb or data/qtdb.")
    verify: bool = option("Only verify the copy that is there, file by file.", default=False)


def run(options: Options) -> None:
    """Download LUDB (or --database qtdb) from PhysioNet, --verify the copy that is there, or check one of your own.

    Raises:
        DataError: nothing to verify, a damaged copy, or no download.
        UsageError: there is no such database, or it cannot be downloaded.
        OutputError: no room, or no permission.
    """
    from ecgseg.data.databases.known import database_of, is_own

    declared = database_of(options.database)
    if is_own(options.database):
        _check_own(declared, options)
        return
    source = declared.download
    if source is None:
        raise UsageError(
            f"There is nothing to download of {options.database}.",
            "It is made from a seed where it is needed.",
            "Use `invoke evaluate --database synthetic`.",
        )
    local = {"ludb": paths.LOCAL_LUDB, "qtdb": paths.LOCAL_QTDB}[declared.key]
    folder = options.folder or (declared.find(None) if options.verify else None) or local
    _download(declared, source, folder, options)


def _download(declared: Database, source: Source, folder: Path, options: Options) -> None:
    from ecgseg.commands.results import DataState

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
    console.print(f"Licence {declared.licence}; {declared.citation}.")


def _check_own(declared: Database, options: Options) -> None:
    """Reads every record of a database of the user's and tells what is in it."""
    from ecgseg.commands.results import DataState
    from ecgseg.data.databases.checking import check
    from ecgseg.data.databases.loader import folder_of
    from ecgseg.terminal import Table

    if options.folder is not None:
        raise UsageError(
            "--folder is for what is downloaded.", "A database of your own names its folder itself.", "Leave it out."
        )
    with tracking() as track:
        found = check(declared, track)
    if options.json:
        state = DataState(
            folder=str(folder_of(declared)),
            files=found.records,
            missing=[],
            damaged=[name for name, _ in found.damaged],
        )
        write_json(state, options.json)
    table = Table(title=data(f"{declared.title}: {found.records:,} records, {found.minutes:,.1f} minutes"))
    for column in ("Wave", "Marked", "With onset and offset"):
        table.add_column(column, justify="left" if column == "Wave" else "right")
    for kind, (marked, complete) in found.waves.items():
        table.add_row(kind, f"{marked:,}", f"{complete:,}")
    console.print(table)
    sets = ", ".join(f"{name} {len(names):,}" for name, names in declared.sets().items())
    console.print(data(f"Leads: {', '.join(declared.leads)}. Sets: {sets or 'none'}."))
    console.print(data(f"Licence: {declared.licence or 'not told'}. {declared.citation}"))
    if found.damaged:
        name, why = found.damaged[0]
        raise DataError(
            f"{len(found.damaged)} of {found.records} records of {declared.title} cannot be used: the first is {name}.",
            why,
            declared.to_read,
        )


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
