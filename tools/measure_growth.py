"""How modelled cycles grow with a network: frame length, leads, channels, layers, dilation and kernel size.

    python tools/measure_growth.py                                     # a Markdown section on standard output
    python tools/measure_growth.py --axis channels --axis dilation
    python tools/measure_growth.py --page docs/growth.md --json growth.json

Starts from one network and changes one number of it at a time. Its weights are drawn as a trained layer's are spread:
normal, the largest of every output channel at 127. Every network runs in the simulator, five inputs each, and its
outputs are compared with those of the reference in Python: where a byte differs nothing is written, and the exit code
is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "tests")]

from ecgseg.codegen.render import render  # noqa: E402
from ecgseg.errors import EcgsegError  # noqa: E402
from ecgseg.graph.load import load_tflite  # noqa: E402
from ecgseg.graph.lower import lower  # noqa: E402
from ecgseg.output import write_text  # noqa: E402
from ecgseg.profile.cycles import expected, modelled  # noqa: E402
from support.tflite_builder import SAME, Builder, conv_options  # noqa: E402

CLASSES = 4
_SEED = 7
_LARGEST = 127
_SIGMAS = 2.5
"""Of the sums, within the output's range."""


@dataclass(frozen=True)
class Shape:
    """A network of convolutions along time: a first layer, layers of equal size, a 1x1 layer at the end.

    Attributes:
        length: samples of a frame.
        leads: channels of the input.
        channels: of every layer but the last, which has CLASSES.
        layers: between the first and the last.
        dilation, taps: of those layers; the first has as many taps and no dilation.
    """

    length: int = 250
    leads: int = 1
    channels: int = 16
    layers: int = 5
    dilation: int = 2
    taps: int = 3


BASE = Shape()
AXES: dict[str, tuple[str, tuple[int, ...]]] = {
    "length": ("frame length", (125, 250, 500, 1000, 2000)),
    "leads": ("leads", (1, 2, 3, 8, 12)),
    "channels": ("channels", (4, 8, 16, 24, 32, 48, 64)),
    "layers": ("layers", (1, 2, 5, 10, 20)),
    "dilation": ("dilation", (1, 2, 4, 8, 16, 32)),
    "taps": ("kernel size", (1, 2, 3, 4, 5, 6, 7, 9)),
}


@dataclass(frozen=True)
class Cost:
    """What one inference takes.

    Attributes:
        cycles: modelled, code in the cache.
        macs: multiply-accumulates.
        arena: bytes of RAM.
        equal: all outputs are those of the reference.
    """

    cycles: int
    macs: int
    arena: int
    equal: bool


@dataclass(frozen=True)
class Row:
    """One value on an axis.

    Attributes:
        axis, value: what is changed, to what.
        network: the whole one.
        layer_cycles, layer_macs: what one inner layer adds to a network of one fewer.
    """

    axis: str
    value: int
    network: Cost
    layer_cycles: int
    layer_macs: int

    @property
    def per_mac(self) -> float:
        """Cycles a multiply-accumulate, the whole network."""
        return self.network.cycles / self.network.macs

    @property
    def layer_per_mac(self) -> float:
        """Cycles a multiply-accumulate of one more layer."""
        return self.layer_cycles / self.layer_macs


def network_of(shape: Shape) -> bytes:
    """The .tflite file of a shape, the same every time."""
    builder = Builder()
    rng = np.random.default_rng(_SEED)
    source = builder.int8([1, 1, shape.length, shape.leads], 1 / 32, 3)
    current = _convolution(builder, rng, source, shape.channels, shape.taps, 1, "RELU")
    for _ in range(shape.layers):
        current = _convolution(builder, rng, current, shape.channels, shape.taps, shape.dilation, "RELU")
    result = _convolution(builder, rng, current, CLASSES, 1, 1, "NONE")
    return builder.finish([source], [result])


def _convolution(
    builder: Builder, rng: np.random.Generator, source: int, channels: int, taps: int, dilation: int, activation: str
) -> int:
    """CONV_2D along time with as many outputs as inputs; returns its result."""
    shape = builder.shape(source)
    drawn = rng.normal(0, 1, (channels, 1, taps, shape[3]))
    largest = np.abs(drawn).max(axis=(1, 2, 3), keepdims=True)
    weights = np.rint(drawn / largest * _LARGEST).astype(np.int8)
    in_scale, _ = builder.quantisation(source)
    scales = (rng.uniform(0.8, 1.25, channels) * 0.01).astype(np.float32)
    spread = np.sqrt((weights.astype(float) ** 2).sum(axis=(1, 2, 3))) * scales * in_scale * 60
    scale = float(np.float32(np.median(spread) * _SIGMAS / 128))
    result = builder.int8([*shape[:3], channels], scale, -128 if activation == "RELU" else 0)
    kernel = builder.tensor(weights.shape, np.int8, list(scales), [0] * channels, 0, weights)
    values = np.rint(rng.normal(0, 500, channels)).astype(np.int32)
    bias_scales = [float(one) * in_scale for one in scales]
    bias = builder.tensor([channels], np.int32, bias_scales, [0] * channels, 0, values)
    options = conv_options((1, 1), (1, dilation), SAME, activation)
    builder.operator("CONV_2D", [source, kernel, bias], [result], "Conv2DOptions", **options)
    return result


@cache
def cost_of(shape: Shape) -> Cost:
    """Renders, builds and runs a network.

    Raises:
        EcgsegError: it cannot be rendered, built or run.
    """
    data = network_of(shape)
    with tempfile.TemporaryDirectory(prefix="ecgseg-growth-") as folder:
        manifest = render(data, Path(folder), name="growth")
        ran = modelled(Path(folder), manifest)
    equal = bool(np.array_equal(ran.outputs, expected(lower(load_tflite(data, "growth")))))
    return Cost(ran.cycles, manifest.macs, manifest.arena_bytes, equal)


def row_of(axis: str, value: int, cost: Callable[[Shape], Cost] = cost_of) -> Row:
    """The base network with another number in one place."""
    shape = replace(BASE, **{axis: value})
    network, fewer = cost(shape), cost(replace(shape, layers=shape.layers - 1))
    return Row(axis, value, network, network.cycles - fewer.cycles, network.macs - fewer.macs)


def section(rows: Sequence[Row]) -> str:
    """The rows as Markdown, one table an axis, the heading without its marks."""
    about = (
        "**Modelled by `apollo4p-sim`, not measured** ([simulator.md](simulator.md)): one inference whose code is in "
        "the cache, one number of the network changed at a time. "
        f"It begins with {BASE.length} samples of {BASE.leads} lead and {BASE.layers} inner convolutions of "
        f"{BASE.channels} channels, kernel size {BASE.taps} and dilation {BASE.dilation} between a first one and one "
        "of kernel size 1. *One layer* is what one inner layer adds; a ratio compares cycles a multiplication with "
        "those of the network that it begins with. All outputs equal the reference's."
    )
    note = "<!-- Generated by `python tools/measure_growth.py --page docs/growth.md`; not edited by hand. -->"
    head = f"How modelled cycles grow\n\n{note}\n\n{textwrap.fill(about, 120, break_on_hyphens=False)}\n"
    tables = []
    for axis, (title, _) in AXES.items():
        chosen = [row for row in rows if row.axis == axis]
        if chosen:
            base = next(row for row in chosen if row.value == getattr(BASE, axis))
            tables.append("\n".join(_table(title, chosen, base)) + "\n")
    return "\n".join([head, *tables])


def _table(title: str, rows: Sequence[Row], base: Row) -> list[str]:
    head = f"| {title} | multiplications | cycles | cycles a multiplication | ratio | one layer | ratio | arena, B |"
    return [
        head,
        "|---:" * 8 + "|",
        *(
            f"| {row.value} | {row.network.macs:,} | {row.network.cycles:,} | {row.per_mac:.2f} "
            f"| {row.per_mac / base.per_mac:.2f} | {row.layer_per_mac:.2f} "
            f"| {row.layer_per_mac / base.layer_per_mac:.2f} | {row.network.arena:,} |"
            for row in rows
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axis", choices=tuple(AXES), action="append", help="by default all")
    parser.add_argument("--page", type=Path, help="write the section there, as a page, instead of showing it")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    try:
        rows = []
        for axis in options.axis or AXES:
            for value in AXES[axis][1]:
                rows.append(row_of(axis, value))
                print(f"{axis} {value}: {rows[-1].per_mac:.2f} cycles a multiplication", file=sys.stderr, flush=True)
        if different := [f"{row.axis} {row.value}" for row in rows if not row.network.equal]:
            print(f"Other bytes than the reference: {', '.join(different)}", file=sys.stderr)
            return 1
        if options.json:
            write_text(options.json, json.dumps([asdict(row) for row in rows], indent=1) + "\n")
        if options.page:
            write_text(options.page, "# " + section(rows))
        else:
            print("## " + section(rows), end="")
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
