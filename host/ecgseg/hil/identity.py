"""Makes sure, before anything is compared, that device and host have the same model behind the same preprocessor."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ecgseg.codegen.manifest import Manifest
from ecgseg.errors import LinkError
from ecgseg.link import DeviceClient, DeviceInfo, LayerInfo
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.printable import printable


@dataclass(frozen=True)
class Known:
    """What the host knows of the image beside what the model's file says.

    Attributes:
        told: fields of HELLO and their values.
        layers: as LAYER has to describe them.
    """

    told: dict[str, object] = field(default_factory=dict)
    layers: tuple[LayerInfo, ...] = ()

    @staticmethod
    def of(generated: Path, *, board: str, build_id: str, backend: str) -> Known:
        """What is known of an image that was built here.

        Args:
            generated: the rendered C, with its manifest.
            board, build_id: of the image.
            backend: what runs the model in it.
        """
        manifest = Manifest.model_validate_json((generated / "manifest.json").read_text(encoding="utf-8"))
        told: dict[str, object] = {
            "board": board,
            "backend": backend,
            "build_id": build_id,
            "model_name": printable(manifest.model),
            "engine_version": manifest.engine_version,
            "layer_count": len(manifest.layers),
            "macs": manifest.macs,
        }
        if backend == "aot":
            told["arena_bytes"] = manifest.arena_bytes
        layers = tuple(
            LayerInfo(index, layer.name, layer.operator, layer.tensor, layer.bytes, layer.macs)
            for index, layer in enumerate(manifest.layers)
        )
        return Known(told, layers)

    def differences(self, info: DeviceInfo) -> list[tuple[str, object, object]]:
        """Field, what the host knows, what the device tells, of all that are not equal."""
        return [(name, value, getattr(info, name)) for name, value in self.told.items() if value != getattr(info, name)]


def identify(device: DeviceClient, reference: Segmenter) -> DeviceInfo:
    """Says HELLO, which begins a session, and checks who answers.

    Args:
        device: an open client.
        reference: the model on the host.

    Returns:
        What the device tells about itself.

    Raises:
        LinkError: no answer, another model, or a preprocessor that was rendered with other numbers.
    """
    info = device.hello()
    device.require_model(reference.sha256)
    _require(info, reference)
    return info


def _require(info: DeviceInfo, reference: Segmenter) -> None:
    parameters = reference.parameters
    if (parameters is None) != (not info.has_stream):
        raise _other("preprocessor", "stream", parameters is not None, info.has_stream)
    pairs: dict[str, tuple[float, float]] = {}
    if parameters is not None:
        pairs = {
            "input rate": (parameters.input_rate, info.input_rate),
            "decimation factor": (parameters.factor, info.factor),
            "hop": (parameters.hop, info.hop),
            "filter delay": (parameters.delay, info.delay),
            "flat limit": (parameters.flat_uv, info.flat_uv),
        }
    _require_equal("preprocessor", pairs)
    source, result = reference.ends.input, reference.ends.output
    frame_length, classes = reference.ends.segmenter_shape
    scales = {
        "input scale": (_float32(source.scale), _float32(info.input_scale)),
        "input zero point": (source.zero_point, info.input_zero_point),
    }
    shape = {"frame length": (frame_length, info.frame_length), "classes": (classes, info.class_count)}
    of_stream = "preprocessor" if parameters is not None else "model"
    _require_equal(of_stream, shape | scales)
    _require_equal(
        "model",
        {
            "input size": (source.size, info.input_bytes),
            "output size": (result.size, info.output_bytes),
            "output scale": (_float32(result.scale), _float32(info.output_scale)),
            "output zero point": (result.zero_point, info.output_zero_point),
        },
    )


def _float32(value: float | np.float32) -> float:
    return float(np.float32(value))


def _require_equal(part: str, pairs: dict[str, tuple[float, float]]) -> None:
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise _other(part, name, wanted, found)


def _other(part: str, name: str, wanted: object, found: object) -> LinkError:
    return LinkError(
        f"The device's {part} was rendered with another {name}.",
        f"The device has {found}, the reference {wanted}.",
        "Render and build the firmware again with the same options as the test.",
    )
