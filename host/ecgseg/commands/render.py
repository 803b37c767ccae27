"""`invoke render`: a model and its preprocessor as C."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.options import JsonOption, ModelOptions
from ecgseg.commands.task import Output, option
from ecgseg.models import find_model, generated_folder
from ecgseg.output import write_json
from ecgseg.terminal import console, data

if TYPE_CHECKING:
    from ecgseg.codegen.manifest import Manifest


@dataclass(frozen=True)
class Options(ModelOptions, JsonOption):
    """What `invoke render` takes."""

    out: Path | None = option("Where to; default build/generated/NAME.", output=Output.FOLDER)
    report: bool = option(
        "Also show the memory over time, as a table and as a picture in the folder's memory.html.", default=False
    )


def run(options: Options) -> None:
    """Render a model and its preprocessor into C."""
    from ecgseg.codegen.render import render
    from ecgseg.report.memory import memory_table, write_report

    chosen = find_model(options.model, options.tflite)
    folder = options.out or generated_folder(chosen)
    manifest = render(chosen.path, folder, name=chosen.name)
    _show(manifest, f"{chosen.name}: C in {data(folder)}")
    if options.report:
        console.print(memory_table(manifest))
        write_report(manifest, folder / "memory.html")
        console.print(f"Picture: {data(folder / 'memory.html')}", highlight=False, soft_wrap=True)
    if options.json:
        write_json(manifest, options.json)


def _show(manifest: Manifest, title: str) -> None:
    from rich.table import Table

    from ecgseg.graph.ir import shape_text

    table = Table(title=title, title_justify="left")
    for column in ("Layer", "Operator", "Shape", "Bytes", "MACs"):
        table.add_column(column, justify="left" if column in ("Operator", "Shape") else "right")
    for index, layer in enumerate(manifest.layers):
        table.add_row(str(index), layer.name, shape_text(layer.shape), f"{layer.bytes:,}", f"{layer.macs:,}")
    console.print(table)
    console.print(
        f"{manifest.parameters:,} parameters, {manifest.macs:,} MACs a frame, arena {manifest.arena_bytes:,} B, "
        f"constants {manifest.weight_bytes:,} B."
    )
