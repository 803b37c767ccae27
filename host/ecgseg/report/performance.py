"""Generated C against the kernels of others, as a table on the terminal and as docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from ecgseg.image.boards import COMMON_FLAGS, board_of
from ecgseg.image.tflm.tree import CMSIS_NN, REFERENCE
from ecgseg.profile.cycles import RUNS
from ecgseg.profile.layers import LayerGeometry
from ecgseg.profile.qemu import BOARD
from ecgseg.profile.tflm import Comparison
from ecgseg.profile.ways import CMSIS_NN_DIRECTLY, GENERATED_C, TINYENGINE, TINYENGINE_FLOAT, Agreement, Way
from ecgseg.templating import render_template
from ecgseg.terminal import Table, data

COLUMNS = {
    GENERATED_C: GENERATED_C,
    CMSIS_NN: "TFLM + CMSIS-NN",
    REFERENCE: "TFLM reference",
    CMSIS_NN_DIRECTLY: CMSIS_NN_DIRECTLY,
    TINYENGINE: TINYENGINE,
    TINYENGINE_FLOAT: TINYENGINE_FLOAT,
}
_NOT_KNOWN = "-"


def show_comparison(comparison: Comparison, output: Console) -> None:
    """Prints cycles, instructions and memory of a model, a row for each way to run it, and whether outputs agree."""
    title = f"{comparison.model}: cycles (modelled) and {comparison.unit} (counted) a frame, bytes"
    table = Table(title=title, padding=0)
    for column in ("", "Cycles", "×", "Counted", "×", "Arena", "Image", "Stack"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for way in comparison.ways:
        table.add_row(COLUMNS[way.name], *_row(comparison, way))
    output.print(table)
    for way in comparison.ways:
        if way.agreement and way.agreement.different:
            output.print(f"Output of {COLUMNS[way.name]}: {agreement_text(way)}.", highlight=False, soft_wrap=True)
    equal = [COLUMNS[way.name] for way in comparison.ways if way.agreement and not way.agreement.different]
    if equal:
        output.print(f"Output equal to the byte: {'; '.join(equal)}.", highlight=False, soft_wrap=True)
    for name, why in comparison.left_out.items():
        output.print(f"{COLUMNS[name]} left out: {why}.", highlight=False, soft_wrap=True)


def _row(comparison: Comparison, way: Way) -> list[str]:
    """What the table says of a way."""
    return [
        _number(way.cycles_per_frame),
        _ratio(comparison.cycle_ratio(way)),
        _number(way.instructions_per_frame),
        _ratio(comparison.ratio(way)),
        *(_number(size) for size in (way.arena_bytes, way.image_bytes, way.stack_bytes)),
    ]


def _number(value: int | None) -> str:
    return _NOT_KNOWN if value is None else f"{value:,}"


def _ratio(value: float | None) -> str:
    return _NOT_KNOWN if value is None else f"{value:.2f}"


def agreement_text(way: Way) -> str:
    """Whether the outputs of a way are those of the reference."""
    return _NOT_KNOWN if way.agreement is None else _agreement(way.agreement)


def _agreement(found: Agreement) -> str:
    if not found.different:
        return "equal"
    return f"{100 * found.different / found.outputs:.1f} % differ, by {found.largest} at most"


def layer_text(geometry: LayerGeometry) -> str:
    """A layer as people read it: "convolution of 3, dilation 4, 16 to 16 channels, 125 steps"."""
    parts = [geometry.kind if geometry.taps == 1 else f"{geometry.kind} of {geometry.taps}"]
    if geometry.stride > 1:
        parts.append(f"stride {geometry.stride}")
    if geometry.dilation > 1:
        parts.append(f"dilation {geometry.dilation}")
    channels = f"{geometry.in_channels} to {geometry.out_channels} channels"
    return ", ".join((*parts, channels, f"{geometry.out_positions} steps"))


def show_versions(comparison: Comparison, output: Console) -> None:
    """Prints what was counted with."""
    tools = f"{comparison.compiler}; {comparison.emulator}"
    releases = "; ".join(f"{name}: {version}" for name, version in comparison.versions.items())
    text = data(f"Instructions counted, not cycles; cycles modelled by apollo4p-sim. {tools}; {releases}.")
    output.print(text, highlight=False, soft_wrap=True)


def performance_page(comparisons: Sequence[Comparison]) -> str:
    """The text of docs/performance.md; each comparison has both kinds of kernels and all are of one tree."""
    names = [name for name in COLUMNS if any(comparison.has(name) for comparison in comparisons)]
    return render_template(
        "report",
        "performance.md.j2",
        comparisons=comparisons,
        columns={name: COLUMNS[name] for name in names},
        titles=COLUMNS,
        others=[name for name in names if name != GENERATED_C],
        generated_c=GENERATED_C,
        tflm_names=(CMSIS_NN, REFERENCE),
        flags=[flag for flag in (*COMMON_FLAGS, *board_of(BOARD).flags) if flag.startswith(("-O", "-m"))],
        first=comparisons[0],
        layers=[layer for comparison in comparisons for layer in comparison.layers],
        left_out=_left_out(comparisons),
        layer_text=layer_text,
        agreement_text=agreement_text,
        runs=RUNS,
    )


def _left_out(comparisons: Sequence[Comparison]) -> dict[tuple[str, str], list[str]]:
    """Models and kinds of layers that were left out, by the way's name and the reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for comparison in comparisons:
        layers = [(layer.geometry.kind, layer.left_out) for layer in comparison.layers]
        for where, reasons in ((comparison.model, comparison.left_out), *layers):
            for pair in reasons.items():
                places = found.setdefault(pair, [])
                places += [] if where in places else [where]
    return found
