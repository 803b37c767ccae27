"""Flash against cycles of a model as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ecgseg.codegen.trade import Setting
from ecgseg.terminal import Table


def trade_table(model: str, settings: Sequence[Setting]) -> Table:
    """One line a setting of --optimise: cycles, flash and arena, and which kernels compute the convolutions."""
    table = Table(
        title=f"{model}: flash against cycles of its convolutions, expected from the table of kernel costs\n"
        "(modelled by apollo4p-sim, not measured; `invoke profile` counts the whole model)",
    )
    table.add_column("--optimise", no_wrap=True)
    for column in ("cycles", "flash, B", "arena, B"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("kernels (layers)")
    for setting in settings:
        kernels = ", ".join(f"{form} ({count})" for form, count in setting.forms.items())
        figures = (setting.cycles, setting.flash, setting.arena_bytes)
        table.add_row(setting.name, *(f"{figure:,}" for figure in figures), kernels)
    return table
