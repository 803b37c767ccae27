"""What a model costs, as a table and as a picture."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from ecgseg.graph.ir import shape_text
from ecgseg.output import write_bytes
from ecgseg.profile import Profile
from ecgseg.report.drawing import drawing
from ecgseg.report.palette import LIGHT
from ecgseg.terminal import Table, data

_BAR = 12


def show_profile(profile: Profile, console: Console) -> None:
    """Prints the costs of each layer and of the whole frame."""
    title = f"{profile.model} on {profile.target}, {profile.unit} a frame"
    table = Table(title=title)
    for column in ("#", "Operator", "Shape", "MACs", profile.unit.capitalize(), "a MAC", ""):
        left = column in ("Operator", "Shape", "")
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    largest = max((layer.instructions for layer in profile.layers), default=1)
    for layer in profile.layers:
        table.add_row(
            str(layer.index),
            layer.name,
            shape_text(layer.shape),
            f"{layer.macs:,}",
            f"{layer.instructions:,}",
            _ratio(layer.instructions_per_mac),
            "█" * round(_BAR * layer.instructions / largest),
        )
    table.add_section()
    whole = f"{profile.instructions_per_frame:,}"
    table.add_row("", "whole model", "", f"{profile.macs:,}", whole, _ratio(profile.instructions_per_mac), "")
    if profile.preprocess_instructions_per_frame:
        table.add_row("", "preprocessor", "", "", f"{profile.preprocess_instructions_per_frame:,}", "", "")
    console.print(table)
    flash = profile.flash
    console.print(
        f"Arena {profile.arena_bytes:,} B, stack {profile.stack_bytes:,} B, flash {profile.flash_bytes:,} B "
        f"(code {flash.code:,}, forms of kernels {flash.forms:,}, weights {flash.weights:,}, tables {flash.tables:,})."
    )
    tools = data(f"{profile.compiler}; {profile.emulator}.")
    console.print(f"Counted, not cycles. {tools}", highlight=False)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def write_profile_picture(profile: Profile, path: Path) -> None:
    """Draws instructions and instructions per MAC of each layer as bars into a PNG.

    Raises:
        OutputError: it could not be drawn, or not be written.
    """
    with drawing(str(path)):
        data = _png(profile)
    write_bytes(path, data)


def _png(profile: Profile) -> bytes:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [f"{layer.index} {layer.name}" for layer in profile.layers]
    counts = [layer.instructions for layer in profile.layers]
    figure, axes = pyplot.subplots(figsize=(10, 1.2 + 0.34 * len(names)), dpi=110, layout="constrained")
    try:
        bars = axes.barh(names, counts, color=LIGHT["accent"])
        notes = [
            f"{layer.instructions:,}"
            + (f"  ({layer.instructions_per_mac:.2f} a MAC)" if layer.instructions_per_mac else "")
            for layer in profile.layers
        ]
        axes.bar_label(bars, notes, padding=4, fontsize=9)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.3 * max(counts, default=1))
        title = f"{profile.model}: {profile.instructions_per_frame:,} {profile.unit} a frame on {profile.target}"
        axes.set_title(title, loc="left", fontweight="bold")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(f"{profile.unit}, counted, not cycles")
        axes.spines[["top", "right"]].set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", facecolor="white", metadata={"Software": None})
    finally:
        pyplot.close(figure)
    return buffer.getvalue()
