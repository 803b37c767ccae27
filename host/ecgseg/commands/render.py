"""`invoke render`: a model and its preprocessor as C."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.options import JsonOption, ModelOptions, OptimiseOption
from ecgseg.commands.rules import GoesWith, NotWith
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.models import ModelFile, find_model, generated_folder
from ecgseg.output import write_json
from ecgseg.terminal import console, data

if TYPE_CHECKING:
    from ecgseg.codegen.manifest import Manifest


@dataclass(frozen=True)
class Options(ModelOptions, OptimiseOption, JsonOption):
    """What `invoke render` takes."""

    out: Path | None = option("Where to; default build/generated/NAME, of a stream NAME-stream.", output=Output.FOLDER)
    report: bool = option(
        "Also show the memory over time, as a table and as a picture in the folder's memory.html, and flash against "
        "cycles for both values of --optimise; of a stream, state and arena.",
        default=False,
    )
    stream: bool = option(
        "Render a network that runs as a stream: over a record of any length, a block of positions at a time.",
        NotWith(("optimise",), why="Of a stream the kernels are chosen by cycles."),
        default=False,
    )
    block: int | None = option(
        "Positions that a stream computes at a time, at least; default 16.",
        GoesWith(("stream",), why="A network of frames computes all positions of a frame."),
    )


def run(options: Options) -> None:
    """Render a model and its preprocessor into C."""
    chosen = find_model(options.model, options.tflite)
    generated = generated_folder(chosen)
    if options.stream:
        _render_stream(options, chosen, options.out or generated.with_name(f"{generated.name}-stream"))
    else:
        _render_frames(options, chosen, options.out or generated)


def _render_stream(options: Options, chosen: ModelFile, folder: Path) -> None:
    from ecgseg.codegen.render_stream import render_stream
    from ecgseg.graph.streaming import BLOCK, MOST_ROWS
    from ecgseg.report.stream import stream_table, stream_text

    block = BLOCK if options.block is None else options.block
    if not 1 <= block <= MOST_ROWS:
        raise UsageError(
            f"A block of {block} positions is none.", f"It has 1 to {MOST_ROWS}.", "Give --block another number."
        )
    manifest = render_stream(chosen.path, folder, name=chosen.name, block=block)
    console.print(f"{chosen.name}: C of the stream in {folder}")
    if options.report:
        console.print(stream_table(manifest))
    console.print(stream_text(manifest))
    if options.json:
        write_json(manifest, options.json)


def _render_frames(options: Options, chosen: ModelFile, folder: Path) -> None:
    from ecgseg.codegen.optimise import PICKS
    from ecgseg.codegen.render import render
    from ecgseg.codegen.trade import settings
    from ecgseg.report.memory import memory_table, write_report
    from ecgseg.report.trade import trade_table

    manifest = render(chosen.path, folder, name=chosen.name, pick=PICKS[options.optimise])
    _show(manifest, f"{chosen.name}: C in {data(folder)}")
    if options.report:
        console.print(memory_table(manifest))
        write_report(manifest, folder / "memory.html")
        console.print(f"Picture: {data(folder / 'memory.html')}", highlight=False, soft_wrap=True)
        console.print(trade_table(chosen.name, settings(chosen.path, chosen.name)))
    if options.json:
        write_json(manifest, options.json)


def _show(manifest: Manifest, title: str) -> None:
    from ecgseg.graph.ir import shape_text
    from ecgseg.terminal import Table

    table = Table(title=title)
    for column in ("Layer", "Operator", "Shape", "Bytes", "MACs"):
        table.add_column(column, justify="left" if column in ("Operator", "Shape") else "right")
    for index, layer in enumerate(manifest.layers):
        table.add_row(str(index), layer.name, shape_text(layer.shape), f"{layer.bytes:,}", f"{layer.macs:,}")
    console.print(table)
    console.print(
        f"{manifest.parameters:,} parameters, {manifest.macs:,} MACs a frame, arena {manifest.arena_bytes:,} B, "
        f"constants {manifest.weight_bytes:,} B."
    )
