"""The memory plan of a rendered model over time: which activation lies where while which layer runs."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from rich import box
from rich.table import Table

from ecgseg.codegen.manifest import BufferEntry, LayerEntry, Manifest
from ecgseg.graph.ir import shape_text
from ecgseg.output import write_text

# A qualitative palette that is told apart in grey and by colour-blind readers (Okabe and Ito).
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_SCRATCH = "#9a9a9a"
_LEFT, _TOP, _HEIGHT, _COLUMN, _BOTTOM = 70, 20, 320, 44, 160


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
        title=f"{manifest.model}: arena {manifest.arena_bytes} bytes, input and output buffers are the caller's",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
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
            str(step.live_bytes),
            str(step.used_bytes),
            style="bold" if step.used_bytes + 3 >= manifest.arena_bytes else "",
        )
    return table


def _manner(layer: LayerEntry) -> str:
    return " (in place)" if layer.in_place else " (streamed)" if layer.streamed else ""


def _short(buffer: BufferEntry) -> str:
    """`tensor 18 @0` or `scratch @2000`."""
    return f"{buffer.name.split(' of ')[0]} @{buffer.offset}"


def memory_picture(manifest: Manifest) -> str:
    """The plan as SVG: time (layers) to the right, addresses upward, one rectangle per buffer."""
    count = len(manifest.layers)
    width = _LEFT + count * _COLUMN + 90
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_TOP + _HEIGHT + _BOTTOM}" '
        f'width="{width}" font-family="sans-serif" font-size="11" role="img" aria-label="Memory over time">'
    ]
    tensors = 0
    for buffer in manifest.buffers:
        scratch = buffer.name.startswith("scratch")
        parts.append(_rectangle(manifest, buffer, _SCRATCH if scratch else _COLOURS[tensors % len(_COLOURS)]))
        tensors += not scratch
    parts += _axes(manifest, count)
    parts.append("</svg>")
    return "\n".join(parts)


def _y(manifest: Manifest, address: int) -> float:
    return _TOP + _HEIGHT * (1.0 - address / max(manifest.arena_bytes, 1))


def _rectangle(manifest: Manifest, buffer: BufferEntry, colour: str) -> str:
    x = _LEFT + buffer.first * _COLUMN
    width = (buffer.last - buffer.first + 1) * _COLUMN
    top, bottom = _y(manifest, buffer.offset + buffer.size), _y(manifest, buffer.offset)
    label = f"{buffer.name}: {buffer.size} bytes at {buffer.offset}, layers {buffer.first} to {buffer.last}"
    text = ""
    if bottom - top > 12 and width > 60:
        text = f'<text x="{x + 4}" y="{(top + bottom) / 2 + 4:.1f}" fill="#fff">{buffer.size}</text>'
    return (
        f'<g><title>{escape(label)}</title><rect x="{x}" y="{top:.1f}" width="{width}" height="{bottom - top:.1f}" '
        f'fill="{colour}" fill-opacity="0.85" stroke="#fff"/>{text}</g>'
    )


def _axes(manifest: Manifest, count: int) -> list[str]:
    right = _LEFT + count * _COLUMN
    parts = []
    for step in range(5):
        address = manifest.arena_bytes * step // 4
        y = _y(manifest, address)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#888" stroke-opacity="0.35"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="currentColor">{address}</text>')
    for index, layer in enumerate(manifest.layers):
        x, y = _LEFT + index * _COLUMN + _COLUMN / 2, _TOP + _HEIGHT + 10
        parts.append(
            f'<text x="{x}" y="{y}" transform="rotate(60 {x} {y})" fill="currentColor">'
            f"{index} {escape(layer.name.removesuffix('_2D'))}</text>"
        )
    return parts


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{font-family:sans-serif;margin:2em;max-width:80em}}
table{{border-collapse:collapse}}td,th{{padding:.2em .7em;text-align:left;border-bottom:1px solid #8884}}
td.n{{text-align:right}}.wide{{overflow-x:auto}}</style></head><body>
<h1>{title}</h1>
<p>Arena {arena} bytes for all activations and scratch; weights and tables {weights} bytes; {macs} multiplications a
frame. Addresses go up, layers to the right; grey is scratch. Two that share an address are never needed together: where
they overlap while streamed layers run, the result grows into rows that have been read.</p>
<div class="wide">{picture}</div>
<div class="wide"><table><tr><th>#</th><th>layer</th><th>result</th><th>alive</th><th>bytes</th></tr>
{rows}
</table></div></body></html>
"""


def write_report(manifest: Manifest, path: Path) -> None:
    """Write the plan as one self-contained HTML file.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [
        f"<tr><td>{step.layer}</td><td>{escape(step.name)}{_manner(layer)}</td>"
        f"<td>{shape_text(layer.shape)}</td>"
        f"<td>{', '.join(_short(buffer) for buffer in step.live)}</td>"
        f'<td class="n">{step.live_bytes}</td></tr>'
        for step, layer in zip(memory_steps(manifest), manifest.layers, strict=True)
    ]
    page = _PAGE.format(
        title=escape(f"Memory of {manifest.model}"),
        arena=manifest.arena_bytes,
        weights=manifest.weight_bytes,
        macs=manifest.macs,
        picture=memory_picture(manifest),
        rows="\n".join(rows),
    )
    write_text(path, page)
