"""The memory plan of a rendered model over time: which activation lies where while which layer runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from markupsafe import Markup

from ecgseg.codegen.manifest import BufferEntry, LayerEntry, Manifest
from ecgseg.graph.ir import shape_text
from ecgseg.output import write_text
from ecgseg.report.page import render_page
from ecgseg.report.palette import BUFFERS
from ecgseg.terminal import Table

# Pixels of the picture: a page that is wide enough shows it as large; more layers than fit make it wider.
_WIDTH, _LEFT, _RIGHT, _TOP, _HEIGHT = 1120, 60, 16, 16, 320
_LEAST_COLUMN = 30
_CHARACTER = 7.0
_SLOPE = 60  # degrees by which the names of layers that are wider than a column are turned


@dataclass(frozen=True)
class MemoryStep:
    """The arena while one layer runs.

    Attributes:
        layer: index.
        name: operator.
        live: buffers that hold something that is needed.
        live_bytes: their sizes.
        used_bytes: end of the highest of them; the largest over all steps is the arena.
    """

    layer: int
    name: str
    live: tuple[BufferEntry, ...]
    live_bytes: int
    used_bytes: int


def memory_steps(manifest: Manifest) -> list[MemoryStep]:
    """The arena at every layer, in order of execution."""
    steps = []
    for index, layer in enumerate(manifest.layers):
        live = tuple(buffer for buffer in manifest.buffers if buffer.first <= index <= buffer.last)
        steps.append(
            MemoryStep(
                layer=index,
                name=layer.name,
                live=live,
                live_bytes=sum(buffer.size for buffer in live),
                used_bytes=max((buffer.offset + buffer.size for buffer in live), default=0),
            )
        )
    return steps


def memory_table(manifest: Manifest) -> Table:
    """One line per layer: its result, what is alive, and how much of the arena that takes."""
    table = Table(
        title=f"{manifest.model}: arena {manifest.arena_bytes:,} bytes, input and output buffers are the caller's"
    )
    table.add_column("#", justify="right")
    for column in ("layer", "result"):
        table.add_column(column, no_wrap=True)
    table.add_column("alive @ address")
    for column in ("bytes", "up to"):
        table.add_column(column, justify="right", no_wrap=True)
    for step, layer in zip(memory_steps(manifest), manifest.layers, strict=True):
        shape = shape_text(layer.shape)
        table.add_row(
            str(step.layer),
            layer.name + _manner(layer),
            shape,
            ", ".join(_short(buffer) for buffer in step.live),
            f"{step.live_bytes:,}",
            f"{step.used_bytes:,}",
            style="bold" if step.used_bytes + 3 >= manifest.arena_bytes else "",
        )
    return table


def _manner(layer: LayerEntry) -> str:
    return " (in place)" if layer.in_place else " (streamed)" if layer.streamed else ""


def _short(buffer: BufferEntry) -> str:
    """`tensor 18 @0` or `scratch @2,000`."""
    return f"{_name(buffer)} @{buffer.offset:,}"


def _name(buffer: BufferEntry) -> str:
    """`tensor 18` or `scratch`."""
    return buffer.name.split(" of ")[0]


def memory_picture(manifest: Manifest) -> str:
    """The plan as SVG: time (layers) to the right, addresses upward, one rectangle per buffer."""
    names = [f"{index} {layer.name.removesuffix('_2D')}" for index, layer in enumerate(manifest.layers)]
    scale = _Scale.of(names, manifest.arena_bytes)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {scale.width:.0f} {scale.height:.0f}" '
        f'style="--least: {0.8 * scale.width:.0f}px" role="img" aria-label="Memory over time">'
    )
    tensors = 0
    areas: list[str] = []
    labels: list[str] = []
    for buffer in manifest.buffers:
        scratch = buffer.name.startswith("scratch")
        areas.append(_rectangle(scale, buffer, "scratch" if scratch else f"buffer-{tensors % BUFFERS}"))
        labels += _label(scale, buffer)
        tensors += not scratch
    # A label is on top of every area: where two overlap it can still be read.
    return "\n".join([head, *_addresses(scale), *areas, *labels, *_names(scale, names), "</svg>"])


@dataclass(frozen=True)
class _Scale:
    """Where layers and addresses are in the picture, in pixels.

    Attributes:
        arena: its size in bytes.
        column: width of a layer.
        width, height: of the picture.
        turned: True when the names of the layers are wider than a column.
    """

    arena: int
    column: float
    width: float
    height: float
    turned: bool

    @staticmethod
    def of(names: Sequence[str], arena: int) -> _Scale:
        """The scale for layers of these names."""
        count, text = max(len(names), 1), _CHARACTER * max(map(len, names), default=0)
        column = (_WIDTH - _LEFT - _RIGHT) / count
        turned = text > column
        right, below = float(_RIGHT), 24.0
        if turned:
            # The last name leans out of the last column.
            right = max(right, text * math.cos(math.radians(_SLOPE)))
            below = text * math.sin(math.radians(_SLOPE)) + 20
            column = max(_LEAST_COLUMN, (_WIDTH - _LEFT - right) / count)
        return _Scale(arena, column, _LEFT + count * column + right, _TOP + _HEIGHT + below, turned)

    def x(self, layer: int) -> float:
        """Left edge of a layer."""
        return _LEFT + layer * self.column

    def y(self, address: int) -> float:
        """Height of an address."""
        return _TOP + _HEIGHT * (1.0 - address / max(self.arena, 1))


def _rectangle(scale: _Scale, buffer: BufferEntry, kind: str) -> str:
    x, width = scale.x(buffer.first), scale.x(buffer.last + 1) - scale.x(buffer.first)
    top, bottom = scale.y(buffer.offset + buffer.size), scale.y(buffer.offset)
    title = f"{buffer.name}: {buffer.size:,} bytes at {buffer.offset:,}, layers {buffer.first} to {buffer.last}"
    return (
        f'<g><title>{escape(title)}</title><rect class="buffer {kind}" x="{x:.1f}" y="{top:.1f}" '
        f'width="{width:.1f}" height="{bottom - top:.1f}"/></g>'
    )


def _label(scale: _Scale, buffer: BufferEntry) -> Iterator[str]:
    """What is written into a buffer's area: name and size, the size alone, or nothing, as there is room."""
    top, bottom = scale.y(buffer.offset + buffer.size), scale.y(buffer.offset)
    width = scale.x(buffer.last + 1) - scale.x(buffer.first)
    for text in (f"{_name(buffer)}: {buffer.size:,}", f"{buffer.size:,}"):
        if bottom - top > 14 and width > _CHARACTER * len(text) + 12:
            x, y = scale.x(buffer.first) + 6, (top + bottom) / 2 + 4
            yield f'<text class="size" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
            return


def _addresses(scale: _Scale) -> Iterator[str]:
    right = scale.x(0) + scale.width - _LEFT - _RIGHT
    for step in range(5):
        address = scale.arena * step // 4
        y = scale.y(address)
        yield f'<line class="axis" x1="{_LEFT}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{address:,}</text>'


def _names(scale: _Scale, names: Sequence[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        x, y = scale.x(index) + scale.column / 2, _TOP + _HEIGHT + (12 if scale.turned else 18)
        how = f'transform="rotate({_SLOPE} {x:.1f} {y})"' if scale.turned else 'text-anchor="middle"'
        yield f'<text x="{x:.1f}" y="{y}" {how}>{escape(name)}</text>'


def write_report(manifest: Manifest, path: Path) -> None:
    """Write the plan as one self-contained HTML file.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(path, render_report(manifest))


def render_report(manifest: Manifest) -> str:
    """HTML of the plan: the picture and a row for each layer."""
    rows = [
        (step, layer.name + _manner(layer), shape_text(layer.shape), ", ".join(_short(buffer) for buffer in step.live))
        for step, layer in zip(memory_steps(manifest), manifest.layers, strict=True)
    ]
    return render_page("memory.html.j2", m=manifest, picture=Markup(memory_picture(manifest)), rows=rows)
