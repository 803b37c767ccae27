"""`invoke sweep`: trains several configurations and compares them on the validation patients."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg import paths
from ecgseg.commands.options import JsonOption, ludb_option, on_option
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.extras import require_dask, require_micro, require_tensorflow
from ecgseg.output import check_folder, write_json, write_text
from ecgseg.terminal import console, data, messages

if TYPE_CHECKING:
    from ecgseg.zoo.sweep import Sweep


@dataclass(frozen=True)
class Options(JsonOption):
    """What `invoke sweep` takes."""

    file: Path | None = option(
        "A TOML file with a base and a grid of values (docs/own-model.md), or a folder of configuration files (.json).",
        positional=True,
    )
    on: str = on_option()
    out: Path | None = option(
        "Folder for table.csv and table.json; default build/zoo/sweep/NAME, where the models are.", output=Output.FOLDER
    )
    ludb: Path | None = ludb_option()


def run(options: Options) -> None:
    """Train several configurations and compare them on the validation patients (needs TensorFlow and Dask).

    Raises:
        ToolMissingError: TensorFlow or Dask is not installed.
        UsageError: there is nothing to sweep over, or --on is no place to train.
        ModelError: a configuration is not valid, or none of them can be trained.
        DataError, OutputError, TargetError: the data, a place for results or the cluster is not there.
    """
    from ecgseg.data.databases.ludb import find_ludb
    from ecgseg.zoo.cluster import check_place, on_dask
    from ecgseg.zoo.named_databases import wanted_databases
    from ecgseg.zoo.sweep import configurations, default_folder, sweep

    if options.file is None:
        raise UsageError("There is nothing to sweep over.", "No file was named.", "Run `invoke sweep FILE`.")
    check_place(options.on)
    found = configurations(options.file)
    # Told before the first is trained.
    find_ludb(options.ludb)
    for configuration in found.values():
        list(wanted_databases(configuration))
    require_tensorflow()
    require_micro()
    require_dask()
    folder = options.out or paths.BUILD / "zoo" / default_folder(options.file)
    check_folder(folder)

    def keep(table: Sweep) -> None:
        write_json(table, folder / "table.json")
        write_text(folder / "table.csv", _csv(table))

    count = f"{len(found):,} configuration{'' if len(found) == 1 else 's'}"
    messages.print(f"{count}, on {data(options.on)}", highlight=False)
    trained = sweep(options.file, found, on_dask(options.on, messages), messages, keep, options.ludb)
    _show(trained)
    console.print(data(folder / "table.csv"), highlight=False, soft_wrap=True)
    if options.json:
        write_json(trained, options.json)


def _csv(table: Sweep) -> str:
    from ecgseg.zoo.sweep import Row

    text = io.StringIO()
    writer = csv.DictWriter(text, list(Row.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in table.rows)
    return text.getvalue()


def _show(sweep: Sweep) -> None:
    """The table, best first, and what could not be trained."""
    from ecgseg.terminal import Table

    table = Table(title="Validation patients, best first")
    table.add_column("Configuration")
    for column in ("int8 F1", "float F1", "Step", "Parameters", "MACs"):
        table.add_column(column, justify="right")
    for row in sweep.rows:
        scores = [_number(row.int8_weighted_f1, ".4f"), _number(row.float_weighted_f1, ".4f"), _number(row.step, ",")]
        table.add_row(data(row.name), *scores, f"{row.parameters:,}", f"{row.macs:,}")
    console.print(table)
    for source in dict.fromkeys(row.source for row in sweep.rows if row.source):
        console.print(data(source), highlight=False, soft_wrap=True)
    for row in sweep.rows:
        if row.error:
            console.print(f"[yellow]{data(row.name)}:[/yellow] {data(row.error)}", highlight=False, soft_wrap=True)
    best = sweep.rows[0]
    console.print(f"Best: {data(best.name)}, in {data(best.folder)}", highlight=False, soft_wrap=True)


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
