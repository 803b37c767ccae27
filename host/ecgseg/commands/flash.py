"""`invoke flash`: renders, builds, writes, checks, and says what is on the board now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecgseg.commands.options import BackendOptions, JsonOption, ModelOptions, OptimiseOption, PortOptions, RateOption
from ecgseg.commands.rules import NotWith
from ecgseg.commands.task import option
from ecgseg.models import find_model
from ecgseg.output import write_json
from ecgseg.terminal import console, data, data_lines, messages

if TYPE_CHECKING:
    from ecgseg.devices.flash import FlashResult


@dataclass(frozen=True)
class Options(ModelOptions, BackendOptions, OptimiseOption, RateOption, PortOptions, JsonOption):
    """What `invoke flash` takes."""

    dry_run: bool = option(
        "Only build, and print the J-Link script that would run; needs neither J-Link nor board.",
        NotWith(("port",), why="The port is where the board is asked afterwards, and nothing is asked."),
        default=False,
    )


def run(options: Options) -> None:
    """Put firmware and model on the board through J-Link, check it runs."""
    from ecgseg.devices.flash import flash_image
    from ecgseg.image.backends import render_and_build
    from ecgseg.image.boards import APOLLO4P_EVB

    chosen = find_model(options.model, options.tflite)
    image = render_and_build(
        APOLLO4P_EVB,
        chosen,
        backend=options.backend,
        tflm_dir=options.tflm_dir,
        optimise=options.optimise,
        input_rate=options.rate,
    )
    result = flash_image(
        image,
        chosen.name,
        chosen.sha256,
        port=options.port,
        serial_number=options.serial,
        dry_run=options.dry_run,
        on_silence=lambda: messages.print("No answer yet; resetting the part through RSTGEN.SWPOI."),
    )
    show(result)
    if options.json:
        write_json(result, options.json)


def show(result: FlashResult) -> None:
    """Prints what is on the board now, or what a dry run would have run."""
    if result.dry_run:
        console.print("Nothing is written. This would be run:", highlight=False)
        console.print(data(" ".join(result.command)), highlight=False, soft_wrap=True)
        console.print("with this SCRIPT:", highlight=False)
        console.print(data_lines(result.script.rstrip()), highlight=False, soft_wrap=True)
    else:
        clock = (result.core_hz or 0) / 1e6
        console.print(
            f"[green]On the board now[/green]: {data(result.model)} (SHA-256 {result.model_sha256[:16]}...), "
            f"build {data(result.build_id)}, {clock:.0f} MHz, answering on {data(result.port)}.",
            highlight=False,
            soft_wrap=True,
        )
        if result.last_start:
            console.print(f"Last start: {data(result.last_start)}.", highlight=False, soft_wrap=True)
    console.print(f"Image SHA-256 {result.image_sha256}", highlight=False, soft_wrap=True)
