"""Generated C against TensorFlow Lite Micro, as a table on the terminal and as docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from ecgseg.image.boards import COMMON_FLAGS, board_of
from ecgseg.image.tflm.tree import CMSIS_NN, REFERENCE
from ecgseg.profile.qemu import BOARD
from ecgseg.profile.tflm import GENERATED_C, Comparison
from ecgseg.templating import render_template

COLUMNS = {GENERATED_C: GENERATED_C, CMSIS_NN: "TFLM + CMSIS-NN", REFERENCE: "TFLM reference"}


def show_comparison(comparison: Comparison, output: Console) -> None:
    """Prints instructions, ratio and memory of a model, a column for each way to run it."""
    title = f"{comparison.model} on {comparison.target}, {comparison.unit} a frame"
    table = Table(title=title, title_justify="left")
    ways = comparison.ways
    for column in ("", *(COLUMNS[way.name] for way in ways)):
        table.add_column(column, justify="right" if column else "left")
    table.add_row(comparison.unit, *(f"{way.instructions_per_frame:,}" for way in ways))
    table.add_row("times generated C", *(f"{comparison.ratio(way):.2f}" for way in ways))
    table.add_row("arena, B", *(f"{way.arena_bytes:,}" for way in ways))
    table.add_row("image, B", *(f"{way.image_bytes:,}" for way in ways))
    table.add_row("stack, B", *(f"{way.stack_bytes:,}" for way in ways))
    output.print(table)


def show_versions(comparison: Comparison, output: Console) -> None:
    """Prints what was counted with."""
    tools = f"{comparison.compiler}; {comparison.emulator}"
    releases = "; ".join(f"{name}: {version}" for name, version in comparison.versions.items())
    output.print(f"Counted, not cycles. {tools}; {releases}.", highlight=False, soft_wrap=True)


def performance_page(comparisons: Sequence[Comparison]) -> str:
    """The text of docs/performance.md; each comparison has both kinds of kernels and all are of one tree."""
    return render_template(
        "report",
        "performance.md.j2",
        comparisons=comparisons,
        columns=COLUMNS,
        generated_c=GENERATED_C,
        flags=[flag for flag in (*COMMON_FLAGS, *board_of(BOARD).flags) if flag.startswith(("-O", "-m"))],
        first=comparisons[0],
    )
