"""`invoke export`: a model and what runs it as a C library for other firmware."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg import paths
from ecgseg.commands.options import JsonOption, ModelOptions, OptimiseOption, RateOption
from ecgseg.commands.task import Output, option
from ecgseg.models import find_model
from ecgseg.output import write_json
from ecgseg.terminal import console, data, messages

if TYPE_CHECKING:
    from ecgseg.export.folder import Export

_COSTS = {"stream": "a second of ECG", "frames": "a frame", "model": "a run"}


def _forms() -> Collection[str]:
    from ecgseg.export.forms import FORMS

    return tuple(FORMS)


@dataclass(frozen=True)
class Options(ModelOptions, OptimiseOption, RateOption, JsonOption):
    """What `invoke export` takes."""

    out: Path | None = option(
        "Where to: a folder that is new, empty, or holds an earlier export; default build/export/NAME.",
        output=Output.FOLDER,
    )
    form: str = option(
        "For which build system: plain (a Makefile), cmake, zephyr, neuralspot or arduino; default plain.",
        default="plain",
        name="as",
        known=_forms,
        noun="build system",
    )
    prefix: str = option(
        "C identifier that every name begins with, so that several libraries fit into one program; default ecg.",
        default="ecg",
    )


def run(options: Options) -> None:
    """Write a model and what runs it as a C library for other firmware."""
    from ecgseg.export.folder import check_folder, write_library
    from ecgseg.export.forms import FORMS
    from ecgseg.export.library import library_of
    from ecgseg.export.prefix import checked
    from ecgseg.export.subject import subject_of

    names, form = checked(options.prefix), FORMS[options.form]
    chosen = find_model(options.model, options.tflite)
    folder = options.out or paths.BUILD / "export" / chosen.name
    check_folder(folder)
    messages.print("Rendering, compiling for a Cortex-M4F and counting takes some seconds.")
    subject = subject_of(chosen, optimise=options.optimise, input_rate=options.rate)
    export = write_library(folder, library_of(subject, names, form), subject, names, form)
    _show(export, folder)
    if options.json:
        write_json(export, options.json)


def _show(export: Export, folder: Path) -> None:
    figures = export.figures
    lines = (
        f"{data(export.model)} as {export.prefix}.h: {len(export.files)} files in {data(folder)}",
        f"Cortex-M4F: flash {figures.flash_bytes:,} B, static memory {figures.static_bytes:,} B, "
        f"state {figures.state_bytes:,} B, stack {figures.stack_bytes:,} B; "
        f"{figures.cycles:,} modelled cycles {_COSTS[export.kind]}.",
        "README.md there tells how to use it; its test compares every answer with the reference.",
    )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
