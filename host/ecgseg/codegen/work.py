"""How much a convolution's kernel does in one inference: what its cost in kernel_costs.json is a sum over.

Every count follows from the layer's geometry, as the C code goes through it: how often each of its loops runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecgseg.codegen.phases import PhasesLayer
from ecgseg.graph.layers import Convolution, Window


@dataclass(frozen=True)
class Work:
    """What a kernel does for a layer.

    Attributes:
        form: of the kernel.
        counts: how often it does each of its parts; which ones depends on the form.
    """

    form: str
    counts: tuple[int, ...]


def phases_work(layer: PhasesLayer, form: str) -> Work:
    """The work of ecgseg_phases in a form.

    Counts: 1; rounds of the outer loop; channels packed; edges of rows in, of rows out; of the tiles: pairs of output
    channels, and packed words times pairs of output channels. In parts also: tiles times parts, tiles times pairs times
    parts.
    """
    rounds, tiles, edges = _rounds(layer)
    pairs = -(-layer.out_channels // 2)
    counts = [1, rounds, *edges, tiles * pairs]
    if "_of_" not in form:
        counts += [rounds * layer.in_channels, tiles * pairs * layer.in_channels]
    if layer.parts > 1:
        counts += [tiles * layer.parts, tiles * pairs * layer.parts]
    return Work(f"phases_{form}", tuple(counts))


def _rounds(layer: PhasesLayer) -> tuple[int, int, tuple[int, int]]:
    """Rounds of run_tiles, those of them that make a tile, and how often rows of inputs, of outputs are at an edge."""
    fill, step = layer.pairs // 2, layer.dilation
    phases = min(step, layer.out_length)
    tiles = -(-(layer.out_length + (phases - 1) * layer.gap + 1) // 4)
    end_in = layer.out_length - layer.pad + layer.gap * step
    first = 2 * (layer.pairs - 1 - 2 * fill) * step - layer.pad
    edges_in = _edges(
        fill + tiles, _Rows(first, min(end_in, layer.in_length), end_in, phases, step, restart=-layer.pad)
    )
    end_out = layer.out_length + layer.gap * step
    edges_out = _edges(tiles, _Rows(-step, layer.out_length, end_out, phases, step, restart=0))
    return fill + tiles, tiles, (edges_in, edges_out)


@dataclass(frozen=True)
class _Rows:
    """Rows that are gone through four at a time, as next_inputs and next_outputs do.

    Attributes:
        first: position of the first one.
        inside: positions below it, and not below zero, exist.
        end: where a phase ends.
        phases: how many there are.
        step: from row to row.
        restart: position at which phase 0 would begin.
    """

    first: int
    inside: int
    end: int
    phases: int
    step: int
    restart: int


def _edges(count: int, rows: _Rows) -> int:
    """How many of `count` lots of four rows are not taken in one go."""
    position, phase, edges = rows.first, 0, 0
    for _ in range(count):
        if position >= 0 and position + 3 * rows.step < rows.inside:
            position += 4 * rows.step
            continue
        edges += 1
        for _ in range(4):
            if position >= rows.end and phase + 1 < rows.phases:
                phase += 1
                position = phase + rows.restart
            position += rows.step
    return edges


def conv_work(layer: Convolution, *, finished: bool, brief: bool) -> Work:
    """The work of ecgseg_conv, by how it gathers columns and how it requantises.

    Counts: 1; pairs of positions; these times pairs of output channels; and times groups of four taps; then what
    gathering takes.
    """
    window, channels = layer.window, layer.in_channels
    taps = window.kernel[0] * window.kernel[1]
    groups = -(-taps * channels // 4)
    positions = window.out_size[0] * window.out_size[1]
    twos = -(-positions // 2)
    pairs = -(-layer.out_channels // 2)
    counts = [1, twos, twos * pairs, twos * pairs * groups]
    way, gathering = _gathering(layer, positions, groups)
    end = "brief" if brief else "long" if finished else "sums"
    if not finished:
        counts.append(twos * layer.out_channels)
    return Work(f"conv_{way}_{end}", (*counts, *gathering))


def _gathering(layer: Convolution, positions: int, groups: int) -> tuple[str, Sequence[int]]:
    """How ecgseg_conv_fill_both gathers columns, and its counts."""
    window, channels = layer.window, layer.in_channels
    taps, twos = window.kernel[0] * window.kernel[1], -(-positions // 2)
    if channels % 4 == 0:
        # Words of four channels are widened four at a time, then one by one.
        fours, ones = divmod(channels // 4, 4)
        if taps == 1 and window.stride == (1, 1) and window.pad == (0, 0):
            return "pointwise", (twos * fours, twos * ones)
        inside = _inside(window, 0) * _inside(window, 1)
        outside = positions * taps - inside
        return "taps", (inside, inside * fours, inside * ones, outside * channels // 4)
    whole = _whole_windows(window) if window.kernel[0] == 1 and (window.dilation[1] == 1 or taps == 1) else 0
    staged = 2 * twos - whole
    return "bytes", (staged, whole * groups, staged * taps * channels)


def _inside(window: Window, axis: int) -> int:
    """Taps along an axis that lie inside of the input, over all positions along it."""
    return sum(
        0 <= position * window.stride[axis] - window.pad[axis] + tap * window.dilation[axis] < window.in_size[axis]
        for position in range(window.out_size[axis])
        for tap in range(window.kernel[axis])
    )


def _whole_windows(window: Window) -> int:
    """Positions, among those of one row, whose window lies inside of the input."""
    first = -(-window.pad[1] // window.stride[1])
    last = (window.in_size[1] - window.kernel[1] + window.pad[1]) // window.stride[1]
    inside = max(min(last, window.out_size[1] - 1) - first + 1, 0)
    return inside * window.out_size[0]
