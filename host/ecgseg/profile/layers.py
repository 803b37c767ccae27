"""The layers of a model one by one, each as a model of its own, run every way."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from ecgseg.codegen.trade import settings
from ecgseg.graph.extract import single_operator
from ecgseg.graph.layers import Convolution, Depthwise
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import ModelFile
from ecgseg.profile.ways import GENERATED_C, OverTflm, Runner, Way, run_all, subject_of

STEM, HEAD, POINTWISE, DEPTHWISE, CONVOLUTION = "stem", "head", "pointwise", "depthwise", "convolution"
# TensorFlow Lite Micro's arena for one layer: more than any needs, for its size is not what layers are compared by.
_ARENA_BYTES = 1 << 16
_ONCE = "one layer of each form is run over it, the first"


class LayerGeometry(BaseModel, frozen=True):
    """What layers are told apart by.

    Attributes:
        kind: STEM and HEAD are a model's first and last, POINTWISE has a window of one.
        taps, stride, dilation: along time.
        in_positions, out_positions: time steps.
    """

    kind: str
    taps: int
    stride: int
    dilation: int
    in_channels: int
    out_channels: int
    in_positions: int
    out_positions: int
    macs: int

    @property
    def form(self) -> tuple[str, int, int]:
        """What makes a kernel another one, whatever the sizes."""
        return self.kind, 1 if self.kind == STEM else self.taps, self.dilation


class LayerComparison(BaseModel):
    """One layer, run every way.

    Attributes:
        ways: generated C first.
        left_out: why some way cannot run it, by name.
        expected: modelled cycles of generated C by the table of kernel costs; None for a kernel that has none there.
    """

    geometry: LayerGeometry
    expected: int | None = None
    ways: list[Way]
    left_out: dict[str, str]

    def way(self, name: str) -> Way | None:
        """The way of that name, None where it was left out."""
        return next((way for way in self.ways if way.name == name), None)

    @property
    def off(self) -> float | None:
        """How far `expected` is above what generated C takes, as a share of it; None when either is not known."""
        ours = self.way(GENERATED_C)
        if ours is None or not ours.cycles_per_frame or self.expected is None:
            return None
        return self.expected / ours.cycles_per_frame - 1

    def ratio(self, way: Way) -> float | None:
        """How many times the modelled cycles of generated C a way takes; None when either is not known."""
        ours = self.way(GENERATED_C)
        if ours is None or not ours.cycles_per_frame or way.cycles_per_frame is None:
            return None
        return way.cycles_per_frame / ours.cycles_per_frame


def layers_of(model: ModelFile) -> dict[LayerGeometry, bytes]:
    """The convolutions of a model over time, one of each geometry, as .tflite files.

    Of a model that is none of the zoo's: those of kinds that the zoo does not have.

    Raises:
        GraphError: the model cannot be rendered.
    """
    network = lower(load_tflite(model.data, model.name))
    weighted = [layer for layer in network.layers if isinstance(layer, Convolution | Depthwise)]
    found: dict[LayerGeometry, bytes] = {}
    for layer in weighted:
        geometry = _geometry(layer, first=layer is weighted[0], last=layer is weighted[-1])
        over_time = layer.window.out_size[1] > 1 and layer.window.in_size[0] == 1
        if over_time and (model.from_zoo or geometry.kind in (POINTWISE, DEPTHWISE)):
            found.setdefault(geometry, single_operator(model.data, layer.operator))
    return found


def _geometry(layer: Convolution | Depthwise, *, first: bool, last: bool) -> LayerGeometry:
    window = layer.window
    plain = POINTWISE if window.kernel == (1, 1) else CONVOLUTION
    kind = DEPTHWISE if isinstance(layer, Depthwise) else STEM if first else HEAD if last else plain
    return LayerGeometry(
        kind=kind,
        taps=window.kernel[1],
        stride=window.stride[1],
        dilation=window.dilation[1],
        in_channels=layer.in_channels,
        out_channels=layer.out_channels,
        in_positions=window.in_size[1],
        out_positions=window.out_size[1],
        macs=layer.macs,
    )


def compare_layers(
    layers: Mapping[LayerGeometry, bytes], runners: Sequence[Runner], known: Collection[LayerGeometry] = ()
) -> list[LayerComparison]:
    """Runs layers every way; over TensorFlow Lite Micro, which takes minutes to compile, one of each form.

    Args:
        layers: .tflite files by geometry.
        runners: generated C first.
        known: layers that were run before; they are not run again.

    Raises:
        EcgsegError: as `ecgseg.profile.tflm.compare`.
    """
    forms = {geometry.form for geometry in known}
    compared = []
    for geometry, data in layers.items():
        if geometry not in known:
            compared.append(_compare(geometry, data, runners, again=geometry.form in forms))
            forms.add(geometry.form)
    return compared


def _compare(geometry: LayerGeometry, data: bytes, runners: Sequence[Runner], *, again: bool) -> LayerComparison:
    skipped = [runner for runner in runners if again and isinstance(runner, OverTflm)]
    with tempfile.TemporaryDirectory(prefix="ecgseg-layer-") as folder:
        subject = subject_of(data, geometry.kind, Path(folder), _ARENA_BYTES)
        ways, left_out = run_all(subject, [runner for runner in runners if runner not in skipped])
    return LayerComparison(
        geometry=geometry,
        expected=settings(data)[0].cycles or None,
        ways=ways,
        left_out={**{runner.name: _ONCE for runner in skipped}, **left_out},
    )
