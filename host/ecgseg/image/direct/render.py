"""Renders a model of convolutions as a table of layers that the kernels of others run one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.names import ModelNames
from ecgseg.codegen.render import banner_of
from ecgseg.graph.layers import Alias, Convolution, Depthwise, Layer, Network
from ecgseg.output import write_files
from ecgseg.templating import render_template

FOLDER = "direct"
# CMSIS-NN takes two columns of 16 bits, TinyEngine these and a row of two outputs.
_COLUMNS_AT_ONCE = 2


class UnsuitedError(Exception):
    """These kernels cannot run the model; the text says why, as a sentence goes on after "left out: "."""


@dataclass(frozen=True)
class Calls:
    """Which layers some kernels know, and in which form.

    Attributes:
        folder: that the files go to.
        depthwise: they have a depthwise convolution.
        even_outputs: the number of output channels must be even.
        column_multiple: each output's weights are filled up to a multiple of so many.
        as_float: they take factors in float.
    """

    folder: str
    depthwise: bool = False
    even_outputs: bool = False
    column_multiple: int = 1
    as_float: bool = False


@dataclass(frozen=True)
class LayerText:
    """A layer as the template takes it: numbers of ecgseg_direct_layer_t by name, and its constants."""

    numbers: dict[str, int]
    depthwise: bool
    weights: Sequence[int]
    bias: Sequence[int]
    multipliers: Sequence[int]
    shifts: Sequence[int]
    scales: Sequence[str]

    @property
    def columns(self) -> int:
        """Values of a window, filled up."""
        return self.numbers["columns"]

    @property
    def output_bytes(self) -> int:
        """Size of what it computes."""
        return self.numbers["out_positions"] * self.numbers["out_channels"]


def render_direct(network: Network, manifest: Manifest, generated: Path, calls: Calls) -> tuple[Path, int]:
    """Writes <prefix>_model.h and <prefix>_direct_model.c.

    Args:
        network: the model.
        manifest: what the generator of the same model returned.
        generated: where it rendered to; the files go to a subfolder.
        calls: what the kernels know.

    Returns:
        The subfolder, and the bytes of memory that activations and scratch take.

    Raises:
        UnsuitedError: the kernels do not know one of the layers.
        OutputError: a file cannot be written.
    """
    layers = [_text(layer, calls) for layer in _chain(network)]
    scratch = max(_COLUMNS_AT_ONCE * (_rounded(layer.columns, 4) + layer.numbers["out_channels"]) for layer in layers)
    # Of neighbouring activations one is read while the other is written; the ends belong to the caller.
    inner = [layer.output_bytes for layer in layers[:-1]]
    buffers = [max(inner[first::2], default=0) for first in (0, 1)]
    names = ModelNames()
    banner = banner_of(manifest)
    header = render_template("codegen", "ecgseg_model.h.j2", banner=banner, names=names, m=manifest, arena=False)
    source = render_template(
        "codegen", "ecgseg_direct_model.c.j2", banner=banner, names=names, layers=layers, buffers=buffers,
        scratch=scratch, as_float=calls.as_float,
    )  # fmt: skip
    folder = generated / FOLDER / calls.folder
    write_files(folder, {names.header: header, names.direct_source: source})
    return folder, sum(buffers) + 2 * scratch


def _chain(network: Network) -> list[Convolution | Depthwise]:
    """The layers but for those that only rename their input, each of which reads what the one before wrote."""
    chain: list[Convolution | Depthwise] = []
    for layer in network.layers:
        if isinstance(layer, Alias):
            continue
        if not isinstance(layer, Convolution | Depthwise):
            raise UnsuitedError(f"it runs convolutions alone, and the model has {layer.name}")
        chain.append(layer)
    _require_order(network, chain)
    return chain


def _require_order(network: Network, chain: Sequence[Layer]) -> None:
    same = {layer.output: layer.inputs[0] for layer in network.layers if isinstance(layer, Alias)}
    expected = network.input.index
    for layer in chain:
        source = layer.inputs[0]
        while source in same:
            source = same[source]
        if source != expected:
            raise UnsuitedError("its layers do not follow one another in a row")
        expected = layer.output


def _text(layer: Convolution | Depthwise, calls: Calls) -> LayerText:
    _require_suited(layer, calls)
    window, rule = layer.window, layer.rescale
    depthwise = isinstance(layer, Depthwise)
    weights = layer.weights if depthwise else _filled(layer.weights.reshape(layer.out_channels, -1), calls)
    return LayerText(
        numbers={
            "in_positions": window.in_size[1],
            "out_positions": window.out_size[1],
            "in_channels": layer.in_channels,
            "out_channels": layer.out_channels,
            "taps": window.kernel[1],
            "stride": window.stride[1],
            "dilation": window.dilation[1],
            "pad": window.pad[1],
            "columns": window.kernel[1] * layer.out_channels if depthwise else weights.shape[1],
            "in_zero_point": layer.in_zero_point,
            "out_zero_point": rule.zero_point,
            "low": rule.low,
            "high": rule.high,
        },
        depthwise=depthwise,
        weights=weights.reshape(-1).tolist(),
        bias=layer.bias.tolist(),
        multipliers=[multiplier.mantissa for multiplier in rule.multipliers],
        shifts=[multiplier.shift for multiplier in rule.multipliers],
        scales=[
            f"{float(np.float32(multiplier.mantissa * 2.0 ** (multiplier.shift - 31))).hex()}f"
            for multiplier in rule.multipliers
        ],
    )


def _require_suited(layer: Convolution | Depthwise, calls: Calls) -> None:
    flat = all(size == 1 for size in (layer.window.in_size[0], layer.window.kernel[0], layer.window.out_size[0]))
    if not flat:
        raise UnsuitedError("it runs convolutions over one dimension alone, and the model has one over two")
    if isinstance(layer, Depthwise) and not calls.depthwise:
        raise UnsuitedError("it has no depthwise convolution over one dimension")
    if isinstance(layer, Convolution) and layer.groups > 1:
        raise UnsuitedError("it has no grouped convolution")
    if calls.even_outputs and layer.out_channels % 2:
        raise UnsuitedError(f"it takes an even number of output channels, and the model has {layer.out_channels}")


def _filled(weights: npt.NDArray[np.int8], calls: Calls) -> npt.NDArray[np.int8]:
    columns = weights.shape[1]
    return np.pad(weights, ((0, 0), (0, _rounded(columns, calls.column_multiple) - columns)))


def _rounded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
