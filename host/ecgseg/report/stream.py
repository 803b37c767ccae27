"""The memory of a stream: what each layer keeps from block to block, and what it needs for one."""

from __future__ import annotations

from ecgseg.codegen.manifest import StreamManifest
from ecgseg.terminal import Table


def stream_table(manifest: StreamManifest) -> Table:
    """One line for the input and each layer: its rows in a block, how they lag, and where they lie."""
    table = Table(
        title=f"{manifest.model}: state {manifest.state_bytes:,} bytes, arena {manifest.arena_bytes:,} bytes; "
        f"blocks of {manifest.block} positions"
    )
    table.add_column("#", justify="right")
    for column in ("layer", "kernel"):
        table.add_column(column, no_wrap=True)
    for column in ("rows a block", "lag", "kept", "new"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("where", no_wrap=True)
    kept = {entry.tensor: entry for entry in manifest.kept}
    first = manifest.kept[0]
    rows = f"{manifest.block} × {manifest.input_row_bytes}"
    table.add_row("", "input", "", rows, "0", f"{first.kept_bytes:,}", f"{first.new_bytes:,}", _state(first.offset))
    for number, layer in enumerate(manifest.layers):
        places = [_state(kept[layer.tensor].offset)] if layer.tensor in kept else []
        places += [
            f"arena @{buffer.offset:,}" for buffer in manifest.buffers if buffer.name == f"tensor {layer.tensor}"
        ]
        table.add_row(
            str(number),
            f"{layer.name} {layer.operator}",
            layer.kernel,
            f"{layer.rows} × {layer.row_bytes}",
            str(layer.lag),
            f"{layer.kept_bytes:,}",
            f"{layer.rows * layer.row_bytes:,}",
            " + ".join(places) or "in place",
        )
    return table


def stream_text(manifest: StreamManifest) -> str:
    """What the stream takes and needs, in words."""
    late = -(-manifest.lag * manifest.block // manifest.block_answers)
    whole = f", a multiple of {manifest.granule}" if manifest.granule > 1 else ""
    return (
        f"{manifest.parameters:,} parameters, {manifest.macs:,} MACs for {manifest.block} positions. State "
        f"{manifest.state_bytes:,} B, arena {manifest.arena_bytes:,} B, constants {manifest.weight_bytes:,} B.\n"
        f"An answer comes {late} to {late + manifest.block - 1} positions after its own. Records of "
        f"{manifest.least:,} position{'s' * (manifest.least != 1)} and more{whole}."
    )


def _state(offset: int) -> str:
    return f"state @{offset:,}"
