"""`invoke build`: the firmware of a board with a model in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecgseg.commands.options import BackendOptions, JsonOption, ModelOptions, OptimiseOption, RateOption
from ecgseg.commands.task import option
from ecgseg.models import find_model
from ecgseg.output import write_json
from ecgseg.terminal import console, data

if TYPE_CHECKING:
    from ecgseg.commands.results import BuiltImage


def _boards() -> Collection[str]:
    from ecgseg.image.boards import BOARDS

    return BOARDS


@dataclass(frozen=True)
class Options(ModelOptions, BackendOptions, OptimiseOption, RateOption, JsonOption):
    """What `invoke build` takes."""

    board: str = option(
        "host (native, sanitizers), mps2_an386 (QEMU) or apollo4p_evb; default mps2_an386.",
        default="mps2_an386",
        known=_boards,
    )


def run(options: Options) -> None:
    """Build the firmware of a board with a model in it."""
    from ecgseg.commands.results import BuiltImage
    from ecgseg.image.backends import render_and_build

    chosen = find_model(options.model, options.tflite)
    image = render_and_build(
        options.board,
        chosen,
        backend=options.backend,
        tflm_dir=options.tflm_dir,
        optimise=options.optimise,
        input_rate=options.rate,
    )
    built = BuiltImage(
        board=options.board,
        model=chosen.name,
        model_sha256=chosen.sha256,
        build_id=image.build_id,
        elf=str(image.elf),
        bin=str(image.bin) if image.bin else None,
        sizes=image.sizes,
    )
    _show(built)
    if options.json:
        write_json(built, options.json)


def _show(built: BuiltImage) -> None:
    from ecgseg.terminal import Table

    table = Table(title=f"{built.board} with {built.model}, build {built.build_id}")
    table.add_column("Section")
    table.add_column("Bytes", justify="right")
    for section, size in built.sizes.items():
        table.add_row(section, f"{size:,}", style="bold" if section in ("flash", "ram") else None)
    console.print(table)
    for file in (built.elf, built.bin):
        if file:
            console.print(data(file), highlight=False, soft_wrap=True)
